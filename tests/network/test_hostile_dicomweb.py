"""A DICOMweb server that lies: whatever it sends ends soon, in an error that says what to do."""

import gzip
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from io import BytesIO
from ipaddress import ip_address

import pydicom
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hostile_server import hostile_server, repeats, says, tells

from medcxr.core.errors import DataError, RemoteError
from medcxr.network.dicomweb import (
    Credentials,
    FoundInstance,
    StudyQuery,
    WebServer,
    retrieve,
    search_instances,
    search_studies,
    store,
)
from medcxr.network.remote_errors import (
    AnswerError,
    ConflictError,
    CredentialsError,
    NotThereError,
    UnreachableError,
)

MIB = 2**20
INSTANCE = FoundInstance(
    study_instance_uid="1.2.3",
    series_instance_uid="1.2.3.4",
    sop_instance_uid="1.2.3.4.5",
    sop_class_uid="",
    modality="DX",
)
OK = "HTTP/1.1 200 OK\nContent-Type: application/dicom+json\n"
MULTIPART = 'multipart/related; type="application/dicom"; boundary=edge'


def at(server, **options):
    """Return the server as the client sees it: it waits less long than usual."""
    return WebServer(url=server.url, **{"silence_s": 0.6, "timeout_s": 0.9, **options})


def search(server, **options):
    return search_studies(at(server, **options), StudyQuery())


def fetch(server, *, most_bytes=MIB, timeout_s=20, **options):
    return retrieve(at(server, timeout_s=timeout_s, **options), INSTANCE, most_bytes=most_bytes)


def part10(uid="1.2.3.4.5", syntax="1.2.840.10008.1.2.1"):
    dataset = pydicom.Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    dataset.SOPInstanceUID = uid
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


FILE = part10()


@pytest.mark.parametrize(
    "conversation",
    [
        repeats(OK + "\n", b"x" * 65536),
        repeats(OK + "Transfer-Encoding: chunked\n\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        repeats(OK + "Transfer-Encoding: chunked\n\n-1\n", b"x" * 65536),
        repeats(OK + "Transfer-Encoding: chunked\n\nffffffffffff\n", b"x" * 65536),
        repeats(OK + "Content-Length: 99999999999\n\n", b"x" * 65536),
    ],
    ids=["without length", "in chunks", "a chunk of -1", "one long chunk", "announced"],
)
def test_an_answer_without_an_end_is_not_taken(conversation):
    with hostile_server(conversation) as server:
        with pytest.raises(AnswerError, match="more than"):
            fetch(server)
        # What lies in the buffers of both ends, and the pieces that were taken.
        assert server.n_sent < 16 * MIB


@pytest.mark.parametrize(
    "conversation",
    [
        lambda _connection, _request: time.sleep(2),
        repeats(OK + "Content-Length: 1000\n\n", b" ", pause_s=0.1),
        repeats("HTTP/1.1 200 OK\nX: ", b"x", pause_s=0.1),
        repeats("", b"HTTP/1.1 100 Continue\r\n\r\n", pause_s=0.01),
        repeats(OK + "Transfer-Encoding: chunked\n\n0\n", b"T: t\r\n", pause_s=0.01),
    ],
    ids=["silence", "drip", "drip of a header", "go on, go on", "trailers"],
)
def test_a_server_that_hangs_or_drips_does_not_hold_us(conversation):
    with hostile_server(conversation) as server:
        began = time.monotonic()
        with pytest.raises(UnreachableError, match="in time"):
            search(server)
        assert time.monotonic() - began < 1.8


def test_a_server_that_takes_nothing_does_not_hold_us():
    def deaf(_connection, _request):
        time.sleep(2)

    with hostile_server(deaf) as server:
        began = time.monotonic()
        with pytest.raises(UnreachableError, match="in time"):
            store(at(server), [FILE + b"\0" * 64 * MIB])
        assert time.monotonic() - began < 1.8


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_it_leads_nowhere_else(status):
    with hostile_server(tells(b"[]")) as other:
        lead = says(f"HTTP/1.1 {status} Elsewhere\nLocation: {other.url}/studies\n")
        with hostile_server(lead) as server:
            credentials = Credentials.basic("user", "secret")
            with pytest.raises(AnswerError, match="leads elsewhere"):
                search(server, credentials=credentials)
        assert other.requests == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, CredentialsError),
        (403, CredentialsError),
        (404, NotThereError),
        (406, AnswerError),
        (409, ConflictError),
        (429, UnreachableError),
        (500, UnreachableError),
        (503, UnreachableError),
        (999, UnreachableError),
    ],
)
def test_a_status_says_what_helps(status, kind):
    with (
        hostile_server(says(f"HTTP/1.1 {status} No\nContent-Length: 0\n")) as server,
        pytest.raises(kind, match="status"),
    ):
        search(server)


def test_nobody_there_and_one_that_breaks_off_are_told():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(UnreachableError, match="cannot be reached"):
        search_studies(WebServer(url=f"http://127.0.0.1:{port}"), StudyQuery())
    for head in (OK + "Content-Length: 100\n", OK + "Transfer-Encoding: chunked\n", ""):
        broken = says(head, b"64\r\n[") if head else lambda _connection, _request: None
        with (
            hostile_server(broken) as server,
            pytest.raises(UnreachableError, match="broke off"),
        ):
            search(server)


@pytest.mark.parametrize(
    "head",
    ["SSH-2.0-OpenSSH\n", "HTTP/1.1 abc\n", OK + "A: b\n" * 200, OK + f"A: {'b' * 70_000}\n"],
)
def test_what_is_no_http_is_refused(head):
    with hostile_server(says(head)) as server, pytest.raises(AnswerError, match="HTTP"):
        search(server)


def test_a_packed_answer_is_not_unpacked():
    bomb = gzip.compress(b" " * 50 * MIB)
    head = OK + f"Content-Encoding: gzip\nContent-Length: {len(bomb)}\n"
    with hostile_server(says(head, bomb)) as server, pytest.raises(AnswerError, match="packs"):
        search(server)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[1]",
        b'"text"',
        b"",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"[" + b"9" * 10_000 + b"]",
        b"\xff\xfe",
    ],
    ids=["page", "numbers", "text", "nothing", "deep", "deep objects", "a long number", "bytes"],
)
def test_what_is_no_dicom_json_is_refused(body):
    with hostile_server(tells(body)) as server, pytest.raises(AnswerError, match="DICOM JSON"):
        search(server)


def test_huge_json_is_not_taken():
    body = b"[" + b"{}," * (4 * MIB) + b"{}]"
    with (
        hostile_server(tells(body)) as server,
        pytest.raises(AnswerError, match="more than 8 MiB"),
    ):
        search(server, timeout_s=20)


NO_UIDS = [
    "../../etc/passwd",
    "1.2/..",
    "1.2.3?x=1",
    "1" * 65,
    "",
    "1.2\r\nX: y",
    "\uff11.\uff12",
    5,
    None,
]


@pytest.mark.parametrize("value", NO_UIDS)
def test_what_is_no_uid_is_left_out_of_what_was_found(value, caplog):
    studies = [
        {"0020000D": {"vr": "UI", "Value": [value]}},
        {"0020000D": {"vr": "UI", "Value": ["1.2.3"]}},
    ]
    with hostile_server(tells(json.dumps(studies).encode())) as server:
        found = search(server)
    assert [one.study_instance_uid for one in found] == ["1.2.3"]
    said = " ".join(caplog.messages)
    assert "1 results" in said
    assert not value or str(value) not in said.replace("1 results", "")


@pytest.mark.parametrize("value", [one for one in NO_UIDS if isinstance(one, str)])
def test_what_is_no_uid_is_never_asked_for(value):
    with hostile_server(tells(b"[]")) as server:
        with pytest.raises(DataError, match="no UID"):
            search_instances(at(server), value)
        wrong = FoundInstance(
            study_instance_uid="1.2",
            series_instance_uid="1.2",
            sop_instance_uid=value,
            sop_class_uid="",
            modality="",
        )
        with pytest.raises(DataError, match="no UID"):
            retrieve(at(server), wrong, most_bytes=MIB)
        assert server.requests == []


def test_words_of_a_search_reach_the_server_as_they_are():
    with hostile_server(tells(b"[]")) as server:
        search_studies(at(server), StudyQuery(patient_id="a&b=c\r\nX: y/../ü+", modality="DX"))
    first = server.requests[0].split(b"\r\n")[0].decode()
    assert "PatientID=a%26b=c%0D%0AX:%20y/../%C3%BC%2B" in first
    assert "limit" not in first


def test_values_of_any_kind_are_read_as_what_was_asked_for():
    study = {
        "0020000D": {"Value": ["1.2.3"]},
        "00080020": {"Value": [{"no": "text"}, "2026\x1b[31m0101"]},
        "00080061": {"Value": ["DX", 5, "SR" + "x" * 5000]},
        "00201208": {"Value": ["12"]},
        "00100020": "no attribute",
        "00080050": {"Value": "no list"},
    }
    with hostile_server(tells(json.dumps([study]).encode())) as server:
        (found,) = search(server)
    assert found.modalities[0] == "DX"
    assert max(map(len, found.modalities)) == 16
    assert (found.n_instances, found.patient_id, found.accession_number) == (12, "", "")
    assert found.study_date == "2026[31m0101"


def test_more_results_are_asked_for_as_long_as_there_are_new_ones():
    def page(connection, request):
        offset = int(request.split(b"offset=")[1].split(b" ")[0]) if b"offset=" in request else 0
        studies = [{"0020000D": {"Value": [f"1.{min(one, 5)}"]}} for one in (offset, offset + 1)]
        body = json.dumps(studies)
        head = OK + f'Warning: 299 PACS "There are more"\nContent-Length: {len(body)}\n'
        says(head, body.encode())(connection, request)

    with hostile_server(page) as server:
        assert len(search(server, timeout_s=10)) == 6  # though it says for ever that there are more


def one_part(data, *, headers=b"Content-Type: application/dicom\r\n", edge=b"edge"):
    return b"--" + edge + b"\r\n" + headers + b"\r\n" + data + b"\r\n--" + edge + b"--\r\n"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (one_part(FILE), MULTIPART),
        (b"preamble\r\n" + one_part(FILE) + b"epilogue", MULTIPART),
        (one_part(FILE, headers=b""), MULTIPART),
        (one_part(FILE, headers=b"Content-Length: 1\r\nX: y\r\n"), MULTIPART),
        (
            one_part(FILE, edge=b"a b'()+_,-./:=?c"),
            MULTIPART.replace("edge", '"a b\'()+_,-./:=?c"'),
        ),
        (one_part(FILE).removesuffix(b"\r\n"), MULTIPART),
        (one_part(FILE), MULTIPART.replace("edge", '"edge"; start=x')),
    ],
    ids=[
        "plain",
        "surrounded",
        "no headers",
        "a wrong length",
        "odd edge",
        "no last line",
        "quoted",
    ],
)
def test_one_part_is_taken_as_it_was_sent(body, content_type):
    with hostile_server(tells(body, content_type=content_type)) as server:
        assert fetch(server) == FILE


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (FILE, MULTIPART),
        (FILE, "application/dicom"),
        (one_part(FILE), "text/html"),
        (one_part(FILE), 'multipart/related; type="application/dicom"'),
        (one_part(FILE), MULTIPART + "2"),
        (one_part(FILE), MULTIPART.replace("edge", '""')),
        (one_part(FILE), MULTIPART.replace("edge", "e" * 5000)),
        (one_part(FILE), MULTIPART.replace("edge", "é")),
        (one_part(FILE)[:-10], MULTIPART),
        (one_part(FILE).replace(b"\r\n--edge--", b"--edge--"), MULTIPART),
        (b"--edge\r\n" + b"x" * 70_000 + one_part(FILE), MULTIPART),
        (b"--edge" + b"\r\n\r\n\r\n--edge" * 5000 + b"--", MULTIPART),
        (one_part(FILE).replace(b"--edge--", b"--edge\r\n\r\n") + one_part(FILE)[8:], MULTIPART),
        (b"--edge--\r\n", MULTIPART),
        (one_part(FILE, headers=b"Content-Type: text/html\r\n"), MULTIPART),
        (one_part(b"no DICOM file"), MULTIPART),
        (one_part(FILE[:140]), MULTIPART),
        (one_part(part10("1.2.3.4.6")), MULTIPART),
        (one_part(FILE.replace(b"1.2.3.4.5", b"../../../")), MULTIPART),
        (b"", MULTIPART),
    ],
)
def test_what_is_not_the_one_instance_is_refused(body, content_type):
    with (
        hostile_server(tells(body, content_type=content_type)) as server,
        pytest.raises(AnswerError, match="instance that was asked for"),
    ):
        fetch(server)


def test_a_file_in_another_syntax_is_asked_for_unpacked():
    kept, unpacked = part10(syntax="1.2.840.10008.1.2.4.201"), FILE

    def answer(connection, request):
        wanted = kept if b"transfer-syntax=*" in request else unpacked
        tells(one_part(wanted), content_type=MULTIPART)(connection, request)

    with hostile_server(answer) as server:
        got = retrieve(
            at(server), INSTANCE, most_bytes=MIB, readable=frozenset({"1.2.840.10008.1.2.1"})
        )
        assert (got, len(server.requests)) == (unpacked, 2)
        assert fetch(server) == kept

    def cannot(connection, request):
        if b"transfer-syntax=*" in request:
            answer(connection, request)
        else:
            says("HTTP/1.1 406 No\nContent-Length: 0\n")(connection, request)

    with hostile_server(cannot) as server:
        assert retrieve(at(server), INSTANCE, most_bytes=MIB, readable=frozenset({"1.2"})) == kept


def stow(stored=(), failed=(), **options):
    def item(uid, **more):
        return {"00081155": {"vr": "UI", "Value": [uid]}, **more}

    body = {
        "00081199": {"vr": "SQ", "Value": [item(one) for one in stored]},
        "00081198": {
            "vr": "SQ",
            "Value": [item(uid, **{"00081197": {"Value": [reason]}}) for uid, reason in failed],
        },
    }
    return tells(json.dumps(body).encode(), **options)


def drained(conversation):
    def answer(connection, request):
        body = request.split(b"\r\n\r\n", 1)[1]
        n = int(request.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(body) < n:
            body += connection.recv(65536)
        conversation(connection, request)

    return answer


@pytest.mark.parametrize(
    ("told", "stored", "failed"),
    [
        (stow(["1.1", "1.2"]), ("1.1", "1.2"), []),
        (stow(["1.1"], [("1.2", 272)], status=202), ("1.1",), [("1.2", 272)]),
        (stow([], [("1.1", 272), ("1.2", 43264)], status=409), (), [("1.1", 272), ("1.2", 43264)]),
        (stow(["1.1"], status=400), ("1.1",), [("1.2", None)]),
        (stow(["1.1", "1.2"], [("1.2", 272)], status=202), ("1.1",), [("1.2", 272)]),
        (stow(["1.2", "9.9"], status=202), ("1.2",), [("1.1", None)]),
        (tells(b"{}"), (), [("1.1", None), ("1.2", None)]),
        (tells(b""), ("1.1", "1.2"), []),
    ],
)
def test_what_became_of_each_instance_is_told(told, stored, failed):
    with hostile_server(drained(told)) as server:
        what = store(at(server), [part10("1.1"), part10("1.2")])
    assert what.stored == stored
    assert [(one.sop_instance_uid, one.reason) for one in what.failed] == failed


@pytest.mark.parametrize("told", [stow(["9.9"], status=409), tells(b"{}", status=400)])
def test_a_refusal_that_names_no_instance_is_an_error(told):
    with (
        hostile_server(drained(told)) as server,
        pytest.raises(AnswerError, match="says nothing of any instance"),
    ):
        store(at(server), [FILE])


def test_a_server_that_answers_before_it_has_everything_is_heard():
    with (
        hostile_server(says("HTTP/1.1 401 No\nContent-Length: 0\n")) as server,
        pytest.raises((CredentialsError, UnreachableError)),
    ):
        store(at(server), [FILE + b"\0" * 32 * MIB])


def test_what_is_no_dicom_file_is_not_sent():
    with hostile_server(tells(b"{}")) as server:
        for wrong in (b"", b"text", FILE[:136]):
            with pytest.raises(DataError, match="no DICOM file"):
                store(at(server), [FILE, wrong])
        assert server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "http://",
        "https://user:secret@127.0.0.1/",
        "https://127.0.0.1/?a=b",
        "https://127.0.0.1/#a",
        "https://127.0.0.1:99999/",
        "https://127.0.0.1/a b",
        "https://127.0.0.1/\n",
        "file:///etc/passwd",
        "",
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(DataError, match="write https") as caught:
        WebServer(url=url)
    assert "secret" not in str(caught.value)


def test_nothing_leaves_this_computer_unencrypted_unless_that_is_allowed():
    with pytest.raises(DataError, match="not encrypted"):
        WebServer(url="http://pacs.example/dicom-web")
    assert WebServer(url="http://pacs.example/dicom-web", allow_unencrypted=True)
    for here in ("http://localhost:8042", "http://[::1]:8042", "http://127.0.0.2"):
        assert WebServer(url=here)


def certificate(folder, *, name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    alternative = x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    both = folder / f"{name}.pem"
    both.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return both


def showing(path):
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_a_certificate_must_hold(tmp_path):
    right, wrong = certificate(tmp_path, name="127.0.0.1"), certificate(tmp_path, name="pacs.test")
    secret = Credentials.bearer("token-that-nobody-may-get")
    with hostile_server(tells(b"[]"), context=showing(right)) as server:
        assert search(server, certificates=right, credentials=secret) == ()
        assert b"Bearer token-that-nobody-may-get" in server.requests[0]
        for authorities in (None, wrong):
            with pytest.raises(CredentialsError, match="certificate of"):
                search(server, certificates=authorities, credentials=secret)
        assert len(server.requests) == 1
    with hostile_server(tells(b"[]"), context=showing(wrong)) as server:
        with pytest.raises(CredentialsError, match="certificate of"):
            search(server, certificates=wrong, credentials=secret)
        assert server.requests == []
    with pytest.raises(DataError, match="file of authorities"):
        search_studies(
            WebServer(url="https://127.0.0.1:9", certificates=tmp_path / "none"), StudyQuery()
        )


def test_secrets_stand_in_no_words():
    server = WebServer(url="https://pacs.example", credentials=Credentials.basic("me", "s3cret"))
    assert "s3cret" not in repr(server)
    assert "czNjcmV0" not in repr(server)
    assert issubclass(AnswerError, RemoteError)
