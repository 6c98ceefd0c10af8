"""Candidates for calibrating, side by side."""

import numpy as np
import pytest

from medcxr.evaluation.calibration_comparison import CANDIDATES, compare_calibrations
from medcxr.evaluation.validation import evaluate


def test_each_candidate_gets_the_figures_that_it_would_get_alone():
    random = np.random.default_rng(0)
    labels = (random.random((300, 2)) < 0.4).astype(float)
    right = np.clip(0.4 + 0.3 * (labels - 0.4) + random.normal(0, 0.1, labels.shape), 0.01, 0.99)
    scores = {"right": right, "too sure": right**3 / (right**3 + (1 - right) ** 3)}
    patients = [str(i // 2) for i in range(300)]

    compared = compare_calibrations(
        labels, scores, findings=("A", "B"), patients=patients, n_bootstrap=30, seed=4
    )

    assert [(one.finding, one.candidate) for one in compared] == [
        ("A", "right"), ("A", "too sure"), ("B", "right"), ("B", "too sure")
    ]  # fmt: skip
    alone = evaluate(
        labels,
        scores["too sure"],
        findings=("A", "B"),
        thresholds=[0.5, 0.5],
        patients=patients,
        n_bootstrap=30,
        seed=4,
    ).findings[1]
    assert compared[3].calibration_error == alone.calibration_error
    assert compared[3].brier == alone.brier
    assert compared[3].calibration_slope == alone.calibration_slope
    assert compared[1].calibration_slope.value < compared[0].calibration_slope.value


@pytest.mark.parametrize("name", list(CANDIDATES))
def test_every_candidate_can_be_fitted(name):
    random = np.random.default_rng(1)
    labels = (random.random(200) < 0.4).astype(float)
    logits = random.normal(2 * labels - 1, 1.0)

    scores = CANDIDATES[name](logits, labels).predict_proba(logits)

    assert ((scores >= 0) & (scores <= 1)).all()
    assert scores[labels == 1].mean() > scores[labels == 0].mean() + 0.2
