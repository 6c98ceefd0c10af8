"""The sections of one finding's measured performance: charts, tables, a sentence for each."""

import statistics
from collections.abc import Callable, Sequence

import streamlit as st

from medcxr.apps.dashboard import performance_words as told_by
from medcxr.apps.dashboard.chart_view import show_chart
from medcxr.apps.dashboard.charts import Spec
from medcxr.apps.dashboard.measured_view import told, told_group
from medcxr.apps.dashboard.named_charts import confusion_chart, forest_chart
from medcxr.apps.dashboard.performance_charts import (
    curve_chart,
    decision_curve_chart,
    prevalence_chart,
    reliability_chart,
)
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.tables import html_table
from medcxr.core.language import figure, say, say_all, text
from medcxr.evaluation.decisions import DecisionFigures
from medcxr.evaluation.group_performance import GroupPerformance
from medcxr.evaluation.performance import FindingPerformance
from medcxr.services.scored_table import FOLD

__all__ = ["POINT_NAMES", "show_sections"]

POINT_NAMES = {
    "half": text("0.5"),
    "youden": text("Youden"),
    "sensitivity_90": text("90% sensitivity"),
}

_COLLECTION = "source"
_NO_DIVISION = text("The tables name no view, sex or age with enough radiographs of both kinds.")
_NO_COLLECTION = text(
    "The tables name no collection (column source) with enough radiographs of both kinds."
)
_BETTER = text(
    "{finding}: the whole interval lies above both others at {n} of {of} thresholds, between "
    "{least:.2f} and {most:.2f}."
)
_NEVER_BETTER = text(
    "{finding}: the whole interval lies above both others at {n} of {of} thresholds."
)

_Chosen = Callable[[str], bool]
"""Tells whether a division is meant."""


def show_sections(figures: FindingPerformance, source: str, thresholds: str) -> None:
    """Show everything that was measured of a finding.

    Args:
        figures: of the finding.
        source: what they were measured on and the command that repeats it, as plain text.
        thresholds: where the thresholds come from, in a sentence.
    """
    st.header(say("Ranking"), anchor=False)
    _show_ranking(figures, source)
    st.header(say("Decisions"), anchor=False)
    st.markdown(f"{say(told_by.DECISIONS)} {plain(thresholds)}")
    _show_decisions(figures, source)
    st.header(say("Calibration"), anchor=False)
    _show_calibration(figures, source)
    st.header(say("Net benefit"), anchor=False)
    _show_net_benefit(figures, source)
    st.header(say("Groups"), anchor=False)
    st.markdown(say(told_by.GROUPS))
    divided = [one for one in figures.groups if one.group not in (FOLD, _COLLECTION)]
    _show_groups(figures, divided, source, _NO_DIVISION)
    _tell_small(figures, lambda group: group not in (FOLD, _COLLECTION))
    st.header(say("Folds of the cross-validation"), anchor=False)
    _show_folds(figures, source)
    st.header(say("Simulated centers"), anchor=False)
    _show_centers(figures, source)


def _show_ranking(figures: FindingPerformance, source: str) -> None:
    roc, precision_recall = st.columns(2)
    prevalence = figures.n_positive / figures.n_images
    with roc:
        st.subheader(say("ROC curve"), anchor=False)
        st.markdown(say(told_by.ROC))
        _chart(
            curve_chart(
                figures.roc,
                (say("False positive rate (1 - specificity)"), say("Sensitivity")),
                chance=((0, 0), (1, 1)),
                marks={
                    _name(one): (1 - one.specificity.value, one.sensitivity.value)
                    for one in figures.decisions
                    if one.specificity and one.sensitivity
                },
            ),
            say(
                "ROC curve of {finding}: AUC {auc}",
                finding=say(figures.finding),
                auc=told(figures.auc),
            ),
            source,
        )
    with precision_recall:
        st.subheader(say("Precision-recall curve"), anchor=False)
        st.markdown(say(told_by.PRECISION_RECALL))
        _chart(
            curve_chart(
                figures.precision_recall,
                (say("Recall (sensitivity)"), say("Precision (PPV)")),
                chance=((0, prevalence), (1, prevalence)),
                marks={
                    _name(one): (one.sensitivity.value, one.ppv.value)
                    for one in figures.decisions
                    if one.sensitivity and one.ppv
                },
            ),
            say(
                "Precision-recall curve of {finding}: average precision {precision}, by chance "
                "{chance:.3f}",
                finding=say(figures.finding),
                precision=told(figures.average_precision),
                chance=prevalence,
            ),
            source,
        )


def _show_decisions(figures: FindingPerformance, source: str) -> None:
    for column, one in zip(st.columns(len(figures.decisions)), figures.decisions, strict=True):
        with column:
            st.subheader(
                plain(
                    say("{point} (from {threshold:.3f})", point=_name(one), threshold=one.threshold)
                ),
                anchor=False,
            )
            show_chart(
                confusion_chart(one),
                say(
                    "Confusion matrix at {point}: {found} found, {missed} missed, {alarms} false "
                    "alarms, {rejected} rightly absent",
                    point=_name(one),
                    found=one.true_positives,
                    missed=one.false_negatives,
                    alarms=one.false_positives,
                    rejected=one.true_negatives,
                ),
            )
    heads = say_all(
        *("Operating point", "Threshold", "Sensitivity", "Specificity"),
        *("PPV", "NPV", "F1", "Accuracy"),
    )
    st.html(html_table(heads, [_decision_row(one) for one in figures.decisions]))
    st.caption(source)


def _decision_row(one: DecisionFigures) -> Sequence[str]:
    shares = (one.sensitivity, one.specificity, one.ppv, one.npv, one.f1, one.accuracy)
    return (_name(one), figure(one.threshold, ".3f"), *(told(share) for share in shares))


def _show_calibration(figures: FindingPerformance, source: str) -> None:
    st.markdown(say(told_by.CALIBRATION))
    chart, table = st.columns([1.4, 1])
    with chart:
        _chart(
            reliability_chart(figures.reliability),
            say(
                "Reliability of {finding}: calibration error {ece}",
                finding=say(figures.finding),
                ece=told(figures.calibration_error),
            ),
            source,
        )
    with table:
        rows = (
            (say("Calibration error (ECE), 0 is right"), figures.calibration_error),
            (say("Brier score, lower is better"), figures.brier),
            (say("Slope, 1 is right, less is too extreme"), figures.calibration_slope),
            (say("Intercept, 0 is right, less is too high"), figures.calibration_intercept),
        )
        st.html(html_table(say_all("Figure", "Value"), [(name, told(one)) for name, one in rows]))


def _show_net_benefit(figures: FindingPerformance, source: str) -> None:
    st.markdown(say(told_by.NET_BENEFIT))
    better = [
        point.threshold for point in figures.decision_curve if point.low > max(0.0, point.treat_all)
    ]
    words = say(
        _BETTER if better else _NEVER_BETTER,
        finding=say(figures.finding),
        n=len(better),
        of=len(figures.decision_curve),
        least=min(better, default=0.0),
        most=max(better, default=0.0),
    )
    _chart(decision_curve_chart(figures.decision_curve), words, source)


def _show_groups(
    figures: FindingPerformance, groups: Sequence[GroupPerformance], source: str, without: str
) -> None:
    if not groups:
        st.info(say(without))
        return
    aucs = {
        told_group(one.group, one.value, one.n_images, one.n_positive): one.auc
        for one in groups
        if one.auc is not None
    }
    _chart(
        forest_chart(
            aucs,
            say("Area under the ROC curve, 95% interval"),
            whole=figures.auc.value if figures.auc else None,
        ),
        say(
            "AUC of {finding} in {n} groups; the dashed line is that of all.",
            finding=say(figures.finding),
            n=len(aucs),
        ),
        source,
    )
    heads = say_all(
        *("Group", "Radiographs", "With it", "Patients", "AUC", "Sensitivity", "Specificity"),
        *("PPV", "NPV", "Probability too high by"),
    )
    rows = [
        (
            say("{group}: {value}", group=say(one.group), value=say(one.value)),
            figure(one.n_images, ","),
            figure(one.n_positive, ","),
            figure(one.n_patients, ","),
            *(
                told(measured)
                for measured in (
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
    st.html(
        html_table(
            heads, rows, caption=say("Decided at {point}", point=_told_point(figures.deciding))
        )
    )


def _tell_small(figures: FindingPerformance, chosen: _Chosen) -> None:
    small = [one for one in figures.small_groups if chosen(one.group)]
    if small:
        names = ", ".join(
            say(
                "{group} {value} ({n:,}, {positive:,} with it)",
                group=say(one.group),
                value=say(one.value),
                n=one.n_images,
                positive=one.n_positive,
            )
            for one in small
        )
        st.markdown(
            plain(say("Left out, since they hold too few of either kind: {groups}.", groups=names))
        )


def _show_folds(figures: FindingPerformance, source: str) -> None:
    folds = [one for one in figures.groups if one.group == FOLD]
    if not folds:
        st.info(say("These scores name no folds."))
        return
    st.markdown(say(told_by.FOLDS))
    _show_groups(figures, folds, source, "")
    areas = [one.auc.value for one in folds if one.auc is not None]
    if len(areas) > 1:
        st.markdown(
            plain(
                say(
                    "AUC of {n} folds: mean {mean:.3f}, standard deviation {deviation:.3f}, from "
                    "{least:.3f} to {most:.3f}.",
                    n=len(areas),
                    mean=statistics.mean(areas),
                    deviation=statistics.stdev(areas),
                    least=min(areas),
                    most=max(areas),
                )
            )
        )
    _tell_small(figures, lambda group: group == FOLD)


def _show_centers(figures: FindingPerformance, source: str) -> None:
    st.markdown(say(told_by.CENTERS))
    st.subheader(say("Collections as centers"), anchor=False)
    st.markdown(say(told_by.COLLECTIONS))
    sources = [one for one in figures.groups if one.group == _COLLECTION]
    _show_groups(figures, sources, source, _NO_COLLECTION)
    surplus = {say(one.value): one.surplus for one in sources if one.surplus is not None}
    if surplus:
        words = say(
            "Mean probability of {finding} less the share that has it, in {n} collections: right of "
            "the dashed line the model says too much.",
            finding=say(figures.finding),
            n=len(surplus),
        )
        title = say("Mean probability less share with the finding, 95% interval")
        _chart(forest_chart(surplus, title, whole=0.0), words, source)
    _tell_small(figures, lambda group: group == _COLLECTION)
    st.subheader(say("Another prevalence"), anchor=False)
    st.markdown(say(told_by.PREVALENCE))
    _chart(
        prevalence_chart(figures.prevalences, figures.n_positive / figures.n_images),
        say(
            "Predictive values of {finding} by prevalence, decided at {point}.",
            finding=say(figures.finding),
            point=_told_point(figures.deciding),
        ),
        source,
    )
    heads = say_all(*("Prevalence", "PPV", "NPV", "Mean probability", "Calibration error (ECE)"))
    rows = [
        (
            figure(one.prevalence, ".0%"),
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
    show_chart(spec, words)
    st.markdown(plain(words))
    st.caption(source)


def _name(one: DecisionFigures) -> str:
    return _told_point(one.point)


def _told_point(name: str) -> str:
    return say(POINT_NAMES.get(name, name))
