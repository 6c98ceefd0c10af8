"""Radiographs that several tests look at."""

from dataclasses import replace

import numpy as np
import pytest

from medcxr.core.findings import Finding
from medcxr.core.images import View
from medcxr.synthetic import SyntheticRadiograph, ThoraxParameters, sample_parameters, simulate


@pytest.fixture(scope="session")
def patient() -> ThoraxParameters:
    """Return an upright patient without a finding, marker or closed collimator."""
    rng = np.random.default_rng(7)
    sampled = sample_parameters(rng, findings=(Finding.NO_FINDING,), view=View.PA)
    markings = replace(sampled.markings, marker="", collimation=(0.0, 0.0, 0.0, 0.0))
    return replace(sampled, markings=markings)


@pytest.fixture(scope="session")
def radiograph(patient: ThoraxParameters) -> SyntheticRadiograph:
    return simulate(patient, size=192, seed=3)
