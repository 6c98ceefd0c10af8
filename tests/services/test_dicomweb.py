"""Studies of a real PACS are found, fetched once, and results stored there."""

import time
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from threading import Event, Thread

import pydicom
import pytest
from pydicom import uid

from medcxr.core.access import Actor, Door, Role
from medcxr.core.errors import AccessError, DataError, DiskFull, StorageError
from medcxr.core.instances import InstanceState
from medcxr.network.dicomweb import (
    Credentials,
    StudyQuery,
    WebServer,
    retrieve,
    search_instances,
    store,
)
from medcxr.network.remote_errors import AnswerError, CredentialsError, UnreachableError
from medcxr.services import dicomweb, inbox
from medcxr.services.audit import trail
from medcxr.services.dicomweb import (
    Fetched,
    Fetching,
    FetchingSettings,
    fetch_studies,
    fetching_settings,
    find_studies,
    send_results,
)
from medcxr.services.workspace import Workspace

TODAY = date(2026, 3, 4)


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture(scope="module")
def files(sample_data):
    return sorted(sample_data.rglob("*.dcm"))


@pytest.fixture
def pacs(orthanc):
    return WebServer(
        url=orthanc.dicom_web, credentials=Credentials.basic(orthanc.user, orthanc.password)
    )


def changed(path, *, syntax=None, **values):
    dataset = pydicom.dcmread(path)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    if "SOPInstanceUID" in values:
        dataset.file_meta.MediaStorageSOPInstanceUID = values["SOPInstanceUID"]
    if syntax == uid.DeflatedExplicitVRLittleEndian:
        dataset.file_meta.TransferSyntaxUID = syntax
    elif syntax:
        dataset.compress(syntax, generate_instance_uid=False)
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def dated(path, day=TODAY, **values):
    return changed(path, StudyDate=f"{day:%Y%m%d}", StudyTime="101112", **values)


def n_waiting(workspace):
    return inbox.counts(workspace)[InstanceState.RECEIVED]


def test_studies_are_found_by_what_is_known_of_them(workspace, orthanc, pacs, files):
    orthanc.keep(
        dated(
            files[0],
            AccessionNumber="A-1",
            PatientID="P/1=a:b(c)",
            SpecificCharacterSet="ISO_IR 192",
        )
    )
    orthanc.keep(dated(files[1], TODAY - timedelta(days=5), AccessionNumber="A-2"))
    orthanc.keep(dated(files[2], AccessionNumber="A-3", Modality="CR"))

    def found(**query):
        studies = find_studies(workspace, pacs, StudyQuery(**query))
        return sorted(one.accession_number for one in studies)

    assert found() == ["A-1", "A-2", "A-3"]
    assert found(modality="DX") == ["A-1", "A-2"]
    assert found(modality="CT") == []
    assert found(since=TODAY) == ["A-1", "A-3"]
    assert found(until=TODAY - timedelta(days=1)) == ["A-2"]
    assert found(since=TODAY - timedelta(days=5), until=TODAY - timedelta(days=5)) == ["A-2"]
    assert found(accession_number="A-3") == ["A-3"]
    assert found(patient_id="P/1=a:b(c)") == ["A-1"]
    (study,) = find_studies(workspace, pacs, StudyQuery(accession_number="A-1"))
    assert found(study_instance_uid=study.study_instance_uid) == ["A-1"]
    assert (study.study_date, study.modalities, study.n_instances) == ("20260304", ("DX",), 1)


def test_more_studies_than_a_page_are_all_found(workspace, orthanc, pacs, files):
    """Orthanc 1.10 leaves matches out when it is asked for a page of them."""
    for number in range(120):
        orthanc.keep(
            dated(files[0], StudyInstanceUID=f"1.2.{number}", SOPInstanceUID=f"1.2.{number}.1")
        )
    assert len(find_studies(workspace, pacs, StudyQuery(modality="DX", since=TODAY))) == 120


def test_what_was_fetched_is_what_was_sent_and_comes_once(workspace, orthanc, pacs, files):
    sent = {dated(path) for path in files[:3]}
    for data in sent:
        orthanc.keep(data)
    studies = [one.study_instance_uid for one in find_studies(workspace, pacs, StudyQuery())]

    assert fetch_studies(workspace, pacs, studies, modalities=["dx"]) == Fetched(n_new=3)

    kept = {path.read_bytes() for path in workspace.received.iterdir()}
    assert kept == sent
    assert fetch_studies(workspace, pacs, studies, modalities=["DX"]) == Fetched(n_known=3)
    assert fetch_studies(workspace, pacs, studies, modalities=["CR"]) == Fetched()
    assert n_waiting(workspace) == 3
    details = [dict(one.details) for one in trail(workspace) if one.action == "images received"]
    assert details
    assert {one["origin"] for one in details} == {"dicomweb"}


def test_what_was_lost_here_is_fetched_again_when_somebody_asks(workspace, orthanc, pacs, files):
    orthanc.keep(dated(files[0], TODAY))
    studies = [one.study_instance_uid for one in find_studies(workspace, pacs, StudyQuery())]
    fetch_studies(workspace, pacs, studies, modalities=["DX"])
    (kept,) = workspace.received.iterdir()
    kept.write_bytes(b"damaged")
    claimed = inbox.claim(workspace, "reader")
    with pytest.raises(StorageError, match="let it be sent again"):
        inbox.open_instance(workspace, claimed)
    inbox.finish(workspace, claimed, InstanceState.FAILED, reason="damaged")
    polling = Fetching(workspace, pacs, modalities=["DX"])
    assert polling.poll(since=TODAY).n_new == 0  # else it would be read without an end
    assert fetch_studies(workspace, pacs, studies, modalities=["DX"]) == Fetched(n_new=1)
    assert inbox.open_instance(workspace, inbox.claim(workspace, "reader"))


@pytest.mark.parametrize(
    "syntax",
    [
        uid.RLELossless,
        uid.JPEGLSLossless,
        uid.DeflatedExplicitVRLittleEndian,
    ],
)
def test_what_is_packed_comes_as_it_is_kept(workspace, orthanc, pacs, files, syntax):
    data = dated(files[0], syntax=syntax)
    orthanc.keep(data)
    (study,) = find_studies(workspace, pacs, StudyQuery())
    fetched = fetch_studies(workspace, pacs, [study.study_instance_uid], modalities=[])
    assert fetched == Fetched(n_new=1)
    (kept,) = workspace.received.iterdir()
    assert kept.read_bytes() == data


def test_a_server_unpacks_what_cannot_be_read(orthanc, pacs, files):
    orthanc.keep(dated(files[0], syntax=uid.JPEGLSLossless))
    study = pydicom.dcmread(files[0]).StudyInstanceUID
    (instance,) = search_instances(pacs, study)
    data = retrieve(
        pacs, instance, most_bytes=10**7, readable=frozenset({uid.ExplicitVRLittleEndian})
    )
    got = pydicom.dcmread(BytesIO(data))
    assert got.file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
    assert got.PixelData == pydicom.dcmread(files[0]).PixelData


def test_a_poll_brings_what_is_new_of_the_modalities(workspace, orthanc, pacs, files):
    fetching = Fetching(workspace, pacs, modalities=["CR", "DX"])
    orthanc.keep(dated(files[0]))
    orthanc.keep(dated(files[1], TODAY - timedelta(days=9)))
    report = dated(files[2], Modality="SR", SOPInstanceUID="1.2.3.4.5")
    orthanc.keep(report)

    assert fetching.poll(since=TODAY) == Fetched(n_new=1)
    assert fetching.poll(since=TODAY) == Fetched()

    # Another image, and a report, come into a study that was fetched.
    orthanc.keep(dated(files[0], SOPInstanceUID="1.2.3.4.7", Modality="CR"))
    orthanc.keep(
        dated(files[0], SOPInstanceUID="1.2.3.4.6", SeriesInstanceUID="1.2.9", Modality="SR")
    )
    assert fetching.poll(since=TODAY) == Fetched(n_new=1, n_known=1)
    assert n_waiting(workspace) == 2

    # A poller that starts anew, after a restart of the computer, knows what it has.
    anew = Fetching(workspace, pacs, modalities=["CR", "DX"])
    assert anew.poll(since=TODAY) == Fetched(n_known=2)


def test_an_instance_that_the_pacs_does_not_give_keeps_none_of_the_others(
    workspace, orthanc, pacs, files, monkeypatch
):
    for path in files[:3]:
        orthanc.keep(dated(path))
    wrong = pydicom.dcmread(files[1]).SOPInstanceUID
    n_asked = []

    def sometimes(server, instance, **options):
        if instance.sop_instance_uid == wrong:
            n_asked.append(1)
            raise AnswerError("It sends another one.")
        return retrieve(server, instance, **options)

    monkeypatch.setattr(dicomweb, "retrieve", sometimes)
    fetching = Fetching(workspace, pacs, modalities=["DX"])
    assert fetching.poll(since=TODAY) == Fetched(n_new=2, n_refused=1)
    assert fetching.poll(since=TODAY).n_new == 0
    assert len(n_asked) == 1


def test_a_disk_with_less_than_its_reserve_is_given_nothing(workspace, orthanc, pacs, files):
    orthanc.keep(dated(files[0]))
    fetching = Fetching(workspace, pacs, modalities=["DX"], reserve_mib=10**9)
    with pytest.raises(DiskFull, match="reserve_mib"):
        fetching.poll(since=TODAY)
    assert n_waiting(workspace) == 0
    assert Fetching(workspace, pacs, modalities=["DX"]).poll(since=TODAY) == Fetched(n_new=1)


def test_a_pacs_that_dies_is_asked_again_when_it_lives(workspace, orthanc, files, monkeypatch):
    monkeypatch.setattr(dicomweb, "_AFTER_TROUBLE_S", 0.05)
    credentials = workspace.folder / "pacs.toml"
    credentials.write_text(f'user = "{orthanc.user}"\npassword = "{orthanc.password}"')
    credentials.chmod(0o600)
    settings = FetchingSettings(
        url=orthanc.dicom_web, credentials=Path("pacs.toml"), every_s=0.05, look_back_days=0
    )
    ended, told, today = Event(), [], date.today()  # noqa: DTZ011 - as the poll
    options = {"folder": workspace.folder, "told": told.append}
    thread = Thread(target=dicomweb.poll, args=(workspace, settings, ended), kwargs=options)
    thread.start()
    try:
        orthanc.keep(dated(files[0], today))
        _until(lambda: n_waiting(workspace) == 1)
        orthanc.kill()
        time.sleep(0.3)
        orthanc.start()
        orthanc.keep(dated(files[1], today))
        _until(lambda: n_waiting(workspace) == 2)
    finally:
        ended.set()
        thread.join(30)
        if orthanc.process is None:
            orthanc.start()
    assert sum(one.n_new for one in told) == 2


def _until(is_so):
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_pacs_that_does_not_let_us_in_and_one_that_is_not_there(workspace, orthanc, files):
    with pytest.raises(CredentialsError, match="401"):
        find_studies(workspace, WebServer(url=orthanc.dicom_web), StudyQuery())
    wrong = Credentials.basic(orthanc.user, "wrong")
    with pytest.raises(CredentialsError, match="401"):
        store(WebServer(url=orthanc.dicom_web, credentials=wrong), [files[0].read_bytes()])
    assert orthanc.instances() == []
    with pytest.raises(UnreachableError):
        find_studies(workspace, WebServer(url="http://127.0.0.1:9/dicom-web"), StudyQuery())
    elsewhere = WebServer(
        url=orthanc.url, credentials=Credentials.basic(orthanc.user, orthanc.password)
    )
    orthanc.keep(files[0].read_bytes())
    with pytest.raises(AnswerError, match="DICOM JSON"):
        find_studies(workspace, elsewhere, StudyQuery())


def test_results_are_stored_and_what_failed_is_told(workspace, orthanc, pacs, files):
    good = [dated(path) for path in files[:2]]
    stored = send_results(workspace, pacs, good)
    assert len(stored.stored) == 2
    assert stored.failed == ()
    again = send_results(workspace, pacs, good)
    assert (again.stored, again.failed) == (stored.stored, ())
    study = str(pydicom.dcmread(files[0]).StudyInstanceUID)
    partly = send_results(workspace, pacs, good, study=study)
    assert partly.stored == stored.stored[:1]
    assert [one.sop_instance_uid for one in partly.failed] == [stored.stored[1]]
    assert len(orthanc.instances()) == 2
    (event, *_) = [one for one in trail(workspace) if one.action == "results sent"]
    assert event.details["to"].startswith("dicomweb 127.0.0.1")


def test_who_may_not_analyze_or_export_may_not_ask(workspace):
    pacs = WebServer(url="http://127.0.0.1:9")
    viewer = workspace.used_by(Actor(name="v", role=Role.VIEWER, door=Door.DASHBOARD))
    for ask in (
        lambda: find_studies(viewer, pacs, StudyQuery()),
        lambda: fetch_studies(viewer, pacs, ["1.2"], modalities=[]),
        lambda: send_results(viewer, pacs, []),
        lambda: Fetching(viewer, pacs, modalities=["DX"]),
    ):
        with pytest.raises(AccessError):
            ask()


def test_an_address_must_be_set():
    with pytest.raises(DataError, match="url"):
        fetching_settings({"modalities": ["DX"]})


@pytest.mark.parametrize(
    "plain",
    [
        {"uri": "x"},
        {"modalities": []},
        {"modalities": "DX"},
        {"every_s": 0},
        {"timeout_s": 1e9},
        {"look_back_days": -1},
        {"look_back_days": 1000},
        {"allow_unencrypted": 1},
    ],
)
def test_wrong_settings_are_refused(plain):
    with pytest.raises(DataError, match="dicomweb"):
        fetching_settings({"url": "https://pacs.example", **plain})


def test_settings_lead_to_a_server(tmp_path):
    (tmp_path / "secret.toml").write_text('token = "abc"')
    (tmp_path / "secret.toml").chmod(0o600)
    settings = fetching_settings(
        {"url": "https://pacs.example/dicom-web", "credentials": "secret.toml", "timeout_s": 5}
    )
    server = settings.server(tmp_path)
    assert server.credentials == Credentials.bearer("abc")
    assert server.timeout_s == 5
    assert fetching_settings({"url": "x", "look_back_days": 0}).look_back_days == 0
    with pytest.raises(DataError, match="not encrypted"):
        fetching_settings({"url": "http://pacs.example"}).server(tmp_path)
