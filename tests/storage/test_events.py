"""A run's log of events: what was cut off or damaged is passed over, and what follows is read."""

import pytest

from medcxr.storage.events import EventLog


@pytest.mark.parametrize(
    "line",
    [
        b'{"event": "step", "ti',
        b"[" * 100_000,
        b'{"event": "step", "n": ' + b"9" * 5000 + b"}",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b'{"time": 1}',
        b"",
    ],
)
def test_a_damaged_line_is_passed_over(tmp_path, line):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"event": "started"}\n' + line + b'\n{"event": "finished"}\n')

    assert [one["event"] for one in EventLog(path).read()] == ["started", "finished"]


def test_after_a_line_that_was_cut_off_a_new_one_begins(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"event": "sta')
    log = EventLog(path)
    log.append("finished", n=1)

    (event,) = log.read()
    assert (event["event"], event["n"]) == ("finished", 1)
