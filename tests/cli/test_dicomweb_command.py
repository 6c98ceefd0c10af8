"""`medcxr dicomweb` with a real PACS, and `medcxr watch` as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pydicom
import pytest
from PIL import Image
from typer.testing import CliRunner

from bundles import use_tiny_model
from medcxr.apps.cli.main import app
from medcxr.core.errors import DataError
from medcxr.core.instances import InstanceState
from medcxr.services import inbox
from medcxr.services.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    opened = Workspace.open(tmp_path / "workspace")
    use_tiny_model(opened)
    return opened


@pytest.fixture
def files(sample_data):
    return sorted(sample_data.rglob("*.dcm"))[:2]


@pytest.fixture
def pacs(orthanc, tmp_path):
    secret = tmp_path / "pacs.toml"
    secret.write_text(f'user = "{orthanc.user}"\npassword = "{orthanc.password}"\n')
    secret.chmod(0o600)
    return ["--url", orthanc.dicom_web, "--credentials", str(secret)]


def run(workspace, *words):
    return CliRunner().invoke(
        app, ["dicomweb", *map(str, words), "--workspace", str(workspace.folder)]
    )


def test_files_are_sent_found_fetched_and_read(workspace, orthanc, pacs, files):
    sent = run(workspace, "send", *files, *pacs)
    assert (sent.exit_code, len(orthanc.instances())) == (0, 2)
    found = run(workspace, "search", "--modality", "DX", "--json", *pacs)
    studies = json.loads(found.stdout)
    assert {one["study_instance_uid"] for one in studies} == {
        pydicom.dcmread(path, stop_before_pixels=True).StudyInstanceUID for path in files
    }
    assert "DX" in run(workspace, "search", *pacs).output
    study = studies[0]["study_instance_uid"]
    fetched = run(workspace, "fetch", "--study", study, "--read", *pacs)
    assert fetched.exit_code == 0
    assert "1 instances fetched" in fetched.output
    assert sum(inbox.counts(workspace).values()) == 1
    assert inbox.counts(workspace)[InstanceState.RECEIVED] == 0
    assert "1 received before" in run(workspace, "fetch", "--study", study, *pacs).output


def test_the_node_s_settings_name_the_pacs(workspace, orthanc, pacs, files):
    orthanc.keep(files[0].read_bytes())
    workspace.node.mkdir(exist_ok=True)
    workspace.node_settings.write_text(
        f'[dicomweb]\nurl = "{orthanc.dicom_web}"\ncredentials = "{pacs[3]}"\n'
    )
    assert len(json.loads(run(workspace, "search", "--json").stdout)) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["search"],
        ["search", "--credentials", "a"],
        ["search", "--url", "http://pacs.example"],
        ["fetch", "--url", "https://pacs.example"],
        ["send", "none.dcm", "--url", "https://pacs.example"],
    ],
)
def test_what_cannot_be_asked_is_said(workspace, words):
    assert isinstance(run(workspace, *words).exception, DataError)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_folder_is_watched_read_and_left_on_a_signal(workspace, files, tmp_path):
    folder = tmp_path / "incoming"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "medcxr", "watch", str(folder), "--every", "0.1",
         "--settle", "0.2", "--workspace", str(workspace.folder)],
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        (folder / "a.dcm").write_bytes(files[0].read_bytes())
        pixels = np.random.default_rng(0).integers(0, 255, (90, 90), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "b.png")
        (folder / "c.txt").write_text("no image")
        until = time.monotonic() + 90
        while True:
            counts = inbox.counts(workspace)
            ended = counts[InstanceState.READ] + counts[InstanceState.REFUSED]
            moved = (folder / "refused" / "c.txt.reason.txt").exists()
            if ended + counts[InstanceState.SKIPPED] == 2 and moved:
                break
            assert process.poll() is None
            assert time.monotonic() < until, counts
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"no longer watched" in told
    assert {one.name for one in (folder / "done").iterdir()} == {"a.dcm", "b.png"}
    # The picture was read as one: no rule of headers refused or skipped it.
    assert counts[InstanceState.FAILED] == 0


def test_the_node_asks_the_pacs_and_looks_into_the_folder(
    workspace, orthanc, pacs, files, tmp_path
):
    folder = tmp_path / "incoming"
    folder.mkdir()
    dataset = pydicom.dcmread(files[0])
    dataset.StudyDate = time.strftime("%Y%m%d")
    dataset.save_as(tmp_path / "dated.dcm")
    orthanc.keep((tmp_path / "dated.dcm").read_bytes())
    (folder / "b.dcm").write_bytes(files[1].read_bytes())
    workspace.node.mkdir(exist_ok=True)
    workspace.node_settings.write_text(
        f"[node]\nport = {_free_port()}\n"
        f'[dicomweb]\nurl = "{orthanc.dicom_web}"\ncredentials = "{pacs[3]}"\nevery_s = 1\n'
        f'[folder]\npath = "{folder}"\nevery_s = 0.2\nsettle_s = 0.3\n'
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "medcxr", "node", "--receive-only",
         "--workspace", str(workspace.folder)],
        stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while inbox.counts(workspace)[InstanceState.RECEIVED] < 2:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0


def _free_port():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
