"""Two shares of the same images, against published intervals, whole enumerations and true levels."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2

from medcxr.core.errors import DataError
from medcxr.evaluation.paired_shares import (
    PairedCounts,
    compare_decisions,
    compare_shares,
    mcnemar_p,
    paired_counts,
    paired_difference,
)


def counts(both, first_only, second_only, neither):
    return PairedCounts(both=both, first_only=first_only, second_only=second_only, neither=neither)


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [
        # examples of Newcombe 1998 (paired data), method 10
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((18, 12, 2, 18), 0.0562, 0.3290),
        ((53, 0, 0, 1), -0.0729, 0.0729),
    ],
)
def test_intervals_are_those_of_newcombe(cells, low, high):
    found = paired_difference(counts(*cells))
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)


def test_newcombes_interval_covers():
    random, covered = np.random.default_rng(0), 0
    shares = (0.7, 0.12, 0.06, 0.12)  # a true difference of 0.06
    for _ in range(2000):
        found = paired_difference(counts(*random.multinomial(60, shares).tolist()))
        covered += found.low <= 0.06 <= found.high
    assert covered / 2000 == pytest.approx(0.95, abs=0.02)


def test_images_are_counted_by_who_was_right():
    right = np.array([True] * 90 + [False] * 10)
    assert paired_counts(right, ~right) == counts(0, 90, 10, 0)


def answers(both, first_only, second_only, neither):
    """Return what two readers got right, image by image."""
    pairs = [(True, True), (True, False), (False, True), (False, False)]
    return np.repeat(pairs, [both, first_only, second_only, neither], axis=0).T


@given(st.integers(0, 30), st.integers(0, 30))
@settings(max_examples=40)
def test_of_patients_with_one_image_each_it_is_mcnemars_exact_test(first_only, second_only):
    first, second = answers(5, first_only, second_only, 3)
    expected = (
        binomtest(first_only, first_only + second_only).pvalue if first_only + second_only else 1.0
    )
    assert mcnemar_p(first, second, np.arange(len(first))) == pytest.approx(expected)


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_of_patients_with_several_images_every_exchange_is_counted(seed):
    random = np.random.default_rng(seed)
    owners = np.repeat(np.arange(8), random.integers(1, 5, 8))
    first, second = random.random((2, len(owners))) < 0.5
    surplus = np.bincount(owners, weights=first.astype(int) - second.astype(int))
    sums = [abs(np.dot(signs, surplus)) for signs in product((-1, 1), repeat=8)]
    expected = np.mean(np.array(sums) >= abs(surplus.sum()) - 1e-9)
    assert mcnemar_p(first, second, owners) == pytest.approx(expected)
    assert mcnemar_p(second, first, owners) == pytest.approx(expected)


def test_of_many_patients_it_agrees_with_obuchowskis_test():
    random = np.random.default_rng(3)
    owners = np.repeat(np.arange(400), random.integers(1, 6, 400))
    easy = random.random(400)[owners]
    first = random.random(len(owners)) < easy
    second = random.random(len(owners)) < easy * 0.9
    surplus = np.bincount(owners, weights=first.astype(int) - second.astype(int))
    statistic = 399 / 400 * surplus.sum() ** 2 / (surplus**2).sum()
    assert mcnemar_p(first, second, owners) == pytest.approx(chi2.sf(statistic, 1), rel=0.15)


def test_several_images_of_a_patient_raise_no_false_alarm():
    """Both readers are as good, but each has patients all of whose images it gets wrong."""
    owners = np.repeat(np.arange(50), 4)
    alone, together = [], []
    for seed in range(200):
        random = np.random.default_rng(seed)
        skill = random.random((2, 50)) < 0.75
        pair = np.where(
            random.random((2, 200)) < 0.1, random.random((2, 200)) < 0.75, skill[:, owners]
        )
        alone.append(mcnemar_p(*pair, np.arange(200)))
        together.append(mcnemar_p(*pair, owners))
    assert np.mean(np.array(alone) < 0.05) > 0.2
    assert 0.01 < np.mean(np.array(together) < 0.05) < 0.1


def test_sensitivity_and_specificity_are_of_the_images_with_and_without():
    labels = [1] * 40 + [0] * 60 + [np.nan] * 5
    first = [True] * 30 + [False] * 10 + [True] * 20 + [False] * 40 + [True] * 5
    second = [True] * 20 + [False] * 20 + [True] * 20 + [False] * 40 + [False] * 5
    whose = [str(n) for n in range(105)]
    sensitivity, specificity = compare_decisions(labels, first, second, patients=whose)
    assert (sensitivity.first, sensitivity.second, sensitivity.n_patients) == (0.75, 0.5, 40)
    assert sensitivity.counts == counts(20, 10, 0, 10)
    assert sensitivity.p == pytest.approx(2 * 0.5**10)
    assert sensitivity.difference.low > 0
    assert sensitivity.method == "bootstrap that draws patients"
    assert (specificity.first, specificity.second, specificity.p) == (40 / 60, 40 / 60, 1.0)
    assert specificity.method.startswith("Newcombe")  # all resamples are alike


def test_answers_that_do_not_belong_together_are_refused():
    with pytest.raises(DataError, match="one of each per image"):
        compare_decisions([1, 0], [True, True], [True], patients=["a", "b"])
    with pytest.raises(DataError, match="one of each per image"):
        compare_decisions([1, 0], [True, True], [True, False], patients=["a"])
    with pytest.raises(DataError, match="at least one image"):
        compare_decisions([1, 1], [True, True], [True, False], patients=["a", "b"])
    with pytest.raises(DataError, match="use newcombe or patients"):
        compare_shares("sensitivity", [True], [False], by="guess")
