"""C-STORE into the inbox: what a sender is told is true."""

import threading
from contextlib import contextmanager
from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit
from pynetdicom import AE

from medcxr.core.access import NODE
from medcxr.core.instances import InstanceState
from medcxr.imaging.dicom_frame import TRANSFER_SYNTAXES
from medcxr.imaging.dicom_screening import RADIOGRAPH_CLASSES
from medcxr.network.dimse import Command
from medcxr.network.receiving import StoreRequest
from medcxr.network.store_scp import StoreServer, listening_socket
from medcxr.services import inbox, node_receiving
from medcxr.services.node_receiving import SYNTAXES, InboxReceiver, server_settings
from medcxr.services.node_settings import ListenSettings, NodeSettings
from medcxr.services.workspace import Workspace
from medcxr.storage import arriving
from sent_instances import data_set, instance

DX = "1.2.840.10008.5.1.4.1.1.1.1"
VERIFICATION = "1.2.840.10008.1.1"


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace").used_by(NODE)


@contextmanager
def served(workspace, *, reserve_mib=0):
    settings = server_settings(NodeSettings(node=ListenSettings(title="NODE")))
    receiver = InboxReceiver(workspace, reserve_mib=reserve_mib)
    server = StoreServer(listening_socket("127.0.0.1", 0), settings, receiver)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server.port
    finally:
        assert server.stop(within_s=5)
        thread.join(5)


@contextmanager
def sending(port, *syntaxes):
    entity = AE("SENDER")
    for syntax in syntaxes or ("1.2.840.10008.1.2.1",):
        entity.add_requested_context(DX, syntax)
    association = entity.associate("127.0.0.1", port, ae_title="NODE")
    assert association.is_established
    try:
        yield association
    finally:
        association.release()


def send(workspace, data, *, syntax="1.2.840.10008.1.2.1", **options):
    with served(workspace, **options) as port, sending(port, syntax) as association:
        return association.send_c_store(data).Status


def received(workspace):
    return {state.value: n for state, n in inbox.counts(workspace).items() if n}


def nothing_is_left(workspace):
    return received(workspace) == {} and list(workspace.received.iterdir()) == []


@pytest.mark.parametrize("side", [8, 1200])  # in memory, and beside on the disk
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", ImplicitVRLittleEndian])
def test_what_is_answered_with_success_is_a_file_that_pydicom_reads(workspace, side, syntax):
    sent = data_set(side=side, syntax=syntax)
    assert send(workspace, sent, syntax=syntax) == 0
    claimed = inbox.claim(workspace, "reader")
    assert claimed.origin == "c-store SENDER"
    read = dcmread(BytesIO(inbox.open_instance(workspace, claimed)))
    assert read.file_meta.TransferSyntaxUID == syntax
    assert read.file_meta.MediaStorageSOPInstanceUID == sent.SOPInstanceUID
    assert read == sent


def test_compressed_data_are_kept_as_they_came(workspace):
    sent = data_set(side=300, syntax=DeflatedExplicitVRLittleEndian)
    assert send(workspace, sent, syntax=DeflatedExplicitVRLittleEndian) == 0
    claimed = inbox.claim(workspace, "reader")
    assert dcmread(BytesIO(inbox.open_instance(workspace, claimed))).PixelData == sent.PixelData


def test_the_same_again_is_told_as_received_and_is_one_instance(workspace):
    sent = data_set()
    assert [send(workspace, sent), send(workspace, sent)] == [0, 0]
    assert received(workspace) == {"received": 1}


def test_the_same_data_set_from_another_sender_is_the_same_file(workspace):
    sent = data_set(uid="2.25.5")
    with served(workspace) as port:
        for title in ("ONE", "OTHER"):
            entity = AE(title)
            entity.add_requested_context(DX, "1.2.840.10008.1.2.1")
            association = entity.associate("127.0.0.1", port, ae_title="NODE")
            assert association.send_c_store(sent).Status == 0
            association.release()
    assert received(workspace) == {"received": 1}


def test_other_content_under_a_known_identifier_is_refused(workspace):
    assert send(workspace, data_set(uid="2.25.5")) == 0
    assert send(workspace, data_set(uid="2.25.5", seed=1)) == 0x0111
    assert received(workspace) == {"received": 1}
    assert len(list(workspace.received.iterdir())) == 1


def says(monkeypatch, name, value):
    """Let pynetdicom say something else in the command than the data set does."""
    from pynetdicom.dimse_primitives import C_STORE

    monkeypatch.setattr(C_STORE, name, property(lambda _: value, lambda *_: None))


def test_a_data_set_with_other_identifiers_than_the_command_is_refused(workspace, monkeypatch):
    says(monkeypatch, "AffectedSOPInstanceUID", "2.25.77")
    assert send(workspace, data_set()) == 0xA900
    assert nothing_is_left(workspace)


def test_a_data_set_of_another_class_than_was_agreed_on_is_refused(workspace, monkeypatch):
    says(monkeypatch, "AffectedSOPClassUID", "1.2.840.10008.5.1.4.1.1.1")
    assert send(workspace, data_set()) == 0xA900
    assert nothing_is_left(workspace)


@pytest.mark.parametrize("uid", ["1.2..3", "../../etc", "1" * 65])
def test_an_identifier_that_is_none_is_refused(workspace, uid):
    command = Command(
        kind=1,
        message_id=1,
        has_data_set=True,
        sop_class_uid=DX,
        sop_instance_uid=uid,
        is_urgent=False,
    )
    request = StoreRequest(
        command=command, transfer_syntax_uid="1.2.840.10008.1.2.1", calling_title="SENDER"
    )
    sink = InboxReceiver(workspace, reserve_mib=0)(request)
    sink.write(memoryview(b"anything"))
    assert sink.finish()[0] == 0xC000
    assert nothing_is_left(workspace)


def test_a_data_set_that_cannot_be_understood_is_refused(workspace, monkeypatch):
    from pynetdicom import association

    monkeypatch.setattr(association, "encode", lambda *_: b"\x08\x00\x16\x00UI\xff\x00no")
    assert send(workspace, data_set()) == 0xC000
    assert nothing_is_left(workspace)


@pytest.mark.parametrize("side", [8, 1200])
def test_a_full_disk_is_told_and_later_the_same_is_received(workspace, monkeypatch, side):
    def full(*_):
        raise OSError(28, "No space left on device")

    sent = data_set(side=side)
    with monkeypatch.context() as patched:
        patched.setattr(arriving.os, "write", full)
        assert send(workspace, sent) == 0xA700
    assert received(workspace) == {}
    assert send(workspace, sent) == 0
    assert received(workspace) == {"received": 1}


def test_a_disk_with_less_than_its_reserve_takes_no_more(workspace):
    assert send(workspace, data_set(), reserve_mib=10**9) == 0xA700
    assert nothing_is_left(workspace)


def test_a_database_that_cannot_be_used_is_a_failure(workspace):
    with served(workspace) as port, sending(port) as association:
        workspace.database.rename(workspace.folder / "away")
        workspace.database.mkdir()
        assert association.send_c_store(data_set()).Status == 0x0110


def test_an_unforeseen_error_is_a_failure_and_no_success(workspace, monkeypatch):
    def broken(*_):
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(node_receiving, "identity_of_data_set", broken)
    assert send(workspace, data_set()) == 0x0110
    assert nothing_is_left(workspace)


def test_what_is_sent_as_urgent_is_read_first(workspace):
    with served(workspace) as port, sending(port) as association:
        for priority, uid in ((0, "2.25.1"), (2, "2.25.2"), (1, "2.25.3")):
            assert association.send_c_store(data_set(uid=uid), priority=priority).Status == 0
    order = []
    while (claimed := inbox.claim(workspace, "reader")) is not None:
        order.append(claimed.sop_instance_uid)
        inbox.finish(workspace, claimed, InstanceState.READ)
    assert order == ["2.25.3", "2.25.1", "2.25.2"]


def test_nothing_of_a_patient_is_logged(workspace, caplog):
    caplog.set_level(0, logger="medcxr")
    send(workspace, data_set(uid="2.25.5"))
    send(workspace, data_set(uid="2.25.5", seed=1))
    send(workspace, data_set(uid="2.25.6"), reserve_mib=10**9)
    own = [one.getMessage() for one in caplog.records if one.name.startswith("medcxr")]
    assert own
    assert not any("Nobody" in words or "2.25" in words or "4711" in words for words in own)


def test_every_class_of_a_radiograph_is_taken_in_every_syntax_that_is_read():
    assert set(SYNTAXES) == {VERIFICATION, *RADIOGRAPH_CLASSES}
    assert all(SYNTAXES[one] == TRANSFER_SYNTAXES for one in RADIOGRAPH_CLASSES)
    assert JPEGBaseline8Bit in SYNTAXES[DX]


def test_the_file_head_is_what_pydicom_writes():
    data = data_set(uid="2.25.123")
    head = node_receiving.file_head(DX, "2.25.123", "1.2.840.10008.1.2.1")
    file = instance(uid="2.25.123")
    body = file[file.index(b"\x08\x00\x16\x00UI") :]
    read = dcmread(BytesIO(head + body))
    assert (read.PixelData, read.SOPInstanceUID) == (data.PixelData, "2.25.123")
    assert read.file_meta.FileMetaInformationGroupLength == len(head) - 144
