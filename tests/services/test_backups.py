"""Backups: all of a workspace in one file, whole or refused, and back again as it was."""

import gzip
import json
import os
import random
import shutil
import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bundles import use_tiny_model
from medcxr.core.access import OPERATOR, Door, Role
from medcxr.core.audit import AuditAction
from medcxr.core.errors import AccessError, DataError, StorageError
from medcxr.registry.registry import ModelRegistry
from medcxr.security import sealed
from medcxr.services import backup_files, backup_restoring, backups, unfinished_restore
from medcxr.services.analysis import analyze_image
from medcxr.services.audit import check_trail, note_alone, trail
from medcxr.services.backup_files import backups as list_backups
from medcxr.services.backup_files import find_backup, is_sealed
from medcxr.services.backup_restoring import (
    earlier_states,
    forget_state,
    go_back,
    restore_backup,
)
from medcxr.services.backup_schedule import (
    CLOCK,
    BackupSchedule,
    backup_schedule,
    make_due_backup,
    set_backup_schedule,
    superseded,
)
from medcxr.services.backups import delete_backup, make_backup, take_backup, verify_backup
from medcxr.services.case_records import cases, delete_case, give_verdict, record_case, set_patient
from medcxr.services.database import workspace_database
from medcxr.services.preferences import Preferences, preferences, set_preferences
from medcxr.services.workspace import Workspace
from medcxr.storage import database as database_module
from medcxr.storage.archive import archived_file, read_archive, write_archive
from medcxr.storage.checked_file import Checked
from medcxr.storage.integrity import database_problems
from medcxr.storage.locks import lock_to_hand_on
from remembering import remember

PASSPHRASE = "five words of nobody else"  # noqa: S105 - of these tests alone
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Derive keys in no time; tests of the sealing name the real parameters."""
    monkeypatch.setattr(sealed, "_PASSES", 1)
    monkeypatch.setattr(sealed, "_MEMORY_KIB", 64)


@pytest.fixture
def workspace(tiny_workspace):
    """A workspace with something of everything."""
    for number in range(5):
        remember(tiny_workspace, number, NOW)
    set_patient(tiny_workspace, 2, "patient 2", datetime(2026, 1, 2, 3, 4, 5))  # noqa: DTZ001 - by the clock of the place
    give_verdict(tiny_workspace, 3, {}, 'seen; "quoted", ünïcode \u2603')
    set_preferences(tiny_workspace, Preferences(keep_days=90))
    note_alone(tiny_workspace, AuditAction.CASE_VIEWED, "case 3")
    run = tiny_workspace.runs / "small-abc"
    (run / "fold-1").mkdir(parents=True)
    (run / "events.jsonl").write_text('{"event": "started"}\n')
    (run / "fold-1" / "checkpoint.safetensors").write_bytes(bytes(3000))
    (tiny_workspace.trainings / "job").mkdir()
    (tiny_workspace.trainings / "job" / "job.json").write_text("{}")
    (tiny_workspace.trainings / "job" / "alive.lock").write_text("")
    return tiny_workspace


def told(workspace):
    """Return everything that a workspace would say."""
    return {
        "cases": cases(workspace),
        "preferences": preferences(workspace),
        "trail": trail(workspace),
        "model": ModelRegistry(workspace.models).current().manifest,
        "files": files_of(workspace),
    }


def files_of(workspace):
    return {
        path.relative_to(workspace.folder).as_posix(): path.read_bytes()
        for part in ("models", "runs", "trainings", "secrets")
        for path in (workspace.folder / part).rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.name != "alive.lock"
    }


def without_restore(state):
    """Leave out what restoring and backing up add to the trail."""
    added = {AuditAction.BACKUP_MADE, AuditAction.BACKUP_RESTORED}
    return state | {"trail": [event for event in state["trail"] if event.action not in added]}


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_a_workspace_is_on_another_computer_what_it_was(workspace, tmp_path, passphrase):
    before = told(workspace)
    made = make_backup(workspace, passphrase=passphrase)
    assert made.backup.is_sealed == (passphrase is not None)
    other = Workspace.open(tmp_path / "another computer" / "workspace")
    restore_backup(other, made.backup.path, passphrase=passphrase)
    assert without_restore(told(other)) == before
    assert check_trail(other).problems == ()
    assert check_trail(other).n_events == len(before["trail"]) + 1
    assert database_problems(workspace_database(other)) == ()
    if os.name != "nt":
        kept = [*other.folder.iterdir(), *other.folder.rglob("*")]
        modes = {p.stat().st_mode & 0o077 for p in kept if p.is_file() or p.parent == other.folder}
        assert modes == {0}


def test_the_same_radiograph_gets_the_same_answer_after_a_restore(
    tiny_workspace, sample_data, tmp_path
):
    image = next(sample_data.rglob("*.dcm"), None) or next(sample_data.rglob("*.png"))
    first = analyze_image(tiny_workspace, image)
    record_case(tiny_workspace, first, label="a")
    path = make_backup(tiny_workspace).backup.path
    other = Workspace.open(tmp_path / "other")
    restore_backup(other, path)
    again = analyze_image(other, image)
    assert replace(again.analysis, seconds=0.0) == replace(first.analysis, seconds=0.0)
    assert {name: one.tobytes() for name, one in again.maps.items()} == {
        name: one.tobytes() for name, one in first.maps.items()
    }
    assert cases(other) == cases(tiny_workspace)


def test_numbers_of_deleted_cases_are_not_given_again_after_a_restore(workspace, tmp_path):
    delete_case(workspace, 5)
    path = make_backup(workspace).backup.path
    other = Workspace.open(tmp_path / "other")
    restore_backup(other, path)
    remember(other, 99, NOW)
    assert {one.case_id for one in cases(other)} == {1, 2, 3, 4, 6}


def test_one_thousand_changes_of_a_byte_are_all_found(tiny_workspace):
    remember(tiny_workspace, 1, NOW)
    path = make_backup(tiny_workspace).backup.path
    whole = path.read_bytes()
    chosen = random.Random(7)  # noqa: S311 - which bytes, not a secret
    missed = []
    for _ in range(1000):
        where, bits = chosen.randrange(len(whole)), chosen.randrange(1, 256)
        with path.open("r+b") as file:
            file.seek(where)
            file.write(bytes([whole[where] ^ bits]))
        try:
            verify_backup(path)
            missed.append((where, bits))
        except DataError:
            pass
        with path.open("r+b") as file:
            file.seek(where)
            file.write(whole[where : where + 1])
    assert missed == []
    verify_backup(path)


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_what_is_cut_off_or_longer_is_found(tiny_workspace, passphrase):
    path = make_backup(tiny_workspace, passphrase=passphrase).backup.path
    whole = path.read_bytes()
    chosen = random.Random(8)  # noqa: S311
    lengths = [0, 1, 511, 512, len(whole) - 512, len(whole) - 1]
    lengths += [chosen.randrange(len(whole)) for _ in range(50)]
    for wrong in (*(whole[:n] for n in lengths), whole + b"\0", whole + whole, whole + b"\n"):
        path.write_bytes(wrong)
        with pytest.raises(DataError):
            verify_backup(path, passphrase)


def test_an_encrypted_one_says_nothing_and_is_found_changed_even_with_a_right_checksum(
    workspace,
):
    path = make_backup(workspace, passphrase=PASSPHRASE).backup.path
    content = path.read_bytes()
    assert b"models" not in content
    assert b"manifest" not in content
    assert is_sealed(path)
    verify_backup(path)  # damage is found without the passphrase
    with pytest.raises(DataError, match="passphrase is another one"):
        verify_backup(path, "another passphrase")
    with pytest.raises(AccessError, match="encrypted; give the passphrase"):
        restore_backup(workspace, path)

    body = bytearray(content[:-512])
    body[len(body) // 2] ^= 1
    with path.open("wb") as file:
        checked = backups.Checked(file)
        checked.write(bytes(body))
        checked.finish()
    verify_backup(path)
    with pytest.raises(DataError, match="or the backup was changed"):
        verify_backup(path, PASSPHRASE)
    before = told(workspace)
    with pytest.raises(DataError):
        restore_backup(workspace, path, passphrase=PASSPHRASE)
    assert told(workspace) == before
    assert not (workspace.folder / "restoring").exists()


def test_a_damaged_backup_changes_nothing(workspace):
    path = make_backup(workspace).backup.path
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    before = told(workspace)
    with pytest.raises(DataError, match="damaged"):
        restore_backup(workspace, path)
    assert told(workspace) == before
    assert earlier_states(workspace) == []


def test_a_restore_can_be_gone_back_from_and_forth(workspace):
    path = make_backup(workspace).backup.path
    then = told(workspace)
    remember(workspace, 50, NOW)
    (workspace.runs / "small-abc" / "events.jsonl").write_text("changed")
    set_preferences(workspace, Preferences())
    now = told(workspace)

    restore_backup(workspace, path)
    restored = without_restore(told(workspace))
    assert restored == without_restore(then)
    assert [state.can_return for state in earlier_states(workspace)] == [True]

    go_back(workspace)
    assert without_restore(told(workspace)) == without_restore(now)
    assert check_trail(workspace).problems == ()

    go_back(workspace)
    assert without_restore(told(workspace)) == restored
    assert len(earlier_states(workspace)) == 1


def test_an_earlier_state_stays_until_a_person_drops_it(workspace):
    path = make_backup(workspace).backup.path
    remember(workspace, 50, NOW)
    now = told(workspace)
    first = restore_backup(workspace, path)
    for _ in range(3):
        restore_backup(workspace, path)
    assert len(earlier_states(workspace)) == 4
    go_back(workspace, first)
    assert without_restore(told(workspace)) == without_restore(now)
    states = earlier_states(workspace)
    assert len(states) == 4
    forget_state(workspace, states[0].name)
    assert earlier_states(workspace) == states[1:]
    with pytest.raises(DataError, match="no such earlier state"):
        go_back(workspace, "../../secrets")


def test_runs_that_a_backup_has_none_of_stay(workspace, tmp_path):
    path = make_backup(workspace, runs=False).backup.path
    files = files_of(workspace)
    (workspace.runs / "later").mkdir()
    (workspace.runs / "later" / "file").write_text("x")
    restore_backup(workspace, path)
    assert files_of(workspace) == files | {"runs/later/file": b"x"}
    other = Workspace.open(tmp_path / "other")
    restore_backup(other, path)
    assert {name.partition("/")[0] for name in files_of(other)} == {"models", "secrets"}


def test_checkpoints_may_be_left_out(workspace, tmp_path):
    path = make_backup(workspace, checkpoints=False).backup.path
    other = Workspace.open(tmp_path / "other")
    restore_backup(other, path)
    missing = set(files_of(workspace)) - set(files_of(other))
    assert missing == {"runs/small-abc/fold-1/checkpoint.safetensors"}


def test_links_are_left_out_and_named(workspace, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("somebody else's")
    (workspace.models / "link").symlink_to(outside)
    (workspace.models / "bad:name").write_text("x")
    made = make_backup(workspace)
    assert set(made.left_out) == {"models/link", "models/bad:name"}
    assert b"somebody else's" not in made.backup.path.read_bytes()


def test_who_is_signed_in_is_not_in_a_backup(workspace, tmp_path):
    connection = sqlite3.connect(workspace.database)
    moment = "2026-01-01 00:00:00.000000"
    connection.execute(
        "INSERT INTO users (id, name, name_folded, role, password_hash, must_change, is_active,"
        " failures, created_at, password_changed_at) VALUES (1, 'a', 'a', 'viewer', 'x', 0, 1, 0,"
        " ?, ?)",
        (moment, moment),
    )
    connection.execute(
        "INSERT INTO sessions VALUES ('key', 1, 'dashboard', ?, ?, NULL)", (moment, moment)
    )
    connection.commit()
    connection.close()
    other = Workspace.open(tmp_path / "other")
    restore_backup(other, make_backup(workspace).backup.path)
    connection = sqlite3.connect(other.database)
    assert connection.execute("SELECT count(*) FROM users").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize("how", ["damaged", "newer"])
def test_a_database_beyond_use_is_set_aside(workspace, how):
    path = make_backup(workspace).backup.path
    then = told(workspace)
    if how == "damaged":
        for file in workspace.folder.glob("medcxr.db-*"):
            file.unlink()
        workspace.database.write_bytes(b"no database " * 999)
    else:
        connection = sqlite3.connect(workspace.database)
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        connection.close()
    database_module._opened.cache_clear()  # as the next start of the program finds it
    with pytest.raises(StorageError):
        cases(workspace)
    before = restore_backup(workspace, path)
    assert without_restore(told(workspace)) == without_restore(then)
    assert (workspace.folder / "before-restore" / before / "medcxr.db").is_file()
    with pytest.raises(DataError, match="cannot be gone back to"):
        go_back(workspace)


def test_a_restore_that_fails_at_the_database_leaves_everything(workspace, monkeypatch):
    path = make_backup(workspace).backup.path
    remember(workspace, 50, NOW)
    before = told(workspace)

    def full(*_, **__):
        raise StorageError("the disk is full")

    for name in ("import_rows", "_tell"):
        with monkeypatch.context() as patch:
            patch.setattr(unfinished_restore, name, full)
            with pytest.raises(StorageError, match="the disk is full"):
                restore_backup(workspace, path)
        assert told(workspace) == before
        assert earlier_states(workspace) == []
        assert check_trail(workspace).problems == ()


@pytest.mark.parametrize("cut", ["import_rows", "_swap", "_tell", "_tidy_up"])
def test_a_restore_that_is_cut_off_is_finished_when_the_workspace_is_opened(
    workspace, monkeypatch, cut
):
    path = make_backup(workspace).backup.path
    then = without_restore(told(workspace))
    remember(workspace, 50, NOW)

    def crash(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(unfinished_restore, cut, crash)
        with pytest.raises(KeyboardInterrupt):
            restore_backup(workspace, path)
    reopened = Workspace.open(workspace.folder)
    assert without_restore(told(reopened)) == then
    assert check_trail(reopened).problems == ()
    restored = [e for e in trail(reopened) if e.action == AuditAction.BACKUP_RESTORED]
    assert len(restored) == 1
    assert not (workspace.folder / "restoring").exists()
    go_back(reopened)
    assert {one.label for one in cases(reopened)} >= {"50.png"}


def test_a_backup_made_while_it_is_written_to_is_of_one_moment(workspace, tmp_path):
    ended = threading.Event()

    def work():
        number = 100
        while not ended.is_set():
            remember(workspace, number, NOW)
            note_alone(workspace, AuditAction.CASE_ANALYZED, f"case {number}")
            number += 1

    worker = threading.Thread(target=work)
    worker.start()
    try:
        paths = [make_backup(workspace, tmp_path / "many").backup.path for _ in range(3)]
    finally:
        ended.set()
        worker.join()
    for number, path in enumerate(paths):
        other = Workspace.open(tmp_path / f"other {number}")
        restore_backup(other, path)
        assert check_trail(other).problems == ()
        told_of = {e.subject for e in trail(other) if e.action == AuditAction.CASE_ANALYZED}
        kept = {f"case {one.label.removesuffix('.png')}" for one in cases(other)}
        assert told_of <= kept


def test_a_restore_while_others_write_loses_them_to_the_state_before_alone(workspace):
    path = make_backup(workspace).backup.path
    ended = threading.Event()
    kept = []

    def work():
        number = 1000
        while not ended.is_set():
            remember(workspace, number, NOW)
            kept.append(f"{number}.png")
            number += 1

    worker = threading.Thread(target=work)
    worker.start()
    try:
        restore_backup(workspace, path)
    finally:
        ended.set()
        worker.join()
    after = {one.label for one in cases(workspace)}
    go_back(workspace)
    before = {one.label for one in cases(workspace)}
    assert kept
    assert set(kept) <= after | before
    assert database_problems(workspace_database(workspace)) == ()


def test_a_file_that_changes_all_the_time_is_told(workspace, monkeypatch):
    taken = backups.archived_file

    def take(name, path):
        found = taken(name, path)
        if name.endswith("events.jsonl"):
            path.write_text(str(random.random()))  # noqa: S311
        return found

    monkeypatch.setattr(backups, "archived_file", take)
    with pytest.raises(StorageError, match="changed while it was backed up"):
        make_backup(workspace)
    assert list(workspace.backups.glob("medcxr-*")) == []
    assert list(workspace.backups.glob(".making-*")) == []


def test_only_who_may_manage_backups_does(workspace):
    path = make_backup(workspace).backup.path
    for role in (Role.CLINICIAN, Role.RESEARCHER, Role.VIEWER):
        other = workspace.used_by(replace(OPERATOR, name="x", role=role, door=Door.DASHBOARD))
        for act in (
            lambda w=other: make_backup(w),
            lambda w=other: restore_backup(w, path),
            lambda w=other: delete_backup(w, path.name),
            lambda w=other: go_back(w),
            lambda w=other: set_backup_schedule(w, BackupSchedule()),
            lambda w=other: make_due_backup(w),
        ):
            with pytest.raises(AccessError):
                act()


def test_what_is_done_is_told_the_trail(workspace):
    made = make_backup(workspace.used_by(CLOCK), scheduled=True)
    delete_backup(workspace, made.backup.name)
    told_last = trail(workspace, newest_first=True, limit=2)
    assert [event.action for event in told_last] == [
        AuditAction.BACKUP_DELETED,
        AuditAction.BACKUP_MADE,
    ]
    assert told_last[1].actor == "schedule"
    assert told_last[1].details["encrypted"] is False


def test_backups_are_listed_by_time_and_whether_they_are_known_to_be_whole(workspace):
    first = make_backup(workspace).backup
    second = make_backup(workspace, passphrase=PASSPHRASE).backup
    (workspace.backups / "notes.txt").write_text("x")
    (workspace.backups / "medcxr-20269999T999999Z.medcxr-backup").write_text("x")
    found = list_backups(workspace.backups)
    assert [one.name for one in found] == [second.name, first.name]
    assert [one.is_sealed for one in found] == [True, False]
    assert all(one.verified_at is not None for one in found)
    os.utime(first.path, ns=(1, 1))
    assert find_backup(workspace.backups, first.name).verified_at is None
    for name in ("../secrets/audit.key", "notes.txt", ""):
        with pytest.raises(DataError, match="no such backup"):
            delete_backup(workspace, name)


def test_a_weak_passphrase_is_refused_before_anything_is_read(workspace):
    with pytest.raises(AccessError, match="at least 12"):
        make_backup(workspace, passphrase="short")  # noqa: S106
    assert not workspace.backups.exists()


def test_the_passphrase_comes_from_the_file_that_the_settings_name(tmp_path, monkeypatch):
    assert backup_files.passphrase_from_file() is None
    file = tmp_path / "passphrase"
    monkeypatch.setenv("MEDCXR_BACKUP_PASSPHRASE_FILE", str(file))
    with pytest.raises(StorageError, match="missing, empty or no text"):
        backup_files.passphrase_from_file()
    file.write_text(PASSPHRASE + "\nnot this\n")
    assert backup_files.passphrase_from_file() == PASSPHRASE


def test_a_backup_is_made_when_it_is_due(workspace, tmp_path, monkeypatch):
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE)
    monkeypatch.setenv("MEDCXR_BACKUP_PASSPHRASE_FILE", str(file))
    monkeypatch.setenv("MEDCXR_BACKUPS", str(tmp_path / "elsewhere"))
    assert make_due_backup(workspace) is None
    set_backup_schedule(
        workspace, BackupSchedule(every_hours=24, keep=2, days=0, weeks=0, months=0)
    )
    assert backup_schedule(workspace).every_hours == 24
    made = make_due_backup(workspace)
    assert made is not None
    assert made.is_scheduled
    assert made.is_sealed
    assert made.path.parent == tmp_path / "elsewhere"
    assert make_due_backup(workspace) is None
    for hours in (30, 60, 90):
        older = backup_files.backup_name(made.made_at - timedelta(hours=hours), scheduled=True)
        shutil.copy(made.path, made.path.with_name(older))
    made.path.unlink()
    again = make_due_backup(workspace)
    assert again is not None
    assert len(list_backups(again.path.parent)) == 2


def entry(moment, *, scheduled=True):
    name = backup_files.backup_name(moment, scheduled=scheduled)
    return backup_files.Backup(
        path=backup_files.Path(name),
        made_at=moment,
        n_bytes=1,
        is_sealed=False,
        is_scheduled=scheduled,
        verified_at=None,
    )


def test_the_newest_and_one_of_each_day_week_and_month_are_kept():
    hourly = [entry(NOW - timedelta(hours=n)) for n in range(24 * 100)]
    schedule = BackupSchedule(every_hours=1, keep=3, days=4, weeks=3, months=3)
    gone = {one.path for one in superseded(hourly, schedule)}
    kept = [one.made_at for one in hourly if one.path not in gone]
    assert kept[:3] == [NOW, NOW - timedelta(hours=1), NOW - timedelta(hours=2)]
    assert {moment.date().isoformat() for moment in kept} == {
        "2026-03-04",
        "2026-03-03",
        "2026-03-02",
        "2026-03-01",
        "2026-02-22",
        "2026-02-28",
        "2026-01-31",
    }
    assert len(kept) == 3 + 6


def test_retention_never_touches_what_was_made_by_hand():
    by_hand = [entry(NOW - timedelta(days=n), scheduled=False) for n in range(400)]
    assert superseded(by_hand, BackupSchedule(keep=1, days=0, weeks=0, months=0)) == []


@pytest.mark.parametrize(
    "wrong", [{"every_hours": 0}, {"every_hours": 10**6}, {"keep": 0}, {"days": -1}]
)
def test_a_schedule_that_cannot_be_is_refused(wrong):
    with pytest.raises(DataError):
        BackupSchedule(**wrong)


def test_a_damaged_schedule_is_not_taken_for_none(workspace):
    set_backup_schedule(workspace, BackupSchedule(every_hours=24))
    connection = sqlite3.connect(workspace.database)
    connection.execute(
        "UPDATE settings SET value = ? WHERE name = 'backup_schedule'",
        (json.dumps({"every_hours": "often"}),),
    )
    connection.commit()
    connection.close()
    with pytest.raises(StorageError, match="schedule of backups"):
        make_due_backup(workspace)


def test_a_restore_takes_no_database_from_a_running_node(workspace):
    path = make_backup(workspace).backup.path
    workspace.node.mkdir(mode=0o700, exist_ok=True)
    for lock in (workspace.node_alive, workspace.node_at_work):
        held = lock_to_hand_on(lock)
        try:
            with pytest.raises(DataError, match=r"node .* runs; stop it first"):
                restore_backup(workspace, path)
        finally:
            os.close(held)
    assert restore_backup(workspace, path)


def test_a_restore_waits_for_no_training(workspace, monkeypatch):
    from types import SimpleNamespace

    from medcxr.services import backup_restoring

    path = make_backup(workspace).backup.path
    monkeypatch.setattr(
        backup_restoring, "running_job", lambda _: SimpleNamespace(name="night run")
    )
    with pytest.raises(DataError, match="night run runs; stop it first"):
        restore_backup(workspace, path)


def test_a_disk_that_is_too_small_is_told_before_anything_changes(workspace, monkeypatch):
    path = make_backup(workspace).backup.path
    before = told(workspace)
    usage = shutil.disk_usage(workspace.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(StorageError, match=r"free space.*and try again"):
        restore_backup(workspace, path)
    assert told(workspace) == before


def test_an_older_database_is_restored_and_brought_up_to_date(tmp_path):
    """A backup of revision 0001, written as that program's tables were."""
    from alembic import command

    from medcxr.storage.migration import migrations_of

    old = Workspace.open(tmp_path / "old")
    use_tiny_model(old)
    for number in range(3):
        remember(old, number, NOW)
    give_verdict(old, 1, {}, "seen")
    expected = cases(old)
    with workspace_database(old).writing() as connection:
        command.downgrade(migrations_of(connection), "0001")
    path = backup_of_revision_0001(old)
    other = Workspace.open(tmp_path / "other")
    restore_backup(other, path)
    found = cases(other)
    assert [one.label for one in found] == [one.label for one in expected]
    assert found[0].readings == expected[0].readings
    assert check_trail(other).problems == ()


def backup_of_revision_0001(workspace):
    """Write a backup with the tables of revision 0001, as a program of that time would have."""
    from sqlalchemy import MetaData, create_engine

    from medcxr.storage import archive_rows

    then = MetaData()
    engine = create_engine(f"sqlite:///{workspace.database}")
    with engine.connect() as connection:
        then.reflect(connection)
        then.remove(then.tables["alembic_version"])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(archive_rows, "metadata", then)
            patch.setattr(archive_rows, "REVISION", "0001")
            exported = {}

            def export(_, folder, **_more):
                exported["it"] = archive_rows.export_rows(connection, folder)
                return exported["it"]

            patch.setattr(backups, "export_rows", export)
            patch.setattr(backups, "note_alone", lambda *_, **__: None)
            path = make_backup(workspace).backup.path
    engine.dispose()
    assert exported["it"].revision == "0001"
    assert "users" not in exported["it"].rows
    return path


def forged(workspace, folder, *, more=None, rows=None, **changes):
    """Write a backup of a workspace whose checksums fit, but that this program would not write.

    Args:
        workspace: of which it is.
        folder: to write into; it must be empty.
        more: name -> content of files to add.
        rows: table -> what is done to the lines of its file.
        **changes: of the manifest.
    """
    inside = folder / "inside"
    inside.mkdir()
    with backups.body_of_backup(make_backup(workspace).backup.path) as body:
        manifest = read_archive(body, inside)
    for name, content in (more or {}).items():
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / name).write_bytes(content)
    n_bytes = dict(manifest.database.n_bytes)
    for table, change in (rows or {}).items():
        path = inside / "database" / f"{table}.jsonl.gz"
        lines = change(gzip.decompress(path.read_bytes()).splitlines(keepends=True))
        n_bytes[table] = len(b"".join(lines))
        path.write_bytes(gzip.compress(b"".join(lines)))
    names = [*(one.name for one in manifest.files), *(more or {})]
    files = tuple(archived_file(name, inside / name) for name in names)
    manifest = replace(
        manifest,
        **changes,
        files=files,
        total=sum(one.size for one in files),
        database=replace(manifest.database, n_bytes=n_bytes),
    )
    path = folder / "forged.medcxr-backup"
    with path.open("wb") as file:
        checked = Checked(file)
        write_archive(checked, manifest, {name: inside / name for name in names})
        checked.finish()
    return path


@pytest.mark.parametrize("part", ["backups", "restoring", "medcxr.db", "ready.json"])
def test_a_backup_replaces_no_other_part_of_a_workspace(workspace, tmp_path, part):
    (tmp_path / "forged").mkdir()
    path = forged(
        workspace,
        tmp_path / "forged",
        more={f"{part}/file": b"of a stranger"},
        parts=(*backups.ALWAYS, *backups.RUN_PARTS, part),
    )
    verify_backup(path)  # its checksums fit
    before = told(workspace)
    with pytest.raises(DataError, match="damaged"):
        restore_backup(workspace, path)
    assert told(Workspace.open(workspace.folder)) == before
    assert not (workspace.folder / "restoring").exists()


@pytest.mark.parametrize("value", [2**70, {"a": [1]}, "no number"])
def test_a_row_that_no_database_takes_leaves_the_workspace_usable(workspace, tmp_path, value):
    def damage(lines):
        columns, row = json.loads(lines[0]), json.loads(lines[1])
        row[columns.index("id")] = value
        return [lines[0], json.dumps(row).encode() + b"\n", *lines[2:]]

    (tmp_path / "forged").mkdir()
    path = forged(workspace, tmp_path / "forged", rows={"cases": damage})
    before = told(workspace)
    with pytest.raises(DataError, match="damaged"):
        restore_backup(workspace, path)
    assert told(Workspace.open(workspace.folder)) == before
    assert earlier_states(workspace) == []
    assert not (workspace.folder / "restoring").exists()


def test_what_nobody_foresaw_leaves_the_workspace_usable(workspace, monkeypatch):
    path = make_backup(workspace).backup.path
    before = told(workspace)

    def err(*_, **__):
        raise RecursionError

    with monkeypatch.context() as patch:
        patch.setattr(unfinished_restore, "import_rows", err)
        with pytest.raises(RecursionError):
            restore_backup(workspace, path)
    assert told(Workspace.open(workspace.folder)) == before
    assert not (workspace.folder / "restoring").exists()


@pytest.mark.parametrize(
    "change",
    [{"created": "\x1b]0;owned\x07"}, {"created": "a patient's name"}, {"program": "1\x1b[2J"}],
)
def test_what_a_backup_says_of_itself_cannot_steer_a_screen(workspace, tmp_path, change):
    (tmp_path / "forged").mkdir()
    with pytest.raises(ValueError, match="not a manifest"):
        forged(workspace, tmp_path / "forged", **change)


def test_a_backup_that_is_taken_away_is_told_before(workspace, monkeypatch):
    made = make_backup(workspace).backup
    assert take_backup(workspace, made.name) == made.path.read_bytes()
    (event,) = trail(workspace, newest_first=True, limit=1)
    assert (event.action, event.subject) == (AuditAction.BACKUP_TAKEN, f"backup {made.name}")
    assert event.details == {"encrypted": False}

    def full(*_, **__):
        raise StorageError("the disk is full")

    monkeypatch.setattr(backups, "note_alone", full)
    with pytest.raises(StorageError, match="full"):
        take_backup(workspace, made.name)


def test_what_cannot_be_told_is_not_deleted(workspace, monkeypatch):
    made = make_backup(workspace).backup
    restore_backup(workspace, made.path)
    (state,) = earlier_states(workspace)

    def full(*_, **__):
        raise StorageError("the disk is full")

    monkeypatch.setattr(backups, "note", full)
    monkeypatch.setattr(backup_restoring, "note_alone", full)
    with pytest.raises(StorageError, match="full"):
        delete_backup(workspace, made.name)
    with pytest.raises(StorageError, match="full"):
        forget_state(workspace, state.name)
    assert made.path.exists()
    assert earlier_states(workspace) == [state]


def test_a_restored_trail_names_the_end_of_the_one_before(workspace):
    made = make_backup(workspace).backup
    note_alone(workspace, AuditAction.CASE_VIEWED, "case 4")
    found = check_trail(workspace)
    restore_backup(workspace, made.path)
    (event,) = trail(workspace, newest_first=True, limit=1)
    assert event.action == AuditAction.BACKUP_RESTORED
    assert event.details["trail_before"] == f"{found.n_events}:{found.head}"
