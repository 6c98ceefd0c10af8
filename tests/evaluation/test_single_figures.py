"""Figures of single measures are those of the whole validation, or of hand."""

import numpy as np
import pytest

from medcxr.evaluation.single_figures import auc_estimate, mean_estimate_by_patient
from medcxr.evaluation.validation import evaluate


def test_the_auc_is_that_of_the_validation():
    random = np.random.default_rng(0)
    labels = (random.random(200) < 0.3).astype(float)
    scores = 1 / (1 + np.exp(-random.normal(labels, 1.0)))
    patients = [f"p{i // 3}" for i in range(200)]

    found = auc_estimate(labels, scores, patients)
    report = evaluate(
        labels[:, None],
        scores[:, None],
        findings=["Effusion"],
        thresholds=[0.5],
        patients=patients,
    )

    expected = report.findings[0].auc
    assert found.value == pytest.approx(expected.value)
    assert found.low == pytest.approx(expected.low, abs=0.02)
    assert found.high == pytest.approx(expected.high, abs=0.02)


def test_unknown_and_unmeasured_images_are_left_out():
    labels = np.array([1.0, 0.0] * 10 + [np.nan, 1.0])
    scores = np.array([0.9, 0.1] * 10 + [0.0, np.nan])
    patients = [str(i) for i in range(22)]

    found = auc_estimate(labels, scores, patients)

    assert found.value == 1.0
    assert found.low < 1.0  # ten of ten prove no certainty
    assert auc_estimate(labels[:8], scores[:8], patients[:8]) is None  # four of a class


def test_a_mean_counts_images_and_draws_patients():
    values = np.array([1.0] * 50 + [0.0] * 50 + [np.nan])
    alone = mean_estimate_by_patient(values, [str(i) for i in range(101)])
    together = mean_estimate_by_patient(values, [str(i // 10) for i in range(101)])

    assert alone.value == together.value == 0.5
    assert together.high - together.low > 2 * (alone.high - alone.low)
    assert mean_estimate_by_patient([np.nan], ["a"]) is None
