"""What a node does from time to time never ends it."""

import logging
import threading

from medcxr.services import inbox, node
from medcxr.services.node_settings import NodeSettings
from medcxr.services.workspace import Workspace


class Children:
    """Processes that cannot be started at first, for want of some."""

    def __init__(self, enough):
        self.asked, self.enough = 0, enough

    def start(self):
        self.asked += 1
        if self.asked == 3:
            self.enough.set()
        raise BlockingIOError("Nobody^Known")


def test_trouble_with_processes_and_files_is_told_once_and_ends_nothing(
    tmp_path, monkeypatch, caplog
):
    def removed(_workspace):
        raise PermissionError("Nobody^Known")

    monkeypatch.setattr(inbox, "tell_received", removed)
    enough = threading.Event()
    children = Children(enough)
    workspace = Workspace.open(tmp_path / "workspace")
    with caplog.at_level(logging.WARNING):
        node._look_after(workspace, NodeSettings(), enough, children)
    assert children.asked == 3
    said = [record.getMessage().rpartition(" ")[2] for record in caplog.records]
    assert said == ["BlockingIOError", "PermissionError", "BlockingIOError"]
