"""What was measured of the maps of one finding."""

import streamlit as st

from medcxr.apps.dashboard.tables import html_table
from medcxr.explain.report import ExplanationReport
from medcxr.explain.verdict import is_true

__all__ = ["map_tests_table", "show_map_tests"]


def show_map_tests(report: ExplanationReport | None, finding: str) -> None:
    """Show the figures behind the choice of a map, one click away."""
    with st.expander("How the maps were tested"):
        st.markdown(
            "Deletion is the mean probability while places are hidden, those that the map calls "
            "most important first: low is good. Insertion is the mean while they are shown again: "
            "high is good. A map is shown when it beats the ellipse and chance on both, by 95% "
            "intervals of the paired difference that exclude 0."
        )
        table = map_tests_table(report, finding)
        if table:
            st.html(table)
        else:
            st.info("The maps of this model were not tested on this finding.")


def map_tests_table(report: ExplanationReport | None, finding: str) -> str:
    """Return the figures of one finding as HTML tables; empty if there are none."""
    if report is None:
        return ""
    curves = [
        (
            one.method,
            str(one.n_images),
            one.deletion.told(),
            one.insertion.told(),
            *("; ".join(getattr(g, side).told() for g in one.gains) for side in _SIDES),
            ("yes" if is_true(report, finding, one.method) else "no") if one.gains else "",
        )
        for one in report.curves
        if one.finding == finding
    ]
    places = [
        (
            one.places,
            one.method,
            str(one.n_images),
            one.hits.told(),
            "; ".join(gain.hits.told() for gain in one.gains),
            f"{one.area:.2f}",
        )
        for one in report.places
        if one.finding == finding
    ]
    randomized = [
        (one.method, str(one.n_images), one.correlation.told())
        for one in report.randomized
        if one.finding == finding
    ]
    return (
        html_table(_CURVE_HEADS, curves)
        + html_table(_PLACE_HEADS, places)
        + html_table(("Map", "Images", "Likeness to the map of shuffled weights"), randomized)
    )


_SIDES = ("deletion", "insertion")
_PLACE_HEADS = (
    "Places",
    "Map",
    "Images",
    "Strongest place inside",
    "More than ellipse; chance",
    "Chance",
)
_CURVE_HEADS = (
    "Map",
    "Images",
    "Deletion",
    "Insertion",
    "Lower than ellipse; chance",
    "Higher than ellipse; chance",
    "True",
)
