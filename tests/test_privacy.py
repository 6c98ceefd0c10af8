"""Nothing of a patient is written down, and nothing is sent: on the command line."""

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec

import pytest

from medcxr.apps.dashboard.launch import server_command
from medcxr.services.audit import trail
from watched import (
    SECRETS,
    connections,
    environment_of_users,
    files_with_secrets,
    is_local,
    watched_environment,
    write_patient,
)

pytestmark = pytest.mark.slow
needs_openvino = pytest.mark.skipif(
    find_spec("openvino") is None, reason="no OpenVINO; install the extra openvino"
)


@pytest.fixture
def commands(tiny_workspace, tmp_path):
    """Return commands that read a patient's radiograph, one after the other."""
    source = write_patient(tmp_path / "image.dcm")
    out = tmp_path / "out"
    out.mkdir()
    filed = tmp_path / "filed"
    filed.mkdir()
    keep = ["--workspace", str(tiny_workspace.folder)]
    analyze = ["analyze", str(source), "--no-gate", *keep]
    table = tmp_path / "table.csv"
    table.write_text("image_path\nimage.dcm\n")
    return [
        [*analyze, "--report", str(out / "report")],
        [*analyze, "--json"],
        [*analyze, "--pdf", str(out / "report.pdf"), "--language", "de"],
        ["predict", "--manifest", str(table), "--out", str(out / "scores.csv"), *keep],
        ["deidentify", str(source), "--out", str(out / "copies"), *keep],
        ["cases", "list", "--json", *keep],
        ["audit", "export", str(out / "trail.jsonl"), *keep],
        ["audit", "list", *keep],
        ["clean", "--dry-run", *keep],
        # these are filed under the patient, so they lie elsewhere than what is searched
        [*analyze, "--dicom", str(filed / "objects")],
        [*analyze, "--fhir", str(filed / "result.json")],
    ]


def run(command, environment, before=()):
    return subprocess.run(
        [*before, sys.executable, "-m", "medcxr", *command],
        env=environment,
        capture_output=True,
        timeout=280,
        check=False,
    )


def test_the_command_line_writes_and_logs_no_patient_and_reaches_nobody(
    commands, tiny_workspace, tmp_path
):
    record, said = tmp_path / "record", tmp_path / "said"
    said.mkdir()
    environment = watched_environment(record)
    assert files_with_secrets(tmp_path / "image.dcm")  # the search would find them
    for number, command in enumerate(commands):
        done = run(command, environment)
        (said / f"{number}").write_bytes(done.stdout + done.stderr)
        assert done.returncode == 0, (command, done.stderr.decode()[-2000:])
    assert b"DEBUG" in b"".join(path.read_bytes() for path in said.iterdir())
    assert files_with_secrets(tiny_workspace.folder, said, tmp_path / "out") == []
    filed = " ".join(files_with_secrets(tmp_path / "filed"))
    assert SECRETS["PatientID"] in filed
    for keyword in ("InstitutionName", "OtherPatientIDs"):
        assert SECRETS[keyword] not in filed
    assert [one for one in connections(record) if not is_local(one)] == []
    assert len(trail(tiny_workspace)) >= 6


@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace")
@pytest.mark.parametrize("runtime", ["onnxruntime", pytest.param("openvino", marks=needs_openvino)])
def test_no_process_of_an_analysis_asks_the_system_for_a_connection(
    commands, tmp_path, monkeypatch, runtime
):
    """The decoding processes read no environment, so the system itself is asked."""
    monkeypatch.setenv("MEDCXR_RUNTIME", runtime)
    traced = tmp_path / "traced"
    before = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg", "-o", str(traced)]
    probe = subprocess.run([*before, "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("strace is not permitted here")
    assert run(commands[0], environment_of_users(), before).returncode == 0
    families = set(re.findall(r"sa_family=(\w+)", traced.read_text()))
    assert families <= {"AF_UNIX"}


def test_the_runtime_notes_nothing_of_this_computer_to_send(commands, tmp_path):
    """ONNX Runtime would keep an identifier and events for its maker in the home folder."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        **environment_of_users(),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "TMPDIR": str(home),
    }
    for command in (commands[1], commands[3]):
        done = run(command, environment)
        assert done.returncode == 0, (command, done.stderr.decode()[-2000:])
    assert _notes_in(home) == []

    # Left to itself it does, where its build has telemetry at all: so the search would find them.
    subprocess.run([sys.executable, "-c", "import onnxruntime"], env=environment, check=True)
    if sys.platform == "linux":
        assert _notes_in(home), "this ONNX Runtime notes nothing; see whether it still may send"


def _notes_in(home):
    return [path for path in home.rglob("*") if "onnxruntime" in path.name or path.suffix == ".ses"]


@needs_openvino
def test_openvino_reaches_nobody_and_sends_no_telemetry(commands, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDCXR_RUNTIME", "openvino")
    record, home = tmp_path / "record", tmp_path / "home"
    home.mkdir()  # where telemetry would note who it is
    environment = {**watched_environment(record), "HOME": str(home)}
    before = []
    if (
        shutil.which("unshare")
        and not subprocess.run(["unshare", "-rn", "true"], check=False).returncode
    ):
        before = ["unshare", "-rn"]
    for command in (commands[1], commands[3]):
        done = run(command, environment, before)
        assert done.returncode == 0, (command, done.stderr.decode()[-2000:])
    assert [one for one in connections(record) if not is_local(one)] == []
    assert [path for path in home.rglob("*") if "intel" in str(path).casefold()] == []


def test_everything_works_without_any_network(commands):
    before = ["unshare", "-rn"]
    if shutil.which("unshare") is None or subprocess.run([*before, "true"], check=False).returncode:
        pytest.skip("unshare is not permitted here")
    for command in commands[:5]:
        done = run(command, environment_of_users(), before)
        assert done.returncode == 0, (command, done.stderr.decode()[-2000:])


def test_a_connection_elsewhere_would_be_seen(tmp_path):
    record = tmp_path / "record"
    words = (
        "import socket\n"
        "for host in ('192.0.2.1', '127.0.0.1'):\n"
        "    try: socket.create_connection((host, 9), timeout=0.01)\n"
        "    except OSError: pass\n"
    )
    subprocess.run([sys.executable, "-c", words], env=watched_environment(record), check=True)
    seen = connections(record)
    assert any("192.0.2.1" in one and not is_local(one) for one in seen)
    assert any("127.0.0.1" in one and is_local(one) for one in seen)


def test_the_server_is_told_to_gather_no_statistics():
    command = server_command(address="127.0.0.1", port=8501, headless=True)
    assert "--browser.gatherUsageStats=false" in command
    assert len(SECRETS) == len(set(SECRETS.values()))
