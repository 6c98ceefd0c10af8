"""Results delivered at least once, each as the same instance, and none silently lost."""

import json
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from typing import ClassVar

import pydicom
import pytest
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import Verification

from medcxr.core.access import NODE
from medcxr.core.audit import AuditAction
from medcxr.core.deliveries import DeliveryState
from medcxr.core.errors import DataError
from medcxr.services import delivery
from medcxr.services.audit import check_trail, trail
from medcxr.services.database import workspace_database
from medcxr.services.delivery import (
    Result,
    deliver_due,
    forget_delivered,
    give_up_old,
    prepare_deliveries,
    queue_deliveries,
    standings,
)
from medcxr.services.node_destinations import DeliveryRules, delivery_rules, destinations_of
from medcxr.services.result_files import remove_unneeded_results
from medcxr.services.undelivered import retry_results
from medcxr.services.workspace import Workspace
from sent_instances import instance
from storescp_server import free_port, running_storescp

RULES = DeliveryRules(first_pause_s=10, longest_pause_s=60)
KIND = "structured report"


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace").used_by(NODE)


@pytest.fixture(scope="module")
def objects(sample_data):
    found = []
    for path in sorted(sample_data.rglob("*.dcm"))[:2]:
        uid = str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)
        found.append(Result(result_uid=uid, kind=KIND, data=path.read_bytes()))
    return found


def queue(workspace, results, destinations, urgency_rank=3):
    prepared = prepare_deliveries(workspace, results, destinations, urgency_rank=urgency_rank)
    with workspace_database(workspace).writing() as transaction:
        queue_deliveries(transaction, prepared)


def pacs(port, name="pacs", **more):
    plain = {"kind": "dicom", "name": name, "host": "127.0.0.1", "port": port, "timeout_s": 5}
    (made,) = destinations_of([{**plain, "ae_title": "ARCHIVE", "results": [KIND], **more}], None)
    return made


def counted(workspace):
    return Counter({(one.destination, str(one.state)): one.n for one in standings(workspace)})


def files_of(workspace):
    return list(workspace.results.iterdir())


def test_a_confirmed_result_is_told_and_its_file_removed(workspace, objects, tmp_path):
    with running_storescp(tmp_path / "archive") as server:
        destination = pacs(server.port)
        queue(workspace, objects, [destination])
        assert len(files_of(workspace)) == 2
        delivered = deliver_due(workspace, destination, RULES)
        assert (delivered.n_sent, delivered.n_failed, delivered.problem) == (2, 0, None)
        assert set(server.instances()) == {one.result_uid for one in objects}
    assert files_of(workspace) == []
    assert counted(workspace) == {("pacs", "sent"): 2}
    operator = Workspace.open(workspace.folder)
    (event,) = trail(operator, action=AuditAction.RESULTS_SENT)
    assert (event.subject, event.details["destination"]) == ("2 results", "pacs")
    assert check_trail(operator).problems == ()
    assert deliver_due(workspace, destination, RULES).n_sent == 0


def test_a_file_stays_until_the_last_destination_has_it(workspace, objects, tmp_path):
    (folder,) = destinations_of(
        [{"kind": "folder", "name": "out", "folder": "out", "results": [KIND]}], tmp_path
    )
    (tmp_path / "out").mkdir()
    silent = pacs(free_port())
    queue(workspace, objects, [folder, silent])
    assert deliver_due(workspace, folder, RULES).n_sent == 2
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == sorted(f"{one.result_uid}.dcm" for one in objects)
    assert len(files_of(workspace)) == 2
    remove_unneeded_results(workspace)
    assert len(files_of(workspace)) == 2
    with running_storescp(tmp_path / "archive") as server:
        assert deliver_due(workspace, pacs(server.port), RULES).n_sent == 2
    assert files_of(workspace) == []


def test_a_silent_destination_is_tried_again_with_growing_pauses(workspace, objects, tmp_path):
    destination = pacs(free_port())
    queue(workspace, objects[:1], [destination])
    moment = datetime.now(UTC)
    for pause_s in (10, 20, 40, 60, 60):
        delivered = deliver_due(workspace, destination, RULES, now=moment)
        assert (delivered.n_sent, delivered.n_failed) == (0, 1)
        assert "does not answer" in delivered.problem
        soon = datetime.now(UTC) + timedelta(seconds=pause_s - 5)
        assert deliver_due(workspace, destination, RULES, now=soon).n_failed == 0
        moment = datetime.now(UTC) + timedelta(seconds=pause_s + 1)
    (standing,) = standings(workspace)
    assert standing.state is DeliveryState.WAITING
    assert "does not answer" in standing.last_error
    with running_storescp(tmp_path / "archive") as server:
        assert deliver_due(workspace, pacs(server.port), RULES, now=moment).n_sent == 1


def test_what_one_system_does_not_take_does_not_hold_up_the_rest(workspace, objects, tmp_path):
    broken = Result(result_uid="1.2.3", kind=KIND, data=b"no DICOM")
    with running_storescp(tmp_path / "archive") as server:
        destination = pacs(server.port)
        queue(workspace, [broken], [destination], urgency_rank=0)
        queue(workspace, objects, [destination])
        delivered = deliver_due(workspace, destination, RULES)
        assert (delivered.n_sent, delivered.n_failed, delivered.problem) == (2, 1, None)
    assert counted(workspace) == {("pacs", "sent"): 2, ("pacs", "waiting"): 1}


def test_nothing_is_given_up_before_its_time_and_all_of_it_may_be_tried_again(workspace, objects):
    destination = pacs(free_port())
    queue(workspace, objects, [destination])
    later = datetime.now(UTC) + timedelta(days=8)
    assert (
        give_up_old(workspace, RULES, [destination], now=later) == 0
    )  # never tried: this node was off
    deliver_due(workspace, destination, RULES)
    assert (
        give_up_old(workspace, RULES, [destination], now=datetime.now(UTC) + timedelta(days=6)) == 0
    )
    assert give_up_old(workspace, RULES, [destination], now=later) == 2
    assert counted(workspace) == {("pacs", "given up"): 2}
    assert deliver_due(workspace, destination, RULES, now=later).n_failed == 0
    assert len(files_of(workspace)) == 2
    assert retry_results(workspace) == 2
    assert counted(workspace) == {("pacs", "waiting"): 2}


def test_a_result_that_ends_each_association_does_not_hold_up_the_rest(workspace, objects):
    poison, harmless = objects
    kept = []

    def store(event):
        if event.request.AffectedSOPInstanceUID == poison.result_uid:
            event.assoc.abort()
        else:
            kept.append(str(event.request.AffectedSOPInstanceUID))
        return 0

    entity = AE("ARCHIVE")
    for context in AllStoragePresentationContexts:
        entity.add_supported_context(context.abstract_syntax)
    entity.add_supported_context(Verification)
    port = free_port()
    handlers = [(evt.EVT_C_STORE, store)]
    server = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=handlers)
    try:
        destination = pacs(port)
        queue(workspace, [poison], [destination], urgency_rank=0)
        queue(workspace, [harmless], [destination])
        moment, problems = datetime.now(UTC), []
        for _ in range(2):
            problems.append(deliver_due(workspace, destination, RULES, now=moment).problem)
            moment += timedelta(hours=1)
    finally:
        server.shutdown()
    assert kept == [harmless.result_uid]
    assert all("ended the association" in one for one in problems)
    assert counted(workspace) == {("pacs", "sent"): 1, ("pacs", "waiting"): 1}


def test_what_was_confirmed_before_an_unforeseen_error_is_not_sent_again(
    workspace, objects, monkeypatch
):
    def sender(_destination):
        def send(_results):
            yield None
            raise KeyError("Nobody^Known")

        return send

    monkeypatch.setattr(delivery, "sender_to", sender)
    destination = pacs(free_port())
    queue(workspace, objects, [destination])
    delivered = deliver_due(workspace, destination, RULES)
    assert (delivered.n_sent, delivered.n_failed) == (1, 1)
    assert delivered.problem == "unforeseen: KeyError"
    assert counted(workspace) == {("pacs", "sent"): 1, ("pacs", "waiting"): 1}


def test_what_was_sent_is_forgotten_and_what_waits_is_not(workspace, objects, tmp_path):
    with running_storescp(tmp_path / "archive") as server:
        queue(workspace, objects[:1], [pacs(server.port)])
        deliver_due(workspace, pacs(server.port), RULES)
    queue(workspace, objects[1:], [pacs(free_port())])
    assert forget_delivered(workspace, before=datetime.now(UTC) + timedelta(days=1)) == 1
    assert counted(workspace) == {("pacs", "waiting"): 1}


class FhirServer(BaseHTTPRequestHandler):
    taken: ClassVar = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 422 if b"refuse" in body else 413 if b"huge" in body else 200
        self.taken.append((self.headers["Content-Type"], json.loads(body)))
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_words):
        pass


def test_bundles_are_posted_to_a_fhir_server(workspace):
    server = HTTPServer(("127.0.0.1", 0), FhirServer)
    FhirServer.taken.clear()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        (to,) = destinations_of(
            [{"kind": "fhir", "name": "ehr", "url": f"http://127.0.0.1:{server.server_port}/fhir"}],
            None,
        )
        bundles = [
            Result(result_uid=name, kind="fhir", data=json.dumps({"id": name}).encode())
            for name in ("first", "refuse", "third", "huge", "last")
        ]
        queue(workspace, bundles, [to])
        delivered = deliver_due(workspace, to, RULES)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert (delivered.n_sent, delivered.n_failed) == (3, 2)
    assert [one["id"] for _, one in FhirServer.taken] == [
        *("first", "refuse", "third", "huge", "last")
    ]
    assert {kind for kind, _ in FhirServer.taken} == {"application/fhir+json"}
    waiting = next(one for one in standings(workspace) if one.state is DeliveryState.WAITING)
    assert "larger requests" in waiting.last_error


class SmallArchive(BaseHTTPRequestHandler):
    """A DICOMweb server behind a proxy that takes one instance at a time, and no large one."""

    stored: ClassVar = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parts = [one for one in body.split(b"DICM")[1:] if one]
        too_large = len(parts) > 1 or len(body) > 400_000
        answer = b""
        if not too_large:
            uid = pydicom.dcmread(BytesIO(body[body.index(b"DICM") - 128 :])).SOPInstanceUID
            self.stored.append(str(uid))
            item = {"00081155": {"vr": "UI", "Value": [str(uid)]}}
            answer = json.dumps({"00081199": {"vr": "SQ", "Value": [item]}}).encode()
        self.send_response(413 if too_large else 200)
        self.send_header("Content-Type", "application/dicom+json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_words):
        pass


def test_a_pacs_that_takes_little_at_once_gets_results_one_by_one(workspace):
    server = HTTPServer(("127.0.0.1", 0), SmallArchive)
    SmallArchive.stored.clear()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    sides = {"2.25.1": 8, "2.25.2": 500, "2.25.3": 8}
    try:
        url = f"http://127.0.0.1:{server.server_port}/dicom-web"
        (to,) = destinations_of(
            [{"kind": "dicomweb", "name": "web", "url": url, "results": [KIND]}], None
        )
        results = [
            Result(result_uid=uid, kind=KIND, data=instance(uid=uid, side=side))
            for uid, side in sides.items()
        ]
        queue(workspace, results, [to])
        delivered = deliver_due(workspace, to, RULES)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert (delivered.n_sent, delivered.n_failed, delivered.problem) == (2, 1, None)
    assert SmallArchive.stored == ["2.25.1", "2.25.3"]
    waiting = next(one for one in standings(workspace) if one.state is DeliveryState.WAITING)
    assert "larger requests" in waiting.last_error


def test_a_pacs_gets_results_by_dicomweb(workspace, objects, orthanc, tmp_path):
    secret = tmp_path / "credentials.toml"
    secret.write_text(f'user = "{orthanc.user}"\npassword = "{orthanc.password}"\n')
    secret.chmod(0o600)
    (to,) = destinations_of(
        [
            {
                "kind": "dicomweb",
                "name": "archive",
                "url": orthanc.dicom_web,
                "credentials": "credentials.toml",
                "results": [KIND],
            }
        ],
        tmp_path,
    )
    for _ in range(2):  # the same instances again are the same instances
        queue(workspace, objects, [to])
        delivered = deliver_due(workspace, to, RULES)
        assert (delivered.n_sent, delivered.problem) == (2, None)
    assert len(orthanc.instances()) == 2
    orthanc.kill()
    queue(workspace, objects, [to])
    delivered = deliver_due(workspace, to, RULES)
    assert (delivered.n_sent, delivered.n_failed) == (0, 2)
    assert "cannot be reached" in delivered.problem
    orthanc.start()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"kind": "ftp"}, "kind"),
        ({"kind": None}, "kind"),
        ({"name": "a b"}, "name"),
        ({"name": "../x"}, "name"),
        ({"port": 0}, "port"),
        ({"port": "104"}, "port"),
        ({"ae_title": "A" * 17}, "ae_title"),
        ({"ae_title": "A B"}, "ae_title"),
        ({"results": []}, "results"),
        ({"results": ["fhir"]}, "results"),
        ({"tls_key": "k.pem"}, "tls_certificate"),
        ({"colour": 1}, "colour"),
    ],
)
def test_wrong_destinations_are_refused(tmp_path, changed, words):
    plain = {"kind": "dicom", "name": "pacs", "host": "a", "port": 104, "ae_title": "PACS"}
    assert destinations_of([plain], tmp_path)
    with pytest.raises(DataError, match=words):
        destinations_of([plain | changed], tmp_path)
    with pytest.raises(DataError, match="Two destinations"):
        destinations_of([plain, plain | {"name": "PACS"}], tmp_path)


@pytest.mark.parametrize("changed", [{"at_once": 0}, {"at_once": 5000}, {"first_pause_s": -1}])
def test_wrong_rules_of_delivery_are_refused(changed):
    with pytest.raises(DataError, match=next(iter(changed))):
        delivery_rules(changed)
