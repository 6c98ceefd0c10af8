"""One map over its radiograph, with what was measured of such maps."""

from collections.abc import Mapping
from html import escape

import streamlit as st

from medcxr.apps.dashboard.cases import Reading
from medcxr.apps.dashboard.kept import find_kept, keep
from medcxr.apps.dashboard.picture_view import show_picture
from medcxr.apps.dashboard.pictures import heat_map_picture
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.progress import progress_bar
from medcxr.apps.dashboard.words import MAP_KINDS
from medcxr.core.arrays import FloatArray
from medcxr.core.language import say
from medcxr.explain.label import NOT_SHOWN_TO_BE_TRUE, in_picture, labeled
from medcxr.explain.overlay import legend, shown_scale
from medcxr.explain.report import EVIDENCE_MAP, JOINT_MAP, OCCLUSION_MAP, THOROUGH_MAP
from medcxr.explain.verdict import is_true, told_verdict
from medcxr.services.shown_map import ShownMap, maps_of, shown_map
from medcxr.services.workspace import Workspace

__all__ = [
    "are_maps_known",
    "kept_maps",
    "known_maps",
    "show_map",
    "show_map_words",
    "show_verdict",
]

_BY_LOOKS = (OCCLUSION_MAP, THOROUGH_MAP)


def are_maps_known(reading: Reading, method: str) -> bool:
    """Tell whether `kept_maps` returns at once."""
    return method == EVIDENCE_MAP or _looked(method) in known_maps(reading)


def known_maps(reading: Reading) -> Mapping[str, Mapping[str, FloatArray]]:
    """Return kind of map -> those for which looks were taken in this browser tab."""
    found = {method: find_kept(reading, method, dict) for method in _BY_LOOKS}
    return {method: maps for method, maps in found.items() if maps is not None}


def kept_maps(workspace: Workspace, reading: Reading, method: str) -> Mapping[str, FloatArray]:
    """Return the maps of a radiograph; looks are taken once in this browser tab.

    Raises:
        ModelError: meanwhile another model is in use.
    """
    if method == EVIDENCE_MAP:
        return reading.maps

    looked = _looked(method)

    def make() -> Mapping[str, FloatArray]:
        with progress_bar(say("Hiding place after place")) as progress:
            return maps_of(workspace, reading, looked, progress=progress)

    falls = keep(reading, looked, make)
    return maps_of(workspace, reading, method, falls=falls) if method == JOINT_MAP else falls


def _looked(method: str) -> str:
    """Return the kind of map whose looks a kind takes."""
    return OCCLUSION_MAP if method == JOINT_MAP else method


def show_map(
    reading: Reading,
    finding: str,
    method: str,
    maps: Mapping[str, FloatArray],
    *,
    opacity: float,
) -> ShownMap:
    """Show a map with its scale, its verdict and what it is.

    Args:
        reading: the radiograph.
        finding: which is to be explained.
        method: which kind of map it is.
        maps: of this kind, from `kept_maps`.
        opacity: of the strongest evidence, 0…1.
    """
    shown = shown_map(reading.tests, reading, finding, method, maps)
    picture = heat_map_picture(
        reading.shown,
        shown.evidence,
        reading.geometry,
        opacity=opacity,
        full_scale=shown_scale(shown.evidence),
    )
    if not shown.is_true:
        picture = labeled(picture, in_picture(NOT_SHOWN_TO_BE_TRUE))
    show_picture(picture, say("The radiograph under the heat map"))
    show_picture(legend(8, 512, opacity=1.0), say("The colors of the heat map"))
    st.html(
        '<div class="cxr-scale">'
        f"<span>{escape(say('against {finding}', finding=say(finding)))}</span>"
        f"<span>{escape(say('none'))}</span>"
        f"<span>{escape(say('for {finding}', finding=say(finding)))}</span></div>"
    )
    show_map_words(shown)
    return shown


def show_map_words(shown: ShownMap) -> None:
    """Show the verdict on a map, and what it is."""
    verdict, *further = shown.words
    _show_verdict(verdict, is_shown_to_be_true=shown.is_true)
    for sentence in further:
        st.markdown(plain(sentence))
    st.caption(say(MAP_KINDS[shown.method]))


def show_verdict(reading: Reading, finding: str, method: str) -> None:
    """Show the verdict on a map that is not drawn yet."""
    true = is_true(reading.tests, finding, method)
    _show_verdict(told_verdict(reading.tests, finding, method), is_shown_to_be_true=true)


def _show_verdict(words: str, *, is_shown_to_be_true: bool) -> None:
    if is_shown_to_be_true:
        st.markdown(plain(words))
    else:
        st.warning(plain(words))
