"""Thresholds, against every point of scikit-learn's ROC curve."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from medcxr.core.errors import DataError
from medcxr.evaluation.operating_points import (
    OPERATING_POINTS,
    OperatingPoint,
    choose_operating_point,
    half,
    sensitivity_90,
    youden,
)

examples = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 12)), min_size=2, max_size=80
).filter(lambda pairs: len({label for label, _ in pairs}) == 2)


def _arrays(pairs):
    labels, scores = zip(*pairs, strict=True)
    return np.array(labels), np.array(scores) / 12


@given(examples)
def test_youden_is_the_best_point_of_the_roc_curve(pairs):
    labels, probabilities = _arrays(pairs)
    alarms, found, thresholds = roc_curve(labels, probabilities, drop_intermediate=False)
    index = (found - alarms)[1:]  # the first point, at infinity, is no probability
    best = thresholds[1:][index >= index.max() - 1e-12].max()
    assert youden(labels, probabilities).threshold == best


@given(examples)
def test_sensitivity_90_is_the_first_point_of_the_roc_curve_to_reach_it(pairs):
    labels, probabilities = _arrays(pairs)
    _, found, thresholds = roc_curve(labels, probabilities, drop_intermediate=False)
    reached = thresholds[found >= 0.9 - 1e-12].max()
    assert sensitivity_90(labels, probabilities).threshold == reached


@given(st.integers(1, 2000))
def test_sensitivity_90_asks_for_no_more_positives_than_it_needs(n):
    probabilities = np.arange(1, n + 1) / (n + 1)
    threshold = sensitivity_90(np.ones(n), probabilities).threshold
    n_present = int((probabilities >= threshold).sum())
    assert 10 * n_present >= 9 * n
    assert 10 * (n_present - 1) < 9 * n


def test_equal_probabilities_stand_or_fall_together():
    labels = [1] * 10 + [0] * 10
    probabilities = [0.7] * 8 + [0.4] * 2 + [0.4] * 10
    assert sensitivity_90(labels, probabilities).threshold == 0.4
    assert youden(labels, probabilities).threshold == 0.7


def test_unknown_labels_do_not_move_a_threshold():
    labels, probabilities = [0, 1, 0, 1], [0.1, 0.6, 0.3, 0.8]
    for name in OPERATING_POINTS:
        plain = choose_operating_point(name, labels, probabilities)
        more = choose_operating_point(name, [*labels, np.nan], [*probabilities, 0.7])
        assert plain == more
        assert plain.name == name


def test_half_is_half():
    assert half() == OperatingPoint(name="half", threshold=0.5)


def test_wrong_input_is_refused():
    with pytest.raises(DataError, match="'best' is unknown"):
        choose_operating_point("best", [0, 1], [0.1, 0.2])
    with pytest.raises(DataError, match="positive and negative"):
        youden([1, 1], [0.1, 0.2])
    with pytest.raises(DataError, match="positive and negative"):
        youden([0, 0], [0.1, 0.2])
    with pytest.raises(DataError, match="positive labels"):
        sensitivity_90([0, np.nan], [0.1, 0.2])
    with pytest.raises(DataError, match=r"Probability 1\.2"):
        youden([0, 1], [0.1, 1.2])
    with pytest.raises(DataError, match="within 0…1"):
        OperatingPoint(name="half", threshold=1.5)
    with pytest.raises(DataError, match="within 0…1"):
        OperatingPoint(name="half", threshold=float("nan"))


def test_no_labels_at_all_are_refused():
    with pytest.raises(DataError, match="positive and negative"):
        youden([np.nan], [0.1])
