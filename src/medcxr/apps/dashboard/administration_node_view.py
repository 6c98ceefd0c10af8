"""How the DICOM node stands: what it received, and what other systems still have to get."""

from collections.abc import Mapping

import streamlit as st

from medcxr.apps.dashboard.tables import html_table
from medcxr.core.deliveries import DeliveryState
from medcxr.core.instances import InstanceState
from medcxr.core.language import figure, say, text
from medcxr.core.sentences import local_time
from medcxr.services.node import NodeStatus, node_status
from medcxr.services.workspace import Workspace

__all__ = ["show_node"]

_INSTANCES: Mapping[InstanceState, str] = {
    InstanceState.RECEIVED: text("waiting to be read"),
    InstanceState.READING: text("being read"),
    InstanceState.READ: text("read"),
    InstanceState.REFUSED: text("refused"),
    InstanceState.SKIPPED: text("skipped by a rule"),
    InstanceState.FAILED: text("failed"),
}
_DELIVERIES: Mapping[DeliveryState, str] = {
    DeliveryState.WAITING: text("waiting to be sent"),
    DeliveryState.SENT: text("sent"),
    DeliveryState.GIVEN_UP: text("given up"),
}


def show_node(workspace: Workspace) -> None:
    """Show the section, where a node has ever had anything to do."""
    status = node_status(workspace)
    if not (status.is_running or status.deliveries or any(status.counts.values())):
        return
    st.header(say("DICOM node"), anchor=False)
    st.write(say("The node runs.") if status.is_running else say("The node does not run."))
    if status.has_trouble:
        st.warning(say("Something failed or was given up; `medcxr node retry` tries it again."))
    st.html(_received(status))
    if status.deliveries:
        st.html(_delivered(status))


def _received(status: NodeStatus) -> str:
    rows = [(say(_INSTANCES[state]), figure(n, ",")) for state, n in status.counts.items()]
    since = status.waiting_since
    oldest = "" if since is None else say("The oldest waits since {time}.", time=local_time(since))
    return html_table((say("State"), say("Received instances")), rows, caption=oldest)


def _delivered(status: NodeStatus) -> str:
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
            say(_DELIVERIES[one.state]),
            figure(one.n, ","),
            local_time(one.since),
            one.last_error or "",
        )
        for one in status.deliveries
    ]
    return html_table(heads, rows, caption=say("Results for other systems"))
