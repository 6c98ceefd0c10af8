"""The page "Explainable AI": everything that is known of why the model answered as it did."""

from html import escape

import streamlit as st

from medcxr.apps.dashboard.case_map_view import show_case_map
from medcxr.apps.dashboard.cases import Case, Reading, active_findings
from medcxr.apps.dashboard.empty_state import show_empty_state
from medcxr.apps.dashboard.findings_view import percent
from medcxr.apps.dashboard.frame import Opened
from medcxr.apps.dashboard.importance_view import show_importance
from medcxr.apps.dashboard.map_tests_view import show_map_tests
from medcxr.apps.dashboard.map_view import kept_maps, known_maps, show_map
from medcxr.apps.dashboard.picture_view import show_picture
from medcxr.apps.dashboard.pictures import outlined_picture, radiograph_picture
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.tables import html_facts, html_table
from medcxr.apps.dashboard.what_if_view import show_what_if
from medcxr.apps.dashboard.words import EXPLAIN_EMPTY, MAPS, MARGIN, NO_ZONES, OUTLINES, ZONES
from medcxr.core.errors import ModelError
from medcxr.core.language import figure, say, say_all, say_if_sentence, text
from medcxr.core.settings import Settings
from medcxr.explain.margin import told_distance, told_margin
from medcxr.explain.occlusion import places_per_side
from medcxr.explain.report import EVIDENCE_MAP, JOINT_MAP, OCCLUSION_MAP, THOROUGH_MAP
from medcxr.services.importance import NO_ZONES_KNOWN
from medcxr.services.shown_map import ShownMap
from medcxr.services.told_analysis import told_measures
from medcxr.services.workspace import Workspace

__all__ = ["show_explanations"]

_NOTHING_OPEN = text("Open a radiograph to see its answers explained")


def show_explanations(opened: Opened) -> None:
    """Show the page for the radiograph that was chosen at the left."""
    st.title(say("Explainable AI"))
    case = opened.case
    if case is None:
        show_empty_state(_NOTHING_OPEN, EXPLAIN_EMPTY)
    elif case.reading is None:
        st.html(f'<p class="cxr-title">{escape(say_if_sentence(case.label))}</p>')
        st.error(say(case.error))
    else:
        _show(opened, case, case.reading)


def _show(opened: Opened, case: Case, reading: Reading) -> None:
    workspace = opened.workspace
    note = f'<p class="cxr-quiet">{escape(say(case.note))}</p>' if case.note else ""
    st.html(
        f'<p class="cxr-title">{escape(say_if_sentence(case.label))}</p>{note}{_overview(reading)}'
    )
    names = [found.finding for found in reading.analysis.findings]
    active = [found.finding for found in active_findings(reading.analysis)]
    first = active[0] if active else names[0]
    finding = st.segmented_control(
        say("Explain"),
        names,
        default=first,
        required=True,
        format_func=say,
        key=f"explained_{case.digest}",
    )
    table = Settings.from_environment().cases
    st.header(say("Distance to the threshold"), anchor=False)
    found = next(one for one in reading.analysis.findings if one.finding == finding)
    st.markdown(plain(told_distance(found)))
    st.caption(say(MARGIN))
    st.header(say("Maps side by side"), anchor=False)
    _show_maps(opened, reading, finding)
    st.header(say("What would change the answer"), anchor=False)
    show_what_if(workspace, reading, finding)
    st.header(say("Among other cases"), anchor=False)
    show_case_map(workspace, reading, finding, table)
    st.header(say("What answers hang on over many radiographs"), anchor=False)
    if reading.outlines:
        show_importance(workspace, reading.analysis.model, finding, opened.cases, table)
    else:
        st.info(plain(say(NO_ZONES_KNOWN, model=reading.analysis.model)))


def _overview(reading: Reading) -> str:
    return html_table(
        say_all(
            *("Finding", "Answer", "Probability", "Distance to the threshold"),
            "Map shown to be true",
        ),
        [
            (
                say(found.finding),
                say("present") if found.present else say("absent"),
                percent(found.probability),
                told_margin(found),
                say(found.explained_by or "none"),
            )
            for found in reading.analysis.findings
        ],
    )


def _show_maps(opened: Opened, reading: Reading, finding: str) -> None:
    workspace = opened.workspace
    st.caption(say(MAPS))
    if finding not in reading.maps:
        st.info(say("This model gives no heat maps."))
        return
    percentage = st.slider(
        say("Opacity of the maps"), 0, 100, 60, 5, format="%d%%", key="opacity_of_maps"
    )
    opacity = percentage / 100
    radiograph, evidence = st.columns(2)
    with radiograph:
        st.subheader(say("Radiograph"), anchor=False)
        _show_radiograph(reading)
    with evidence:
        st.subheader(say("Evidence map"), anchor=False)
        _show_zones(show_map(reading, finding, EVIDENCE_MAP, reading.maps, opacity=opacity))
    occlusion, joint = st.columns(2)
    with occlusion:
        st.subheader(say("Occlusion map"), anchor=False)
        known = _show_looks(workspace, reading, finding, OCCLUSION_MAP, opacity)
    with joint:
        st.subheader(say("Joint map"), anchor=False)
        if not known:
            st.markdown(say("This map joins the two before it; make the occlusion map first."))
        else:
            maps = kept_maps(workspace, reading, JOINT_MAP)
            _show_zones(show_map(reading, finding, JOINT_MAP, maps, opacity=opacity))
    if opened.has_quick_look:
        thorough, _ = st.columns(2)
        with thorough:
            st.subheader(say("Thorough map"), anchor=False)
            _show_looks(workspace, reading, finding, THOROUGH_MAP, opacity)
    show_map_tests(reading.tests, finding)


def _show_radiograph(reading: Reading) -> None:
    anatomy = reading.analysis.anatomy
    if anatomy is None:
        show_picture(radiograph_picture(reading.shown), say("The radiograph"))
        st.html(html_facts(told_measures(reading.analysis)))
        st.caption(say("The radiograph, scaled to the screen; not for primary reading."))
        return
    picture = outlined_picture(reading.shown, reading.outlines, reading.geometry, anatomy)
    show_picture(picture, say("The radiograph with the outlines of lungs and heart"))
    st.html(html_facts(told_measures(reading.analysis)))
    st.caption(say(OUTLINES))


_OFFERS = {
    OCCLUSION_MAP: (
        text("This map hides each of {n} places in turn and asks the model again."),
        text("Make the occlusion map"),
    ),
    THOROUGH_MAP: (
        text(
            "This map hides each of {n} places in turn and asks the whole model again, which takes a "
            "few seconds."
        ),
        text("Make the thorough map"),
    ),
}


def _show_looks(
    workspace: Workspace, reading: Reading, finding: str, method: str, opacity: float
) -> bool:
    """Show a map by occlusion, or what makes it, and return whether it is known."""
    known = known_maps(reading).get(method)
    if known is None:
        offer, button = _OFFERS[method]
        st.markdown(say(offer, n=places_per_side(len(reading.maps[finding])) ** 2))
        if not st.button(say(button)):
            return False
        try:
            kept_maps(workspace, reading, method)
        except ModelError as error:  # somebody chose another model meanwhile
            st.error(plain(say(error.sentence)))
            return False
        st.rerun()  # without the button
    _show_zones(show_map(reading, finding, method, known, opacity=opacity))
    return True


def _show_zones(shown: ShownMap) -> None:
    if not shown.is_true:
        return  # its verdict stands above
    if not shown.zones:
        st.caption(say(NO_ZONES))
        return
    ranked = sorted(shown.zones.items(), key=lambda item: -item[1])
    st.html(
        html_table(
            (say("Zone"), say("Share of the evidence for {finding}", finding=say(shown.finding))),
            [(say(zone), figure(share, ".0%")) for zone, share in ranked],
        )
    )
    st.caption(say(ZONES))
