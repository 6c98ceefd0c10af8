"""What the model's answers hang on over many radiographs."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from medcxr.apps.dashboard.cases import Case, Reading
from medcxr.apps.dashboard.charts import bars
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.progress import progress_bar
from medcxr.apps.dashboard.tables import html_table
from medcxr.apps.dashboard.uploaded_table import patients_by_file
from medcxr.apps.dashboard.words import (
    IMPORTANCE,
    IMPORTANCE_OPEN,
    IMPORTANCE_TABLE,
    NO_IMPORTANCE,
)
from medcxr.core.errors import MedcxrError
from medcxr.explain.importance import ImportanceReport
from medcxr.services.importance import measure_importance, measure_importance_of
from medcxr.services.kept_importance import kept_importance
from medcxr.services.workspace import Workspace

__all__ = ["one_of_each_patient", "show_importance"]

_KEY = "importance"
_KEPT, _TABLE, _OPEN = "Measured before", "The table of this dashboard", "The open radiographs"
_LEAST_OPEN = 2  # one radiograph has nothing to exchange measures with
_N_OF_TABLE = 30


def show_importance(
    workspace: Workspace,
    model: str,
    finding: str,
    cases: Sequence[Case],
    table: Path | None,
) -> None:
    """Show the importance of zones and measures for a finding, or offer to measure it.

    Args:
        workspace: whose model answers.
        model: its name and version.
        finding: whose logit.
        cases: the radiographs open in this tab.
        table: that whoever runs the dashboard chose; None if nobody did.
    """
    st.markdown(IMPORTANCE)
    sources = (_KEPT, *((_TABLE,) if table is not None else ()), _OPEN)
    source = st.segmented_control("Measured on", sources, default=_KEPT, required=True)
    try:
        if source == _KEPT:
            report = kept_importance(workspace)
            if report is None:
                st.info(NO_IMPORTANCE)
        elif source == _TABLE and table is not None:
            report = _of_table(workspace, model, table)
        else:
            report = _of_open(workspace, model, cases)
    except MedcxrError as error:
        st.error(plain(str(error)))
        return
    if report is not None:
        _show(report, finding)


def one_of_each_patient(cases: Sequence[Case], patients: dict[str, str]) -> list[Reading]:
    """Return the analyzed radiographs, one of each patient.

    Args:
        cases: the radiographs.
        patients: file name -> patient; a file that is not named counts as a patient of its own.
    """
    first: dict[str, Reading] = {}
    for case in cases:
        if case.reading is not None:
            named = patients.get(case.label.rsplit("/", 1)[-1])  # of a folder, the path is sent
            first.setdefault(f"patient:{named}" if named else case.digest, case.reading)
    return list(first.values())


def _of_table(workspace: Workspace, model: str, table: Path) -> ImportanceReport | None:
    st.caption(IMPORTANCE_TABLE)
    key = (model, _TABLE)
    if key not in _reports():
        if not st.button("Measure on this table"):
            return None
        with progress_bar("Hiding zones") as progress:
            _reports()[key] = measure_importance(
                workspace, table, n_images=_N_OF_TABLE, progress=progress
            )
        st.rerun()  # without the button
    return _reports()[key]


def _of_open(workspace: Workspace, model: str, cases: Sequence[Case]) -> ImportanceReport | None:
    st.caption(IMPORTANCE_OPEN)
    file = st.file_uploader(
        "Table of these radiographs (CSV with image_path and patient_id, may be left out)",
        type="csv",
    )
    patients = patients_by_file(file.getvalue(), file.name) if file is not None else {}
    readings = [one for one in one_of_each_patient(cases, patients) if one.analysis.model == model]
    if len(readings) < _LEAST_OPEN:
        st.info(f"Add at least {_LEAST_OPEN} radiographs of different patients at the left.")
        return None
    key = (model, *sorted(one.analysis.image_digest for one in readings))
    if key not in _reports():
        if not st.button(f"Measure on {len(readings)} open radiographs"):
            return None
        with progress_bar("Hiding zones") as progress:
            _reports()[key] = measure_importance_of(
                workspace,
                [one.prepared for one in readings],
                "the open radiographs",
                model=model,
                progress=progress,
            )
        st.rerun()  # without the button
    return _reports()[key]


def _reports() -> dict[tuple[str, ...], ImportanceReport]:
    known: dict[tuple[str, ...], ImportanceReport] = st.session_state.setdefault(_KEY, {})
    return known


def _show(report: ImportanceReport, finding: str) -> None:
    zones = [one for one in report.zones if one.finding == finding]
    measures = [one for one in report.measures if one.finding == finding]
    without = f", {report.n_without_zones:,} without zones" if report.n_without_zones else ""
    st.markdown(
        plain(
            f"Measured of {report.model} on {report.n_images:,} radiographs of {report.table}, one "
            f"of each patient{without}."
        )
    )
    if not zones:
        st.info(plain(f"In no radiograph the zones were found, so none is told for {finding}."))
    else:
        top = max(zones, key=lambda one: one.change.value)
        told = (
            f"{finding} hangs most on the zone {top.zone}, which takes up {top.area:.0%} of the image: "
            f"hidden, it moves the logit by {top.change.told()} on average."
        )
        st.markdown(plain(told))
        st.vega_lite_chart(
            bars(
                {one.zone: one.change for one in zones},
                "Mean absolute change of the logit when the zone is hidden, 95% interval",
                shares={one.zone: one.area for one in zones},
            ),
            width="stretch",
            alt=told,
        )
    if measures:
        st.vega_lite_chart(
            bars(
                {one.measure: one.change for one in measures},
                "Mean absolute change of the logit when the measure is exchanged, 95% interval",
            ),
            width="stretch",
            alt=f"Change of the logit of {finding} by measure of lungs and heart",
        )
    elif report.measures:
        st.markdown(plain(f"The measures of lungs and heart do not inform {finding}."))
    with st.expander("These figures as a table"):
        st.html(
            html_table(
                ("Zone", "Images", "Share of the image", "Change of the logit", "Fall"),
                [
                    (
                        one.zone,
                        f"{one.n_images:,}",
                        f"{one.area:.0%}",
                        one.change.told(),
                        one.fall.told(),
                    )
                    for one in zones
                ],
            )
            + html_table(
                ("Measure", "Images", "Logits by 1 of it", "Change of the logit"),
                [
                    (one.measure, f"{one.n_images:,}", f"{one.weight:+.2f}", one.change.told())
                    for one in measures
                ],
            )
        )
