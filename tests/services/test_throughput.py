"""How many radiographs are analyzed, and how fast."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from medcxr.services.throughput import Period, throughput
from medcxr.services.workspace import Workspace
from remembering import remember

_START = datetime(2026, 3, 28, 10, 30, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path, each_database):  # noqa: ARG001 - it chooses where the database is
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def berlin(monkeypatch):
    """Let this computer's clock be one that is put forward on 29 March 2026."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def keep(workspace, moments, seconds):
    for number, (moment, one) in enumerate(zip(moments, seconds, strict=True)):
        remember(workspace, number, moment, seconds=one)


def test_nothing_analyzed_is_nothing_measured(workspace):
    found = throughput(workspace, since=_START, until=_START + timedelta(hours=2))
    assert (found.n, found.median_seconds, found.p95_seconds) == (0, None, None)
    assert set(found.counts.values()) == {0}
    assert throughput(workspace).n == 0


def test_the_times_are_those_of_numpy(workspace):
    seconds = np.random.default_rng(1).exponential(0.2, 40).tolist()
    keep(workspace, [_START + timedelta(minutes=n) for n in range(40)], seconds)
    found = throughput(workspace, since=_START, until=_START + timedelta(days=1))
    assert found.n == 40
    assert found.median_seconds == pytest.approx(np.median(seconds))
    assert found.p95_seconds == pytest.approx(np.percentile(seconds, 95))


def test_every_hour_is_counted_also_one_without_any(workspace):
    keep(workspace, [_START, _START + timedelta(minutes=29), _START + timedelta(hours=3)], [1] * 3)
    end = _START + timedelta(hours=4)
    found = throughput(workspace, period=Period.HOUR, since=_START, until=end)
    assert list(found.counts.values()) == [2, 0, 0, 1, 0]
    starts = list(found.counts)
    assert starts[0] == _START.replace(minute=0)
    assert {later - earlier for earlier, later in pairwise(starts)} == {timedelta(hours=1)}


def test_only_what_lies_between_is_counted(workspace):
    keep(workspace, [_START + timedelta(hours=n) for n in range(4)], [1, 2, 3, 4])
    found = throughput(
        workspace, since=_START + timedelta(hours=1), until=_START + timedelta(hours=3)
    )
    assert found.n == 2
    assert found.median_seconds == 2.5


@pytest.mark.usefixtures("berlin")
def test_a_day_is_one_by_this_computers_clock_also_when_it_is_put_forward(workspace):
    moments = [
        datetime(2026, 3, 28, 22, 59, tzinfo=UTC),  # 23:59
        datetime(2026, 3, 28, 23, 0, tzinfo=UTC),  # 0:00 of the day of 23 hours
        datetime(2026, 3, 29, 21, 59, tzinfo=UTC),  # 23:59 in summer time
        datetime(2026, 3, 29, 22, 0, tzinfo=UTC),  # 0:00
    ]
    keep(workspace, moments, [1] * 4)
    end = datetime(2026, 3, 30, 12, tzinfo=UTC)
    days = throughput(workspace, since=moments[0], until=end).counts
    assert {f"{day:%d %H:%M %z}": n for day, n in days.items()} == {
        "28 00:00 +0100": 1,
        "29 00:00 +0100": 2,
        "30 00:00 +0200": 1,
    }
    hours = throughput(workspace, period=Period.HOUR, since=moments[0], until=end).counts
    assert sum(hours.values()) == 4
    assert len(hours) == len({one.astimezone(UTC) for one in hours}) == 38
