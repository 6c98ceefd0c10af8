"""The audit trail on the page "Administration": listed, filtered, verified and exported."""

import io

import streamlit as st

from medcxr.apps.dashboard.access import while_signed_in
from medcxr.apps.dashboard.audit_words import (
    ACTIONS,
    DOORS,
    ROLES,
    told_action,
    told_details,
    told_subject,
)
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.tables import html_table
from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction, AuditEvent
from medcxr.core.errors import MedcxrError
from medcxr.core.language import figure, say, say_number, text
from medcxr.core.sentences import local_time
from medcxr.services.audit import TrailCheck, trail
from medcxr.services.audit_files import actors_of_trail, verify_trail, write_trail
from medcxr.services.trail_walk import NotedHead
from medcxr.services.workspace import Workspace

__all__ = ["show_audit"]

_ON_A_PAGE = 50
_BEFORE = "audit_before"  # numbers below which the pages begin that lead to the one shown
_FOUND = "audit_found"
_INTRODUCTION = text(
    "Who did what to which case or model, and when; no event names a patient or a file. Each one is "
    "sealed together with the one before it. The trail is never shortened, also not where cases are "
    "forgotten after some days. In the terminal: `medcxr audit list`"
)
_HEAD = text(
    "Note this down outside of this computer: `medcxr audit verify --head` later tells by it "
    "whether an older state of the trail was put in place."
)


def show_audit(workspace: Workspace) -> None:
    """Show the section to whoever may see it."""
    if not workspace.actor.may(Permission.VIEW_AUDIT):
        return
    st.header(say("Audit trail"), anchor=False)
    st.markdown(say(_INTRODUCTION))
    try:
        _show_events(workspace)
        _show_buttons(workspace)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))


def _show_events(workspace: Workspace) -> None:
    actor, action = _asked(workspace)
    pages: list[int] = st.session_state.setdefault(_BEFORE, [])
    events = trail(
        workspace,
        before=pages[-1] if pages else None,
        limit=_ON_A_PAGE + 1,
        newest_first=True,
        actor=actor,
        action=action,
    )
    if not events:
        st.caption(say("No event fits these filters.") if actor or action else say("It is empty."))
        return
    heads = (
        say("Number"),
        say("Time"),
        say("Who"),
        say("Role"),
        say("By"),
        say("What"),
        say("To what"),
        say("Details"),
    )
    rows = [_row(event) for event in events[:_ON_A_PAGE]]
    st.html(html_table(heads, rows, caption=say("Audit trail, the newest event first")))
    _show_turning(pages, events)


def _asked(workspace: Workspace) -> tuple[str | None, str | None]:
    who, what = st.columns(2)
    actor = who.selectbox(
        say("Who"),
        actors_of_trail(workspace),
        index=None,
        placeholder=say("All"),
        key="audit_actor",
        on_change=_to_the_newest,
    )
    action = what.selectbox(
        say("What"),
        list(AuditAction),
        index=None,
        format_func=lambda one: say(ACTIONS[one]),
        placeholder=say("All"),
        key="audit_action",
        on_change=_to_the_newest,
    )
    return actor, None if action is None else action.value


def _to_the_newest() -> None:
    st.session_state[_BEFORE] = []


def _row(event: AuditEvent) -> tuple[str, ...]:
    return (
        figure(event.number, ","),
        local_time(event.at),
        event.actor,
        say(ROLES[event.role]),
        say(DOORS[event.door]),
        told_action(event.action),
        told_subject(event),
        told_details(event),
    )


def _show_turning(pages: list[int], events: list[AuditEvent]) -> None:
    if not pages and len(events) <= _ON_A_PAGE:
        return
    newer, older, _ = st.columns((1, 1, 4))
    newer.button(say("Newer events"), disabled=not pages, on_click=_back, width="stretch")
    older.button(
        say("Older events"),
        disabled=len(events) <= _ON_A_PAGE,
        on_click=_forth,
        args=(events[min(len(events), _ON_A_PAGE) - 1].number,),
        width="stretch",
    )


def _back() -> None:
    st.session_state[_BEFORE] = st.session_state[_BEFORE][:-1]


def _forth(before: int) -> None:
    st.session_state[_BEFORE] = [*st.session_state[_BEFORE], before]


def _show_buttons(workspace: Workspace) -> None:
    with st.container(horizontal=True):
        if st.button(say("Verify the audit trail"), key="verify_audit"):
            with st.spinner(say("Comparing every seal")):
                st.session_state[_FOUND] = verify_trail(workspace)
        st.download_button(
            say("Export the audit trail"),
            data=while_signed_in(workspace, lambda: _exported(workspace)),
            file_name="medcxr-audit.jsonl",
            mime="application/jsonl",
            on_click="ignore",
            help=say("All events with their seals; `medcxr audit verify FILE` checks the file."),
        )
    found: TrailCheck | None = st.session_state.get(_FOUND)
    if found is not None:
        _show_found(found)


def _exported(workspace: Workspace) -> bytes:
    file = io.BytesIO()
    write_trail(workspace, file)
    return file.getvalue()


def _show_found(found: TrailCheck) -> None:
    if found.problems:
        st.error(say("The audit trail was changed, or is damaged:"))
        st.markdown("\n".join(f"- {plain(say(problem))}" for problem in found.problems))
        return
    st.success(
        say_number(
            "{number} event was compared, and its seal fits.",
            "{number} events were compared, and every seal fits.",
            found.n_events,
        )
    )
    st.code(str(NotedHead(number=found.n_events, seal=found.head)), language=None)
    st.caption(say(_HEAD))
