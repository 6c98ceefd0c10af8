"""Which operating point decides, in this browser tab."""

import streamlit as st

from medcxr.apps.dashboard.clinical_words import OPERATING_POINT_HELP, OPERATING_POINTS
from medcxr.apps.dashboard.plain import plain
from medcxr.core.errors import ModelError
from medcxr.core.language import say
from medcxr.inference.deciding import DecisionRule
from medcxr.services.analysis import current_rule
from medcxr.services.model_facts import ModelFacts
from medcxr.services.workspace import Workspace

__all__ = ["chosen_rule", "operating_point_name", "show_operating_point"]

_KEY = "operating_point"


def chosen_rule(workspace: Workspace, facts: ModelFacts | None) -> DecisionRule | None:
    """Return the rule of the operating point that was chosen; None for the model's own choice."""
    chosen = st.session_state.get(_KEY)
    if facts is None or chosen not in facts.operating_points or chosen == facts.operating_point:
        return None
    try:
        return current_rule(workspace, chosen)
    except ModelError:  # meanwhile another model answers, and its own choice decides
        return None


def show_operating_point(facts: ModelFacts) -> None:
    """Let the user choose, and say what the choice means."""
    if len(facts.operating_points) < 2:
        return
    if st.session_state.get(_KEY) not in facts.operating_points:
        st.session_state[_KEY] = facts.operating_point
    told = [say(OPERATING_POINT_HELP)]
    for name in facts.operating_points:
        if name in OPERATING_POINTS:
            title, words = OPERATING_POINTS[name]
            told.append(f"**{plain(say(title))}.** {plain(say(words))}")
    st.selectbox(
        say("Operating point"),
        facts.operating_points,
        format_func=operating_point_name,
        key=_KEY,
        persist_state="session",
        help="\n\n".join(told),
    )


def operating_point_name(name: str) -> str:
    """Return what an operating point is called; a model may name others of its own."""
    return say(OPERATING_POINTS[name][0]) if name in OPERATING_POINTS else name
