"""The sections of one finding's measured performance: charts, tables, a sentence for each."""

import statistics
from collections.abc import Callable, Sequence

import streamlit as st

from medcxr.apps.dashboard import performance_words as told_by
from medcxr.apps.dashboard.charts import Spec
from medcxr.apps.dashboard.measured_view import told
from medcxr.apps.dashboard.named_charts import confusion_chart, forest_chart
from medcxr.apps.dashboard.performance_charts import (
    curve_chart,
    decision_curve_chart,
    prevalence_chart,
    reliability_chart,
)
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.tables import html_table
from medcxr.evaluation.decisions import DecisionFigures
from medcxr.evaluation.group_performance import GroupPerformance
from medcxr.evaluation.performance import FindingPerformance
from medcxr.services.scored_table import FOLD

__all__ = ["POINT_NAMES", "show_sections"]

POINT_NAMES = {"half": "0.5", "youden": "Youden", "sensitivity_90": "90% sensitivity"}

_COLLECTION = "source"

_Chosen = Callable[[str], bool]
"""Tells whether a division is meant."""


def show_sections(figures: FindingPerformance, source: str, thresholds: str) -> None:
    """Show everything that was measured of a finding.

    Args:
        figures: of the finding.
        source: what they were measured on and the command that repeats it, as plain text.
        thresholds: where the thresholds come from, in a sentence.
    """
    st.header("Ranking", anchor=False)
    _show_ranking(figures, source)
    st.header("Decisions", anchor=False)
    st.markdown(f"{told_by.DECISIONS} {plain(thresholds)}")
    _show_decisions(figures, source)
    st.header("Calibration", anchor=False)
    _show_calibration(figures, source)
    st.header("Net benefit", anchor=False)
    _show_net_benefit(figures, source)
    st.header("Groups", anchor=False)
    st.markdown(told_by.GROUPS)
    divided = [one for one in figures.groups if one.group not in (FOLD, _COLLECTION)]
    _show_groups(figures, divided, source, "view, sex or age")
    _tell_small(figures, lambda group: group not in (FOLD, _COLLECTION))
    st.header("Folds of the cross-validation", anchor=False)
    _show_folds(figures, source)
    st.header("Simulated centers", anchor=False)
    _show_centers(figures, source)


def _show_ranking(figures: FindingPerformance, source: str) -> None:
    roc, precision_recall = st.columns(2)
    prevalence = figures.n_positive / figures.n_images
    with roc:
        st.subheader("ROC curve", anchor=False)
        st.markdown(told_by.ROC)
        _chart(
            curve_chart(
                figures.roc,
                ("False positive rate (1 - specificity)", "Sensitivity"),
                chance=((0, 0), (1, 1)),
                marks={
                    _name(one): (1 - one.specificity.value, one.sensitivity.value)
                    for one in figures.decisions
                    if one.specificity and one.sensitivity
                },
            ),
            f"ROC curve of {figures.finding}: AUC {told(figures.auc)}",
            source,
        )
    with precision_recall:
        st.subheader("Precision-recall curve", anchor=False)
        st.markdown(told_by.PRECISION_RECALL)
        _chart(
            curve_chart(
                figures.precision_recall,
                ("Recall (sensitivity)", "Precision (PPV)"),
                chance=((0, prevalence), (1, prevalence)),
                marks={
                    _name(one): (one.sensitivity.value, one.ppv.value)
                    for one in figures.decisions
                    if one.sensitivity and one.ppv
                },
            ),
            f"Precision-recall curve of {figures.finding}: average precision "
            f"{told(figures.average_precision)}, by chance {prevalence:.3f}",
            source,
        )


def _show_decisions(figures: FindingPerformance, source: str) -> None:
    for column, one in zip(st.columns(len(figures.decisions)), figures.decisions, strict=True):
        with column:
            st.subheader(plain(f"{_name(one)} (from {one.threshold:.3f})"), anchor=False)
            st.vega_lite_chart(
                confusion_chart(one),
                width="stretch",
                alt=(
                    f"Confusion matrix at {_name(one)}: {one.true_positives} found, "
                    f"{one.false_negatives} missed, {one.false_positives} false alarms, "
                    f"{one.true_negatives} rightly absent"
                ),
            )
    heads = (
        *("Operating point", "Threshold", "Sensitivity", "Specificity"),
        *("PPV", "NPV", "F1", "Accuracy"),
    )
    st.html(html_table(heads, [_decision_row(one) for one in figures.decisions]))
    st.caption(source)


def _decision_row(one: DecisionFigures) -> Sequence[str]:
    shares = (one.sensitivity, one.specificity, one.ppv, one.npv, one.f1, one.accuracy)
    return (_name(one), f"{one.threshold:.3f}", *(told(share) for share in shares))


def _show_calibration(figures: FindingPerformance, source: str) -> None:
    st.markdown(told_by.CALIBRATION)
    chart, table = st.columns([1.4, 1])
    with chart:
        _chart(
            reliability_chart(figures.reliability),
            f"Reliability of {figures.finding}: calibration error {told(figures.calibration_error)}",
            source,
        )
    with table:
        rows = (
            ("Calibration error (ECE), 0 is right", figures.calibration_error),
            ("Brier score, lower is better", figures.brier),
            ("Slope, 1 is right, less is too extreme", figures.calibration_slope),
            ("Intercept, 0 is right, less is too high", figures.calibration_intercept),
        )
        st.html(html_table(("Figure", "Value"), [(name, told(one)) for name, one in rows]))


def _show_net_benefit(figures: FindingPerformance, source: str) -> None:
    st.markdown(told_by.NET_BENEFIT)
    better = [
        point.threshold for point in figures.decision_curve if point.low > max(0.0, point.treat_all)
    ]
    words = (
        f"{figures.finding}: the whole interval lies above both others at {len(better)} of "
        f"{len(figures.decision_curve)} thresholds"
        + (f", between {min(better):.2f} and {max(better):.2f}." if better else ".")
    )
    _chart(decision_curve_chart(figures.decision_curve), words, source)


def _show_groups(
    figures: FindingPerformance, groups: Sequence[GroupPerformance], source: str, what: str
) -> None:
    if not groups:
        st.info(f"The tables name no {what} with enough radiographs of both kinds.")
        return
    aucs = {
        f"{one.group}: {one.value} ({one.n_images:,}, {one.n_positive:,} with it)": one.auc
        for one in groups
        if one.auc is not None
    }
    _chart(
        forest_chart(
            aucs,
            "Area under the ROC curve, 95% interval",
            whole=figures.auc.value if figures.auc else None,
        ),
        f"AUC of {figures.finding} in {len(aucs)} groups; the dashed line is that of all.",
        source,
    )
    heads = (
        *("Group", "Radiographs", "With it", "Patients", "AUC", "Sensitivity", "Specificity"),
        *("PPV", "NPV", "Probability too high by"),
    )
    rows = [
        (
            f"{one.group}: {one.value}",
            f"{one.n_images:,}",
            f"{one.n_positive:,}",
            f"{one.n_patients:,}",
            *(
                told(figure)
                for figure in (
                    one.auc,
                    one.sensitivity,
                    one.specificity,
                    one.ppv,
                    one.npv,
                    one.surplus,
                )
            ),
        )
        for one in groups
    ]
    st.html(html_table(heads, rows, caption=f"Decided at {_told_point(figures.deciding)}"))


def _tell_small(figures: FindingPerformance, chosen: _Chosen) -> None:
    small = [one for one in figures.small_groups if chosen(one.group)]
    if small:
        names = ", ".join(
            f"{one.group} {one.value} ({one.n_images:,}, {one.n_positive:,} with it)"
            for one in small
        )
        st.markdown(plain(f"Left out, since they hold too few of either kind: {names}."))


def _show_folds(figures: FindingPerformance, source: str) -> None:
    folds = [one for one in figures.groups if one.group == FOLD]
    if not folds:
        st.info("These scores name no folds.")
        return
    st.markdown(told_by.FOLDS)
    _show_groups(figures, folds, source, FOLD)
    areas = [one.auc.value for one in folds if one.auc is not None]
    if len(areas) > 1:
        st.markdown(
            plain(
                f"AUC of {len(areas)} folds: mean {statistics.mean(areas):.3f}, standard deviation "
                f"{statistics.stdev(areas):.3f}, from {min(areas):.3f} to {max(areas):.3f}."
            )
        )
    _tell_small(figures, lambda group: group == FOLD)


def _show_centers(figures: FindingPerformance, source: str) -> None:
    st.markdown(told_by.CENTERS)
    st.subheader("Collections as centers", anchor=False)
    st.markdown(told_by.COLLECTIONS)
    sources = [one for one in figures.groups if one.group == _COLLECTION]
    _show_groups(figures, sources, source, "collection (column source)")
    surplus = {one.value: one.surplus for one in sources if one.surplus is not None}
    if surplus:
        words = (
            f"Mean probability of {figures.finding} less the share that has it, in "
            f"{len(surplus)} collections: right of the dashed line the model says too much."
        )
        title = "Mean probability less share with the finding, 95% interval"
        _chart(forest_chart(surplus, title, whole=0.0), words, source)
    _tell_small(figures, lambda group: group == _COLLECTION)
    st.subheader("Another prevalence", anchor=False)
    st.markdown(told_by.PREVALENCE)
    _chart(
        prevalence_chart(figures.prevalences, figures.n_positive / figures.n_images),
        f"Predictive values of {figures.finding} by prevalence, decided at "
        f"{_told_point(figures.deciding)}.",
        source,
    )
    heads = ("Prevalence", "PPV", "NPV", "Mean probability", "Calibration error (ECE)")
    rows = [
        (
            f"{one.prevalence:.0%}",
            told(one.ppv),
            told(one.npv),
            told(one.mean_probability),
            told(one.calibration_error),
        )
        for one in figures.prevalences
    ]
    st.html(html_table(heads, rows))


def _chart(spec: Spec, words: str, source: str) -> None:
    """Show a chart, what it says for readers who hear it, and where it comes from."""
    st.vega_lite_chart(spec, width="stretch", alt=words)
    st.markdown(plain(words))
    st.caption(source)


def _name(one: DecisionFigures) -> str:
    return _told_point(one.point)


def _told_point(name: str) -> str:
    return POINT_NAMES.get(name, name)
