"""An archive that takes nothing more in the middle of a file holds nobody for ever."""

import threading
import time

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
