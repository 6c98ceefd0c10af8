"""Figures of weighed images equal those of images that are repeated so often."""

import numpy as np
import pytest

from medcxr.core.errors import DataError
from medcxr.evaluation.finding_sample import draw_patients, finding_sample
from medcxr.evaluation.metrics import auc
from medcxr.evaluation.patient_mix import MIX_FIGURES, mix_figures, more_of, with_prevalence


@pytest.fixture(scope="module")
def sample():
    random = np.random.default_rng(0)
    labels = (random.random(300) < 0.3).astype(float)
    probabilities = 1 / (1 + np.exp(-random.normal(labels - 0.5, 1.0)))
    drawn = draw_patients([str(i // 2) for i in range(300)], n_bootstrap=200, seed=0)
    return finding_sample(labels, probabilities, drawn)[0]


def test_whole_weights_are_repetitions(sample):
    members = np.arange(300) % 3 == 0
    found = mix_figures("more", sample, np.where(members, 3.0, 1.0), np.full(300, 0.5))
    rows = np.repeat(np.arange(300), np.where(members, 3, 1))
    labels, values = sample.labels[rows], sample.probabilities[rows]
    called = values >= 0.5
    expected = {
        "auc": auc(labels, values),
        "sensitivity": called[labels == 1].mean(),
        "specificity": (~called)[labels == 0].mean(),
        "ppv": labels[called].mean(),
        "npv": 1 - labels[~called].mean(),
        "surplus": (values - labels).mean(),
    }
    for name in MIX_FIGURES:
        assert found.figures[name].value == pytest.approx(expected[name])


def test_another_prevalence_changes_predictive_values_alone(sample):
    weights = with_prevalence(sample.labels, 0.1)
    assert weights.mean() == pytest.approx(1)
    assert (weights * sample.labels).mean() == pytest.approx(0.1)
    found = mix_figures("rare", sample, weights, np.full(300, 0.5))
    for name in ("auc", "sensitivity", "specificity"):
        assert found.differences[name].value == pytest.approx(0, abs=1e-12)
    assert found.differences["ppv"].high < 0 < found.differences["npv"].low
    assert found.n_effective < 300


def test_weights_have_a_mean_of_one_and_impossible_ones_are_refused(sample):
    assert more_of(sample.labels == 1, 2.0).mean() == pytest.approx(1)
    with pytest.raises(DataError):
        with_prevalence(sample.labels, 1.0)
    with pytest.raises(DataError):
        with_prevalence(np.ones(3), 0.5)
