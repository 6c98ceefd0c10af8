"""Files sent by C-STORE to dcmtk's storescp."""

import shutil
import subprocess
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, generate_uid
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification

from medcxr.core.errors import DataError, RemoteError
from medcxr.network.store_scu import DicomPeer, TlsFiles, echo, send_files
from sent_instances import close_sockets
from storescp_server import free_port, program, running_storescp


def peer_of(server, **changed):
    return DicomPeer(
        **{
            "host": "127.0.0.1",
            "port": server.port,
            "ae_title": server.ae_title,
            "calling_ae_title": "MEDCXR",
            "timeout_s": 10.0,
            **changed,
        }
    )


@pytest.fixture(scope="module")
def files(sample_data):
    return sorted(sample_data.rglob("*.dcm"))[:3]


def uid_of(path):
    return str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)


def test_every_file_arrives_as_it_is(files, tmp_path):
    with running_storescp(tmp_path / "archive") as server:
        echo(peer_of(server))
        outcomes = list(send_files(peer_of(server), files))
        assert [(one.path, one.problem) for one in outcomes] == [(path, None) for path in files]
        kept = server.instances()
    assert set(kept) == {uid_of(path) for path in files}
    for path in files:
        sent = pydicom.dcmread(path)
        assert kept[sent.SOPInstanceUID] == sent


def test_the_same_file_again_is_the_same_instance(files, tmp_path):
    with running_storescp(tmp_path / "archive") as server:
        for _ in range(2):
            assert [one.problem for one in send_files(peer_of(server), files)] == [None] * 3
        assert len(server.instances()) == 3


def test_a_system_that_knows_only_implicit_files_gets_them_so(files, tmp_path):
    with running_storescp(tmp_path / "archive", "--prefer-little", "--implicit") as server:
        assert [one.problem for one in send_files(peer_of(server), files)] == [None] * 3
        kept = server.instances()
    assert {one.file_meta.TransferSyntaxUID.name for one in kept.values()} == {
        "Implicit VR Little Endian"
    }
    assert kept[uid_of(files[0])].PixelData == pydicom.dcmread(files[0]).PixelData


def test_what_cannot_be_sent_is_told_and_the_rest_goes_on(files, tmp_path):
    broken, missing = tmp_path / "broken.dcm", tmp_path / "missing.dcm"
    broken.write_bytes(b"no DICOM")
    other = pydicom.dcmread(files[1])
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    other.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.999"
    other.SOPClassUID = "1.2.840.10008.5.1.4.1.1.999"
    other.save_as(tmp_path / "unknown.dcm", enforce_file_format=True)
    wanted = [broken, files[0], tmp_path / "unknown.dcm", missing, files[1]]
    with running_storescp(tmp_path / "archive") as server:
        problems = [one.problem for one in send_files(peer_of(server), wanted)]
        assert len(server.instances()) == 2
    assert problems[0] == problems[3] == "the file is missing or damaged"
    assert problems[1] is problems[4] is None
    assert "takes no such objects" in problems[2]


def test_compressed_files_are_offered_in_their_own_syntax_alone(files, tmp_path):
    dataset = pydicom.dcmread(files[0])
    dataset.compress(JPEGLSLossless)
    dataset.save_as(tmp_path / "compressed.dcm", enforce_file_format=True)
    with running_storescp(tmp_path / "archive", "--prefer-little") as server:
        (outcome,) = send_files(peer_of(server), [tmp_path / "compressed.dcm"])
    assert "transfer syntax" in (outcome.problem or "")
    with running_storescp(tmp_path / "archive", "--accept-all") as server:
        (outcome,) = send_files(peer_of(server), [tmp_path / "compressed.dcm"])
        (kept,) = server.instances().values()
    assert outcome.problem is None
    assert kept.file_meta.TransferSyntaxUID == JPEGLSLossless
    assert dataset.file_meta.TransferSyntaxUID != ExplicitVRLittleEndian


def test_a_silent_and_a_refusing_system_are_told_apart(files, tmp_path):
    silent = DicomPeer(
        host="127.0.0.1", port=free_port(), ae_title="X", calling_ae_title="Y", timeout_s=5
    )
    with pytest.raises(RemoteError, match="does not answer"):
        list(send_files(silent, files))
    with (
        running_storescp(tmp_path / "archive", "--refuse") as server,
        pytest.raises(RemoteError, match="refuses the association"),
    ):
        list(send_files(peer_of(server), files))


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (0x0000, None),
        (0xB000, None),
        (0x0111, None),  # it was stored before, and the answer was lost
        (0xA700, "status 0xA700: out of resources"),
        (0x0124, "status 0x0124: not authorized"),
    ],
)
def test_what_is_stored_is_told_from_what_is_not(files, monkeypatch, status, problem):
    close_sockets(monkeypatch)
    entity = AE("ARCHIVE")
    entity.add_supported_context(Verification)
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(context.abstract_syntax)
    port = free_port()
    handlers = [(evt.EVT_C_STORE, lambda _event: status)]
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
    peer = DicomPeer(host="127.0.0.1", port=port, ae_title="ARCHIVE", calling_ae_title="MEDCXR")
    try:
        (outcome,) = send_files(peer, files[:1])
    finally:
        server.shutdown()
    assert outcome.problem == problem


def test_an_association_that_ends_early_keeps_what_was_confirmed(files, tmp_path):
    with running_storescp(tmp_path / "archive", "--abort-after") as server:
        confirmed = []
        with pytest.raises(RemoteError, match="ended the association"):
            confirmed += list(send_files(peer_of(server), files))
        assert confirmed == []


def make_certificate(folder, name):
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        [
            *(shutil.which("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return key, certificate


def test_tls_asks_for_the_right_certificate(files, tmp_path):
    program("storescp")
    key, certificate = make_certificate(tmp_path, "archive")
    own_key, own = make_certificate(tmp_path, "node")
    options = ("--enable-tls", str(key), str(certificate), "--add-cert-file", str(own))
    tls = TlsFiles(authorities=certificate, certificate=own, key=own_key)
    with running_storescp(tmp_path / "archive", *options) as server:
        (outcome,) = send_files(peer_of(server, tls=tls), files[:1])
        assert outcome.problem is None
        assert len(server.instances()) == 1
        wrong = TlsFiles(authorities=own, certificate=own, key=own_key)
        with pytest.raises(RemoteError, match="TLS"):
            list(send_files(peer_of(server, tls=wrong), files[1:]))
        with pytest.raises(RemoteError):
            list(send_files(peer_of(server), files[1:]))
        assert len(server.instances()) == 1
    with pytest.raises(DataError, match="PEM"):
        list(send_files(peer_of(server, tls=TlsFiles(authorities=Path("/no"))), files))
