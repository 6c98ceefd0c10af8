"""Drift, against closed forms, scipy's own test and what chance gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from medcxr.core.errors import DataError
from medcxr.evaluation import drift
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


@settings(max_examples=20)
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


def clusters(random, sizes):
    """Return values of patients who have so many images each, alike within a patient, and their patients."""
    owners = np.repeat(np.arange(len(sizes)), sizes)
    shared = random.normal(0, 0.9**0.5, len(sizes))[owners]
    return shared + random.normal(0, 0.1**0.5, len(owners)), owners.astype(str).tolist()


@pytest.mark.parametrize(
    ("old_sizes", "new_sizes"), [([4] * 80, [4] * 30), ([6] * 80, [1, 8] * 20)]
)
def test_several_images_of_a_patient_raise_no_false_alarm(old_sizes, new_sizes, monkeypatch):
    monkeypatch.setattr(drift, "_SIMULATIONS", 200)
    naive, ks, psi = [], [], []
    for seed in range(1000, 1150):
        random = np.random.default_rng(seed)
        (old, whose_old), (new, whose_new) = (
            clusters(random, sizes) for sizes in (old_sizes, new_sizes)
        )
        naive.append(ks_2samp(old, new).pvalue)
        found = drift_of_numbers("x", old, new, patients=(whose_old, whose_new), seed=seed)
        ks.append(found.p_ks)
        psi.append(found.p_psi)
    # of 150 at a level of 0.05, 15 or more come about by chance less than once in a hundred times
    assert np.mean(np.array(naive) < 0.05) > 0.25
    assert np.mean(np.array(ks) < 0.05) < 0.1
    assert np.mean(np.array(psi) < 0.05) < 0.1


def test_a_shift_is_still_found_among_patients_with_several_images():
    random = np.random.default_rng(3)
    (old, whose_old), (new, whose_new) = clusters(random, [3] * 200), clusters(random, [3] * 80)
    found = drift_of_numbers("x", old, new + 0.8, patients=(whose_old, whose_new))
    assert found.is_drifted
    assert found.p_ks < 0.001
    assert (found.n_reference, found.n_current) == (200, 80)
    assert (found.n_reference_images, found.n_current_images) == (600, 240)


def test_where_each_patient_has_one_image_all_are_compared():
    random = np.random.default_rng(4)
    old, new = random.random(90), random.random(40)
    whose = ([f"a{n}" for n in range(90)], [f"b{n}" for n in range(40)])
    assert drift_of_numbers("x", old, new, patients=whose) == drift_of_numbers("x", old, new)


def test_one_image_of_each_patient_is_compared_and_all_are_drawn_alike_often():
    names = ["PA", "AP", "AP"] * 50  # each patient has one PA and two AP
    whose = [str(n // 3) for n in range(150)]
    shares = []
    for seed in range(40):
        found = drift_of_names("view", names, names, patients=(whose, whose), seed=seed)
        assert (found.n_reference, found.n_reference_images) == (50, 150)
        shares.append({one.name: one.reference for one in found.bins}["AP"])
    assert np.mean(shares) == pytest.approx(2 / 3, abs=0.03)
    with pytest.raises(DataError, match="of 12 new patients"):
        drift_of_names("view", names, names[:36], patients=(whose, whose[:36]))
    with pytest.raises(DataError, match="one of each per image"):
        drift_of_names("view", names, names, patients=(whose, whose[1:]))
