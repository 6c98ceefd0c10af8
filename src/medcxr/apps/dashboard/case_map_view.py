"""The radiograph among other cases, as the model sees them."""

from pathlib import Path

import streamlit as st

from medcxr.apps.dashboard.cases import Reading
from medcxr.apps.dashboard.chart_view import show_chart
from medcxr.apps.dashboard.charts import case_chart, label_states
from medcxr.apps.dashboard.kept import find_kept, keep
from medcxr.apps.dashboard.picture_view import show_picture
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.progress import progress_bar
from medcxr.apps.dashboard.tables import html_table
from medcxr.apps.dashboard.words import CASE_MAP, NO_CASES, SIMULATED_CASES, TABLE_CASES
from medcxr.core.errors import MedcxrError
from medcxr.core.language import Sentence, figure, say, say_all, say_if_sentence, text
from medcxr.services.case_map import Placed, place_case
from medcxr.services.case_set import CaseSet, simulated_cases, table_cases
from medcxr.services.workspace import Workspace

__all__ = ["show_case_map"]

_KEY = "case_sets"
_TABLE, _SIMULATED = text("The table of this dashboard"), text("Simulated chests")
_N_OF_TABLE = 100


def show_case_map(workspace: Workspace, reading: Reading, finding: str, table: Path | None) -> None:
    """Show the nearest cases and the boundary between the answers, or offer to find them.

    Args:
        workspace: whose model analyzed the radiograph.
        reading: the radiograph.
        finding: whose boundary to show.
        table: the cases that whoever runs the dashboard chose; None if nobody did.
    """
    st.markdown(say(CASE_MAP))
    source = _SIMULATED
    if table is None:
        st.caption(say(NO_CASES))
    else:
        sources = (_TABLE, _SIMULATED)
        source = st.segmented_control(
            say("Compare with"),
            sources,
            default=_TABLE,
            required=True,
            format_func=say,
            key="compared_cases",
        )
    st.caption(say(SIMULATED_CASES if source == _SIMULATED else TABLE_CASES))
    name = f"among {source}: {finding}"
    placed = find_kept(reading, name, Placed)
    if placed is None:
        known = _find_cases(reading.analysis.model, source)
        if known is None and not st.button(say("Compare with these cases")):
            return
        try:
            cases = known or _make_cases(workspace, source, table)
            placed = keep(
                reading,
                name,
                lambda: place_case(workspace, reading, cases, finding, named=Sentence(source)),
            )
        except MedcxrError as error:
            st.error(plain(say(error.sentence)))
            return
        if known is None:
            st.rerun()  # without the button
    _show(placed)


def _find_cases(model: str, source: str) -> CaseSet | None:
    kept: CaseSet | None = st.session_state.get(_KEY, {}).get((model, source))
    return kept


def _make_cases(workspace: Workspace, source: str, table: Path | None) -> CaseSet:
    if table is not None and source == _TABLE:
        with progress_bar(say("Looking at the cases")) as progress:
            cases = table_cases(workspace, table, n_images=_N_OF_TABLE, progress=progress)
    else:
        with progress_bar(say("Simulating chests")) as progress:
            cases = simulated_cases(workspace, progress=progress)
    st.session_state.setdefault(_KEY, {})[cases.model, source] = cases
    return cases


def _show(placed: Placed) -> None:
    found = placed.found
    show_chart(case_chart(placed), _told(placed))
    st.markdown(plain(_told(placed)))
    states = label_states(found.finding)
    columns = st.columns(len(found.neighbors))
    for column, index, one in zip(
        columns, placed.placement.neighbors, found.neighbors, strict=True
    ):
        told = f"{say_if_sentence(one.image_path)}, {states[one.has_finding]}"
        show_picture(placed.cases[index].small, told, caption=plain(told), place=column)
    st.html(
        html_table(
            (
                *say_all("Most alike", "Label", "Distance (1 is usual)"),
                say("Logit of {finding}", finding=say(found.finding)),
            ),
            [
                (
                    say_if_sentence(one.image_path),
                    states[one.has_finding],
                    figure(one.distance, ".2f"),
                    figure(one.logit, "+.2f"),
                )
                for one in found.neighbors
            ],
        )
    )


def _told(placed: Placed) -> str:
    found = placed.found
    n_with = sum(one.has_finding is True for one in found.neighbors)
    told = say(
        "Of the {n_alike} most alike of {n_cases:,} cases, {n_with} have {finding} by their label. "
        "The height shows {shown:.0%} of what varies beside the logit.",
        n_alike=len(found.neighbors),
        n_cases=found.n_cases,
        n_with=n_with,
        finding=say(found.finding),
        shown=found.spread_shown,
    )
    if not found.unreadable:
        return told
    return f"{told} {say('{n:,} could not be used.', n=found.unreadable)}"
