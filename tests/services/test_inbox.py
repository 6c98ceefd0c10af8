"""What is received is kept, read once, and known again."""

import hashlib
import os
import stat
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from medcxr.core.access import NODE
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError, DiskFull, ImageError, StorageError
from medcxr.core.instances import InstanceState
from medcxr.services import inbox
from medcxr.services.audit import check_trail, trail
from medcxr.services.backup_restoring import restore_backup
from medcxr.services.backups import make_backup
from medcxr.services.claim_renewal import renewed
from medcxr.services.database import workspace_database
from medcxr.services.group_commit import GroupCommit
from medcxr.services.inbox import Outcome
from medcxr.services.workspace import Workspace
from medcxr.storage import atomic
from sent_instances import PATIENT, instance

ORIGIN = "c-store SENDER"


@pytest.fixture
def workspace(tmp_path, each_database):  # noqa: ARG001 - it names the database
    return Workspace.open(tmp_path / "workspace").used_by(NODE)


def receive(workspace, data, **options):
    return inbox.receive(workspace, data, origin=ORIGIN, **options).outcome


def states(workspace):
    return {state.value: n for state, n in inbox.counts(workspace).items() if n}


def files(workspace):
    return sorted(path.name for path in workspace.received.iterdir())


def read(workspace):
    """Claim and read everything, and return the files in this order."""
    found = []
    while (claimed := inbox.claim(workspace, "reader")) is not None:
        found.append(inbox.open_instance(workspace, claimed))
        assert inbox.finish(workspace, claimed, InstanceState.READ)
    return found


def test_a_file_is_kept_read_once_and_then_gone(workspace):
    data = instance(uid="2.25.1")
    receipt = inbox.receive(workspace, data, origin=ORIGIN)
    assert (receipt.sop_instance_uid, receipt.is_new, receipt.is_conflict) == (
        "2.25.1",
        True,
        False,
    )
    assert files(workspace) == [f"{hashlib.sha256(data).hexdigest()}.dcm"]
    assert stat.S_IMODE((workspace.received / files(workspace)[0]).stat().st_mode) == 0o600
    claimed = inbox.claim(workspace, "reader")
    assert (claimed.sop_instance_uid, claimed.study_uid, claimed.origin) == (
        "2.25.1",
        "2.25.21",
        ORIGIN,
    )
    assert inbox.claim(workspace, "another") is None
    assert inbox.open_instance(workspace, claimed) == data
    assert inbox.finish(workspace, claimed, InstanceState.READ)
    assert not inbox.finish(workspace, claimed, InstanceState.READ)
    assert (states(workspace), files(workspace)) == ({"read": 1}, [])


def test_the_same_bytes_again_are_known_before_and_after_they_were_read(workspace):
    data = instance()
    assert [receive(workspace, data) for _ in range(2)] == [Outcome.NEW, Outcome.KNOWN]
    assert len(read(workspace)) == 1
    assert receive(workspace, data) is Outcome.KNOWN
    assert (read(workspace), files(workspace)) == ([], [])


def test_other_bytes_under_a_known_identifier_are_a_conflict_and_not_kept(workspace):
    first, second = instance(uid="2.25.1"), instance(uid="2.25.1", seed=1)
    assert [receive(workspace, one) for one in (first, second)] == [Outcome.NEW, Outcome.CONFLICT]
    assert len(files(workspace)) == 1
    assert read(workspace) == [first]


def test_several_come_in_one_go_and_twins_among_them_are_told(workspace):
    same, other = instance(uid="2.25.1"), instance(uid="2.25.1", seed=1)
    some = [same, instance(), same, other]
    incoming = [inbox.incoming_file(one, origin=ORIGIN) for one in some]
    outcomes = [one.outcome for one in inbox.receive_many(workspace, incoming)]
    assert outcomes == [Outcome.NEW, Outcome.NEW, Outcome.KNOWN, Outcome.CONFLICT]
    assert read(workspace) == some[:2]


def test_the_most_urgent_is_read_first_and_then_what_has_waited_longest(workspace):
    some = [instance(seed=seed) for seed in range(4)]
    for data, priority in zip(some, (0, 2, 0, 2), strict=True):
        receive(workspace, data, priority=priority)
    assert read(workspace) == [some[1], some[3], some[0], some[2]]


def test_a_reader_that_falls_silent_loses_its_claim_and_three_of_them_end_it(workspace):
    receive(workspace, instance())
    now = datetime.now(UTC)
    minute = timedelta(minutes=1)
    for attempt in range(1, inbox.MOST_ATTEMPTS + 1):
        claimed = inbox.claim(workspace, "reader", now=now)
        assert claimed.attempts == attempt
        assert inbox.renew(workspace, claimed, now=now + minute)
        silent = inbox.lapse_claims(workspace, older_than=minute, now=now + 1.5 * minute)
        assert silent == 0
        assert inbox.lapse_claims(workspace, older_than=minute, now=now + 2 * minute) == 1
        assert not inbox.finish(workspace, claimed, InstanceState.READ)
        now += 3 * minute
    assert states(workspace) == {"failed": 1}
    assert len(files(workspace)) == 1  # to be tried again
    assert inbox.retry_failed(workspace) == 1
    assert len(read(workspace)) == 1


def test_a_claim_that_is_given_back_does_not_count(workspace):
    receive(workspace, instance())
    for _ in range(5):
        claimed = inbox.claim(workspace, "reader")
        assert claimed.attempts == 1
        assert inbox.release(workspace, claimed)
    assert not inbox.release(workspace, claimed)
    assert states(workspace) == {"received": 1}


def test_an_instance_that_failed_waits_again_when_it_is_sent_again(workspace):
    first, second = instance(uid="2.25.1"), instance(uid="2.25.1", seed=1)
    receive(workspace, first)
    claimed = inbox.claim(workspace, "reader")
    assert inbox.finish(workspace, claimed, InstanceState.FAILED, reason="no model")
    assert receive(workspace, second) is Outcome.NEW
    assert read(workspace) == [second]


def test_what_is_no_dicom_file_is_refused_and_leaves_nothing(workspace):
    with pytest.raises(ImageError):
        receive(workspace, b"\x89PNG")
    assert states(workspace) == {}
    assert not workspace.received.exists()


def test_a_reading_cannot_end_as_it_began(workspace):
    receive(workspace, instance())
    claimed = inbox.claim(workspace, "reader")
    with pytest.raises(DataError, match="choose another"):
        inbox.finish(workspace, claimed, InstanceState.RECEIVED)


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_file_that_is_not_what_was_received_is_not_read(workspace, damage):
    receive(workspace, instance())
    path = workspace.received / files(workspace)[0]
    path.unlink() if damage == "missing" else path.write_bytes(b"x")
    with pytest.raises(StorageError, match="sent again"):
        inbox.open_instance(workspace, inbox.claim(workspace, "reader"))


def test_the_trail_tells_how_many_came_from_where_and_of_no_patient(workspace):
    some = [inbox.incoming_file(instance(seed=seed), origin=ORIGIN) for seed in range(3)]
    for one in some:
        inbox.receive_many(workspace, [one], tell=False)
    receive_many = [inbox.incoming_file(instance(), origin="folder")]
    assert trail(workspace.used_by(_administrator())) == []
    assert inbox.tell_received(workspace) == 3
    assert inbox.tell_received(workspace) == 0
    inbox.receive_many(workspace, receive_many)
    events = trail(workspace.used_by(_administrator()))
    assert [(one.action, one.subject, one.details["origin"]) for one in events] == [
        (AuditAction.IMAGES_RECEIVED, "3 images", ORIGIN),
        (AuditAction.IMAGES_RECEIVED, "1 images", "folder"),
    ]
    assert {(one.actor, one.door) for one in events} == {("node", "dicom node")}
    assert PATIENT not in str(events)
    assert "2.25" not in str(events)
    assert check_trail(workspace.used_by(_administrator())).problems == ()


def _administrator():
    from medcxr.core.access import OPERATOR

    return OPERATOR


def test_what_was_read_long_ago_is_forgotten_and_would_be_read_again(workspace):
    data = [instance(seed=seed) for seed in range(3)]
    for one in data[:2]:
        receive(workspace, one)
    read(workspace)
    receive(workspace, data[2])
    inbox.finish(workspace, inbox.claim(workspace, "reader"), InstanceState.FAILED)
    owner = workspace.used_by(_administrator())
    assert inbox.forget_received(owner, before=datetime.now(UTC) - timedelta(days=1)) == 0
    assert inbox.forget_received(owner, before=datetime.now(UTC) + timedelta(days=1)) == 3
    assert (states(workspace), files(workspace)) == ({}, [])
    assert receive(workspace, data[0]) is Outcome.NEW


def test_a_file_whose_row_is_lost_is_taken_in_again_once(workspace):
    data = [instance(seed=seed) for seed in range(3)]
    for one in data:
        receive(workspace, one)
    kept = read_one(workspace)
    with workspace_database(workspace).writing() as transaction:
        transaction.exec_driver_sql("DELETE FROM instances WHERE state = 'received'")
    assert inbox.take_in_again(workspace) == 2
    assert inbox.take_in_again(workspace) == 0
    assert sorted([kept, *read(workspace)]) == sorted(data)


def read_one(workspace):
    claimed = inbox.claim(workspace, "reader")
    data = inbox.open_instance(workspace, claimed)
    inbox.finish(workspace, claimed, InstanceState.READ)
    return data


def test_a_file_that_was_read_and_not_removed_is_removed_and_not_read_again(workspace):
    data = instance()
    receive(workspace, data)
    (name,) = files(workspace)
    read(workspace)
    (workspace.received / name).write_bytes(data)  # as by a process killed before it removed it
    assert inbox.take_in_again(workspace) == 0
    assert (states(workspace), files(workspace)) == ({"read": 1}, [])


def test_a_file_that_was_cut_off_is_removed_after_an_hour(workspace):
    receive(workspace, instance())
    half = workspace.received / ("0" * 64 + ".dcm")
    half.write_bytes(b"half")
    assert inbox.take_in_again(workspace) == 0
    assert half.exists()  # somebody may be writing it
    old = datetime.now(UTC).timestamp() - 7200
    os.utime(half, (old, old))
    assert inbox.take_in_again(workspace) == 0
    assert not half.exists()


def test_a_backup_has_what_was_read_and_no_pixels_and_nothing_is_lost_by_it(workspace):
    done, waiting = instance(seed=1), instance(seed=2)
    receive(workspace, done)
    read(workspace)
    receive(workspace, waiting)
    owner = workspace.used_by(_administrator())
    made = make_backup(owner)
    assert hashlib.sha256(waiting).hexdigest() not in made.backup.path.read_bytes().decode(
        "latin-1"
    )
    assert len(read(workspace)) == 1
    later = instance(seed=3)
    receive(workspace, later)
    restore_backup(owner, made.backup.path)
    assert states(workspace) == {"read": 1}
    assert inbox.take_in_again(workspace) == 1  # its file had stayed
    assert [receive(workspace, one) for one in (done, later)] == [Outcome.KNOWN, Outcome.KNOWN]
    assert read(workspace) == [later]


def test_a_full_disk_keeps_nothing_and_says_so(workspace, monkeypatch):
    receive(workspace, instance(seed=1))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(atomic.os, "fsync", full)
        with pytest.raises(DiskFull, match="disk is full"):
            receive(workspace, instance(seed=2))
    assert states(workspace) == {"received": 1}
    assert len(files(workspace)) == 1


def test_threads_that_come_together_are_kept_together(workspace):
    from concurrent.futures import ThreadPoolExecutor

    group = GroupCommit(workspace)
    some = [
        inbox.incoming_file(instance(uid=f"2.25.{n % 30 + 1}", seed=n % 30), origin=ORIGIN)
        for n in range(60)
    ]
    with ThreadPoolExecutor(8) as pool:
        outcomes = [one.outcome for one in pool.map(group.receive, some)]
    assert (outcomes.count(Outcome.NEW), outcomes.count(Outcome.KNOWN)) == (30, 30)
    assert len(read(workspace)) == 30
    assert inbox.tell_received(workspace) == 30


def arrived(workspace, **options):
    """Return what lies in the inbox already, as C-STORE hands it on."""
    whole = inbox.incoming_file(instance(**options), origin=ORIGIN)
    (inbox.inbox_folder(workspace) / f"{whole.digest}.dcm").write_bytes(whole.pieces[0])
    return replace(whole, pieces=(), n_bytes_kept=whole.n_bytes)


def test_a_file_that_was_lost_is_told_to_its_sender_alone(workspace):
    kept, lost, known = (arrived(workspace, uid=f"2.25.{n}", seed=n) for n in (1, 2, 3))
    assert inbox.receive_many(workspace, [known])[0].is_new
    read(workspace)  # so its file is gone, and that is right
    (workspace.received / f"{lost.digest}.dcm").unlink()
    receipts = inbox.receive_many(workspace, [kept, lost, lost, known])
    outcomes = [one.outcome for one in receipts]
    assert outcomes == [Outcome.NEW, Outcome.LOST, Outcome.LOST, Outcome.KNOWN]
    assert states(workspace) == {"read": 1, "received": 1}
    assert [one.is_new for one in inbox.receive_many(workspace, [arrived(workspace, uid="2.25.2")])]
    assert len(read(workspace)) == 2


def test_a_reading_of_any_length_keeps_its_claim_and_one_that_hangs_does_not(workspace):
    receive(workspace, instance())
    claimed = inbox.claim(workspace, "reader", now=datetime.now(UTC) - timedelta(minutes=9.99))
    minutes = timedelta(minutes=10)
    with renewed(workspace, claimed, every_s=0.05):
        time.sleep(1)
        assert inbox.lapse_claims(workspace, older_than=minutes) == 0
    assert inbox.release(workspace, claimed)
    claimed = inbox.claim(workspace, "reader", now=datetime.now(UTC) - minutes)
    with renewed(workspace, claimed, every_s=0.05, longest_s=0):
        time.sleep(0.3)
        assert inbox.lapse_claims(workspace, older_than=minutes) == 1


def test_a_clock_that_was_set_back_leaves_no_claim_for_ever(workspace):
    receive(workspace, instance())
    inbox.claim(workspace, "reader", now=datetime.now(UTC) + timedelta(days=400))
    assert inbox.lapse_claims(workspace, older_than=timedelta(minutes=10)) == 0
    assert inbox.lapse_claims(workspace, older_than=timedelta(0)) == 1
    assert inbox.claim(workspace, "another") is not None


def test_the_file_that_failed_goes_when_another_one_takes_its_place(workspace):
    receive(workspace, instance(uid="2.25.1", seed=1))
    claimed = inbox.claim(workspace, "reader")
    assert inbox.finish(workspace, claimed, InstanceState.FAILED, reason="unforeseen: ValueError")
    mended = instance(uid="2.25.1", seed=2)
    assert receive(workspace, mended) is Outcome.NEW
    assert files(workspace) == [f"{hashlib.sha256(mended).hexdigest()}.dcm"]
    assert inbox.take_in_again(workspace) == 0
    assert read(workspace) == [mended]
