"""What a model's own manifest says of how it was measured."""

import streamlit as st

from medcxr.apps.dashboard.chart_view import show_chart
from medcxr.apps.dashboard.charts import bars
from medcxr.apps.dashboard.named_charts import forest_chart
from medcxr.apps.dashboard.performance_words import GROUPS, OF_MANIFEST
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.tables import html_table
from medcxr.core.language import figure, say, say_all
from medcxr.core.results import Estimate
from medcxr.evaluation.report import FindingFigures, ValidationReport
from medcxr.registry.manifest import Manifest, Measurement

__all__ = ["show_measured", "told", "told_group"]


def show_measured(manifest: Manifest) -> None:
    """Show the measurements of a model's manifest."""
    st.caption(say(OF_MANIFEST))
    if not manifest.measurements:
        st.info(say("This model comes without measured figures; do not rely on its results."))
    for number, measurement in enumerate(manifest.measurements):
        _show(manifest.identity, measurement, number)


def told(measured: Estimate | None) -> str:
    """Write a figure with its interval, or that there is none."""
    return say("not determined") if measured is None else measured.told(3, of_bounds=3)


def told_group(group: str, value: str, n_images: int, n_positive: int) -> str:
    """Name a group with the number of its radiographs, and of those with the finding."""
    return say(
        "{group}: {value} ({n:,}, {positive:,} with it)",
        group=say(group),
        value=say(value),
        n=n_images,
        positive=n_positive,
    )


def _show(model: str, measurement: Measurement, number: int) -> None:
    report = measurement.report
    source = _source(model, measurement)
    st.header(plain(say("Measured on {data}", data=", ".join(measurement.data))), anchor=False)
    # Written by the program that measured, in English, and kept with the model.
    with st.container(key=f"english_method_{number}"):
        st.markdown(plain(measurement.method))
    aucs = {say(one.finding): one.auc for one in report.findings if one.auc is not None}
    if aucs:
        show_chart(
            bars(aucs, say("Area under the ROC curve, 95% interval")),
            "; ".join(
                say("{finding}: AUC {figure}", finding=name, figure=told(one))
                for name, one in aucs.items()
            ),
        )
    st.html(_ranking(report.findings) + _decisions(measurement) + _calibration(report.findings))
    st.caption(source)
    names = [one.finding for one in report.findings]
    if report.groups:
        st.subheader(say("Groups"), anchor=False)
        finding = st.segmented_control(
            say("Finding of the groups"),
            names,
            default=names[0],
            required=True,
            format_func=say,
            key=f"groups_{number}",
        )
        _show_groups(report, finding, source)


def _ranking(figures: tuple[FindingFigures, ...]) -> str:
    heads = say_all(
        *("Finding", "AUC", "AUC, patients alike", "Average precision", "Radiographs", "With it")
    )
    rows = [
        (
            say(one.finding),
            told(one.auc),
            told(one.auc_by_patient),
            told(one.average_precision),
            say("{n:,} of {patients:,} patients", n=one.n_images, patients=one.n_patients),
            figure(one.n_positive, ","),
        )
        for one in figures
    ]
    return html_table(heads, rows, caption=say("Ranking"))


def _decisions(measurement: Measurement) -> str:
    heads = say_all("Finding", "Threshold", "Sensitivity", "Specificity", "F1", "Accuracy")
    rows = [
        (
            say(one.finding),
            figure(one.threshold, ".3f"),
            told(one.sensitivity),
            told(one.specificity),
            told(one.f1),
            told(one.accuracy),
        )
        for one in measurement.report.findings
    ]
    return html_table(
        heads, rows, caption=say("Decisions at {point}", point=measurement.operating_point)
    ) + html_table(
        say_all("Finding", "Found", "Missed", "False alarms", "Rightly absent", "PPV", "NPV"),
        [_counts(one) for one in measurement.report.findings],
        caption=say("Radiographs behind these decisions, and the predictive values that follow"),
    )


def _counts(one: FindingFigures) -> tuple[str, ...]:
    """Return the confusion matrix: a share times its images is a whole number."""
    if one.sensitivity is None or one.specificity is None:
        return (say(one.finding), *[told(None)] * 6)
    n_negative = one.n_images - one.n_positive
    found = round(one.sensitivity.value * one.n_positive)
    rejected = round(one.specificity.value * n_negative)
    missed, alarms = one.n_positive - found, n_negative - rejected
    shares = (
        figure(right / called, ".3f") if called else told(None)
        for right, called in ((found, found + alarms), (rejected, rejected + missed))
    )
    counts = (figure(n, ",") for n in (found, missed, alarms, rejected))
    return (say(one.finding), *counts, *shares)


def _calibration(figures: tuple[FindingFigures, ...]) -> str:
    heads = say_all("Finding", "Calibration error (ECE)", "Brier score", "Slope", "Intercept")
    rows = [
        (
            say(one.finding),
            told(one.calibration_error),
            told(one.brier),
            told(one.calibration_slope),
            told(one.calibration_intercept),
        )
        for one in figures
    ]
    return html_table(heads, rows, caption=say("Calibration"))


def _show_groups(report: ValidationReport, finding: str, source: str) -> None:
    measured = {
        told_group(one.group, one.value, one.n_images, one.n_positive): one.auc
        for one in report.groups
        if one.finding == finding and one.auc is not None
    }
    small = [one for one in report.groups if one.finding == finding and one.auc is None]
    st.markdown(say(GROUPS))
    if measured:
        whole = next(one.auc for one in report.findings if one.finding == finding)
        show_chart(
            forest_chart(
                {name: one for name, one in measured.items() if one is not None},
                say("Area under the ROC curve, 95% interval"),
                whole=whole.value if whole else None,
            ),
            say("AUC of {finding} in {n} groups", finding=say(finding), n=len(measured)),
        )
    if small:
        names = ", ".join(
            say(
                "{group} {value} ({n:,})",
                group=say(one.group),
                value=say(one.value),
                n=one.n_images,
            )
            for one in small
        )
        st.markdown(plain(say("Too small to be measured: {groups}.", groups=names)))
    st.caption(source)


def _source(model: str, measurement: Measurement) -> str:
    report = measurement.report
    return plain(
        say(
            "{model}, {data}: {images:,} radiographs of {patients:,} patients; {confidence:.0%} "
            "intervals of {resamples:,} resamples of patients, seed {seed}. Repeat: {command}",
            model=model,
            data=", ".join(measurement.data),
            images=report.n_images,
            patients=report.n_patients,
            confidence=report.confidence,
            resamples=report.n_bootstrap,
            seed=report.seed,
            command=measurement.command,
        )
    )
