"""What was measured of the maps of one finding."""

import streamlit as st

from medcxr.apps.dashboard.tables import html_table
from medcxr.apps.dashboard.words import MAP_TESTS
from medcxr.core.language import figure, say, say_all, text
from medcxr.explain.report import ExplanationReport
from medcxr.explain.verdict import is_true

__all__ = ["map_tests_table", "show_map_tests"]


def show_map_tests(report: ExplanationReport | None, finding: str) -> None:
    """Show the figures behind the choice of a map, one click away."""
    with st.expander(say("How the maps were tested")):
        st.markdown(say(MAP_TESTS))
        table = map_tests_table(report, finding)
        if table:
            st.html(table)
        else:
            st.info(say("The maps of this model were not tested on this finding."))


def map_tests_table(report: ExplanationReport | None, finding: str) -> str:
    """Return the figures of one finding as HTML tables; empty if there are none."""
    if report is None:
        return ""
    curves = [
        (
            say(one.method),
            figure(one.n_images),
            one.deletion.told(),
            one.insertion.told(),
            *("; ".join(getattr(g, side).told() for g in one.gains) for side in _SIDES),
            (say("yes") if is_true(report, finding, one.method) else say("no"))
            if one.gains
            else "",
        )
        for one in report.curves
        if one.finding == finding
    ]
    places = [
        (
            say(one.places),
            say(one.method),
            figure(one.n_images),
            one.hits.told(),
            "; ".join(gain.hits.told() for gain in one.gains),
            figure(one.area, ".2f"),
        )
        for one in report.places
        if one.finding == finding
    ]
    randomized = [
        (say(one.method), figure(one.n_images), one.correlation.told())
        for one in report.randomized
        if one.finding == finding
    ]
    return (
        html_table(say_all(*_CURVE_HEADS), curves)
        + html_table(say_all(*_PLACE_HEADS), places)
        + html_table(
            say_all("Map", "Images", "Likeness to the map of shuffled weights"), randomized
        )
    )


_SIDES = ("deletion", "insertion")
_PLACE_HEADS = (
    text("Places"),
    text("Map"),
    text("Images"),
    text("Strongest place inside"),
    text("More than ellipse; chance"),
    text("Chance"),
)
_CURVE_HEADS = (
    text("Map"),
    text("Images"),
    text("Deletion"),
    text("Insertion"),
    text("Lower than ellipse; chance"),
    text("Higher than ellipse; chance"),
    text("True"),
)
