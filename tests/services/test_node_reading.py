"""Received instances read once, whatever happens meanwhile."""

import io
from collections import Counter
from datetime import UTC, datetime, timedelta

import pydicom
import pytest

from medcxr.core.access import NODE, OPERATOR
from medcxr.core.audit import AuditAction
from medcxr.core.errors import ModelError, NoDecoderError, StorageError
from medcxr.core.instances import InstanceState
from medcxr.imaging import isolation
from medcxr.imaging.worker import READY
from medcxr.services import node_reading
from medcxr.services.audit import check_trail, trail
from medcxr.services.case_records import cases
from medcxr.services.database import workspace_database
from medcxr.services.delivery import standings
from medcxr.services.inbox import counts, lapse_claims, receive, receive_many, retry_failed
from medcxr.services.node_destinations import destinations_of
from medcxr.services.node_reading import read_next
from medcxr.services.node_rules import ReadingRules
from medcxr.services.node_sorting import raise_waiting, sort_waiting
from medcxr.services.node_triage import TriageRules
from medcxr.services.preferences import Preferences, set_preferences
from medcxr.services.received_files import incoming_image

RULES = ReadingRules()


@pytest.fixture
def node(tiny_workspace, monkeypatch):
    """Return a workspace in the node's hands; the gate lets simulated radiographs of 96 pixels in."""
    analyze = node_reading.analyze_image
    monkeypatch.setattr(node_reading, "analyze_image", lambda *words: analyze(*words, gate=False))
    return tiny_workspace.used_by(NODE)


@pytest.fixture(scope="module")
def chests(sample_data):
    return [path.read_bytes() for path in sorted(sample_data.rglob("*.dcm"))]


def changed(data, **values):
    dataset = pydicom.dcmread(io.BytesIO(data))
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def folder_of(tmp_path, *results):
    plain = {"kind": "folder", "name": "out", "folder": "out", "results": list(results)}
    return destinations_of([plain], tmp_path)


def read_all(workspace, destinations=(), rules=RULES):
    done = []
    while (one := read_next(workspace, rules, destinations, worker="test")) is not None:
        done.append(one)
    return done


def states(workspace):
    return {str(state): n for state, n in counts(workspace).items() if n}


def events(workspace, action):
    return trail(workspace.used_by(OPERATOR), action=action)


def reasons(workspace):
    with workspace_database(workspace).reading() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT reason FROM instances")]


def test_what_is_read_is_a_case_with_its_results_and_its_file_is_gone(node, chests, tmp_path):
    for data in chests[:2]:
        receive(node, data, origin="c-store MODALITY")
    destinations = folder_of(tmp_path, "structured report", "fhir")
    assert [one.state for one in read_all(node, destinations)] == [InstanceState.READ] * 2
    uids = {str(pydicom.dcmread(io.BytesIO(data)).SOPInstanceUID) for data in chests[:2]}
    assert {one.label for one in cases(node)} == uids
    assert len(events(node, AuditAction.CASE_ANALYZED)) == 2
    assert {one.actor for one in events(node, AuditAction.CASE_ANALYZED)} == {"node"}
    (standing,) = standings(node)
    assert standing.n == 4
    assert len(list(node.results.iterdir())) == 4
    assert list(node.received.iterdir()) == []
    receive(node, chests[0], origin="c-store MODALITY")
    assert read_all(node, destinations) == []
    assert check_trail(node.used_by(OPERATOR)).problems == ()


def test_what_rules_exclude_is_skipped_and_what_is_damaged_refused(node, chests):
    receive(node, changed(chests[0], Modality="CT"), origin="c-store CT1")
    receive(node, changed(chests[1], PixelData=b"\0\0", PatientName="Secret^Name"), origin="folder")
    receive(node, changed(chests[0], SOPInstanceUID="1.2.3"), origin="c-store OTHER")
    read_all(node, rules=ReadingRules(senders=("CT*", "")))
    assert states(node) == {"skipped": 2, "refused": 1}
    assert sorted(reasons(node))[1:] == [
        "of a modality that is not read",
        "sent by a device that is not read",
    ]
    assert "Secret" not in "".join(reasons(node))
    assert len(events(node, AuditAction.IMAGE_REFUSED)) == 1
    assert list(node.received.iterdir()) == []
    assert cases(node) == []


def test_a_computer_that_can_start_no_process_loses_no_radiograph(node, chests, monkeypatch):
    receive(node, chests[0], origin="folder")
    with monkeypatch.context() as patched:
        patched.setattr(isolation, "_waiting_processes", lambda _pid: [])

        def none_left(*_words, **_options):
            raise BlockingIOError("too many processes")

        patched.setattr(isolation.subprocess, "Popen", none_left)
        with pytest.raises(NoDecoderError, match="free memory"):
            read_all(node)
    assert states(node) == {"received": 1}
    read_all(node)
    assert states(node) == {"read": 1}


def test_a_radiograph_whose_decoder_is_ended_from_outside_is_kept(node, chests, monkeypatch):
    receive(node, chests[0], origin="folder")
    with monkeypatch.context() as patched:
        patched.setattr(isolation, "_waiting_processes", lambda _pid: [])
        greets_and_ends = f"import sys; sys.stdout.buffer.write({READY!r})"
        patched.setattr(isolation, "_BOOT", greets_and_ends)
        read_all(node)
    assert states(node) == {"failed": 1}
    assert "crashed the decoder" in reasons(node)[0]
    assert len(list(node.received.iterdir())) == 1
    assert retry_failed(node) == 1
    read_all(node)
    assert states(node) == {"read": 1}


def test_one_file_that_breaks_the_program_is_put_aside_after_three_attempts(
    node, chests, monkeypatch
):
    receive(node, chests[0], origin="folder")
    receive(node, chests[1], origin="folder")
    analyze = node_reading.analyze_image

    def break_on_first(workspace, data):
        if data == chests[0]:
            raise ZeroDivisionError("Secret^Name")
        return analyze(workspace, data)

    monkeypatch.setattr(node_reading, "analyze_image", break_on_first)
    done = Counter(str(one.state) for one in read_all(node))
    assert done == {"received": 2, "failed": 1, "read": 1}
    assert "unforeseen: ZeroDivisionError" in reasons(node)
    assert len(list(node.received.iterdir())) == 1


def test_what_no_file_is_to_blame_for_leaves_the_instance_as_it_was(node, chests, monkeypatch):
    receive(node, chests[0], origin="folder")

    def without_model(*_words):
        raise ModelError("There is no model.")

    with monkeypatch.context() as patched:
        patched.setattr(node_reading, "analyze_image", without_model)
        for _ in range(5):
            with pytest.raises(ModelError):
                read_next(node, RULES, (), worker="test")
    assert states(node) == {"received": 1}
    assert [one.state for one in read_all(node)] == [InstanceState.READ]


@pytest.mark.parametrize("when", ["results written", "case kept", "committed"])
def test_a_reader_that_ends_anywhere_leaves_all_or_nothing(
    node, chests, tmp_path, monkeypatch, when
):
    """What SIGKILL leaves is what an error leaves that nothing cleans up after."""
    receive(node, chests[0], origin="folder")
    destinations = folder_of(tmp_path, "structured report")

    class Killed(BaseException):
        pass

    def end(*_words, **_more):
        raise Killed

    name = {
        "results written": "case_to_keep",
        "case kept": "queue_deliveries",
        "committed": "forget_file",
    }[when]
    with monkeypatch.context() as patched:
        patched.setattr(node_reading, name, end)
        patched.setattr(node_reading, "remove_unneeded_results", lambda *_words: None)
        with pytest.raises(Killed):
            read_next(node, RULES, destinations, worker="killed")
    is_done = when == "committed"
    assert states(node) == ({"read": 1} if is_done else {"reading": 1})
    assert read_all(node, destinations) == []
    assert lapse_claims(node, older_than=timedelta(0)) == (0 if is_done else 1)
    assert len(read_all(node, destinations)) == (0 if is_done else 1)
    assert states(node) == {"read": 1}
    assert len(cases(node)) == len(events(node, AuditAction.CASE_ANALYZED)) == 1
    assert [one.n for one in standings(node)] == [1]


def test_a_reader_that_was_too_slow_keeps_nothing(node, chests, tmp_path, monkeypatch):
    receive(node, chests[0], origin="folder")
    destinations = folder_of(tmp_path, "structured report")
    analyze = node_reading.analyze_image

    def slowly(workspace, data):
        monkeypatch.setattr(node_reading, "analyze_image", analyze)
        assert lapse_claims(workspace, older_than=timedelta(0)) == 1
        assert len(read_all(workspace, destinations)) == 1
        return analyze(workspace, data)

    monkeypatch.setattr(node_reading, "analyze_image", slowly)
    assert read_next(node, RULES, destinations, worker="slow") is None
    assert states(node) == {"read": 1}
    assert len(cases(node)) == len(events(node, AuditAction.CASE_ANALYZED)) == 1
    assert len(list(node.results.iterdir())) == 1


def test_a_full_disk_keeps_nothing_and_leaves_nothing(node, chests, tmp_path, monkeypatch):
    receive(node, chests[0], origin="folder")
    destinations = folder_of(tmp_path, "structured report")

    def full(*_words):
        raise StorageError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(node_reading, "queue_deliveries", full)
        with pytest.raises(StorageError):
            read_next(node, RULES, destinations, worker="test")
    assert states(node) == {"received": 1}
    assert cases(node) == []
    assert list(node.results.iterdir()) == []
    assert len(read_all(node, destinations)) == 1


def test_results_are_delivered_also_where_no_case_is_remembered(node, chests, tmp_path):
    set_preferences(node.used_by(OPERATOR), Preferences(remember_cases=False))
    receive(node, chests[0], origin="folder")
    assert len(read_all(node, folder_of(tmp_path, "structured report"))) == 1
    assert cases(node) == []
    assert [one.n for one in standings(node)] == [1]
    assert len(events(node, AuditAction.CASE_ANALYZED)) == 1


def test_a_picture_of_a_watched_folder_is_read_and_answered_by_fhir_alone(
    node, sample_data, tmp_path
):
    picture = next(iter(sorted(sample_data.rglob("*.png")))).read_bytes()
    receive_many(node, [incoming_image(picture, origin="folder")])
    assert len(read_all(node, folder_of(tmp_path, "structured report", "fhir"))) == 1
    assert states(node) == {"read": 1}
    (waiting,) = list(node.results.iterdir())
    assert b"DiagnosticReport" in waiting.read_bytes()


def test_urgent_instances_are_read_first_and_none_waits_for_ever(node, chests):
    uid = iter(f"1.2.{number}" for number in range(10))
    for words in ("", "LOW", "", "STAT"):
        data = changed(chests[0], SOPInstanceUID=next(uid), RequestedProcedurePriority=words)
        receive(node, data, origin="folder")
    assert sort_waiting(node, TriageRules(), after=0) == 4
    assert sort_waiting(node, TriageRules(), after=4) == 4
    order = [read_next(node, RULES, (), worker="test").number for _ in range(3)]
    assert order == [4, 1, 3]
    later = datetime.now(UTC) + timedelta(days=1)
    assert raise_waiting(node, TriageRules(), now=later) == 3  # once to each priority
    receive(node, changed(chests[0], SOPInstanceUID=next(uid)), origin="folder")
    assert read_next(node, RULES, (), worker="test").number == 2
