# ruff: noqa: S608 - the words are the test's own
"""The audit trail as a file, and heads that were noted down: no change goes unseen."""

import json
import random
import shutil
import sqlite3

import pytest

from medcxr.core.access import Actor, Door, Role
from medcxr.core.audit import AuditAction
from medcxr.core.errors import AccessError, DataError
from medcxr.services.audit import check_trail, note_alone, trail
from medcxr.services.audit_files import (
    export_trail,
    verify_exported,
    verify_trail,
)
from medcxr.services.trail_walk import NotedHead
from medcxr.services.workspace import Workspace

_N = 12
_CHANGES = 1000
_COLUMNS = ("number", "at", "actor", "role", "door", "action", "subject", "details", "seal")


@pytest.fixture
def workspace(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    ann = workspace.used_by(Actor(name='Ann "é" \\', role=Role.CLINICIAN, door=Door.DASHBOARD))
    for n in range(1, _N + 1):
        note_alone(ann, AuditAction.CASE_JUDGED, f"case {n}", findings=n, share=0.1 * n, on=n > 3)
    return workspace


@pytest.fixture
def exported(workspace, tmp_path):
    path = tmp_path / "trail.jsonl"
    assert export_trail(workspace, path) == _N + 1
    return path


def noted_of(workspace) -> NotedHead:
    found = check_trail(workspace)
    return NotedHead(number=found.n_events, seal=found.head)


def test_an_export_tells_what_the_database_tells_and_that_it_was_made(workspace, exported):
    lines = [json.loads(line) for line in exported.read_text().splitlines()]
    events = trail(workspace)
    assert [one["seal"] for one in lines[:-1]] == [one.seal for one in events]
    assert [one["details"] for one in lines[:-1]] == [one.details for one in events]
    assert lines[-2]["action"] == AuditAction.AUDIT_EXPORTED
    assert lines[-1]["head"]["seal"] == events[-1].seal
    found = verify_exported(workspace, exported)
    assert (found.n_events, found.problems) == (_N + 1, ())
    assert trail(workspace)[-1].action == AuditAction.AUDIT_VERIFIED


def test_every_changed_byte_of_an_export_is_seen(workspace, exported):
    whole = exported.read_bytes()
    draw = random.Random(20261126)  # noqa: S311 - which bytes, not a secret
    for _ in range(_CHANGES):
        at = draw.randrange(len(whole))
        other = draw.choice([b for b in range(256) if b != whole[at]])
        exported.write_bytes(whole[:at] + bytes([other]) + whole[at + 1 :])
        assert verify_quietly(workspace, exported), (at, whole[at], other)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"number": 3,', b'"number":  3,'),
        (b'"number": 3,', b'"number": 3.0,'),
        (b"\xc3\xa9", b"\\u00e9"),
        (b'"on": true', b'"on": 1'),
        (b'"share": 0.1,', b'"share": 1e-1,'),
        (b"\n", b"\r\n"),
        (b'{"number": 2,', b'{"number": 7, "number": 2,'),
        (b'\n{"number": 2,', b'\n\n{"number": 2,'),
    ],
)
def test_what_json_reads_alike_is_no_copy(workspace, exported, old, new):
    whole = exported.read_bytes()
    assert old in whole or old == b'"share": 0.1,'
    exported.write_bytes(whole.replace(old, new, 1))
    if exported.read_bytes() != whole:
        assert verify_exported(workspace, exported).problems


@pytest.mark.parametrize("n_lines", [0, 1, 5, _N, _N + 1])
def test_an_export_that_was_cut_off_is_seen(workspace, exported, n_lines):
    lines = exported.read_bytes().splitlines(keepends=True)
    exported.write_bytes(b"".join(lines[:n_lines]))
    assert verify_exported(workspace, exported).problems


def test_lines_in_another_order_are_seen(workspace, exported):
    lines = exported.read_bytes().splitlines(keepends=True)
    lines[2], lines[3] = lines[3], lines[2]
    exported.write_bytes(b"".join(lines))
    assert verify_exported(workspace, exported).problems


def test_a_file_of_anything_is_refused_in_words(workspace, tmp_path):
    path = tmp_path / "anything"
    path.write_bytes(bytes(range(256)) * 2000)
    assert verify_exported(workspace, path).problems
    with pytest.raises(DataError, match="cannot be read"):
        verify_exported(workspace, tmp_path / "missing")


def test_an_export_of_another_workspace_is_seen(exported, tmp_path):
    other = Workspace.open(tmp_path / "other")
    assert verify_exported(other, exported).problems


def test_every_changed_row_of_the_database_is_seen(workspace):
    """A thousand changes, each undone by putting the whole table back."""
    connection = sqlite3.connect(workspace.database, isolation_level=None)
    for guard in ("audit_refuses_update", "audit_refuses_delete"):
        connection.execute(f"DROP TRIGGER IF EXISTS {guard}")
    rows = connection.execute("SELECT * FROM audit_events ORDER BY number").fetchall()
    names = [one[1] for one in connection.execute("PRAGMA table_info(audit_events)")]
    draw = random.Random(27)  # noqa: S311 - which rows, not a secret
    for _ in range(_CHANGES):
        row, column = draw.randrange(len(rows)), draw.choice(_COLUMNS)
        before = rows[row][names.index(column)]
        after = before + 1000 if column == "number" else one_changed(draw, before)
        connection.execute(
            f"UPDATE audit_events SET {column} = ? WHERE number = ?", (after, row + 1)
        )
        assert check_trail(workspace).problems, (row, column, before, after)
        connection.execute(
            f"UPDATE audit_events SET {column} = ? WHERE number = ?",
            (before, after if column == "number" else row + 1),
        )
    assert not check_trail(workspace).problems
    connection.close()


def test_a_head_on_the_trail_is_found_also_later(workspace, exported):
    noted = noted_of(workspace)
    assert NotedHead.read(str(noted)) == noted
    note_alone(workspace, AuditAction.CASE_VIEWED, "case 1")
    assert verify_trail(workspace, noted=noted).problems == ()
    assert verify_exported(workspace, exported, noted=noted).problems == ()


def test_an_older_database_put_in_place_is_seen_by_the_noted_head(workspace, tmp_path):
    check_trail(workspace)
    older = tmp_path / "older"
    shutil.copytree(workspace.folder, older)
    note_alone(workspace, AuditAction.CASE_DELETED, "case 1")
    noted = noted_of(workspace)
    rolled_back = Workspace.open(older)
    assert check_trail(rolled_back).problems == ()  # alone it cannot know
    assert "older state" in " ".join(check_trail(rolled_back, noted=noted).problems)
    note_alone(rolled_back, AuditAction.CASE_VIEWED, "case 2")  # as long again, of other events
    assert check_trail(rolled_back, noted=noted).problems


@pytest.mark.parametrize("words", ["", "5", "5:", "5:abc", "x:" + "0" * 64, "1:" + "G" * 64])
def test_what_is_no_head_is_refused(words):
    with pytest.raises(DataError, match="medcxr audit verify"):
        NotedHead.read(words)


def test_a_clinician_may_neither_export_nor_verify(workspace, tmp_path):
    ann = workspace.used_by(Actor(name="Ann", role=Role.CLINICIAN, door=Door.DASHBOARD))
    with pytest.raises(AccessError):
        export_trail(ann, tmp_path / "trail.jsonl")
    assert not (tmp_path / "trail.jsonl").exists()
    with pytest.raises(AccessError):
        verify_trail(ann)


def test_filters_choose_by_actor_action_and_number(workspace):
    note_alone(workspace, AuditAction.CASE_VIEWED, "case 1")
    note_alone(workspace, AuditAction.CASE_DELETED, "case 1")
    assert [one.number for one in trail(workspace, actor="operator")] == [_N + 1, _N + 2]
    assert [one.subject for one in trail(workspace, action="case viewed")] == ["case 1"]
    assert [one.number for one in trail(workspace, after=2, before=5)] == [3, 4]


def one_changed(draw, words):
    at = draw.randrange(len(words)) if words else 0
    other = draw.choice([c for c in "abcdefghij0123456789 {}" if c != words[at : at + 1]])
    return words[:at] + other + words[at + 1 :]


def verify_quietly(workspace, path):
    """Verify without telling the trail each time, which takes a disk's time."""
    from medcxr.services import audit_files

    told, audit_files.note_alone = audit_files.note_alone, lambda *_, **__: None
    try:
        return verify_exported(workspace, path).problems
    finally:
        audit_files.note_alone = told
