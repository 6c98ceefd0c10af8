"""What a node does from time to time never ends it."""

import logging
import threading
from datetime import UTC, datetime, timedelta

import numpy as np
from PIL import Image
from sqlalchemy import update

from bundles import use_tiny_model
from medcxr.core.access import NODE
from medcxr.services import inbox, node, steady_clock
from medcxr.services.analysis import analyze_image
from medcxr.services.case_records import cases, record_case
from medcxr.services.database import workspace_database
from medcxr.services.node_settings import NodeSettings
from medcxr.services.preferences import Preferences, set_preferences
from medcxr.services.workspace import Workspace
from medcxr.storage import tables
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate


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


def test_a_clock_that_is_set_forward_forgets_nothing_early_and_one_set_back_is_right(monkeypatch):
    clock = steady_clock.SteadyClock()
    true = datetime.now(UTC)

    class Set(datetime):
        """A computer's clock that somebody has set."""

        by = timedelta()

        @classmethod
        def now(cls, zone):
            return datetime.now(zone) + cls.by

    monkeypatch.setattr(steady_clock, "datetime", Set)
    for by in (timedelta(days=400), timedelta(0), timedelta(days=-400)):
        Set.by = by
        told = clock.now() - true - min(by, timedelta(0))
        assert timedelta(0) <= told < timedelta(minutes=1)


class OnceStarted:
    """Processes after whose start the node is asked to end."""

    def __init__(self, enough):
        self.start = enough.set


def test_a_node_without_a_dashboard_forgets_and_cleans_as_one_with_it(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    use_tiny_model(workspace)
    picture = tmp_path / "thorax.png"
    pixels = simulate(ThoraxParameters(), size=128).pixels
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(picture)
    record_case(workspace, analyze_image(workspace, picture), label="old")
    with workspace_database(workspace).writing() as transaction:
        long_ago = datetime.now(UTC) - timedelta(days=31)
        transaction.execute(update(tables.cases).values(last_seen_at=long_ago))
    set_preferences(workspace, Preferences(keep_days=30))
    cut_off = inbox.inbox_folder(workspace) / ".arriving.0123456789abcdef.part"
    cut_off.write_bytes(b"of a patient")
    enough = threading.Event()
    node._look_after(workspace.used_by(NODE), NodeSettings(), enough, OnceStarted(enough))
    assert cases(workspace) == []
    assert not cut_off.exists()
