"""Calibrators: right on known curves, the same as scikit-learn's, and never out of order."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from medcxr.core.errors import DataError
from medcxr.evaluation.calibration import (
    MINIMUM_PER_CLASS,
    BetaCalibration,
    IdentityCalibration,
    IsotonicCalibration,
    PlattCalibration,
    TemperatureCalibration,
    calibration_from_dict,
    calibration_to_dict,
    fit_beta,
    fit_isotonic,
    fit_platt,
    fit_temperature,
)

FITS = [
    fit_platt,
    fit_beta,
    fit_temperature,
    fit_isotonic,
    lambda _logits, _labels: IdentityCalibration(),
]


def _sample(n=400, slope=0.5, intercept=-0.7, seed=3):
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2.5, n)
    labels = (generator.random(n) < expit(slope * logits + intercept)).astype(float)
    return logits, labels


@pytest.mark.parametrize("fit", FITS)
@given(seed=st.integers(0, 10_000), n=st.integers(60, 200), slope=st.floats(-0.3, 2.0))
def test_every_calibrator_gives_probabilities_and_keeps_the_ranking(fit, seed, n, slope):
    logits, labels = _sample(n=n, slope=slope, intercept=0.0, seed=seed)
    calibrator = fit(logits, labels)
    asked = np.linspace(-12, 12, 200).reshape(20, 10)
    probabilities = calibrator.predict_proba(asked)
    assert probabilities.shape == asked.shape
    assert probabilities.dtype == np.float64
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert (np.diff(probabilities.ravel()) >= 0).all()


@pytest.mark.parametrize("fit", FITS)
def test_every_calibrator_survives_json(fit):
    calibrator = fit(*_sample())
    text = json.dumps(calibration_to_dict(calibrator), allow_nan=False)
    assert calibration_from_dict(json.loads(text)) == calibrator


@pytest.mark.parametrize("fit", FITS)
def test_one_image_gets_the_same_probability_alone_as_in_a_table(fit):
    logits, labels = _sample()
    calibrator = fit(logits, labels)
    table = calibrator.predict_proba(logits.astype(np.float32))
    alone = [float(calibrator.predict_proba(logit)) for logit in logits.astype(np.float32)]
    assert table.tolist() == alone


@pytest.mark.parametrize("fit", FITS[:3])
def test_unknown_labels_do_not_count(fit):
    logits, labels = _sample()
    more = fit(np.append(logits, [50.0, -50.0]), np.append(labels, [np.nan, np.nan]))
    assert more == fit(logits, labels)


def test_platt_is_logistic_regression_on_smoothed_targets():
    logits, labels = _sample(n=150)
    n_positive, n_negative = labels.sum(), (1 - labels).sum()
    targets = np.where(labels == 1, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    # A target of 0.9 is the same as 0.9 of a positive and 0.1 of a negative example.
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(
        np.tile(logits, 2)[:, None],
        np.repeat([1, 0], len(logits)),
        sample_weight=np.concatenate([targets, 1 - targets]),
    )
    fitted = fit_platt(logits, labels)
    assert fitted.slope == pytest.approx(oracle.coef_[0, 0], abs=1e-5)
    assert fitted.intercept == pytest.approx(oracle.intercept_[0], abs=1e-5)


def test_platt_recovers_the_line_that_made_the_labels():
    fitted = fit_platt(*_sample(n=40_000, slope=0.5, intercept=-0.7))
    assert fitted.slope == pytest.approx(0.5, abs=0.03)
    assert fitted.intercept == pytest.approx(-0.7, abs=0.05)


def test_platt_stays_finite_on_separable_labels():
    logits = np.arange(-10.0, 10.0)
    fitted = fit_platt(logits, (logits >= 0).astype(float))
    assert 0 < fitted.slope < 50


def test_platt_of_a_backward_ranking_gives_nearly_the_base_rate():
    logits, labels = _sample(n=2000, slope=-1.0, intercept=0.0)
    fitted = fit_platt(logits, labels)
    assert fitted.slope == pytest.approx(1e-3)
    assert fitted.predict_proba(0.0) == pytest.approx(labels.mean(), abs=0.01)


def test_temperature_recovers_the_scale_that_made_the_labels():
    fitted = fit_temperature(*_sample(n=40_000, slope=0.4, intercept=0.0))
    assert fitted.temperature == pytest.approx(2.5, rel=0.05)


def test_isotonic_is_that_of_scikit_learn():
    logits, labels = _sample()
    logits = logits.round(1)  # with ties
    oracle = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(logits, labels)
    asked = np.linspace(-10, 10, 500)
    ours = fit_isotonic(logits, labels).predict_proba(asked)
    np.testing.assert_allclose(ours, oracle.predict(asked), atol=1e-9)


@pytest.mark.parametrize("fit", FITS[:3])
@pytest.mark.parametrize("n_positive", [0, MINIMUM_PER_CLASS - 1])
def test_too_few_examples_of_a_class_are_refused(fit, n_positive):
    logits = np.arange(30.0)
    labels = (np.arange(30) < n_positive).astype(float)
    with pytest.raises(DataError, match=f"{n_positive} positive and .* larger calibration split"):
        fit(logits, labels)
    with pytest.raises(DataError, match=f"and {n_positive} negative"):
        fit(logits, 1 - labels)


@pytest.mark.parametrize("fit", FITS[:3])
def test_constant_logits_are_refused(fit):
    with pytest.raises(DataError, match="check the model"):
        fit(np.full(20, 1.5), np.tile([0.0, 1.0], 10))


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "magic"},
        {"slope": 1.0, "intercept": 0.0},
        {"kind": ["platt"], "slope": 1.0, "intercept": 0.0},
        {"kind": "platt", "slope": 1.0},
        {"kind": "platt", "slope": 1.0, "intercept": 0.0, "extra": 1.0},
        {"kind": "platt", "slope": "1", "intercept": 0.0},
        {"kind": "platt", "slope": True, "intercept": 0.0},
        {"kind": "platt", "slope": 0.0, "intercept": 0.0},
        {"kind": "platt", "slope": 1.0, "intercept": float("nan")},
        {"kind": "beta", "low_slope": 1.0, "intercept": 0.0},
        {"kind": "beta", "low_slope": 0.0, "high_slope": 1.0, "intercept": 0.0},
        {"kind": "beta", "low_slope": 1.0, "high_slope": float("inf"), "intercept": 0.0},
        {"kind": "beta", "low_slope": "1", "high_slope": 1.0, "intercept": 0.0},
        {"kind": "temperature", "temperature": -1.0},
        {"kind": "isotonic", "x": 1.0, "y": [0.5]},
        {"kind": "isotonic", "x": [], "y": []},
        {"kind": "isotonic", "x": [1.0, 2.0], "y": [0.5]},
        {"kind": "isotonic", "x": [2.0, 1.0], "y": [0.1, 0.5]},
        {"kind": "isotonic", "x": [1.0, 2.0], "y": [0.6, 0.5]},
        {"kind": "isotonic", "x": [1.0, 2.0], "y": [0.6, 1.5]},
    ],
)
def test_an_impossible_calibration_is_refused(data):
    with pytest.raises(DataError):
        calibration_from_dict(data)


def test_whole_numbers_of_json_are_numbers():
    assert calibration_from_dict({"kind": "platt", "slope": 2, "intercept": 0}) == PlattCalibration(
        slope=2.0, intercept=0.0
    )
    assert calibration_from_dict({"kind": "temperature", "temperature": 2}) == (
        TemperatureCalibration(temperature=2.0)
    )
    assert calibration_from_dict({"kind": "isotonic", "x": [0, 1], "y": [0, 1]}) == (
        IsotonicCalibration(x=(0.0, 1.0), y=(0.0, 1.0))
    )


def test_beta_with_equal_slopes_is_platts_line():
    logits = np.linspace(-30, 30, 61)
    bent = BetaCalibration(low_slope=0.7, high_slope=0.7, intercept=-0.3)
    straight = PlattCalibration(slope=0.7, intercept=-0.3)
    np.testing.assert_allclose(bent.predict_proba(logits), straight.predict_proba(logits))


def test_beta_is_logistic_regression_on_the_two_logarithms():
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(5)
    logits = random.normal(0.3, 2.0, 400)
    labels = (random.random(400) < 1 / (1 + np.exp(-logits))).astype(float)
    shares = 1 / (1 + np.exp(-logits))
    features = np.column_stack([np.log(shares), -np.log(1 - shares)])
    n_positive, n_negative = labels.sum(), (1 - labels).sum()
    high, low = (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2)
    targets = np.where(labels == 1, high, low)
    # a soft target is a positive and a negative example, weighed
    expected = LogisticRegression(C=np.inf, tol=1e-10, max_iter=5000).fit(
        np.concatenate([features, features]),
        np.repeat([1, 0], len(labels)),
        sample_weight=np.concatenate([targets, 1 - targets]),
    )

    fitted = fit_beta(logits, labels)

    assert [fitted.low_slope, fitted.high_slope] == pytest.approx(
        expected.coef_[0].tolist(), rel=1e-3
    )
    assert fitted.intercept == pytest.approx(float(expected.intercept_[0]), abs=1e-3)


def test_beta_recovers_the_bend_that_made_the_labels_and_platt_cannot():
    random = np.random.default_rng(6)
    logits = random.normal(0, 2, 40_000)
    true = BetaCalibration(low_slope=0.4, high_slope=1.6, intercept=-0.5)
    labels = (random.random(40_000) < true.predict_proba(logits)).astype(float)

    fitted = fit_beta(logits, labels)

    assert fitted.low_slope == pytest.approx(0.4, abs=0.1)
    assert fitted.high_slope == pytest.approx(1.6, abs=0.2)
    wide = np.linspace(-4, 4, 33)
    truth = true.predict_proba(wide)
    assert np.abs(fitted.predict_proba(wide) - truth).max() < 0.02
    assert np.abs(fit_platt(logits, labels).predict_proba(wide) - truth).max() > 0.04
