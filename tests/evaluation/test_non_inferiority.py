"""Whether one reader is no worse than another, against definitions, and how often that is right."""

import numpy as np
import pytest

from medcxr.core.errors import DataError
from medcxr.evaluation.delong import delong, delong_auc
from medcxr.evaluation.metrics import auc
from medcxr.evaluation.non_inferiority import non_inferior_auc, non_inferior_share


def test_delongs_covariance_is_that_of_its_definition():
    random = np.random.default_rng(2)
    labels = (random.random(40) < 0.4).astype(float)
    scores = np.round(random.normal(labels, 1.0, (2, 40)), 1)  # with ties
    areas, covariance = delong(labels, scores)
    positive, negative = scores[:, labels == 1], scores[:, labels == 0]
    wins = (positive[:, :, None] > negative[:, None, :]) + 0.5 * (
        positive[:, :, None] == negative[:, None, :]
    )  # (2, m, n)
    assert areas == pytest.approx(wins.mean(axis=(1, 2)))
    expected = np.cov(wins.mean(axis=2)) / wins.shape[1] + np.cov(wins.mean(axis=1)) / wins.shape[2]
    assert covariance == pytest.approx(expected)


def test_delongs_interval_covers():
    from scipy.special import ndtr

    random, covered, truth = np.random.default_rng(3), 0, float(ndtr(1 / np.sqrt(2)))
    labels = np.repeat([0.0, 1.0], [60, 40])
    for _ in range(1000):
        found = delong_auc(labels, random.normal(labels, 1.0))
        covered += found.low <= truth <= found.high
    assert covered / 1000 == pytest.approx(0.95, abs=0.025)


def test_a_perfect_ranking_still_has_an_interval():
    found = delong_auc([0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 6])
    assert found.value == found.high == 1.0
    assert 0 < found.low < 1


@pytest.mark.parametrize("by", ["patients", "delong"])
def test_equal_readers_are_shown_to_be_no_worse_and_a_worse_one_is_not(by):
    random = np.random.default_rng(4)
    labels = np.repeat([0.0, 1.0], [200, 200])
    patients = [str(n) for n in range(400)]
    good = random.normal(2 * labels, 1.0)
    like = good + random.normal(0, 0.05, 400)
    worse = random.normal(0.5 * labels, 1.0)
    for scores, shown in ((like, True), (worse, False)):
        found = non_inferior_auc(labels, scores, good, patients=patients, margin=0.05, by=by)
        assert found.is_shown is shown
        assert found.difference.value == pytest.approx(auc(labels, scores) - auc(labels, good))
        assert (found.n_images, found.n_patients) == (400, 400)


@pytest.mark.parametrize("by", ["patients", "delong"])
def test_a_few_images_that_both_rank_without_fault_show_nothing(by):
    labels, patients = [1] * 5 + [0] * 5, [str(n) for n in range(10)]
    perfect = [0.9] * 5 + [0.1] * 5
    found = non_inferior_auc(labels, perfect, perfect, patients=patients, margin=0.05, by=by)
    assert not found.is_shown
    assert found.difference.low < -0.3
    many = non_inferior_auc(
        np.repeat(labels, 100), np.repeat(perfect, 100), np.repeat(perfect, 100),
        patients=[str(n) for n in range(1000)], margin=0.05, by=by,
    )  # fmt: skip
    assert many.is_shown


def test_shares_of_patients_with_several_images_are_less_sure():
    random = np.random.default_rng(6)
    first, second = (np.repeat(random.random(60) < 0.8, 10) for _ in range(2))
    patients = [str(n // 10) for n in range(600)]
    alone, together = (
        non_inferior_share("sensitivity", first, second, margin=0.1, patients=patients, by=by)
        for by in ("newcombe", "patients")
    )
    assert alone.difference.value == pytest.approx(together.difference.value)
    widths = [one.difference.high - one.difference.low for one in (alone, together)]
    assert widths[1] == pytest.approx(widths[0] * 10**0.5, rel=0.2)
    assert (together.n_images, together.n_patients) == (600, 60)
    same = non_inferior_share(
        "sensitivity", first, first, margin=0.1, patients=patients, by="patients"
    )
    assert same.method.startswith("Newcombe")  # resamples that are all alike say nothing
    with pytest.raises(DataError, match="one per image"):
        non_inferior_share("sensitivity", first, second, margin=0.1, patients=patients[1:])
    with pytest.raises(DataError, match="use newcombe or patients"):
        non_inferior_share("sensitivity", first, second, margin=0.1, by="guess")


def test_delongs_and_the_bootstraps_interval_agree_where_patients_have_one_image():
    random = np.random.default_rng(5)
    labels = (random.random(600) < 0.4).astype(float)
    first, second = random.normal(labels, 1.0), random.normal(1.3 * labels, 1.0)
    patients = [str(n) for n in range(600)]
    by = {
        one: non_inferior_auc(labels, first, second, patients=patients, margin=0.1, by=one)
        for one in ("patients", "delong")
    }
    assert by["patients"].difference.low == pytest.approx(by["delong"].difference.low, abs=0.006)
    assert by["patients"].difference.high == pytest.approx(by["delong"].difference.high, abs=0.006)


def test_a_margin_decides_of_the_lower_bound():
    right = np.array([True] * 90 + [False] * 10)
    found = non_inferior_share("sensitivity", right, right, margin=0.1)
    assert found.is_shown
    assert not non_inferior_share("sensitivity", right, right, margin=0.001).is_shown


@pytest.mark.parametrize("margin", [0.0, -0.1, 1.0, float("nan")])
def test_an_impossible_margin_is_refused(margin):
    with pytest.raises(DataError):
        non_inferior_share("sensitivity", [True], [True], margin=margin)


def test_no_difference_has_the_p_of_the_same_view_of_images():
    random = np.random.default_rng(7)
    labels = np.repeat([0.0, 1.0], 60)
    good, bad = random.normal(2 * labels, 1), random.normal(0.2 * labels, 1)
    whose = [str(n // 2) for n in range(120)]
    for by in ("patients", "delong"):
        assert non_inferior_auc(labels, bad, good, patients=whose, margin=0.1, by=by).p_equal < 0.01
        same = non_inferior_auc(labels, good, good, patients=whose, margin=0.1, by=by)
        assert same.p_equal == 1.0
    pairs = np.repeat(random.random((2, 40)) < 0.5, 5, axis=1)
    alone, together = (
        non_inferior_share(
            "sensitivity", *pairs, margin=0.1, patients=[str(n // 5) for n in range(200)], by=by
        ).p_equal
        for by in ("newcombe", "patients")
    )
    assert alone < together
