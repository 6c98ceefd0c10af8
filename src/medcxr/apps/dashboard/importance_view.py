"""What the model's answers hang on over many radiographs."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from medcxr.apps.dashboard.cases import Case, Reading
from medcxr.apps.dashboard.chart_view import show_chart
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
from medcxr.core.access import Permission
from medcxr.core.errors import MedcxrError
from medcxr.core.language import Sentence, figure, say, say_all, text
from medcxr.explain.importance import ImportanceReport
from medcxr.services.importance import measure_importance, measure_importance_of
from medcxr.services.kept_importance import kept_importance
from medcxr.services.workspace import Workspace

__all__ = ["one_of_each_patient", "show_importance"]

_KEY = "importance"
_KEPT, _OPEN = text("Measured before"), text("The open radiographs")
_TABLE = text("The table of this dashboard")
_LEAST_OPEN = 2  # one radiograph has nothing to exchange measures with
_N_OF_TABLE = 30

_MEASURED = text("Measured of {model} on {n:,} radiographs of {table}, one of each patient.")
_MEASURED_WITHOUT = text(
    "Measured of {model} on {n:,} radiographs of {table}, one of each patient, {without:,} without "
    "zones."
)


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
    st.markdown(say(IMPORTANCE))
    may_measure = workspace.actor.may(Permission.MEASURE_MODELS)
    measurable = (*((_TABLE,) if table is not None else ()), _OPEN) if may_measure else ()
    sources = (_KEPT, *measurable)
    source = st.segmented_control(
        say("Measured on"),
        sources,
        default=_KEPT,
        required=True,
        format_func=say,
        key="importance_source",
    )
    try:
        if source == _KEPT:
            report = kept_importance(workspace)
            if report is None:
                st.info(say(NO_IMPORTANCE))
        elif source == _TABLE and table is not None:
            report = _of_table(workspace, model, table)
        else:
            report = _of_open(workspace, model, cases)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
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
    st.caption(say(IMPORTANCE_TABLE))
    key = (model, _TABLE)
    if key not in _reports():
        if not st.button(say("Measure on this table")):
            return None
        with progress_bar(say("Hiding zones")) as progress:
            _reports()[key] = measure_importance(
                workspace, table, n_images=_N_OF_TABLE, progress=progress
            )
        st.rerun()  # without the button
    return _reports()[key]


def _of_open(workspace: Workspace, model: str, cases: Sequence[Case]) -> ImportanceReport | None:
    st.caption(say(IMPORTANCE_OPEN))
    file = st.file_uploader(
        say("Table of these radiographs (CSV with image_path and patient_id, may be left out)"),
        type="csv",
        key="importance_patients",
    )
    patients = patients_by_file(file.getvalue(), file.name) if file is not None else {}
    readings = [one for one in one_of_each_patient(cases, patients) if one.analysis.model == model]
    if len(readings) < _LEAST_OPEN:
        st.info(
            say(
                "Add at least {least} radiographs of different patients at the left.",
                least=_LEAST_OPEN,
            )
        )
        return None
    key = (model, *sorted(one.analysis.image_digest for one in readings))
    if key not in _reports():
        if not st.button(say("Measure on {n} open radiographs", n=len(readings))):
            return None
        with progress_bar(say("Hiding zones")) as progress:
            _reports()[key] = measure_importance_of(
                workspace,
                [one.prepared for one in readings],
                Sentence("the open radiographs"),
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
    words = _MEASURED_WITHOUT if report.n_without_zones else _MEASURED
    st.markdown(
        plain(
            say(
                words,
                model=report.model,
                n=report.n_images,
                table=report.table,
                without=report.n_without_zones,
            )
        )
    )
    if not zones:
        st.info(
            plain(
                say(
                    "In no radiograph the zones were found, so none is told for {finding}.",
                    finding=say(finding),
                )
            )
        )
    else:
        top = max(zones, key=lambda one: one.change.value)
        told = say(
            "{finding} hangs most on the zone {zone}, which takes up {area:.0%} of the image: "
            "hidden, it moves the logit by {change} on average.",
            finding=say(finding),
            zone=say(top.zone),
            area=top.area,
            change=top.change.told(),
        )
        st.markdown(plain(told))
        show_chart(
            bars(
                {say(one.zone): one.change for one in zones},
                say("Mean absolute change of the logit when the zone is hidden, 95% interval"),
                shares={say(one.zone): one.area for one in zones},
            ),
            told,
        )
    if measures:
        show_chart(
            bars(
                {say(one.measure): one.change for one in measures},
                say(
                    "Mean absolute change of the logit when the measure is exchanged, 95% interval"
                ),
            ),
            say(
                "Change of the logit of {finding} by measure of lungs and heart",
                finding=say(finding),
            ),
        )
    elif report.measures:
        st.markdown(
            plain(
                say(
                    "The measures of lungs and heart do not inform {finding}.", finding=say(finding)
                )
            )
        )
    with st.expander(say("These figures as a table")):
        st.html(
            html_table(
                say_all("Zone", "Images", "Share of the image", "Change of the logit", "Fall"),
                [
                    (
                        say(one.zone),
                        figure(one.n_images, ","),
                        figure(one.area, ".0%"),
                        one.change.told(),
                        one.fall.told(),
                    )
                    for one in zones
                ],
            )
            + html_table(
                say_all("Measure", "Images", "Logits by 1 of it", "Change of the logit"),
                [
                    (
                        say(one.measure),
                        figure(one.n_images, ","),
                        figure(one.weight, "+.2f"),
                        one.change.told(),
                    )
                    for one in measures
                ],
            )
        )
