"""Figures of a table of scores, against scikit-learn, closed forms and brute force."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_curve,
    precision_score,
    recall_score,
    roc_auc_score,
)

from medcxr.core.errors import DataError
from medcxr.evaluation.bands import precision_recall_band, roc_band
from medcxr.evaluation.decisions import decision_figures
from medcxr.evaluation.finding_sample import draw_patients, finding_sample
from medcxr.evaluation.group_performance import auc_of, group_performance
from medcxr.evaluation.net_benefit import decision_curve
from medcxr.evaluation.performance import measure_performance
from medcxr.evaluation.prevalence import prevalence_figures
from medcxr.evaluation.reliability import reliability_figures
from medcxr.evaluation.validation import evaluate

examples = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 12), st.integers(0, 9)),
    min_size=4,
    max_size=60,
).filter(lambda rows: len({row[0] for row in rows}) == 2 and len({row[2] for row in rows}) > 1)


def sample_from(rows, n_bootstrap=20):
    labels, scores, owners = (np.array(column) for column in zip(*rows, strict=True))
    drawn = draw_patients([f"p{one}" for one in owners], n_bootstrap=n_bootstrap, seed=1)
    return finding_sample(labels, scores / 12, drawn)[0]


def sample_of(n=300, seed=0, n_bootstrap=200, strength=1.5):
    random = np.random.default_rng(seed)
    labels = (random.random(n) < 0.3).astype(float)
    scores = 1 / (1 + np.exp(-random.normal(strength * labels - 1, 1)))
    drawn = draw_patients([f"p{i // 2}" for i in range(n)], n_bootstrap=n_bootstrap, seed=seed)
    return finding_sample(labels, scores, drawn)[0]


@given(examples, st.integers(0, 12))
def test_the_shares_of_a_decision_are_those_of_scikit_learn(rows, limit):
    sample = sample_from(rows)
    threshold = limit / 12
    figures = decision_figures(sample, "some", threshold)
    called = sample.probabilities >= threshold
    (tn, fp), (fn, tp) = confusion_matrix(sample.labels, called, labels=[0, 1])
    assert (figures.true_negatives, figures.false_positives) == (tn, fp)
    assert (figures.false_negatives, figures.true_positives) == (fn, tp)
    oracles = {
        "sensitivity": recall_score(sample.labels, called),
        "specificity": recall_score(sample.labels, called, pos_label=0),
        "f1": f1_score(sample.labels, called),
        "accuracy": accuracy_score(sample.labels, called),
    }
    if called.any():
        oracles["ppv"] = precision_score(sample.labels, called)
    if not called.all():
        oracles["npv"] = precision_score(sample.labels, called, pos_label=0)
    for name, oracle in oracles.items():
        figure = getattr(figures, name)
        if figure is not None:  # determined by nearly all resamples
            assert figure.value == pytest.approx(oracle, abs=1e-12)
            assert figure.low <= figure.value <= figure.high


def test_without_a_call_there_is_no_predictive_value():
    figures = decision_figures(sample_of(), "never", 1.0)
    assert figures.ppv is None
    assert figures.true_positives == figures.false_positives == 0
    assert figures.npv is not None


def test_the_area_under_the_roc_band_is_nearly_the_auc():
    sample = sample_of()
    points = roc_band(sample)
    area = np.trapezoid([p.value for p in points], [p.x for p in points])
    assert area == pytest.approx(roc_auc_score(sample.labels, sample.probabilities), abs=5e-3)
    assert points[-1].value == 1
    assert all(p.low <= p.value <= p.high for p in points)


@given(examples)
def test_the_roc_band_never_falls_and_precision_is_that_of_scikit_learn(rows):
    sample = sample_from(rows)
    roc = [point.value for point in roc_band(sample)]
    assert all(a <= b + 1e-12 for a, b in pairwise(roc))
    precision, recall, _ = precision_recall_curve(sample.labels, sample.probabilities)
    for point in precision_recall_band(sample):
        reached = recall >= point.x - 1e-9  # falling, so the last one is the highest threshold
        assert point.value == pytest.approx(precision[reached][-1], abs=1e-12)


def test_bands_hold_the_curve_of_most_other_samples():
    random = np.random.default_rng(3)
    truth = np.array([p.value for p in roc_band(sample_of(20_000, seed=9, n_bootstrap=1))])
    inside = []
    for seed in random.integers(0, 10_000, 20):
        points = roc_band(sample_of(400, seed=int(seed)))
        inside.append([p.low <= truth[round(100 * p.x)] <= p.high for p in points[10:90]])
    assert np.mean(inside) > 0.85


@given(examples)
def test_net_benefit_is_its_definition_and_treating_all_its_closed_form(rows):
    sample = sample_from(rows)
    prevalence = sample.n_positive / len(sample)
    for point in decision_curve(sample):
        called = sample.probabilities >= point.threshold
        odds = point.threshold / (1 - point.threshold)
        hits = np.sum(called & (sample.labels == 1))
        alarms = np.sum(called & (sample.labels == 0))
        assert point.value == pytest.approx((hits - odds * alarms) / len(sample), abs=1e-12)
        assert point.treat_all == pytest.approx(prevalence - (1 - prevalence) * odds, abs=1e-9)
    assert decision_curve(sample.where(np.zeros(len(sample), dtype=bool))) == ()


@given(examples)
def test_reliability_bins_hold_all_images_and_give_the_calibration_error(rows):
    sample = sample_from(rows)
    bins = reliability_figures(sample)
    assert sum(one.n_images for one in bins) == len(sample)
    if all(one.observed is not None for one in bins):
        error = sum(one.n_images * abs(one.mean_probability - one.observed.value) for one in bins)
        report = measure(sample)
        assert report.calibration_error.value == pytest.approx(error / len(sample), abs=1e-12)


def measure(sample, groups=None):
    limits = {name: np.full(len(sample), 0.5) for name in ("half", "youden")}
    return measure_performance("X", sample, limits, deciding="half", groups=groups or {})


@pytest.mark.parametrize("prevalence", [0.02, 0.3, 0.7])
def test_another_prevalence_is_bayes_rule_and_reweighted_images(prevalence):
    sample = sample_of()
    (figures,) = prevalence_figures(sample, np.full(len(sample), 0.4), [prevalence])
    decided = decision_figures(sample, "", 0.4)
    sensitivity, specificity = decided.sensitivity.value, decided.specificity.value
    hits, alarms = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    assert figures.ppv.value == pytest.approx(hits / (hits + alarms))
    weights = np.where(
        sample.labels == 1, prevalence / sample.n_positive, (1 - prevalence) / sample.n_negative
    )
    called = sample.probabilities >= 0.4
    npv = precision_score(sample.labels, called, pos_label=0, sample_weight=weights)
    assert figures.npv.value == pytest.approx(npv)
    assert figures.mean_probability.value == pytest.approx(np.sum(weights * sample.probabilities))


def test_at_its_own_prevalence_nothing_shifts():
    sample = sample_of()
    own = sample.n_positive / len(sample)
    (figures,) = prevalence_figures(sample, np.full(len(sample), 0.4), [own])
    decided = decision_figures(sample, "", 0.4)
    assert figures.ppv.value == pytest.approx(decided.ppv.value)
    assert figures.npv.value == pytest.approx(decided.npv.value)
    assert figures.calibration_error.value == pytest.approx(measure(sample).calibration_error.value)


def test_predictive_values_move_with_prevalence():
    sample = sample_of()
    figures = prevalence_figures(sample, np.full(len(sample), 0.4))
    ppv, npv = ([getattr(one, name).value for one in figures] for name in ("ppv", "npv"))
    assert ppv == sorted(ppv)
    assert npv == sorted(npv, reverse=True)
    with pytest.raises(DataError, match="between 0 and 1"):
        prevalence_figures(sample, np.full(len(sample), 0.4), [0.0])


def test_figures_and_intervals_are_those_of_a_validation_on_the_same_draws():
    random = np.random.default_rng(2)
    n = 240
    labels = (random.random(n) < 0.4).astype(float)
    scores = 1 / (1 + np.exp(-random.normal(labels, 1)))
    patients = [f"p{i // 3}" for i in range(n)]
    report = evaluate(
        labels[:, None],
        scores[:, None],
        findings=["X"],
        thresholds=[0.5],
        patients=patients,
        n_bootstrap=100,
        seed=4,
    ).findings[0]
    drawn = draw_patients(patients, n_bootstrap=100, seed=4)
    sample, known = finding_sample(labels, scores, drawn)
    assert known.all()
    figures = measure(sample)
    names = ("auc", "average_precision", "brier", "calibration_error", "calibration_slope")
    for name in names:
        assert told(getattr(figures, name)) == pytest.approx(told(getattr(report, name)))
    half = figures.decisions[0]
    for name in ("sensitivity", "specificity", "f1", "accuracy"):
        assert told(getattr(half, name)) == pytest.approx(told(getattr(report, name)))


def told(figure):
    return [figure.value, figure.low, figure.high]


def test_groups_are_measured_alone_and_small_ones_are_named():
    sample = sample_of()
    values = np.where(np.arange(len(sample)) < 150, "PA", "AP").astype("<U9")
    values[:4] = "odd"
    measured, small = group_performance(
        sample, np.full(len(sample), 0.4), {"view": values.tolist()}
    )
    assert [one.value for one in measured] == ["AP", "PA"]
    assert [(one.value, one.n_images) for one in small] == [("odd", 4)]
    inside = values == "AP"
    expected = roc_auc_score(sample.labels[inside], sample.probabilities[inside])
    assert measured[0].auc.value == pytest.approx(expected)
    gap = (sample.probabilities - sample.labels)[inside].mean()
    assert measured[0].surplus.value == pytest.approx(gap)
    with pytest.raises(DataError, match="send one each"):
        group_performance(sample, np.full(len(sample), 0.4), {"view": ["PA"]})


def test_resamples_draw_whole_patients():
    rows = [(1.0, 9, 0), (0.0, 3, 0), (1.0, 8, 1), (0.0, 2, 1)] * 3
    sample = sample_from(rows, n_bootstrap=50)
    totals = sample.totals(np.stack([sample.labels, 1 - sample.labels], axis=1))
    assert np.array_equal(totals[:, 0], totals[:, 1])  # each patient has as many of both


def test_unknown_labels_are_left_out_and_wrong_input_is_refused():
    drawn = draw_patients(["a", "b", "c"], n_bootstrap=5, seed=0)
    sample, known = finding_sample([1, np.nan, 0], [0.2, np.nan, 0.4], drawn)
    assert known.tolist() == [True, False, True]
    assert (len(sample), sample.n_positive, sample.n_negative) == (2, 1, 1)
    assert auc_of(sample) is None  # most resamples of two patients hold one class
    with pytest.raises(DataError, match="one of each per image"):
        finding_sample([1, 0], [0.2, 0.3], drawn)
    with pytest.raises(DataError, match="at least two"):
        draw_patients(["a", "a"], n_bootstrap=5, seed=0)
    with pytest.raises(DataError, match="figures need both"):
        measure(finding_sample([1, 1, 1], [0.1, 0.2, 0.3], drawn)[0])
    with pytest.raises(DataError, match="Operating point"):
        measure_performance("X", sample, {"half": np.full(2, 0.5)}, deciding="third", groups={})
    with pytest.raises(DataError, match="with and without"):
        roc_band(sample.where(sample.labels == 1))
