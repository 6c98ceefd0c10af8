"""Prediction sets keep what they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcxr.core.errors import DataError
from medcxr.evaluation.conformal import (
    ConformalAnswer,
    ConformalBounds,
    fit_conformal,
    measure_coverage,
)


def sample(n, seed, shift=1.0):
    random = np.random.default_rng(seed)
    labels = (random.random(n) < 0.4).astype(float)
    logits = random.normal(shift * (2 * labels - 1), 1.0)
    return labels, 1 / (1 + np.exp(-logits))


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_new_images_are_covered_at_the_level(level):
    labels, probabilities = sample(2000, 1)
    bounds = fit_conformal(labels, probabilities, level=level)
    truth, new = sample(20000, 2)
    assert (new[truth == 1] >= bounds.present_from).mean() == pytest.approx(level, abs=0.025)
    assert (new[truth == 0] <= bounds.absent_to).mean() == pytest.approx(level, abs=0.025)


def test_bounds_are_the_ranks_of_the_definition():
    # nine of each: the rank for 0.9 of 9 is ceil(10 * 0.9) = 9, i.e. the most extreme one
    positives, negatives = np.linspace(0.3, 0.9, 9), np.linspace(0.05, 0.6, 9)
    bounds = fit_conformal([1] * 9 + [0] * 9, [*positives, *negatives], level=0.9)
    assert bounds.present_from == pytest.approx(0.3)
    assert bounds.absent_to == pytest.approx(0.6)


@given(seed=st.integers(0, 2**32 - 1), level=st.sampled_from([0.5, 0.8, 0.9]))
@settings(max_examples=30)
def test_the_images_of_the_fit_are_covered(seed, level):
    labels, probabilities = sample(120, seed)
    bounds = fit_conformal(labels, probabilities, level=level)
    assert (probabilities[labels == 1] >= bounds.present_from).mean() >= level
    assert (probabilities[labels == 0] <= bounds.absent_to).mean() >= level


def test_unknown_labels_do_not_count():
    labels, probabilities = sample(200, 3)
    with_unknown = np.concatenate([labels, [np.nan] * 50])
    scores = np.concatenate([probabilities, np.full(50, 0.99)])
    assert fit_conformal(with_unknown, scores) == fit_conformal(labels, probabilities)


def test_each_set_has_its_answer():
    overlapping = ConformalBounds(level=0.9, present_from=0.3, absent_to=0.6)
    apart = ConformalBounds(level=0.9, present_from=0.6, absent_to=0.3)
    assert overlapping.answer(0.2) is ConformalAnswer.ABSENT
    assert overlapping.answer(0.3) is overlapping.answer(0.6) is ConformalAnswer.UNCERTAIN
    assert overlapping.answer(0.7) is ConformalAnswer.PRESENT
    assert apart.answer(0.45) is ConformalAnswer.ATYPICAL


def test_too_few_images_cannot_promise():
    with pytest.raises(DataError, match="needs 9 of each"):
        fit_conformal([1] * 8 + [0] * 20, np.linspace(0, 1, 28), level=0.9)


def test_impossible_bounds_are_refused():
    with pytest.raises(DataError, match=r"within 0…1"):
        ConformalBounds(level=0.9, present_from=1.2, absent_to=0.1)


def test_coverage_on_resplits_is_near_the_level():
    labels, probabilities = sample(1200, 4)
    coverage = measure_coverage(labels, probabilities, np.arange(1200) // 2, level=0.9)
    assert coverage.present == pytest.approx(0.9, abs=0.02)
    assert coverage.absent == pytest.approx(0.9, abs=0.02)
    assert 0 < coverage.uncertain < 1


def test_coverage_notices_scores_that_overfit():
    """Bounds from one hospital promise nothing at another: the count must be able to fail."""
    labels, probabilities = sample(1000, 5)
    bounds = fit_conformal(labels, probabilities)
    truth, worse = sample(1000, 6, shift=0.0)
    assert (worse[truth == 1] >= bounds.present_from).mean() < 0.85
