"""The server answers dcmtk and pynetdicom, and bounds what strangers send."""

import errno
import socket
import ssl
import struct
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import ip_network

import pytest
from pynetdicom import AE, evt
from pynetdicom.pdu import A_ABORT_RQ
from pynetdicom.sop_class import (
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    PatientRootQueryRetrieveInformationModelFind,
    Verification,
)

from dcmtk_programs import run_dcmtk
from medcxr.core.errors import DataError
from medcxr.network.receiving import VERIFICATION, Caller, Limits, ServerSettings, Sink
from medcxr.network.store_scp import StoreServer, listening_socket
from sent_instances import close_sockets, data_set, instance


@pytest.fixture(autouse=True)
def _closed(monkeypatch):
    close_sockets(monkeypatch)


DX = str(DigitalXRayImageStorageForPresentation)
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
SYNTAXES = {VERIFICATION: (EXPLICIT, IMPLICIT), DX: (EXPLICIT, IMPLICIT)}


class Kept(Sink):
    """Keeps what comes in a list."""

    def __init__(self, request, found):
        self.request, self.found, self.data = request, found, bytearray()
        self.state = "open"
        found.append(self)

    def write(self, data):
        self.data += data

    def finish(self):
        self.state = "kept"
        return 0, ""

    def discard(self):
        self.state = "discarded"


@contextmanager
def served(*, receiver=None, title="NODE", **changes):
    """Yield the port of a server and what it has received."""
    found = []
    settings = ServerSettings(title=title, syntaxes=SYNTAXES, **changes)
    server = StoreServer(
        listening_socket("127.0.0.1", 0),
        settings,
        receiver or (lambda request: Kept(request, found)),
    )
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server.port, found
    finally:
        assert server.stop(within_s=5)
        thread.join(5)
        assert not thread.is_alive()


@contextmanager
def associated(port, *contexts, title="NODE", calling="SENDER", **options):
    """Yield an association of pynetdicom's."""
    entity = AE(calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 10
    for context in contexts or (DX, VERIFICATION):
        entity.add_requested_context(context)
    association = entity.associate("127.0.0.1", port, ae_title=title, **options)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()
        entity.shutdown()


def rejection_of(association):
    """Return the A-ASSOCIATE-RJ; pynetdicom leaves unread what comes before it looks for it."""
    assert not association.is_established
    return association.acceptor.primitive or association.dul.receive_pdu(wait=False)


def test_dcmtk_asks_whether_the_node_is_there():
    with served() as (port, _):
        assert run_dcmtk("echoscu", "-aec", "NODE", "localhost", str(port)).returncode == 0


def test_dcmtk_sends_and_every_byte_of_the_data_sets_arrives(tmp_path):
    paths = [tmp_path / f"{side}.dcm" for side in (8, 300, 700)]  # one PDU, and several
    for path in paths:
        path.write_bytes(instance(side=int(path.stem)))
    with served() as (port, found):
        assert run_dcmtk("storescu", "-aec", "NODE", "localhost", port, *paths).returncode == 0
    assert [one.state for one in found] == ["kept"] * 3
    for one, path in zip(found, paths, strict=True):
        assert bytes(one.data) == path.read_bytes()[-len(one.data) :]
        assert one.request.calling_title == "STORESCU"


@pytest.mark.parametrize("pdu_bytes", [4096, 2**20])
def test_pynetdicom_sends_in_pdus_of_any_length(pdu_bytes):
    sent = data_set(side=300)
    with (
        served(limits=Limits(pdu_bytes=pdu_bytes)) as (port, found),
        associated(port) as association,
    ):
        assert association.acceptor.maximum_length == pdu_bytes
        for message_id in (1, 2):
            assert association.send_c_store(sent, msg_id=message_id).Status == 0
        assert association.send_c_echo().Status == 0
    assert bytes(found[0].data) == bytes(found[1].data)
    assert bytes(found[0].data).endswith(sent.PixelData)


def test_what_is_no_radiograph_is_refused_in_the_negotiation():
    with served() as (port, _), associated(port, DX, CTImageStorage) as association:
        assert [one.abstract_syntax for one in association.accepted_contexts] == [DX]
        (refused,) = association.rejected_contexts
        assert (refused.abstract_syntax, refused.result) == (CTImageStorage, 3)


def test_a_transfer_syntax_that_is_not_read_is_refused_in_the_negotiation():
    entity = AE("SENDER")
    entity.add_requested_context(DX, "1.2.840.10008.1.2.4.100")  # MPEG2
    entity.add_requested_context(Verification)
    with served() as (port, _):
        association = entity.associate("127.0.0.1", port, ae_title="NODE")
        assert [one.abstract_syntax for one in association.accepted_contexts] == [Verification]
        assert association.rejected_contexts[0].result == 4
        association.release()


def test_another_request_than_the_node_knows_is_answered_with_what_it_is():
    find = PatientRootQueryRetrieveInformationModelFind
    syntaxes = {**SYNTAXES, find: (EXPLICIT, IMPLICIT)}
    settings = ServerSettings(title="NODE", syntaxes=syntaxes)
    server = StoreServer(listening_socket("127.0.0.1", 0), settings, lambda _: None)
    threading.Thread(target=server.serve, daemon=True).start()
    query = data_set()
    with associated(server.port, find) as association:
        ((status, _),) = association.send_c_find(query, find)
        assert status.Status == 0x0211
    server.stop(within_s=5)


@pytest.mark.parametrize(
    ("changes", "title", "calling", "reason"),
    [
        ({}, "OTHER", "SENDER", 7),
        ({"callers": (Caller(title="ELSE"),)}, "NODE", "SENDER", 3),
        (
            {"callers": (Caller(title="SENDER", networks=(ip_network("10.0.0.0/8"),)),)},
            "NODE",
            "SENDER",
            3,
        ),
    ],
)
def test_who_may_not_send_is_told_why(changes, title, calling, reason):
    with (
        served(**changes) as (port, _),
        associated(port, title=title, calling=calling) as association,
    ):
        assert rejection_of(association).diagnostic == reason


def test_who_may_send_by_title_and_address_does():
    callers = (Caller(title="SENDER", networks=(ip_network("127.0.0.0/8"),)),)
    with served(callers=callers) as (port, found), associated(port) as association:
        assert association.send_c_store(data_set()).Status == 0
    assert found[0].request.calling_title == "SENDER"


def test_more_associations_than_may_be_are_refused_for_now():
    with served(most_associations=1) as (port, _), associated(port) as first:
        assert first.is_established
        with associated(port) as second:
            assert rejection_of(second).result == 2  # transient
        assert first.send_c_echo().Status == 0
        first.release()
        time.sleep(0.3)
        with associated(port) as third:
            assert third.is_established


def test_strangers_take_no_place_of_those_who_may_send():
    caller = Caller(title="SENDER", networks=(ip_network("127.0.0.1"),))
    with served(callers=(caller,), most_associations=1) as (port, _), ExitStack() as held:

        def come():
            stranger = socket.create_connection(
                ("127.0.0.1", port), 5, source_address=("127.0.0.2", 0)
            )
            stranger.settimeout(5)
            return held.enter_context(stranger)

        for _ in range(4):
            come()
        assert come().recv(1) == b""  # one too many
        with associated(port, DX) as association:
            assert association.is_established


def test_an_object_that_is_too_large_is_refused_and_let_go():
    limits = Limits(object_bytes=100_000)
    with served(limits=limits) as (port, found), associated(port) as association:
        assert association.send_c_store(data_set(side=400)).Status == 0xA700
        assert association.send_c_store(data_set(side=8)).Status == 0
    assert [one.state for one in found] == ["discarded", "kept"]


def raw(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.settimeout(10)
    return connection


def ended(connection):
    """Return all that comes until the peer ends the connection."""
    found = b""
    with connection:
        while True:
            try:
                data = connection.recv(4096)
            except ConnectionResetError:
                return found
            if not data:
                return found
            found += data


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">BBL", 1, 0, 2**32 - 1),  # 4 GiB are not waited for
        struct.pack(">BBL", 1, 0, 80) + b"\xff" * 80,
        struct.pack(">BBL", 4, 0, 6) + b"\0" * 6,  # data without an association
    ],
)
def test_what_is_no_association_is_aborted(sent):
    with served() as (port, _):
        connection = raw(port)
        connection.sendall(sent)
        assert ended(connection)[:1] == b"\x07"


def test_who_says_nothing_is_let_go_after_a_time():
    with served(limits=Limits(request_s=0.3)) as (port, _):
        begin = time.monotonic()
        assert ended(raw(port))[:1] == b"\x07"
        assert time.monotonic() - begin < 5


def test_who_falls_silent_in_an_association_is_let_go_after_a_time():
    with served(limits=Limits(idle_s=0.3)) as (port, _), associated(port) as association:
        until = time.monotonic() + 5
        while association.is_established and time.monotonic() < until:
            time.sleep(0.05)
        assert association.is_aborted


def established(port):
    """Return a socket on which an association was agreed on by hand, for context 1."""
    with associated(port, DX):
        pass
    title = b"NODE".ljust(16) + b"RAW".ljust(16) + b"\0" * 32
    abstract = struct.pack(">BxH", 0x30, len(DX)) + DX.encode()
    transfer = struct.pack(">BxH", 0x40, len(IMPLICIT)) + IMPLICIT.encode()
    context = struct.pack(">BxHBxxx", 0x20, 4 + len(abstract) + len(transfer), 1)
    name = b"1.2.840.10008.3.1.1.1"
    application = struct.pack(">BxH", 0x10, len(name)) + name
    longest = struct.pack(">BxHL", 0x51, 4, 16384)
    implementation = struct.pack(">BxH", 0x52, 6) + b"2.25.5"
    user = struct.pack(">BxH", 0x50, len(longest + implementation)) + longest + implementation
    body = b"\0\1\0\0" + title + application + context + abstract + transfer + user
    connection = raw(port)
    connection.sendall(struct.pack(">BxL", 1, len(body)) + body)
    assert connection.recv(4096)[:1] == b"\x02"
    return connection


def pdata(*values, declared=None):
    body = b"".join(
        struct.pack(">LBB", len(data) + 2, context, control) + data
        for context, control, data in values
    )
    return struct.pack(">BxL", 4, len(body) if declared is None else declared) + body


@pytest.mark.parametrize(
    "sent",
    [
        pdata((3, 3, b"\0")),  # a context that was not agreed on
        pdata((1, 3, b"\xff" * 40)),  # no command
        pdata((1, 2, b"\0" * 40)),  # data without a command
        pdata((1, 1, b"\0" * 20000)),  # a command without an end
        pdata(declared=2**32 - 1),
        struct.pack(">BxL", 4, 10) + struct.pack(">LBB", 2**32 - 1, 1, 3) + b"\0" * 4,
        struct.pack(">BxL", 9, 4) + b"\0" * 4,
    ],
)
def test_what_is_no_message_ends_the_association_and_no_other(sent):
    with served() as (port, found), associated(port) as other:
        connection = established(port)
        connection.sendall(sent)
        assert ended(connection)[:1] == b"\x07"
        assert other.send_c_store(data_set()).Status == 0
    assert [one.state for one in found] == ["kept"]


def test_who_sends_a_byte_now_and_then_is_let_go_after_a_time():
    with served(limits=Limits(request_s=0.5)) as (port, _):
        begin = time.monotonic()
        with raw(port) as connection:
            connection.sendall(struct.pack(">BxL", 1, 1000))
            connection.settimeout(0.1)
            found = None
            while found is None and time.monotonic() < begin + 5:
                connection.sendall(b"\0")
                with suppress(TimeoutError):
                    found = connection.recv(4096)
        assert found[:1] == b"\x07"


def test_a_message_that_is_cut_off_is_discarded():
    command = bytes.fromhex("000002001c000000") + DX.encode().ljust(28, b"\0")
    command += bytes.fromhex("0000000102000000010000001001020000000100")
    command += bytes.fromhex("00000008020000000000") + bytes.fromhex("0000001006000000") + b"2.25.9"
    with served() as (port, found):
        connection = established(port)
        connection.sendall(pdata((1, 3, command), (1, 0, b"\0" * 100)))
        until = time.monotonic() + 5
        while not (found and found[0].data) and time.monotonic() < until:
            time.sleep(0.02)
        connection.close()
        while found[0].state == "open" and time.monotonic() < until:
            time.sleep(0.02)
    assert found[0].state == "discarded"
    assert bytes(found[0].data) == b"\0" * 100


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_an_idle_association_is_aborted_when_the_node_stops(certificate, is_encrypted):
    changes, options = {}, {}
    if is_encrypted:
        changes["tls"] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        changes["tls"].load_cert_chain(*certificate)
        options["tls_args"] = (ssl.create_default_context(cafile=certificate[0]), "localhost")
    told = []
    handlers = [(evt.EVT_ABORTED, told.append), (evt.EVT_PDU_RECV, told.append)]
    with ExitStack() as stack:
        with served(**changes) as (port, _):
            association = stack.enter_context(associated(port, evt_handlers=handlers, **options))
            assert association.send_c_echo().Status == 0
            told.clear()
        until = time.monotonic() + 5
        while not association.is_aborted and time.monotonic() < until:
            time.sleep(0.02)
    # An A-ABORT came; of a connection that is only closed pynetdicom tells no PDU.
    assert isinstance(next(one for one in told if one.event is evt.EVT_PDU_RECV).pdu, A_ABORT_RQ)


def test_an_error_of_the_receiver_ends_its_association_and_no_other():
    def broken(_):
        raise RuntimeError("somebody's name")

    with served(receiver=broken) as (port, _):
        with associated(port) as association:
            assert "Status" not in association.send_c_store(data_set())
        with associated(port) as association:
            assert association.send_c_echo().Status == 0


def test_a_port_that_is_taken_is_told():
    with served() as (port, _), pytest.raises(DataError, match=rf"port {port}.*choose another"):
        listening_socket("127.0.0.1", port)


class WithoutFiles:
    """A listener on a computer that has no file left for a connection."""

    def __init__(self):
        self.ended, self.asked = threading.Event(), 0

    def accept(self):
        self.asked += 1
        raise OSError(errno.EBADF if self.ended.is_set() else errno.EMFILE, "")

    def shutdown(self, _how):
        self.ended.set()

    def close(self):
        pass


def test_a_computer_without_files_is_not_asked_for_them_without_a_pause(caplog):
    listener = WithoutFiles()
    server = StoreServer(
        listener, ServerSettings(title="NODE", syntaxes=SYNTAXES), lambda _request: None
    )
    thread = threading.Thread(target=server.serve)
    thread.start()
    time.sleep(1.2)
    server.stop(within_s=1)
    thread.join(5)
    assert not thread.is_alive()
    assert 2 <= listener.asked <= 5
    assert caplog.text.count("more open files") == 1


def test_a_computer_without_threads_is_served_again_when_it_has_some(monkeypatch):
    with served(most_associations=3) as (port, _found):
        start = threading.Thread.start

        def none_left(_thread):
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", none_left)
        try:
            for _ in range(3):
                with socket.create_connection(("127.0.0.1", port), 5) as refused:
                    assert ended(refused) == b""
        finally:
            monkeypatch.setattr(threading.Thread, "start", start)
        connection = established(port)
        connection.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    words += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    words += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(words, check=True, capture_output=True)
    return folder / "certificate.pem", folder / "key.pem"


def test_connections_are_encrypted_where_there_is_a_certificate(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    trusting = ssl.create_default_context(cafile=certificate[0])
    with served(tls=context) as (port, found):
        with associated(port, tls_args=(trusting, "localhost")) as association:
            assert association.send_c_store(data_set(side=300)).Status == 0
        with associated(port) as plain:
            assert not plain.is_established
    assert [one.state for one in found] == ["kept"]
