"""One analyzed radiograph on the screen: findings, pictures, facts and the file to keep."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from html import escape

import streamlit as st

from medcxr.anatomy.words import told_ratio
from medcxr.apps.dashboard.cases import Case, Reading, active_findings
from medcxr.apps.dashboard.findings_view import percent, show_findings
from medcxr.apps.dashboard.pictures import (
    heat_map_picture,
    outlined_picture,
    radiograph_picture,
)
from medcxr.apps.dashboard.words import DISCLAIMER, HEAT_MAP, OCCLUSION, OUTLINES
from medcxr.core.arrays import FloatArray
from medcxr.core.results import Estimate
from medcxr.explain.overlay import legend, shown_scale
from medcxr.explain.zones import main_zone
from medcxr.services.occlusion import explain_by_occlusion
from medcxr.services.workspace import Workspace

__all__ = ["show_reading"]

_EVIDENCE, _OCCLUSION = "Evidence", "Occlusion"
_OCCLUSION_KEY = "occlusion"


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
    ratio = None if analysis.anatomy is None else told_ratio(analysis.anatomy)
    return {
        **({} if ratio is None else {"Cardiothoracic ratio": ratio}),
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
    finding, opacity, kind = _controls(case, names)
    evidence = reading.maps[finding]
    if kind == _OCCLUSION:
        with st.spinner("Hiding place after place"):
            evidence = _occlusion(workspace, reading)[finding]
    picture = heat_map_picture(
        reading.shown,
        evidence,
        reading.geometry,
        opacity=opacity,
        full_scale=shown_scale(evidence),
    )
    left, right = st.columns(2)
    with left:
        _show_radiograph(case, reading)
    with right:
        st.image(picture, width="stretch", output_format="PNG")
        st.image(legend(8, 512, opacity=1.0), width="stretch", output_format="PNG")
        st.html(
            f'<div class="cxr-scale"><span>against {escape(finding)}</span><span>none</span>'
            f"<span>for {escape(finding)}</span></div>"
        )
        shares = next(f.evidence_zones for f in reading.analysis.findings if f.finding == finding)
        if shares and kind == _EVIDENCE:
            st.markdown(main_zone(finding, shares))
        st.caption(HEAT_MAP if kind == _EVIDENCE else OCCLUSION)


def _show_radiograph(case: Case, reading: Reading) -> None:
    anatomy = reading.analysis.anatomy
    plain = radiograph_picture(reading.shown)
    place = st.container()
    outlined = anatomy is not None and st.toggle(
        "Outlines of lungs and heart", key=f"outlines_{case.digest}", help=OUTLINES
    )
    if anatomy is not None and outlined:
        plain = outlined_picture(reading.shown, reading.outlines, reading.geometry, anatomy)
    place.image(plain, width="stretch", output_format="PNG")
    place.caption("The radiograph, scaled to the screen; not for primary reading.")


def _occlusion(workspace: Workspace, reading: Reading) -> Mapping[str, FloatArray]:
    """Return the occlusion maps of a radiograph, made once in this browser tab."""
    known = st.session_state.setdefault(_OCCLUSION_KEY, {})
    key = (reading.analysis.image_digest, reading.analysis.model)
    if key not in known:
        known.clear()  # those of one radiograph are enough
        known[key] = explain_by_occlusion(
            workspace,
            reading.prepared,
            model=reading.analysis.model,
            grid=len(next(iter(reading.maps.values()))),
        )
    maps: Mapping[str, FloatArray] = known[key]
    return maps


def _controls(case: Case, names: list[str]) -> tuple[str, float, str]:
    """Ask which finding's map to show, how opaque (0…1), and what it shows."""
    left, middle, right = st.columns((2, 3, 2), vertical_alignment="bottom")
    key = case.digest
    with middle:
        chosen = st.segmented_control(
            "Heat map of", names, default=_first_shown(case, names), key=f"finding_{key}"
        )
    with left:
        percentage = st.slider("Heat map opacity", 0, 100, 60, 5, format="%d%%")
    with right:
        kind = st.segmented_control(
            "It shows",
            (_EVIDENCE, _OCCLUSION),
            default=_EVIDENCE,
            key=f"map_{key}",
            help="The evidence is there at once; hiding place after place takes seconds.",
        )
    # A click on the chosen finding unchooses it; then the first stays in sight.
    return chosen or _first_shown(case, names), percentage / 100, kind or _EVIDENCE


def _first_shown(case: Case, names: list[str]) -> str:
    active = [f.finding for f in active_findings(case) if f.finding in names]
    return active[0] if active else names[0]
