"""Numbers of images against those of the papers that gave the formulas."""

import math

import numpy as np
import pytest

from medcxr.core.errors import DataError
from medcxr.evaluation.metrics import auc as measured_auc
from medcxr.evaluation.sample_size import (
    auc_margin,
    images_for_auc,
    images_for_calibration_in_the_large,
    images_for_calibration_slope,
    images_for_share,
    images_of_riley,
    linear_predictor_of,
)

Z = 1.959964


@pytest.mark.parametrize(
    ("prevalence", "auc", "published"),
    [
        # worked examples of Riley et al. 2021; by z = 1.96, so up to one more
        (0.1, 0.7, 1154),
        (0.5, 0.8, 302),
        (0.018, 0.8, 4252),
        (0.018, 0.75, 5125),
    ],
)
def test_images_for_an_auc_are_those_of_riley(prevalence, auc, published):
    found = images_for_auc(auc, prevalence, 0.05, method="newcombe").n_images
    assert abs(found - published) <= 1


@pytest.mark.parametrize(
    ("prevalence", "error", "published"),
    [(0.5, 0.051, 385), (0.1, 0.175, 294)],  # Riley et al. 2021, equation 5: 384.5 and 293.9
)
def test_images_for_observed_over_expected_are_those_of_riley(prevalence, error, published):
    width = 2 * math.sinh(Z * error)
    assert images_for_calibration_in_the_large(prevalence, width).n_images == published


def test_images_for_a_slope_are_those_of_the_reference_programs():
    # pmvalsampsize 0.1.0, its test 4.1: 4501 of 1,000 draws of the log odds, 2% of which is chance
    assert images_for_calibration_slope(-5, 2.5, 0.2).n_images == pytest.approx(4501, rel=0.02)
    # sampsizeval 1.0, its test: 934 by the approximate spread of Pavlou et al. 2021
    found = images_for_calibration_slope(*linear_predictor_of(0.057, 0.77), 2 * Z * 0.15)
    assert found.n_images == pytest.approx(934, rel=0.02)


def test_images_for_a_binormal_auc_are_those_of_hajian_tilaki():
    # Hajian-Tilaki 2014, on estimating an AUC: AUC 0.70 within 0.07 takes 114 of each class
    found = images_for_auc(0.7, 0.5, 0.07, method="obuchowski")
    assert (found.n_images, found.n_positive) == (228, 114)


def test_the_error_of_an_auc_is_hanleys():
    # childrensmercy.org, "Sample size for a diagnostic test": 0.044 and 0.036 at AUC 0.8
    assert auc_margin(0.8, 50, 50) / Z == pytest.approx(0.044, abs=6e-4)
    assert auc_margin(0.8, 75, 75) / Z == pytest.approx(0.036, abs=6e-4)


def test_images_for_a_sensitivity_are_buderers():
    # by hand from Buderer 1996, equations 1 to 4: 34.6 / 0.2 and 49.0 / 0.8
    assert images_for_share("sensitivity", 0.9, 0.1, prevalence=0.2).n_images == 173
    assert images_for_share("specificity", 0.85, 0.1, prevalence=0.2).n_images == 62
    assert images_for_share("sensitivity", 0.9, 0.1).n_images == 35


def test_the_number_is_the_least_that_reaches_the_margin():
    for method in ("hanley_mcneil", "obuchowski", "newcombe"):
        n = images_for_auc(0.85, 0.25, 0.04, method=method).n_images
        margin = auc_margin(0.85, n // 4, n - n // 4, method=method)
        assert margin == pytest.approx(0.04, rel=0.02)


def test_log_odds_have_the_prevalence_and_the_auc_that_were_asked_for():
    mean, deviation = linear_predictor_of(0.1, 0.82)
    random = np.random.default_rng(0)
    log_odds = random.normal(mean, deviation, 200_000)
    labels = random.random(200_000) < 1 / (1 + np.exp(-log_odds))
    assert labels.mean() == pytest.approx(0.1, abs=0.003)
    assert measured_auc(labels.astype(float), log_odds) == pytest.approx(0.82, abs=0.004)


@pytest.mark.parametrize("prevalence", [0.001, 0.02, 0.3, 0.5, 0.97])
@pytest.mark.parametrize("area", [0.501, 0.995, 0.999])
def test_log_odds_are_found_near_chance_and_near_perfection(prevalence, area):
    mean, deviation = linear_predictor_of(prevalence, area)
    log_odds = np.random.default_rng(1).normal(mean, deviation, 200_000)
    odds = 1 / (1 + np.exp(-log_odds))
    order = np.argsort(log_odds)
    below = np.cumsum((1 - odds)[order])
    assert odds.mean() == pytest.approx(prevalence, rel=0.1)
    found = (odds[order] * below).sum() / (odds.sum() * (1 - odds).sum())
    assert found == pytest.approx(area, abs=0.003)
    assert all(one.n_images > 0 for one in images_of_riley(prevalence, area))


def test_an_auc_that_no_log_odds_give_is_refused():
    with pytest.raises(DataError, match="too near 1"):
        linear_predictor_of(0.5, 0.999999)


def test_the_promised_width_of_a_slope_is_kept():
    """Draw studies of the size that was asked for, and fit each one's slope."""
    from medcxr.evaluation.logistic import fit_line

    mean, deviation = -1.0, 1.2
    n = images_for_calibration_slope(mean, deviation, 0.5).n_images
    random, slopes = np.random.default_rng(1), []
    for _ in range(300):
        log_odds = random.normal(mean, deviation, n)
        labels = (random.random(n) < 1 / (1 + np.exp(-log_odds))).astype(float)
        slopes.append(fit_line(log_odds, labels)[0])
    low, high = np.quantile(slopes, [0.025, 0.975])
    assert high - low == pytest.approx(0.5, rel=0.15)


def test_the_criteria_of_riley_are_three():
    found = images_of_riley(0.3, 0.8)
    assert [one.figure for one in found] == ["observed / expected", "calibration slope", "AUC"]
    assert all(one.n_positive == round(0.3 * one.n_images) for one in found[::2])


@pytest.mark.parametrize(
    "call",
    [
        lambda: images_for_auc(0.5, 0.2, 0.05),
        lambda: images_for_auc(0.8, 0.0, 0.05),
        lambda: images_for_auc(0.8, 0.2, 0.0),
        lambda: images_for_auc(0.8, 0.2, 0.05, method="guess"),
        lambda: images_for_auc(0.8, 0.0001, 0.0001),
        lambda: images_for_share("accuracy", 0.9, 0.1),
        lambda: images_for_calibration_slope(0.0, 0.0, 0.2),
        lambda: auc_margin(0.8, 0, 10),
    ],
)
def test_impossible_wishes_are_refused(call):
    with pytest.raises(DataError):
        call()
