"""The hospital connection: what came, what other systems still have to get, and what is stuck."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import streamlit as st

from medcxr.apps.dashboard.connection_words import (
    DELIVERIES,
    EMPTY,
    INSTANCES,
    KINDS,
    STOPPED,
    told_reason,
)
from medcxr.apps.dashboard.done_notice import show_done
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.tables import html_facts, html_table
from medcxr.core.access import Permission
from medcxr.core.deliveries import DeliveryState
from medcxr.core.errors import MedcxrError
from medcxr.core.instances import InstanceState
from medcxr.core.language import figure, say, say_if_sentence, say_number, text
from medcxr.core.sentences import local_time
from medcxr.services.hospital_connection import HospitalConnection, hospital_connection
from medcxr.services.inbox import retry_failed
from medcxr.services.undelivered import (
    UndeliveredRow,
    discard_results,
    retry_results,
    undelivered_results,
)
from medcxr.services.workspace import Workspace

__all__ = ["show_connection"]

_NOTICE = "connection_notice"
_COMMAND = "`medcxr node`"
_MOST_LISTED = 100
_MOST_CHOSEN = 100_000


class _Action(StrEnum):
    RETRY = text("Send results again")
    DISCARD = text("Discard results")


_NEEDED: Mapping[_Action, Permission] = {
    _Action.RETRY: Permission.EXPORT_CASES,
    _Action.DISCARD: Permission.DELETE_CASES,
}


def show_connection(workspace: Workspace) -> None:
    """Show the section."""
    st.header(say("Hospital connection"), anchor=False)
    notice = st.session_state.pop(_NOTICE, "")
    if notice:
        st.success(plain(notice))
    try:
        found = hospital_connection(workspace)
        if found.was_never_used:
            folder = plain(str(workspace.node_settings.parent))
            st.info(say(EMPTY, folder=folder, command=_COMMAND))
            return
        st.html(html_facts(_facts(found)))
        if not found.node.is_running:
            st.warning(say(STOPPED, command=_COMMAND))
        _show_received(workspace, found)
        _show_results(workspace, found)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))


def _facts(found: HospitalConnection) -> dict[str, str]:
    node, last = found.node, found.last_received_at
    return {
        say("Node"): say("runs on this computer") if node.is_running else say("does not run"),
        say("Last image received"): say("none yet") if last is None else local_time(last),
        say("Images waiting to be read"): figure(node.counts[InstanceState.RECEIVED], ","),
        say("Images that failed"): figure(node.counts[InstanceState.FAILED], ","),
        say("Results waiting to be sent"): figure(found.n_results(DeliveryState.WAITING), ","),
        say("Results given up"): figure(found.n_results(DeliveryState.GIVEN_UP), ","),
    }


def _show_received(workspace: Workspace, found: HospitalConnection) -> None:
    node = found.node
    rows = [(say(INSTANCES[state]), figure(n, ",")) for state, n in node.counts.items()]
    since = node.waiting_since
    oldest = "" if since is None else say("The oldest waits since {time}.", time=local_time(since))
    st.html(html_table((say("State"), say("Received images")), rows, caption=oldest))
    reasons = [
        (say(INSTANCES[one.state]), told_reason(one.state, one.reason), figure(one.n, ","))
        for one in found.not_read
    ]
    heads = (say("State"), say("Reason"), say("Images"))
    if reasons:
        st.html(html_table(heads, reasons, caption=say("Why images were not read")))
    if (
        node.counts[InstanceState.FAILED]
        and workspace.actor.may(Permission.ANALYZE)
        and st.button(say("Read the failed images again"))
    ):
        n = retry_failed(workspace)
        show_done(
            "connection",
            say_number("{number} image waits again.", "{number} images wait again.", n),
        )


def _show_results(workspace: Workspace, found: HospitalConnection) -> None:
    heads = (
        say("Destination"),
        say("State"),
        say("Results"),
        say("The oldest since"),
        say("Last error"),
    )
    rows = [
        (
            one.destination,
            say(DELIVERIES[one.state]),
            figure(one.n, ","),
            local_time(one.since),
            say_if_sentence(one.last_error or ""),  # words of another system
        )
        for one in found.node.deliveries
    ]
    if not rows:
        return
    st.html(html_table(heads, rows, caption=say("Results for other systems")))
    open_ones = sorted(undelivered_results(workspace, limit=_MOST_CHOSEN), key=_given_up_first)
    if not open_ones:
        return
    _show_undelivered(open_ones)
    possible = [action for action in _Action if workspace.actor.may(_NEEDED[action])]
    if possible:
        _show_actions(workspace, possible, open_ones)


def _show_undelivered(open_ones: Sequence[UndeliveredRow]) -> None:
    heads = (
        say("Number"),
        say("Case number"),
        say("Result"),
        say("Destination"),
        say("State"),
        say("Since"),
        say("Attempts"),
    )
    rows = [
        (
            str(one.number),
            "" if one.case_id is None else str(one.case_id),
            _kind(one),
            one.destination,
            say(DELIVERIES[one.state]),
            local_time(one.made_at),
            figure(one.attempts, ","),
        )
        for one in open_ones[:_MOST_LISTED]
    ]
    with st.expander(say("Results that were not delivered, one by one")):
        st.html(html_table(heads, rows))
        if len(open_ones) > _MOST_LISTED:
            st.caption(say("Only the first {n} are listed.", n=_MOST_LISTED))


def _show_actions(
    workspace: Workspace, possible: Sequence[_Action], open_ones: Sequence[UndeliveredRow]
) -> None:
    action = st.selectbox(
        say("What to do with results"),
        possible,
        index=None,
        format_func=lambda one: say(one.value),
        placeholder=say("Choose"),
        key="connection_action",
    )
    if action is None:
        return
    with st.container(border=True):
        choices = _choices(open_ones)
        told = st.selectbox(say("Which results"), list(choices), key="connection_which")
        numbers = choices.get(told, ())
        _SHOWN[action](workspace, numbers)


def _show_retrying(workspace: Workspace, numbers: Sequence[int]) -> None:
    if st.button(say("Send again"), type="primary"):
        n = retry_results(workspace, numbers)
        show_done(
            "connection",
            say_number("{number} result is sent again.", "{number} results are sent again.", n),
        )


def _show_discarding(workspace: Workspace, numbers: Sequence[int]) -> None:
    sure = st.checkbox(
        say("They are not sent, and cannot be brought back; the cases stay."),
        key=f"connection_sure_{len(numbers)}_{numbers[:1]}",
    )
    if st.button(say("Discard"), disabled=not sure):
        n = discard_results(workspace, numbers)
        show_done(
            "connection",
            say_number("{number} result is discarded.", "{number} results are discarded.", n),
        )


_SHOWN: Mapping[_Action, Callable[[Workspace, Sequence[int]], None]] = {
    _Action.RETRY: _show_retrying,
    _Action.DISCARD: _show_discarding,
}


def _choices(open_ones: Sequence[UndeliveredRow]) -> dict[str, tuple[int, ...]]:
    """Return what can be chosen -> numbers of results: all that were given up, all, and each."""
    given_up = tuple(one.number for one in open_ones if one.state is DeliveryState.GIVEN_UP)
    everything = tuple(one.number for one in open_ones)
    found: dict[str, tuple[int, ...]] = {}
    if given_up:
        found[say("All that were given up ({n})", n=figure(len(given_up), ","))] = given_up
    if everything != given_up:
        told = say("All that wait or were given up ({n})", n=figure(len(everything), ","))
        found[told] = everything
    for one in open_ones[:_MOST_LISTED]:
        told = say(
            "Result {number}: {result}, {destination}",
            number=one.number,
            result=_kind(one),
            destination=one.destination,
        )
        found[told] = (one.number,)
    return found


def _kind(one: UndeliveredRow) -> str:
    return say(KINDS[one.kind]) if one.kind in KINDS else one.kind


def _given_up_first(one: UndeliveredRow) -> bool:
    return one.state is not DeliveryState.GIVEN_UP
