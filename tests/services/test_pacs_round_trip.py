"""Results go to a real PACS by C-STORE and STOW-RS, and come back as they were sent."""

import hashlib
import os
from io import BytesIO

import pydicom
import pytest

from bundles import FINDINGS, ORGANS, keep_map_tests, tiny_graph, use_tiny_model
from medcxr.core.access import NODE
from medcxr.core.instances import InstanceState
from medcxr.core.result_objects import ResultKind
from medcxr.imaging.limits import MAX_FILE_BYTES
from medcxr.network.dicomweb import (
    Credentials,
    StudyQuery,
    WebServer,
    retrieve,
    search_instances,
    search_studies,
    store,
)
from medcxr.network.store_scu import DicomPeer, send_files
from medcxr.services import inbox
from medcxr.services.analysis import analyze_image
from medcxr.services.delivery import deliver_due
from medcxr.services.dicomweb import Fetching
from medcxr.services.node_destinations import DeliveryRules, destinations_of
from medcxr.services.node_reading import read_next
from medcxr.services.node_rules import ReadingRules
from medcxr.services.standard_results import dicom_results
from medcxr.services.workspace import Workspace
from varied_dicom import varied_file

N_RADIOGRAPHS = int(os.environ.get("MEDCXR_ROUND_TRIPS", "12"))  # a hundred take minutes


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    opened = Workspace.open(tmp_path_factory.mktemp("round trip") / "workspace")
    use_tiny_model(opened, graph=tiny_graph(outlined=True), outlines=ORGANS, version="2.0.0")
    keep_map_tests(opened, evidence=FINDINGS[:2])
    return opened


@pytest.fixture
def pacs(orthanc):
    return WebServer(
        url=orthanc.dicom_web, credentials=Credentials.basic(orthanc.user, orthanc.password)
    )


def results_of(workspace, number):
    data = varied_file(number).data
    return dicom_results(workspace, data, analyze_image(workspace, data, gate=False))


def c_store(orthanc, objects, folder):
    files = []
    for number, one in enumerate(objects):
        files.append(folder / f"{number}.dcm")
        files[-1].write_bytes(one.data)
    peer = DicomPeer(
        host="127.0.0.1",
        port=orthanc.dicom_port,
        ae_title=orthanc.ae_title,
        calling_ae_title="MEDCXR",
    )
    outcomes = list(send_files(peer, files))
    assert [one.problem for one in outcomes] == [None] * len(objects)


def stow(pacs, objects):
    stored = store(pacs, [one.data for one in objects])
    assert stored.failed == ()
    assert list(stored.stored) == [one.sop_instance_uid for one in objects]


def verify_there(pacs, objects):
    """Find every object under its study, fetch it and compare it with what was sent."""
    (study,) = {one.study_instance_uid for one in objects}
    assert [
        one.study_instance_uid for one in search_studies(pacs, StudyQuery(study_instance_uid=study))
    ] == [study]
    found = {one.sop_instance_uid: one for one in search_instances(pacs, study)}
    assert set(found) == {one.sop_instance_uid for one in objects}
    for one in objects:
        instance = found[one.sop_instance_uid]
        assert instance.sop_class_uid == one.sop_class_uid
        back = retrieve(pacs, instance, most_bytes=MAX_FILE_BYTES)
        verify_same(one.data, back)


def verify_same(sent, back):
    """Compare two DICOM files: everything but who wrote the file, which is whoever wrote it last.

    By C-STORE a data set travels without File Meta Information, so Orthanc writes a new one (PS3.10
    section 7.1): its own (0002,0012) and (0002,0013) and, of the sender, (0002,0016). By STOW-RS
    the file stays as it is, to the last byte.
    """
    one, other = pydicom.dcmread(BytesIO(sent)), pydicom.dcmread(BytesIO(back))
    assert one == other  # all elements of the data set, pixel data and sequences too
    assert one.to_json_dict() == other.to_json_dict()  # their value representations as well
    for keyword in ("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID", "TransferSyntaxUID"):
        assert one.file_meta[keyword] == other.file_meta[keyword]


def round_trip(workspace, orthanc, pacs, tmp_path, number):
    objects = results_of(workspace, number)
    assert {one.kind for one in objects} == set(ResultKind)
    c_store(orthanc, objects, tmp_path)
    verify_there(pacs, objects)
    orthanc.forget_everything()
    assert orthanc.instances() == []
    stow(pacs, objects)
    verify_there(pacs, objects)
    kept = {hashlib.sha256(orthanc.data_of(one)).digest() for one in orthanc.instances()}
    assert kept == {hashlib.sha256(one.data).digest() for one in objects}
    return len(objects)


@pytest.mark.parametrize("number", [0, 7, 11])
def test_results_come_back_as_they_were_sent(workspace, orthanc, pacs, tmp_path, number):
    round_trip(workspace, orthanc, pacs, tmp_path, number)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_results_of_many_radiographs_come_back_as_they_were_sent(
    workspace, orthanc, pacs, tmp_path
):
    n_objects = 0
    for number in range(N_RADIOGRAPHS):
        n_objects += round_trip(workspace, orthanc, pacs, tmp_path, number)
        orthanc.forget_everything()
    print(f"{n_objects} objects of {N_RADIOGRAPHS} radiographs, each by C-STORE and by STOW-RS")


def test_what_differs_is_seen(workspace):
    (one, *_) = results_of(workspace, 3)
    other = pydicom.dcmread(BytesIO(one.data))
    other.SeriesDescription = "changed"
    file = BytesIO()
    other.save_as(file)
    with pytest.raises(AssertionError):
        verify_same(one.data, file.getvalue())


def test_from_the_pacs_to_the_pacs(workspace, orthanc, pacs, tmp_path, sample_data):
    """A radiograph comes to the PACS; it is fetched, read, and its results are there too."""
    node = workspace.used_by(NODE)
    path = sorted(sample_data.rglob("*.dcm"))[0]
    orthanc.keep(path.read_bytes())
    study = str(pydicom.dcmread(path, stop_before_pixels=True).StudyInstanceUID)
    secret = tmp_path / "orthanc.toml"
    secret.write_text(f'user = "{orthanc.user}"\npassword = "{orthanc.password}"\n')
    secret.chmod(0o600)
    destinations = destinations_of(
        [
            {
                "kind": "dicomweb",
                "name": "pacs",
                "url": orthanc.dicom_web,
                "credentials": "orthanc.toml",
                "results": [kind.value for kind in ResultKind],
            }
        ],
        tmp_path,
    )

    fetching = Fetching(node, pacs, modalities=["DX"])
    assert fetching.fetch(study).n_new == 1
    done = read_next(node, ReadingRules(), destinations, worker="test")
    assert done is not None
    assert done.state is InstanceState.READ
    delivered = deliver_due(node, destinations[0], DeliveryRules())

    found = search_instances(pacs, study)
    modalities = sorted(one.modality for one in found)
    assert delivered.n_sent == len(found) - 1
    assert set(modalities) == {"DX", "SR", "SEG", "PR", "OT", "DOC"}
    # What came back to the PACS is not fetched, and nothing is read again.
    assert fetching.fetch(study).n_new == 0
    assert Fetching(node, pacs, modalities=[]).fetch(study).n_new == delivered.n_sent
    for _ in range(delivered.n_sent):
        again = read_next(node, ReadingRules(), destinations, worker="test")
        assert again is not None
        assert again.state is InstanceState.SKIPPED
    assert inbox.counts(node)[InstanceState.READ] == 1
