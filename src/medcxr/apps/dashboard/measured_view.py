"""What a model's own manifest says of how it was measured."""

import streamlit as st

from medcxr.apps.dashboard.charts import bars
from medcxr.apps.dashboard.named_charts import forest_chart
from medcxr.apps.dashboard.performance_words import GROUPS, OF_MANIFEST
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.tables import html_table
from medcxr.core.results import Estimate
from medcxr.evaluation.report import FindingFigures, ValidationReport
from medcxr.registry.manifest import Manifest, Measurement

__all__ = ["show_measured", "told"]


def show_measured(manifest: Manifest) -> None:
    """Show the measurements of a model's manifest."""
    st.caption(OF_MANIFEST)
    if not manifest.measurements:
        st.info("This model comes without measured figures; do not rely on its results.")
    for number, measurement in enumerate(manifest.measurements):
        _show(manifest.identity, measurement, number)


def told(figure: Estimate | None) -> str:
    """Write a figure with its interval, or that there is none."""
    return "not determined" if figure is None else figure.told(3, of_bounds=3)


def _show(model: str, measurement: Measurement, number: int) -> None:
    report = measurement.report
    source = _source(model, measurement)
    st.header(f"Measured on {plain(', '.join(measurement.data))}", anchor=False)
    st.markdown(plain(measurement.method))
    aucs = {one.finding: one.auc for one in report.findings if one.auc is not None}
    if aucs:
        st.vega_lite_chart(
            bars(aucs, "Area under the ROC curve, 95% interval"),
            width="stretch",
            alt="; ".join(f"{name}: AUC {one.told(3, of_bounds=3)}" for name, one in aucs.items()),
        )
    st.html(_ranking(report.findings) + _decisions(measurement) + _calibration(report.findings))
    st.caption(source)
    names = [one.finding for one in report.findings]
    if report.groups:
        st.subheader("Groups", anchor=False)
        finding = st.segmented_control(
            "Finding of the groups", names, default=names[0], required=True, key=f"groups_{number}"
        )
        _show_groups(report, finding, source)


def _ranking(figures: tuple[FindingFigures, ...]) -> str:
    heads = ("Finding", "AUC", "AUC, patients alike", "Average precision", "Radiographs", "With it")
    rows = [
        (
            one.finding,
            told(one.auc),
            told(one.auc_by_patient),
            told(one.average_precision),
            f"{one.n_images:,} of {one.n_patients:,} patients",
            f"{one.n_positive:,}",
        )
        for one in figures
    ]
    return html_table(heads, rows, caption="Ranking")


def _decisions(measurement: Measurement) -> str:
    heads = ("Finding", "Threshold", "Sensitivity", "Specificity", "F1", "Accuracy")
    rows = [
        (
            one.finding,
            f"{one.threshold:.3f}",
            told(one.sensitivity),
            told(one.specificity),
            told(one.f1),
            told(one.accuracy),
        )
        for one in measurement.report.findings
    ]
    return html_table(
        heads, rows, caption=f"Decisions at {measurement.operating_point}"
    ) + html_table(
        ("Finding", "Found", "Missed", "False alarms", "Rightly absent", "PPV", "NPV"),
        [_counts(one) for one in measurement.report.findings],
        caption="Radiographs behind these decisions, and the predictive values that follow",
    )


def _counts(one: FindingFigures) -> tuple[str, ...]:
    """Return the confusion matrix: a share times its images is a whole number."""
    if one.sensitivity is None or one.specificity is None:
        return (one.finding, *[told(None)] * 6)
    n_negative = one.n_images - one.n_positive
    found = round(one.sensitivity.value * one.n_positive)
    rejected = round(one.specificity.value * n_negative)
    missed, alarms = one.n_positive - found, n_negative - rejected
    shares = (
        f"{right / called:.3f}" if called else told(None)
        for right, called in ((found, found + alarms), (rejected, rejected + missed))
    )
    return (one.finding, *(f"{n:,}" for n in (found, missed, alarms, rejected)), *shares)


def _calibration(figures: tuple[FindingFigures, ...]) -> str:
    heads = ("Finding", "Calibration error (ECE)", "Brier score", "Slope", "Intercept")
    rows = [
        (
            one.finding,
            told(one.calibration_error),
            told(one.brier),
            told(one.calibration_slope),
            told(one.calibration_intercept),
        )
        for one in figures
    ]
    return html_table(heads, rows, caption="Calibration")


def _show_groups(report: ValidationReport, finding: str, source: str) -> None:
    measured = {
        f"{one.group}: {one.value} ({one.n_images:,}, {one.n_positive:,} with it)": one.auc
        for one in report.groups
        if one.finding == finding and one.auc is not None
    }
    small = [one for one in report.groups if one.finding == finding and one.auc is None]
    st.markdown(GROUPS)
    if measured:
        whole = next(one.auc for one in report.findings if one.finding == finding)
        st.vega_lite_chart(
            forest_chart(
                {name: one for name, one in measured.items() if one is not None},
                "Area under the ROC curve, 95% interval",
                whole=whole.value if whole else None,
            ),
            width="stretch",
            alt=f"AUC of {finding} in {len(measured)} groups",
        )
    if small:
        names = ", ".join(f"{one.group} {one.value} ({one.n_images:,})" for one in small)
        st.markdown(plain(f"Too small to be measured: {names}."))
    st.caption(source)


def _source(model: str, measurement: Measurement) -> str:
    report = measurement.report
    return plain(
        f"{model}, {', '.join(measurement.data)}: {report.n_images:,} radiographs of "
        f"{report.n_patients:,} patients; {report.confidence:.0%} intervals of "
        f"{report.n_bootstrap:,} resamples of patients, seed {report.seed}. Repeat: "
        f"{measurement.command}"
    )
