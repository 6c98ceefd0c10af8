"""Keys are rotated, and nothing that they are for is lost: also when the program is killed."""

import os
import signal
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from medcxr.core.access import Actor, Door, Role
from medcxr.core.audit import AuditAction
from medcxr.core.errors import AccessError, StorageError
from medcxr.security.audit_chain import head_seal, seal
from medcxr.security.one_time_codes import new_secret
from medcxr.services import key_rotation
from medcxr.services.audit import check_trail, note_alone, trail
from medcxr.services.audit_files import export_trail, verify_exported
from medcxr.services.backup_restoring import restore_backup
from medcxr.services.backups import make_backup
from medcxr.services.database import workspace_database
from medcxr.services.key_rotation import RotatedKey, rotate_key
from medcxr.services.patients import current_key, key_of_patient
from medcxr.services.second_factor_secret import kept_secret, secret_of
from medcxr.services.trail_walk import NotedHead
from medcxr.services.workspace import Workspace
from medcxr.storage import audit_table
from medcxr.storage.case_table import find_case, keep_case
from medcxr.storage.tables import audit_events, audit_head, cases
from medcxr.storage.user_table import UserRow, add_user, change_user, user_by_id
from raw_sql import unguard_trail
from remembering import new_case

PATIENT = "4711"


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def filled(workspace):
    """A workspace with a patient's case, a user's second factor, and something on its trail."""
    note_alone(workspace, AuditAction.SETTINGS_CHANGED)
    secret = new_secret()
    now = datetime.now(UTC)
    with workspace_database(workspace).writing() as transaction:
        key = current_key(workspace, transaction, key_of_patient(workspace, PATIENT))
        keep_case(transaction, replace(new_case(1), patient_key=key), now)
        user = add_user(
            transaction,
            UserRow(
                name="reader",
                role=Role.CLINICIAN,
                password_hash="none",  # noqa: S106 - nobody signs in by it
                must_change=False,
                created_at=now,
                password_changed_at=now,
            ),
        )
        change_user(
            transaction, user, second_factor=kept_secret(workspace, transaction, secret, user)
        )
    return workspace, secret, user


def assert_fits(workspace, secret, user):
    """Everything that a key is for still works."""
    with workspace_database(workspace).writing() as transaction:
        known = current_key(workspace, transaction, key_of_patient(workspace, PATIENT))
        assert find_case(transaction, 1).patient_key == known
        kept = user_by_id(transaction, user).second_factor
        assert secret_of(workspace, transaction, kept, user) == secret
    assert check_trail(workspace).problems == ()
    note_alone(workspace, AuditAction.SETTINGS_CHANGED)
    assert check_trail(workspace).problems == ()


@pytest.mark.parametrize("key", RotatedKey)
def test_everything_fits_after_a_rotation_and_after_another(filled, key):
    workspace, secret, user = filled
    path = workspace.secrets / f"{key}.key"
    before = path.read_bytes()

    for _ in range(2):
        rotate_key(workspace, key)
        assert_fits(workspace, secret, user)

    assert path.read_bytes() != before
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(workspace.secrets.glob("*.next.key")) == []
    told = [one for one in trail(workspace) if one.action is AuditAction.KEY_ROTATED]
    assert [one.subject for one in told] == [f"key {key}"] * 2


def test_a_patients_rows_are_renewed_and_found_by_the_identifier(filled):
    workspace, _, _ = filled
    with workspace_database(workspace).reading() as transaction:
        before = find_case(transaction, 1).patient_key
    made_before = key_of_patient(workspace, PATIENT)

    assert rotate_key(workspace, RotatedKey.PATIENTS).n_renewed == 1

    with workspace_database(workspace).reading() as transaction:
        after = find_case(transaction, 1).patient_key
        assert after != before
        # What was computed before a rotation and is kept after it is of the same patient.
        assert current_key(workspace, transaction, made_before) == after
    first = (workspace.secrets / "patients.key").read_bytes()[:32]
    (workspace.secrets / "patients.key").write_bytes(first)  # all that was told
    assert key_of_patient(workspace, PATIENT).words == before


def test_a_secret_under_the_key_before_opens_nothing(filled):
    workspace, _, user = filled
    with workspace_database(workspace).reading() as transaction:
        old = user_by_id(transaction, user).second_factor
    rotate_key(workspace, RotatedKey.SECOND_FACTORS)

    with (
        workspace_database(workspace).reading() as transaction,
        pytest.raises(AccessError, match="cannot be read"),
    ):
        secret_of(workspace, transaction, old, user)


def test_a_head_noted_before_is_on_the_trail_after(workspace):
    note_alone(workspace, AuditAction.SETTINGS_CHANGED)
    found = check_trail(workspace)
    noted = NotedHead(number=found.n_events, seal=found.head)
    rotate_key(workspace, RotatedKey.AUDIT)

    assert check_trail(workspace, noted=noted).problems == ()


def test_whoever_has_the_key_before_can_neither_change_nor_cut_off_the_trail(workspace):
    for _ in range(3):
        note_alone(workspace, AuditAction.SETTINGS_CHANGED)
    told = (workspace.secrets / "audit.key").read_bytes()
    rotate_key(workspace, RotatedKey.AUDIT)
    note_alone(workspace, AuditAction.SETTINGS_CHANGED)

    unguard_trail(workspace)
    with workspace_database(workspace).reading() as connection:
        rows = list(audit_table.events(connection))
    changed, before = [], rows[0].seal
    for row in rows[1:4]:  # the second event is another one, and what follows is sealed anew
        other = replace(row, subject="another") if row.number == 2 else row
        changed.append(replace(other, seal=seal(told, other.sealed_fields(), before)))
        before = changed[-1].seal
    with workspace_database(workspace).writing() as connection:
        for row in changed:
            connection.execute(
                audit_events.update()
                .where(audit_events.c.number == row.number)
                .values(subject=row.subject, seal=row.seal)
            )
    assert "event 5 is not what was sealed" in check_trail(workspace).problems
    with workspace_database(workspace).writing() as connection:
        connection.execute(audit_events.delete().where(audit_events.c.number > 3))
        end = changed[1]
        connection.execute(
            audit_head.update().values(
                number=3, seal=end.seal, head_seal=head_seal(told, 3, end.seal)
            )
        )
    assert any("ends under key 1" in one for one in check_trail(workspace).problems)


def test_an_export_fits_before_and_after_and_a_forged_one_does_not(workspace, tmp_path):
    note_alone(workspace, AuditAction.SETTINGS_CHANGED)
    told = (workspace.secrets / "audit.key").read_bytes()
    early, late = tmp_path / "early.jsonl", tmp_path / "late.jsonl"
    export_trail(workspace, early)
    rotate_key(workspace, RotatedKey.AUDIT)
    export_trail(workspace, late)

    assert verify_exported(workspace, early).problems == ()
    assert verify_exported(workspace, late).problems == ()
    forger = Workspace.open(tmp_path / "forger")
    (forger.secrets / "audit.key").write_bytes(told)
    note_alone(forger, AuditAction.CASE_DELETED, "case 1")
    forged = tmp_path / "forged.jsonl"
    export_trail(forger, forged)
    (problem,) = verify_exported(workspace, forged).problems
    assert "ends under key 1" in problem


def test_a_damaged_head_is_not_covered_by_another_key(workspace):
    note_alone(workspace, AuditAction.SETTINGS_CHANGED)
    with workspace_database(workspace).writing() as connection:
        connection.execute(audit_head.update().values(head_seal="0" * 64))

    with pytest.raises(StorageError, match="another key would hide that"):
        rotate_key(workspace, RotatedKey.AUDIT)
    assert len((workspace.secrets / "audit.key").read_bytes()) == 32


@pytest.mark.parametrize("key", RotatedKey)
def test_a_rotation_that_fails_changes_nothing(filled, key, monkeypatch):
    workspace, secret, user = filled
    before = (workspace.secrets / f"{key}.key").read_bytes()

    def fail(*_):
        raise StorageError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(key_rotation, "decide_rotation", fail)
        with pytest.raises(StorageError):
            rotate_key(workspace, key)

    assert (workspace.secrets / f"{key}.key").read_bytes() == before
    assert list(workspace.secrets.glob("*.next.key")) == []
    assert_fits(workspace, secret, user)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks its processes")
@pytest.mark.parametrize("key", RotatedKey)
@pytest.mark.parametrize("step", ["begin_rotation", "decide_rotation", "commit", "settle"])
def test_one_that_is_killed_leaves_keys_and_rows_that_fit(filled, key, step):
    workspace, secret, user = filled
    before = (workspace.secrets / f"{key}.key").read_bytes()

    child = os.fork()
    if child == 0:
        _die_after(step)
        try:
            rotate_key(workspace, key)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL

    assert_fits(workspace, secret, user)
    is_decided = step in {"commit", "settle"}
    assert ((workspace.secrets / f"{key}.key").read_bytes() != before) is is_decided
    rotate_key(workspace, key)
    assert_fits(workspace, secret, user)
    assert list(workspace.secrets.glob("*.next.key")) == []


def _die_after(step):
    """Let this process kill itself after a step of the next rotation."""
    if step == "commit":  # between the transaction's end and the file's move
        done, step = key_rotation._settle_all, "_settle_all"
        calls = []

        def wrapped(workspace):
            calls.append(workspace)
            if len(calls) == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            done(workspace)
    else:
        done = getattr(key_rotation, step)

        def wrapped(*words):
            done(*words)
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(key_rotation, step, wrapped)


def test_a_backup_holds_keys_and_rows_that_fit(filled, tmp_path):
    workspace, secret, user = filled
    early = make_backup(workspace).backup.path
    for key in RotatedKey:
        rotate_key(workspace, key)
    late = make_backup(workspace).backup.path

    for path in (late, early):
        other = Workspace.open(tmp_path / path.stem)
        restore_backup(other, path)
        assert_fits(other, secret, user)
    restore_backup(workspace, early)  # of before the rotations, into where they were done
    assert_fits(workspace, secret, user)


def test_only_who_may_change_settings_rotates(workspace, actors):
    for actor in actors:
        with pytest.raises(AccessError):
            rotate_key(workspace.used_by(actor), RotatedKey.AUDIT)
    assert not (workspace.secrets / "audit.key").exists()


@pytest.fixture
def actors():
    others = [role for role in Role if role is not Role.ADMINISTRATOR]
    return [Actor(name="somebody", role=role, door=Door.DASHBOARD) for role in others]


def test_rows_without_a_patient_stay_so(workspace):
    with workspace_database(workspace).writing() as transaction:
        keep_case(transaction, new_case(1), datetime.now(UTC))

    assert rotate_key(workspace, RotatedKey.PATIENTS).n_renewed == 0
    with workspace_database(workspace).reading() as transaction:
        assert transaction.execute(cases.select()).one().patient_key is None
