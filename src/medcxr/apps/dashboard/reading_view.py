"""One analyzed radiograph on the screen: findings, pictures, facts and the file to keep."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from html import escape

import streamlit as st

from medcxr.anatomy.words import told_angles, told_lungs, told_ratio
from medcxr.apps.dashboard.cases import Case, Reading, active_findings
from medcxr.apps.dashboard.findings_view import percent, show_findings
from medcxr.apps.dashboard.map_tests_view import show_map_tests
from medcxr.apps.dashboard.map_view import kept_maps, show_map
from medcxr.apps.dashboard.pictures import outlined_picture, radiograph_picture
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.what_if_view import kept_what_if
from medcxr.apps.dashboard.words import (
    DISCLAIMER,
    OUTLINES,
    TESTED_MAPS,
    WHAT_IF,
)
from medcxr.core.arrays import UInt8Array
from medcxr.core.errors import ModelError
from medcxr.core.results import Estimate
from medcxr.explain.area_drawing import draw_area
from medcxr.explain.report import EVIDENCE_MAP, JOINT_MAP, OCCLUSION_MAP
from medcxr.explain.verdict import best_map, told_absence
from medcxr.explain.what_if import hidden_places, told_what_if
from medcxr.services.workspace import Workspace

__all__ = ["show_reading"]

_TESTED = "Tested"
_KINDS = {"Evidence": EVIDENCE_MAP, "Occlusion": OCCLUSION_MAP, "Joint": JOINT_MAP}


def show_reading(
    workspace: Workspace, case: Case, reading: Reading, measured: Mapping[str, Estimate]
) -> None:
    """Show everything about one radiograph.

    Args:
        workspace: whose model answers.
        case: the file and its name.
        reading: its analysis.
        measured: finding -> the model's cross-validated AUC; may be empty.
    """
    analysis = reading.analysis
    _show_heading(case, reading)
    for warning in analysis.warnings:
        st.warning(warning)
    show_findings(analysis, measured)
    _show_pictures(workspace, case, reading)
    st.download_button(
        "Download the analysis (JSON)",
        data=json.dumps({**asdict(analysis), "notice": DISCLAIMER}, indent=2),
        file_name=f"medcxr-{analysis.image_digest[:12]}.json",
        mime="application/json",
        on_click="ignore",
    )


def _show_heading(case: Case, reading: Reading) -> None:
    active = active_findings(case)
    summary = "No active finding at this operating point."
    if active:
        listed = ", ".join(f"{f.finding} ({percent(f.probability)})" for f in active)
        summary = f"Active findings: {listed}"
    note = f'<p class="cxr-quiet">{escape(case.note)}</p>' if case.note else ""
    facts = "".join(
        f"<span><b>{escape(name)}</b>{escape(value)}</span>"
        for name, value in _facts(reading).items()
    )
    st.html(
        f'<p class="cxr-title">{escape(case.label)}</p>{note}'
        f'<p class="cxr-summary">{escape(summary)}</p><div class="cxr-facts">{facts}</div>'
    )


def _facts(reading: Reading) -> dict[str, str]:
    analysis, made = reading.analysis, reading.acquisition
    rows, columns = analysis.image_shape
    spacing = "not stated"
    if analysis.spacing_mm is not None:
        down, across = analysis.spacing_mm
        spacing = f"{down:.3g} x {across:.3g} mm"
    measures = {}
    if analysis.anatomy is not None:
        measures = {
            "Cardiothoracic ratio": told_ratio(analysis.anatomy),
            "Lungs": told_lungs(analysis.anatomy),
            "Costophrenic angles": told_angles(analysis.anatomy),
        }
    return {
        **measures,
        "Format": " ".join(filter(None, [made.source_format, made.modality])),
        "Size": f"{columns} x {rows} px",
        "View": analysis.view,
        "Pixel spacing": spacing,
        "Operating point": analysis.operating_point,
        "Analyzed in": f"{analysis.seconds:.2f} s",
    }


def _show_pictures(workspace: Workspace, case: Case, reading: Reading) -> None:
    names = [f.finding for f in reading.analysis.findings if f.finding in reading.maps]
    if not names:
        st.image(radiograph_picture(reading.shown), output_format="PNG")
        st.info("This model gives no heat maps.")
        return
    finding, opacity, method = _controls(case, reading, names)
    left, right = st.columns(2)
    with left:
        _show_radiograph(workspace, case, reading, finding)
    with right:
        if method is None:
            st.info(plain(told_absence(reading.tests, finding)))
        else:
            _show_map(workspace, reading, finding, method, opacity=opacity)
    show_map_tests(reading.tests, finding)


def _show_map(
    workspace: Workspace, reading: Reading, finding: str, method: str, *, opacity: float
) -> None:
    try:
        maps = kept_maps(workspace, reading, method)
    except ModelError as error:  # somebody chose another model meanwhile
        st.error(str(error))
        return
    show_map(reading, finding, method, maps, opacity=opacity)


def _show_radiograph(workspace: Workspace, case: Case, reading: Reading, finding: str) -> None:
    anatomy = reading.analysis.anatomy
    picture = radiograph_picture(reading.shown)
    place = st.container()
    outlined = anatomy is not None and st.toggle(
        "Outlines of lungs and heart", key=f"outlines_{case.digest}", help=OUTLINES
    )
    if anatomy is not None and outlined:
        picture = outlined_picture(reading.shown, reading.outlines, reading.geometry, anatomy)
    if st.toggle(
        f"What would change the answer to {plain(finding)}",
        key=f"what_if_{case.digest}",
        help=WHAT_IF,
    ):
        picture = _with_what_if(workspace, reading, finding, picture)
    place.image(picture, width="stretch", output_format="PNG")
    place.caption("The radiograph, scaled to the screen; not for primary reading.")


def _with_what_if(
    workspace: Workspace, reading: Reading, finding: str, picture: UInt8Array
) -> UInt8Array:
    """Draw what must be hidden to change an answer, and say so below."""
    try:
        change = kept_what_if(workspace, reading, finding)
    except ModelError as error:  # somebody chose another model meanwhile
        st.error(str(error))
        return picture
    st.markdown(plain(told_what_if(change)))
    return (
        draw_area(picture, hidden_places(change), reading.geometry) if change.changes else picture
    )


def _controls(case: Case, reading: Reading, names: list[str]) -> tuple[str, float, str | None]:
    """Ask which finding's map to show, how opaque (0…1), and which kind; None for no map."""
    left, middle, right = st.columns((2, 4, 4), vertical_alignment="bottom")
    key = case.digest
    with middle:
        chosen = st.segmented_control(
            "Heat map of", names, default=_first_shown(case, names), key=f"finding_{key}"
        )
    with left:
        percentage = st.slider("Heat map opacity", 0, 100, 60, 5, format="%d%%")
    with right:
        kind = st.segmented_control(
            "It shows", (_TESTED, *_KINDS), default=_TESTED, key=f"map_{key}", help=TESTED_MAPS
        )
    # A click on the chosen finding unchooses it; then the first stays in sight.
    finding = chosen or _first_shown(case, names)
    method = _KINDS.get(kind or _TESTED) or best_map(reading.tests, finding)
    return finding, percentage / 100, method


def _first_shown(case: Case, names: list[str]) -> str:
    active = [f.finding for f in active_findings(case) if f.finding in names]
    return active[0] if active else names[0]
