"""One analyzed radiograph on the screen: what it shows, what the model found and what speaks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from medcxr.anatomy.contours import Line, area_lines
from medcxr.apps.dashboard.cases import Case, Reading, active_findings
from medcxr.apps.dashboard.clinical_words import NOT_FOR_PRIMARY_READING
from medcxr.apps.dashboard.considerations_view import show_considerations
from medcxr.apps.dashboard.findings_view import percent, show_findings
from medcxr.apps.dashboard.frame import Opened
from medcxr.apps.dashboard.kept import find_kept, forget, keep
from medcxr.apps.dashboard.map_tests_view import show_map_tests
from medcxr.apps.dashboard.map_view import (
    are_maps_known,
    kept_maps,
    show_map_words,
    show_verdict,
)
from medcxr.apps.dashboard.operating_point import operating_point_name, show_operating_point
from medcxr.apps.dashboard.opinion_view import show_opinion
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.prior_view import Prior, show_prior
from medcxr.apps.dashboard.tables import html_facts
from medcxr.apps.dashboard.viewed import viewed
from medcxr.apps.dashboard.viewer_component import show_viewer
from medcxr.apps.dashboard.viewer_data import Layout, Pane, viewer_data
from medcxr.apps.dashboard.what_if_view import kept_what_if
from medcxr.apps.dashboard.words import TESTED_MAPS, THOROUGH_OFFER, WHAT_IF
from medcxr.core.errors import ImageError, ModelError
from medcxr.core.language import say, say_if_sentence, text
from medcxr.explain.occlusion import places_per_side
from medcxr.explain.report import EVIDENCE_MAP, JOINT_MAP, OCCLUSION_MAP, THOROUGH_MAP
from medcxr.explain.verdict import best_map, told_absence
from medcxr.explain.what_if import hidden_places, told_what_if
from medcxr.services.shown_map import ShownMap, shown_map
from medcxr.services.told_analysis import told_measures, told_shape, told_spacing
from medcxr.services.workspace import Workspace

__all__ = ["show_reading"]

_TESTED, _THOROUGH = text("Tested"), text("Thorough")
_ASKED_FOR = "thorough map asked for"
_KINDS = {
    text("Evidence"): EVIDENCE_MAP,
    text("Occlusion"): OCCLUSION_MAP,
    text("Joint"): JOINT_MAP,
    _THOROUGH: THOROUGH_MAP,
}


def show_reading(opened: Opened, case: Case, reading: Reading, prior: Prior | None) -> None:
    """Show everything about one radiograph.

    Args:
        opened: what is open in this browser tab.
        case: the file.
        reading: its analysis.
        prior: an earlier radiograph of the patient; None without one.
    """
    _show_heading(case, reading)
    for warning in reading.analysis.warnings:
        st.warning(say(warning))
    picture, beside = st.columns((7, 3), gap="medium")
    with beside:  # first: they are there before any picture
        if opened.facts is not None:
            show_operating_point(opened.facts)
        aucs = opened.facts.aucs if opened.facts is not None else {}
        show_findings(reading.analysis, aucs)
    with picture:
        chosen = _show_pictures(opened, case, reading, prior)
    words, next_steps = st.columns((1, 1), gap="large")
    with words:
        _show_words(reading, chosen)
    with next_steps:
        show_considerations(reading.analysis)
    show_prior(opened, case, reading, prior)
    show_opinion(opened.workspace, case, reading)


def _show_heading(case: Case, reading: Reading) -> None:
    active = active_findings(reading.analysis)
    summary = say("No active finding at this operating point.")
    if active:
        listed = ", ".join(f"{say(f.finding)} ({percent(f.probability)})" for f in active)
        summary = say("Active findings: {listed}", listed=listed)
    note = f'<p class="cxr-quiet">{escape(say(case.note))}</p>' if case.note else ""
    st.html(
        f'<h2 class="cxr-title">{escape(say_if_sentence(case.label))}</h2>{note}'
        f'<p class="cxr-summary">{escape(summary)}</p>{html_facts(_facts(reading))}'
    )


def _facts(reading: Reading) -> dict[str, str]:
    analysis, made = reading.analysis, reading.acquisition
    return {
        **told_measures(analysis),
        say("Format"): " ".join(filter(None, [made.source_format, made.modality])),
        say("Size"): told_shape(analysis),
        say("View"): say(analysis.view),
        say("Pixel spacing"): told_spacing(analysis),
        say("Operating point"): operating_point_name(analysis.operating_point),
        say("Analyzed in"): say("{seconds:.2f} s", seconds=analysis.seconds),
    }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Chosen:
    """What the user wants to see over the radiograph.

    Attributes:
        finding: whose map.
        method: its kind; None where none was shown to be true.
        map: the map; None without a kind, and as long as it is not made.
        is_pending: whether it is being made.
        is_offered: whether it waits to be asked for.
    """

    finding: str
    method: str | None
    map: ShownMap | None = None
    is_pending: bool = False
    is_offered: bool = False


def _show_pictures(
    opened: Opened, case: Case, reading: Reading, prior: Prior | None
) -> _Chosen | None:
    """Show the viewer with what belongs to it; return what was chosen, if there are maps."""
    names = [f.finding for f in reading.analysis.findings if f.finding in reading.maps]
    chosen = None
    place_of_progress = st.container()
    if names:
        with place_of_progress:
            finding, method = _controls(opened, case, reading, names)
        chosen = _chosen(opened, reading, finding, method, place_of_progress)
    place = st.container()
    areas: Sequence[Line] = ()
    if chosen is not None:
        areas = _what_if(opened.workspace, case, reading, chosen.finding)
    with place:
        try:
            _show_viewer(case, chosen, areas, prior)
        except ImageError as error:
            st.error(say(error.sentence))
    st.caption(say(NOT_FOR_PRIMARY_READING))
    return chosen


def _show_viewer(
    case: Case, chosen: _Chosen | None, areas: Sequence[Line], prior: Prior | None
) -> None:
    image = viewed(case.upload)
    panes = [Pane(case=case, image=image, title=say("Radiograph"), areas=areas)]
    layouts = [Layout(name=say("Radiograph"), panes=(0,))]
    outlined = chosen is None or chosen.map is None
    if chosen is not None and chosen.method is not None and (chosen.map or chosen.is_pending):
        title = say(_MAP_TITLES[chosen.method], finding=say(chosen.finding))
        pending = say("The map is being made") if chosen.is_pending else ""
        # what comes at once would only make the outlines flicker
        outlined = chosen.is_pending and chosen.method == THOROUGH_MAP
        panes.append(Pane(case=case, image=image, title=title, map=chosen.map, pending=pending))
        layouts = [
            Layout(name=say("Radiograph and map"), panes=(0, 1)),
            Layout(name=say("Radiograph under the map"), panes=(1,)),
            *layouts,
        ]
    if prior is not None and prior.case is not None:
        panes.append(Pane(case=prior.case, image=viewed(prior.case.upload), title=prior.title))
        layouts.append(Layout(name=say("This and the earlier one"), panes=(0, len(panes) - 1)))
    show_viewer(viewer_data(panes, layouts, outlined=outlined), key="viewer")


_MAP_TITLES = {
    EVIDENCE_MAP: text("Evidence map of {finding}"),
    OCCLUSION_MAP: text("Occlusion map of {finding}"),
    JOINT_MAP: text("Joint map of {finding}"),
    THOROUGH_MAP: text("Thorough map of {finding}"),
}


def _controls(
    opened: Opened, case: Case, reading: Reading, names: list[str]
) -> tuple[str, str | None]:
    """Ask which finding's map to show and which kind; None for no map."""
    kinds = dict(_KINDS)
    if not opened.has_quick_look:
        del kinds[_THOROUGH]
    with st.container(horizontal=True):  # what does not fit beside the other stands below it
        chosen = st.segmented_control(
            say("Heat map of"),
            names,
            format_func=lambda name: plain(say(name)),
            default=_first_shown(reading, names),
            key=f"finding_{case.digest}",
            required=True,
            persist_state="session",
            width="content",
        )
        kind = st.segmented_control(
            say("It shows"),
            (_TESTED, *kinds),
            format_func=say,
            default=_TESTED,
            key="map_kind",
            required=True,
            persist_state="session",
            help=say(TESTED_MAPS),
            width="content",
        )
    finding = chosen or _first_shown(reading, names)
    return finding, kinds.get(kind or _TESTED) or best_map(reading.tests, finding)


def _first_shown(reading: Reading, names: list[str]) -> str:
    active = [f.finding for f in active_findings(reading.analysis) if f.finding in names]
    return active[0] if active else names[0]


def _chosen(
    opened: Opened, reading: Reading, finding: str, method: str | None, place: DeltaGenerator
) -> _Chosen:
    """Return a map that is known; one that takes many looks is made once the page is shown.

    A thorough one takes seconds, in which others wait: it is made when somebody asks for it.
    """
    if method is None:
        return _Chosen(finding=finding, method=None)
    if are_maps_known(reading, method):
        maps = kept_maps(opened.workspace, reading, method)
        shown = shown_map(reading.tests, reading, finding, method, maps)
        return _Chosen(finding=finding, method=method, map=shown)
    # in the name, since what fails with one model in use need not fail with another
    failed = f"no {method} of {'' if opened.facts is None else opened.facts.identity}"
    problem = find_kept(reading, failed, str)
    with place:
        if problem is not None:
            st.error(say(problem))
        if method == THOROUGH_MAP:
            is_asked_for = find_kept(reading, _ASKED_FOR, bool) is not None
            words = say("Draw the thorough map of {finding}", finding=plain(say(finding)))
            if st.button(words, key="draw_thorough_map", disabled=is_asked_for):
                forget(reading, failed)
                keep(reading, _ASKED_FOR, lambda: True)
                st.rerun()
            if not is_asked_for:
                return _Chosen(finding=finding, method=method, is_offered=True)
    if problem is not None:
        return _Chosen(finding=finding, method=method)

    def make() -> None:
        with place:
            try:
                kept_maps(opened.workspace, reading, method)
            except ModelError as error:  # somebody chose another model meanwhile
                sentence = error.sentence
                keep(reading, failed, lambda: sentence)
                forget(reading, _ASKED_FOR)

    opened.later.append(make)
    return _Chosen(finding=finding, method=method, is_pending=True)


def _what_if(workspace: Workspace, case: Case, reading: Reading, finding: str) -> Sequence[Line]:
    """Offer to draw what must be hidden to change an answer, and say so below."""
    if not st.toggle(
        say("What would change the answer to {finding}", finding=plain(say(finding))),
        key=f"what_if_{case.digest}",
        help=say(WHAT_IF),
    ):
        return ()
    try:
        change = kept_what_if(workspace, reading, finding)
    except ModelError as error:  # somebody chose another model meanwhile
        st.error(say(error.sentence))
        return ()
    st.markdown(plain(told_what_if(change)))
    return area_lines(hidden_places(change), reading.geometry) if change.changes else ()


def _show_words(reading: Reading, chosen: _Chosen | None) -> None:
    if chosen is None:
        st.info(say("This model gives no heat maps."))
        return
    if chosen.method is None:
        st.info(plain(told_absence(reading.tests, chosen.finding)))
    elif chosen.is_offered:
        n_places = places_per_side(len(reading.maps[chosen.finding])) ** 2
        st.info(say(THOROUGH_OFFER, n=n_places))
        show_verdict(reading, chosen.finding, THOROUGH_MAP)
    elif chosen.map is not None:
        show_map_words(chosen.map)
    show_map_tests(reading.tests, chosen.finding)
