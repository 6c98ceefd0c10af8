"""Every figure of a validation, against scikit-learn and against known cases."""

import json
from dataclasses import fields

import cattrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    f1_score,
    recall_score,
    roc_auc_score,
)

from medcxr.core.errors import DataError
from medcxr.core.results import Estimate
from medcxr.evaluation.curves import reliability_bins
from medcxr.evaluation.report import ValidationReport
from medcxr.evaluation.validation import MINIMUM_PER_GROUP_CLASS, evaluate

FIGURES = [
    "auc",
    "average_precision",
    "sensitivity",
    "specificity",
    "f1",
    "accuracy",
    "calibration_error",
    "brier",
    "calibration_slope",
    "calibration_intercept",
]


def _sample(*, n=300, n_findings=2, seed=1, slope=0.6, intercept=0.3, unknown=0.1):
    generator = np.random.default_rng(seed)
    log_odds = generator.normal(-0.5, 1.5, (n, n_findings))
    labels = (generator.random((n, n_findings)) < expit(slope * log_odds + intercept)) * 1.0
    labels[generator.random((n, n_findings)) < unknown] = np.nan
    patients = [f"patient {number}" for number in generator.integers(0, n // 2, n)]
    return labels, expit(log_odds), patients


def _one(labels, probabilities, threshold=0.5, **options):
    """Measure one finding whose images are of as many patients."""
    labels, probabilities = np.asarray(labels, dtype=float), np.asarray(probabilities)
    report = evaluate(
        labels[:, None],
        probabilities[:, None],
        findings=["Effusion"],
        thresholds=[threshold],
        patients=[str(number) for number in range(len(labels))],
        **{"n_bootstrap": 50, **options},
    )
    return report.findings[0]


def test_figures_are_those_of_scikit_learn():
    labels, probabilities, patients = _sample()
    report = evaluate(
        labels,
        probabilities,
        findings=["Effusion", "Pneumonia"],
        thresholds=[0.5, 0.3],
        patients=patients,
        n_bootstrap=20,
    )
    for column, figures in enumerate(report.findings):
        known = ~np.isnan(labels[:, column])
        y, p = labels[known, column], probabilities[known, column]
        present = p >= figures.threshold
        oracle = {
            "auc": roc_auc_score(y, p),
            "average_precision": average_precision_score(y, p),
            "sensitivity": recall_score(y, present),
            "specificity": recall_score(1 - y, ~present),
            "f1": f1_score(y, present),
            "accuracy": accuracy_score(y, present),
            "brier": brier_score_loss(y, p),
        }
        for name, expected in oracle.items():
            assert getattr(figures, name).value == pytest.approx(expected, abs=1e-12), name
        line = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(logit(p)[:, None], y)
        assert figures.calibration_slope.value == pytest.approx(line.coef_[0, 0], abs=1e-5)
        assert (figures.n_images, figures.n_positive) == (known.sum(), y.sum())
        assert figures.n_patients == len({patients[row] for row in np.flatnonzero(known)})


def test_calibration_intercept_makes_the_mean_probability_the_prevalence():
    labels, probabilities, _ = _sample(unknown=0)
    figures = _one(labels[:, 0], probabilities[:, 0])
    shifted = expit(logit(probabilities[:, 0]) + figures.calibration_intercept.value)
    assert shifted.mean() == pytest.approx(labels[:, 0].mean(), abs=1e-9)


def test_calibration_line_recovers_what_made_the_labels():
    labels, probabilities, _ = _sample(n=40_000, slope=0.6, intercept=0.0, unknown=0)
    figures = _one(labels[:, 0], probabilities[:, 0], n_bootstrap=2)
    assert figures.calibration_slope.value == pytest.approx(0.6, abs=0.03)
    labels, probabilities, _ = _sample(n=40_000, slope=1.0, intercept=0.3, unknown=0)
    figures = _one(labels[:, 0], probabilities[:, 0], n_bootstrap=2)
    assert figures.calibration_intercept.value == pytest.approx(0.3, abs=0.05)


def test_calibration_error_is_that_of_the_drawn_bins():
    labels, probabilities, _ = _sample(unknown=0)
    y, p = labels[:, 0], probabilities[:, 0].round(2)  # with ties
    bins = reliability_bins(y, p)
    expected = sum(one.n_images * abs(one.mean_probability - one.observed) for one in bins) / len(y)
    assert _one(y, p).calibration_error.value == pytest.approx(expected, abs=1e-12)


def test_a_constant_probability_equal_to_the_prevalence_has_no_calibration_error():
    figures = _one([1, 0, 0, 0] * 25, [0.25] * 100)
    assert figures.calibration_error.value == pytest.approx(0, abs=1e-12)
    assert figures.calibration_intercept.value == pytest.approx(0, abs=1e-9)
    assert figures.calibration_slope is None  # one probability makes no line
    assert figures.auc.value == 0.5


def test_certain_and_wrong_has_the_greatest_calibration_error():
    figures = _one([1] * 10 + [0] * 10, [0.0] * 10 + [1.0] * 10)
    assert figures.calibration_error.value == 1
    assert figures.brier.value == 1
    assert figures.auc.value == 0


def test_separated_classes_determine_no_slope():
    figures = _one([0] * 10 + [1] * 10, np.linspace(0.1, 0.9, 20))
    assert figures.calibration_slope is None
    assert figures.calibration_intercept is not None


def test_a_probability_equal_to_the_threshold_is_present():
    figures = _one([1, 1, 0, 0], [0.5, 0.4, 0.5, 0.4], threshold=0.5)
    assert (figures.sensitivity.value, figures.specificity.value) == (0.5, 0.5)


@given(st.integers(0, 10_000), st.integers(20, 60), st.sampled_from([0.0, 0.3, 1.0]))
def test_every_interval_holds_its_value_and_stays_possible(seed, n, slope):
    labels, probabilities, patients = _sample(n=n, seed=seed, slope=slope)
    report = evaluate(
        labels,
        probabilities.round(1),  # exact 0 and 1 and ties among them
        findings=["a", "b"],
        thresholds=[0.5, 0.5],
        patients=patients,
        n_bootstrap=20,
    )
    for figures in report.findings:
        for name in FIGURES:
            one = getattr(figures, name)
            assert one is None or one.low <= one.value <= one.high
            if one is not None and not name.startswith("calibration_"):
                assert one.low >= 0
                assert one.high <= 1


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_a_single_class_has_only_the_figures_it_determines(label):
    figures = _one([label] * 30, np.linspace(0.1, 0.9, 30))
    missing = {name for name in FIGURES if getattr(figures, name) is None}
    of_both = {"auc", "average_precision", "calibration_slope", "calibration_intercept"}
    of_one = {"sensitivity", "f1"} if label == 0 else {"specificity"}
    assert missing == of_both | of_one
    assert figures.n_resamples == 50


def test_a_finding_without_labels_has_no_figures_and_no_part_in_the_mean():
    labels, probabilities, patients = _sample()
    labels[:, 1] = np.nan
    report = evaluate(
        labels,
        probabilities,
        findings=["a", "b"],
        thresholds=[0.5, 0.5],
        patients=patients,
        n_bootstrap=20,
    )
    empty = report.findings[1]
    assert (empty.n_images, empty.n_positive, empty.n_patients) == (0, 0, 0)
    assert all(getattr(empty, name) is None for name in FIGURES)
    assert report.mean_auc == report.findings[0].auc
    assert report.mean_average_precision == report.findings[0].average_precision


def test_means_are_over_findings():
    labels, probabilities, patients = _sample()
    report = evaluate(
        labels,
        probabilities,
        findings=["a", "b"],
        thresholds=[0.5, 0.5],
        patients=patients,
        n_bootstrap=20,
    )
    first, second = report.findings
    assert report.mean_auc.value == pytest.approx((first.auc.value + second.auc.value) / 2)
    expected = (first.average_precision.value + second.average_precision.value) / 2
    assert report.mean_average_precision.value == pytest.approx(expected)
    assert report.n_resamples_mean == 20


def test_groups_are_measured_apart():
    labels, probabilities, patients = _sample(n_findings=1)
    view = ["PA" if row % 2 else "AP" for row in range(len(labels))]
    source = ["rare" if row < 4 else "common" for row in range(len(labels))]
    report = evaluate(
        labels,
        probabilities,
        findings=["Effusion"],
        thresholds=[0.5],
        patients=patients,
        groups={"view": view, "source": source},
        n_bootstrap=50,
    )
    names = [(one.group, one.value) for one in report.groups]
    assert names == [("view", "AP"), ("view", "PA"), ("source", "common"), ("source", "rare")]
    for figure in report.groups[:2]:
        rows = (np.array(view) == figure.value) & ~np.isnan(labels[:, 0])
        expected = roc_auc_score(labels[rows, 0], probabilities[rows, 0])
        assert figure.auc.value == pytest.approx(expected, abs=1e-12)
        assert (figure.n_images, figure.n_positive) == (rows.sum(), labels[rows, 0].sum())
        assert figure.n_resamples == 50
    rare = report.groups[3]
    assert rare.n_images <= 4 < MINIMUM_PER_GROUP_CLASS
    assert (rare.auc, rare.n_resamples) == (None, 0)


def test_a_report_survives_json_without_nan():
    labels, probabilities, patients = _sample()
    labels[:, 1] = np.nan
    report = evaluate(
        labels,
        probabilities,
        findings=["a", "b"],
        thresholds=np.array([0.5, 0.5], dtype=np.float32),
        patients=patients,
        groups={"half": ["x", "y"] * (len(labels) // 2)},
        n_bootstrap=20,
    )
    text = json.dumps(cattrs.unstructure(report), allow_nan=False)
    assert cattrs.structure(json.loads(text), ValidationReport) == report
    kinds = {type(getattr(report.findings[0], field.name)) for field in fields(report.findings[0])}
    assert kinds == {str, int, float, Estimate}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.zeros((4, 2))}, "shape"),
        ({"labels": np.zeros(4), "probabilities": np.zeros(4)}, "n_images, n_findings"),
        ({"labels": np.full((4, 1), 0.5)}, r"Label 0\.5"),
        ({"probabilities": np.full((4, 1), 1.5)}, r"Probability 1\.5"),
        ({"probabilities": np.full((4, 1), np.nan)}, "Probability nan"),
        ({"findings": ["a", "b"]}, "name each column"),
        ({"thresholds": [0.5, 0.5]}, "one threshold"),
        ({"thresholds": [-1.0]}, "Probability -1"),
        ({"patients": ["1", "2", "3"]}, "3 patients"),
        ({"patients": ["1", "2", "3", ""]}, "has no patient"),
        ({"patients": ["1", "1", "1", "1"]}, "at least two patients"),
        ({"groups": {"view": ["PA"]}}, "'view' has 1 values for 4 images"),
        ({"n_bootstrap": 0}, "impossible"),
        ({"confidence": 1.0}, "impossible"),
    ],
)
def test_wrong_input_is_refused(change, message):
    arguments = {
        "labels": np.array([[0.0], [1.0], [0.0], [1.0]]),
        "probabilities": np.array([[0.1], [0.2], [0.3], [0.4]]),
        "findings": ["a"],
        "thresholds": [0.5],
        "patients": ["1", "2", "3", "4"],
        **change,
    }
    with pytest.raises(DataError, match=message):
        evaluate(arguments.pop("labels"), arguments.pop("probabilities"), **arguments)


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(DataError, match="same name"):
        evaluate(
            np.zeros((2, 2)),
            np.zeros((2, 2)),
            findings=["a", "a"],
            thresholds=[0.5, 0.5],
            patients=["1", "2"],
        )


def test_patients_alike_is_the_auc_of_one_image_for_each_patient_in_all_ways():
    random = np.random.default_rng(3)
    # patient 0 has many images, of which the finding is always missed
    patients = ["0"] * 30 + [str(i) for i in range(1, 41)]
    labels = np.concatenate([np.ones(30), (np.arange(40) % 2).astype(float)])
    scores = np.concatenate([random.uniform(0.0, 0.3, 30), 0.3 + 0.4 * labels[30:]])

    report = evaluate(
        labels[:, None],
        scores[:, None],
        findings=("A",),
        thresholds=[0.5],
        patients=patients,
        n_bootstrap=20,
    )

    (figures,) = report.findings
    weights = np.concatenate([np.full(30, 1 / 30), np.ones(40)])
    positive, negative = labels == 1, labels == 0
    right = (scores[positive][:, None] > scores[negative]) + 0.5 * (
        scores[positive][:, None] == scores[negative]
    )
    pairs = weights[positive][:, None] * weights[negative]
    assert figures.auc_by_patient.value == pytest.approx((right * pairs).sum() / pairs.sum())
    assert figures.auc.value < 0.5
    assert figures.auc_by_patient.value > 0.9
    assert report.mean_auc_by_patient.value == pytest.approx(figures.auc_by_patient.value)
