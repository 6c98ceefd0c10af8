"""The checks of computer, workspace and models as a table, made when a button is pressed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

import streamlit as st

from medcxr.apps.dashboard.progress import progress_bar
from medcxr.core.language import say, text
from medcxr.core.sentences import written_time
from medcxr.services.diagnostics import run_diagnostics
from medcxr.services.health import Check, Health, worst
from medcxr.services.workspace import Workspace

__all__ = ["show_diagnostics"]

_KEY = "diagnostics"
_INTRODUCTION = text(
    "Checks Python, libraries, memory, disk, permissions, password, database, the checksum of every "
    "model, the time of an analysis and the trainings. Nothing is changed. In the terminal: `medcxr doctor`"
)
_WORDS = {
    Health.GOOD: text("good"),
    Health.ATTENTION: text("attention"),
    Health.BROKEN: text("broken"),
}
_SUMMARIES = {
    Health.GOOD: text("Everything is good."),
    Health.ATTENTION: text("Everything works; something asks for attention."),
    Health.BROKEN: text("Something is broken."),
}


def show_diagnostics(workspace: Workspace) -> None:
    """Offer to make the checks, and show what the last ones in this tab found."""
    st.markdown(say(_INTRODUCTION))
    if st.button(say("Run the checks"), key="run_checks"):
        with progress_bar(say("Checking")) as progress:
            # Without the port: it is the one that answers here.
            checks = run_diagnostics(workspace.folder, actor=workspace.actor, progress=progress)
        st.session_state[_KEY] = (datetime.now(UTC), checks)
    known: tuple[datetime, Sequence[Check]] | None = st.session_state.get(_KEY)
    if known is not None:
        _show(*known)


def _show(time: datetime, checks: Sequence[Check]) -> None:
    health = worst(checks)
    tell = {Health.GOOD: st.success, Health.ATTENTION: st.warning, Health.BROKEN: st.error}
    tell[health](say(_SUMMARIES[health]))
    heads = (say("Check"), say("State"), say("What was found"), say("What to do"))
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    caption = say("Checked at {time} UTC", time=written_time(time))
    body = "".join(map(_row, checks))
    st.html(
        f'<table class="cxr-table cxr-checks"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _row(check: Check) -> str:
    outcome = check.outcome
    state = escape(say(_WORDS[outcome.health]))
    return (
        f'<tr class="cxr-{outcome.health}"><th scope="row">{escape(check.name)}</th>'
        f'<td><span class="cxr-state">{state}</span></td>'
        f"<td>{escape(outcome.found)}</td><td>{escape(outcome.remedy)}</td></tr>"
    )
