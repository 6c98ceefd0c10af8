"""Drift, against closed forms, scipy's own test and what chance gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from medcxr.core.errors import DataError
from medcxr.evaluation.drift import MINIMUM_FOR_DRIFT, drift_of_names, drift_of_numbers


def test_the_index_of_two_names_is_its_closed_form():
    figures = drift_of_names("view", ["AP"] * 30 + ["PA"] * 70, ["AP"] * 20 + ["PA"] * 20)
    old, new = np.array([30.5, 70.5]) / 101, np.array([20.5, 20.5]) / 41
    assert figures.psi == pytest.approx(np.sum((new - old) * np.log(new / old)))
    assert [(one.name, one.reference, one.current) for one in figures.bins] == [
        ("AP", 0.3, 0.5),
        ("PA", 0.7, 0.5),
    ]
    assert figures.ks is None


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.integers(MINIMUM_FOR_DRIFT, 200))
def test_the_shares_are_whole_and_the_second_test_is_that_of_scipy(seed, n):
    random = np.random.default_rng(seed)
    old, new = random.random(300), random.random(n)
    figures = drift_of_numbers("x", old, new)
    assert sum(one.reference for one in figures.bins) == pytest.approx(1)
    assert sum(one.current for one in figures.bins) == pytest.approx(1)
    assert figures.psi >= 0
    assert figures.ks == pytest.approx(ks_2samp(old, new).statistic)
    assert (figures.n_reference, figures.n_current) == (300, n)


def test_chance_alone_is_seldom_called_drift_and_a_shift_is():
    random = np.random.default_rng(0)
    by_chance = [
        drift_of_numbers("x", random.random(400), random.random(60)).is_drifted for _ in range(60)
    ]
    assert np.mean(by_chance) < 0.17  # 0.05 expected
    shifted = drift_of_numbers("x", random.random(400), 0.3 + 0.7 * random.random(60))
    assert shifted.is_drifted
    assert shifted.p_psi < 0.01
    assert shifted.p_ks < 0.01


def test_equal_values_make_one_bin_and_no_drift():
    figures = drift_of_numbers("x", [1.0] * 50, [1.0] * 20)
    assert figures.psi == 0
    assert not figures.is_drifted


def test_the_same_seed_gives_the_same_figures():
    random = np.random.default_rng(1)
    old, new = random.random(100), random.random(30)
    assert drift_of_numbers("x", old, new, seed=3) == drift_of_numbers("x", old, new, seed=3)


def test_too_few_values_and_values_that_are_none_are_refused():
    with pytest.raises(DataError, match="chance decides"):
        drift_of_numbers("x", np.arange(100), np.arange(MINIMUM_FOR_DRIFT - 1))
    with pytest.raises(DataError, match="chance decides"):
        drift_of_names("view", ["PA"] * 3, ["PA"] * 50)
    with pytest.raises(DataError, match="finite"):
        drift_of_numbers("x", np.arange(100), [np.nan] * 30)
