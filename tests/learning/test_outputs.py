"""From logits to probabilities and decisions."""

import numpy as np
import pytest

from medcxr.evaluation.calibration import (
    MINIMUM_PER_CLASS,
    IdentityCalibration,
    fit_beta,
    fit_platt,
)
from medcxr.evaluation.conformal import fit_conformal
from medcxr.evaluation.operating_points import OPERATING_POINTS, youden
from medcxr.learning.outputs import CONFORMAL_LEVEL, fit_outputs


def scores(n=80, n_findings=2, seed=0):
    random = np.random.default_rng(seed)
    labels = (random.random((n, n_findings)) < 0.4).astype(np.float64)
    labels[random.random((n, n_findings)) < 0.1] = np.nan
    logits = random.normal(2 * np.nan_to_num(labels) - 1, 1.0).astype(np.float32)
    return logits, labels


def few_positives(labels, column, n):
    labels[:, column] = 0
    labels[:n, column] = 1


def test_each_finding_is_calibrated_by_its_own_logits():
    logits, labels = scores()

    outputs = fit_outputs(logits, labels)

    assert outputs.calibrations == tuple(fit_platt(logits[:, i], labels[:, i]) for i in range(2))
    expected = [c.predict_proba(logits[:, i]) for i, c in enumerate(outputs.calibrations)]
    np.testing.assert_array_equal(outputs.probabilities(logits), np.transpose(expected))


@pytest.mark.parametrize(
    ("shift", "n_positive", "fit"),
    [
        (0.0, 60, fit_beta),
        (0.0, 49, fit_platt),  # too few for a third number
        (-8.0, 60, fit_platt),  # nothing beyond the bend: its slope there would be chance
        (8.0, 60, fit_platt),
    ],
)
def test_the_line_bends_where_there_is_enough_on_either_side(shift, n_positive, fit):
    random = np.random.default_rng(0)
    labels = np.zeros((400, 1))
    labels[:n_positive] = 1
    logits = random.normal(2 * labels - 1 + shift, 1.0).astype(np.float32)

    outputs = fit_outputs(logits, labels)

    assert outputs.calibrations == (fit(logits[:, 0], labels[:, 0]),)


def test_thresholds_are_chosen_on_the_calibrated_probabilities():
    logits, labels = scores()

    outputs = fit_outputs(logits, labels)

    probabilities = outputs.probabilities(logits)
    assert outputs.operating_point == "youden"
    for column, points in enumerate(outputs.operating_points):
        assert [point.name for point in points] == list(OPERATING_POINTS)
        assert youden(labels[:, column], probabilities[:, column]) in points
    chosen = [youden(labels[:, i], probabilities[:, i]).threshold for i in range(2)]
    assert outputs.thresholds("youden").tolist() == chosen


def test_prediction_sets_are_bounded_on_the_calibrated_probabilities():
    logits, labels = scores()
    few_positives(labels, 1, 3)  # too few to promise nine of ten

    outputs = fit_outputs(logits, labels)

    probabilities = outputs.probabilities(logits)[:, 0]
    expected = fit_conformal(labels[:, 0], probabilities, level=CONFORMAL_LEVEL)
    assert outputs.conformal == (expected, None)


@pytest.mark.parametrize("class_", [0, 1])
def test_too_few_examples_of_a_class_keep_the_sigmoid_and_one_half(class_):
    logits, labels = scores()
    few_positives(labels, 1, MINIMUM_PER_CLASS - 1)
    labels[:, 1] = labels[:, 1] if class_ else 1 - labels[:, 1]

    outputs = fit_outputs(logits, labels)

    assert isinstance(outputs.calibrations[1], IdentityCalibration)
    assert [point.name for point in outputs.operating_points[1]] == ["half"]
    assert outputs.calibrations[0] == fit_platt(logits[:, 0], labels[:, 0])
    # one name decides for all findings, so one without it lets the half decide
    assert outputs.operating_point == "half"
    assert outputs.thresholds("half").tolist() == [0.5, 0.5]


def test_just_enough_examples_are_calibrated():
    logits, labels = scores()
    few_positives(labels, 1, MINIMUM_PER_CLASS)

    assert fit_outputs(logits, labels).calibrations[1] == fit_platt(logits[:, 1], labels[:, 1])


def test_a_finding_without_the_wanted_point_decides_at_one_half():
    logits, labels = scores()
    few_positives(labels, 0, 2)

    thresholds = fit_outputs(logits, labels).thresholds("youden")

    assert thresholds[0] == 0.5
    assert thresholds[1] != 0.5
