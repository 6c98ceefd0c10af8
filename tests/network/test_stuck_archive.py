"""An archive that takes nothing more in the middle of a file holds nobody for ever."""

import socket
import threading
import time
from contextlib import suppress

import pytest
from pynetdicom.sop_class import DigitalXRayImageStorageForPresentation

from medcxr.core.errors import RemoteError
from medcxr.network.receiving import VERIFICATION, ServerSettings, Sink
from medcxr.network.store_scp import StoreServer, listening_socket
from medcxr.network.store_scu import DicomPeer, send_files
from sent_instances import instance

SYNTAXES = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")


class Stuck(Sink):
    def __init__(self, freed):
        self.freed = freed

    def write(self, _data):
        self.freed.wait(60)

    def finish(self):
        return 0, ""

    def discard(self):
        pass


def test_an_archive_that_reads_no_more_is_told_as_silent(tmp_path):
    freed = threading.Event()
    syntaxes = {VERIFICATION: SYNTAXES, str(DigitalXRayImageStorageForPresentation): SYNTAXES}
    server = StoreServer(
        listening_socket("127.0.0.1", 0),
        ServerSettings(title="ARCHIVE", syntaxes=syntaxes),
        lambda _request: Stuck(freed),
    )
    threading.Thread(target=server.serve, daemon=True).start()
    path = tmp_path / "large.dcm"
    path.write_bytes(instance(side=4000))
    peer = DicomPeer(
        host="127.0.0.1",
        port=server.port,
        ae_title="ARCHIVE",
        calling_ae_title="MEDCXR",
        timeout_s=2.0,
    )
    told = []

    def send():
        with pytest.raises(RemoteError) as caught:
            list(send_files(peer, [path]))
        told.append(str(caught.value))

    sender = threading.Thread(target=send, daemon=True)
    begun = time.monotonic()
    sender.start()
    sender.join(20)
    took_s = time.monotonic() - begun
    freed.set()
    server.stop(within_s=5)
    sender.join(20)
    assert took_s < 15
    assert "ended the association" in told[0]


def test_an_archive_that_sends_a_byte_now_and_then_is_told_as_silent(tmp_path):
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def drip():
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.sendall(b"\x02\x00\x00\x0f\xff\xff")  # an answer of a MiB
            while not ended.wait(0.1):
                connection.sendall(b"\x00")

    dripping = threading.Thread(target=drip, daemon=True)
    dripping.start()
    path = tmp_path / "small.dcm"
    path.write_bytes(instance())
    peer = DicomPeer(
        host="127.0.0.1",
        port=listener.getsockname()[1],
        ae_title="ARCHIVE",
        calling_ae_title="MEDCXR",
        timeout_s=1.0,
    )
    told = []

    def send():
        with pytest.raises(RemoteError) as caught:
            list(send_files(peer, [path]))
        told.append(str(caught.value))

    sender = threading.Thread(target=send, daemon=True)
    begun = time.monotonic()
    sender.start()
    sender.join(12)
    took_s = time.monotonic() - begun
    ended.set()
    dripping.join(5)
    listener.close()
    sender.join(20)
    assert took_s < 8
    assert "does not answer" in told[0]
