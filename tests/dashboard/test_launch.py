"""Starting and ending the server."""

import signal
import socket
import subprocess
import sys
import time

import pytest
from upgrading import upgrade_status

from medcxr.apps.dashboard.launch import launch, server_command
from medcxr.core.errors import AccessError, DataError


def test_an_open_address_is_refused_before_anything_starts(new_workspace):
    with pytest.raises(AccessError, match="initial"):
        launch(new_workspace, address="0.0.0.0", headless=True)  # noqa: S104


def test_a_port_in_use_is_named(workspace):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DataError, match=f"port {port}.*choose another port"):
            launch(workspace, port=port, headless=True)


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_a_port_that_does_not_exist_is_refused(workspace, port):
    with pytest.raises(DataError, match="choose another port"):
        launch(workspace, port=port, headless=True)


def test_a_missing_table_is_named_before_anything_starts(workspace, tmp_path):
    with pytest.raises(DataError, match=r"no table .*missing\.csv"):
        launch(workspace, port=_free_port(), headless=True, cases=tmp_path / "missing.csv")


def test_a_missing_data_folder_is_named_before_anything_starts(workspace, tmp_path):
    with pytest.raises(DataError, match=r"no folder .*missing"):
        launch(workspace, port=_free_port(), headless=True, data=tmp_path / "missing")


def test_nothing_is_loaded_before_the_server_that_only_it_needs():
    names = "medcxr.apps.cli.tls, medcxr.apps.dashboard.launch"
    program = f"import sys, {names}; medcxr.apps.cli.tls.named_certificate(None, None); print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(run.stdout.split())
    assert "medcxr.apps.dashboard.launch" in loaded
    assert not loaded & {"sqlalchemy", "cryptography", "numpy", "streamlit", "onnxruntime"}


def test_the_flags_keep_the_protections_on_and_the_statistics_off():
    command = server_command(address="127.0.0.1", port=8501, headless=True)
    assert {
        "--server.address=127.0.0.1",
        "--server.enableCORS=true",
        "--server.enableXsrfProtection=true",
        "--server.allowedHosts=localhost",
        "--server.allowedHosts=127.0.0.1",
        "--browser.gatherUsageStats=false",
        "--server.fileWatcherType=none",
        "--client.showErrorDetails=none",
    } <= set(command)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "192.0.2.7"])
def test_only_the_page_itself_may_steer_it(address):
    command = server_command(address=address, port=8501, headless=True)
    origins = {
        word.partition("=")[2] for word in command if word.startswith("--client.allowedOrigins=")
    }

    own = {"localhost", "127.0.0.1", "[::1]"}
    own |= set() if address in {"127.0.0.1", "::1"} else {address, socket.gethostname()}
    assert origins == {f"http://{host}:*" for host in own}


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly(workspace, serve, tmp_path, number):
    log = tmp_path / "log"
    with serve(workspace, log) as dashboard:
        dashboard.process.send_signal(number)
        assert dashboard.process.wait(20) == 0
        assert not dashboard.is_healthy()
    assert "Traceback" not in log.read_text()


@pytest.mark.slow
def test_a_page_under_a_foreign_name_gets_no_connection(workspace, serve, tmp_path):
    with serve(workspace, tmp_path / "log") as dashboard:
        assert (
            upgrade_status(
                dashboard.port,
                host=f"127.0.0.1:{dashboard.port}",
                origin=f"http://127.0.0.1:{dashboard.port}",
            )
            == 101
        )
        assert (
            upgrade_status(
                dashboard.port,
                host=f"rebound.example:{dashboard.port}",
                origin=f"http://127.0.0.1:{dashboard.port}",
            )
            == 403
        )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers at all of 127.0.0.0/8")
def test_the_server_listens_at_its_address_only(workspace, serve, tmp_path):
    with serve(workspace, tmp_path / "log") as dashboard, socket.socket() as elsewhere:
        assert elsewhere.connect_ex(("127.0.0.2", dashboard.port)) != 0


def test_a_start_removes_what_a_killed_process_has_left_half_written(serve, workspace, tmp_path):
    writes = (
        "import sys, time; from pathlib import Path\n"
        "from medcxr.storage.atomic import open_atomically\n"
        "with open_atomically(Path(sys.argv[1])) as file:\n"
        "    file.write(b'Anna Meier'); file.flush(); print('ready', flush=True); time.sleep(99)\n"
    )
    target = workspace.folder / "scores of Anna Meier.csv"
    command = [sys.executable, "-c", writes, str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.kill()
    assert list(workspace.folder.glob(".*.part"))
    with serve(workspace, tmp_path / "log"):
        end = time.monotonic() + 30
        while list(workspace.folder.glob(".*.part")):
            assert time.monotonic() < end
            time.sleep(0.1)
    assert not target.exists()
