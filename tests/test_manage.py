"""manage.py: clear refusals, an installation that is repaired, and a dashboard that ends with it.

The end-to-end tests copy manage.py beside a tiny package of the same name whose "dashboard" is a
web server of the standard library, so they install for real but need no network.
"""

import ast
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "medcxr"
version = "0.1.0"
"""

BACKEND = """
import pathlib, tomllib, zipfile

METADATA = "Metadata-Version: 2.1\\nName: medcxr\\nVersion: 0.1.0\\n"
WHEEL = "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
    needs = "".join(f"Requires-Dist: {name}\\n" for name in project.get("dependencies", []))
    name = "medcxr-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory, name), "w") as wheel:
        for file, text in {"METADATA": METADATA + needs, "WHEEL": WHEEL, "RECORD": ""}.items():
            wheel.writestr(f"medcxr-0.1.0.dist-info/{file}", text)
    return name
"""

DASHBOARD = """
import http.server, os, subprocess, sys

print("serving", sys.argv[1:], flush=True)
if os.fork() == 0:  # the real dashboard also has a child of its own, which must end too
    address, port = sys.argv[sys.argv.index("--address") + 1], sys.argv[sys.argv.index("--port") + 1]
    http.server.HTTPServer(
        (address, int(port)), http.server.SimpleHTTPRequestHandler
    ).serve_forever()
os.wait()
"""


def load(path: Path) -> ModuleType:
    """Import a copy of manage.py under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"manage_{abs(hash(path))}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def manage() -> ModuleType:
    return load(ROOT / "manage.py")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with manage.py and a tiny package that installs without a network."""
    folder = tmp_path / "project with a space"
    (folder / "medcxr").mkdir(parents=True)
    shutil.copy(ROOT / "manage.py", folder)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "constraints.txt").write_text("")
    (folder / "backend.py").write_text(BACKEND)
    (folder / "medcxr" / "__init__.py").write_text("")
    (folder / "medcxr" / "__main__.py").write_text(DASHBOARD)
    return folder


def offline() -> "dict[str, str]":
    """Return an environment in which pip reaches nothing."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return dict(kept, PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull)


def run_manage(folder: Path, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=folder,
        env=dict(offline(), **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield int(server.getsockname()[1])


def test_it_parses_on_an_old_python():
    source = (ROOT / "manage.py").read_text(encoding="utf-8")

    ast.parse(source, feature_version=(3, 6))


def test_it_needs_only_the_standard_library():
    tree = ast.parse((ROOT / "manage.py").read_text(encoding="utf-8"))
    imported = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


@pytest.mark.parametrize("words", [["--help"], ["-h"]])
def test_help_names_the_commands(words: "list[str]"):
    result = run_manage(ROOT, *words)

    assert result.returncode == 0
    assert "run" in result.stdout
    assert "test" in result.stdout


@pytest.mark.parametrize("words", [["run", "--help"], ["test", "--help"]])
def test_each_command_explains_itself_without_installing(words: "list[str]", project: Path):
    result = run_manage(project, *words)

    assert result.returncode == 0
    assert f"manage.py {words[0]}" in result.stdout
    assert not (project / ".venv").exists()
    assert not (project / ".venv-test").exists()


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 10), (2, 7)])
def test_an_old_python_is_told_the_found_and_the_needed_version(
    manage: ModuleType, version: "tuple[int, ...]"
):
    message = manage.old_python_message(version)

    assert f"This is Python {version[0]}.{version[1]}," in message
    assert "needs Python 3.11" in message


@pytest.mark.parametrize("version", [(3, 11), (3, 13, 1), (4, 0)])
def test_a_new_python_is_welcome(manage: ModuleType, version: "tuple[int, ...]"):
    assert manage.old_python_message(version) == ""


def test_a_python_that_cannot_make_environments_is_told_the_package(
    manage: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "ensurepip", None)  # as where Debian's package is missing

    with pytest.raises(manage.SetupError, match="apt-get install python3-venv"):
        manage.check_venv_module()


def test_a_busy_port_is_refused_by_number_before_anything_is_installed(
    project: Path, busy_port: int
):
    result = run_manage(project, "run", "--port", str(busy_port))

    assert result.returncode == 1
    assert f"Port {busy_port} on 127.0.0.1 is in use" in result.stderr
    assert "run --port" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (project / ".venv").exists()


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http"])
def test_a_number_that_is_no_port_is_refused(port: str):
    result = run_manage(ROOT, "run", f"--port={port}")

    assert result.returncode == 2
    assert "is not a port" in result.stderr


def test_an_address_of_another_machine_is_refused(manage: ModuleType, free_port: int):
    with pytest.raises(manage.SetupError, match=r"192\.0\.2\.1 .*use --address 127\.0\.0\.1"):
        manage.check_port("192.0.2.1", free_port)  # reserved for examples, RFC 5737


def test_a_full_disk_is_refused_with_both_figures(manage: ModuleType, tmp_path: Path):
    with pytest.raises(manage.SetupError, match=r"GB free and the installation needs about \d+ GB"):
        manage.check_disk(tmp_path, 10**18)


def test_a_disk_with_room_is_accepted(manage: ModuleType, tmp_path: Path):
    manage.check_disk(tmp_path, 1)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder nobody may write to")
def test_a_read_only_folder_is_refused(manage: ModuleType):
    with pytest.raises(manage.SetupError, match="Cannot write in /proc"):
        manage.check_writable(Path("/proc"))


def test_a_workspace_in_a_file_s_place_is_refused(manage: ModuleType, tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(manage.SetupError, match="--workspace"):
        manage.prepare_workspace(tmp_path / "file" / "workspace")


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_a_new_workspace_is_closed_to_others(manage: ModuleType, tmp_path: Path):
    workspace = manage.prepare_workspace(tmp_path / "new" / "workspace")

    assert workspace.stat().st_mode & 0o077 == 0


def test_a_changed_project_changes_the_fingerprint(project: Path):
    manage = load(project / "manage.py")
    before = manage.fingerprint(manage.RUNTIME)

    assert manage.fingerprint(manage.RUNTIME) == before
    assert manage.fingerprint(manage.TESTING) != before
    for name in ("pyproject.toml", "constraints.txt"):
        with (project / name).open("a") as file:
            file.write("# changed\n")
        changed = manage.fingerprint(manage.RUNTIME)
        assert changed != before
        before = changed


def test_tests_of_libraries_and_bytecode_are_left_out_and_nothing_else(
    manage: ModuleType, tmp_path: Path
):
    packages = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    outside = tmp_path / "outside"
    kept = [
        packages / "numpy" / "core.py",
        packages / "numpy" / "testing" / "tools.py",
        packages / "scipy" / "tests.py",
        packages / "jinja2" / "tests" / "used.py",
        outside / "tests" / "mine.py",
    ]
    unused = [
        packages / "numpy" / "tests" / "test_core.py",
        packages / "scipy" / "stats" / "tests" / "data" / "large.npy",
        packages / "pyarrow" / "include" / "api.h",
        packages / "pydeck" / "nbextension" / "static" / "index.js",
        packages / "pip" / "__pycache__" / "main.pyc",
    ]
    for file in kept + unused:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    (packages / "pandas").mkdir()
    (packages / "pandas" / "tests").symlink_to(outside / "tests")

    manage.leave_out(tmp_path / "env")

    assert all(file.is_file() for file in kept)
    assert not any(file.parent.exists() for file in unused)


def test_a_folder_without_stamp_counts_as_not_installed(project: Path):
    manage = load(project / "manage.py")

    assert manage.read_stamp(manage.RUNTIME) == ""


def test_the_named_browser_is_found(
    manage: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    browser = tmp_path / "my-browser"
    browser.write_text("")
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("MEDCXR_CHROMIUM", raising=False)

    assert manage.find_browser() == ""
    monkeypatch.setenv("MEDCXR_CHROMIUM", str(browser))
    assert manage.find_browser() == str(browser)


def test_the_named_server_is_found_and_its_driver_installed_where_one_is_set(
    manage: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("MEDCXR_POSTGRES", str(tmp_path))
    monkeypatch.delenv("MEDCXR_DATABASE_FILE", raising=False)
    monkeypatch.delenv("MEDCXR_DATABASE", raising=False)
    (tmp_path / "initdb").write_text("")

    assert manage.find_server()
    assert manage.runtime() == manage.RUNTIME
    monkeypatch.setenv("MEDCXR_DATABASE", "postgresql:///cxr")
    assert manage.runtime().extras == "postgres"
    assert manage.runtime().folder == manage.RUNTIME.folder
    assert manage.fingerprint(manage.runtime()) != manage.fingerprint(manage.RUNTIME)


def test_a_failing_pip_shows_its_last_lines_and_keeps_the_log(project: Path, free_port: int):
    (project / "pyproject.toml").write_text(
        PYPROJECT + 'dependencies = ["a-package-that-no-index-has"]\n'
    )

    result = run_manage(project, "run", "--no-browser", "--port", str(free_port))

    log = project / ".venv" / "install.log"
    assert result.returncode == 1
    assert "a-package-that-no-index-has" in result.stderr
    assert str(log) in result.stderr
    assert "No matching distribution" in log.read_text()
    assert "Traceback" not in result.stderr
    assert (project / ".venv" / "medcxr-install.txt").read_text() == "unfinished"


CHECKS = {
    "ruff": "",
    "mypy": "",
    "pytest": "print(sys.argv[1:])",
    "importlinter/cli": "",
    "bandit": "",
    "supply_chain/known_vulnerabilities": "",
}


def replace_checks(folder: Path, failing: "dict[str, str] | None" = None) -> None:
    """Put small programs in the place of the checking tools."""
    (folder / "importlinter").mkdir(exist_ok=True)
    (folder / "importlinter" / "__init__.py").write_text("")
    (folder / "supply_chain").mkdir(exist_ok=True)
    for name, code in (CHECKS | (failing or {})).items():
        lines = ["import sys", f"print('this is {name}')", code, "lint_imports_command = int"]
        (folder / f"{name}.py").write_text("\n".join(lines))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="makes an executable file")
def test_every_check_runs_and_any_failure_is_the_result(project: Path, tmp_path: Path):
    browser = tmp_path / "browser"
    browser.write_text("")
    browser.chmod(0o755)
    programs = tmp_path / "postgres"
    programs.mkdir()
    (programs / "initdb").write_text("")
    server = {"MEDCXR_POSTGRES": str(programs), "PATH": ""}
    with_browser = {**server, "MEDCXR_CHROMIUM": str(browser), "CI": ""}
    without = {**server, "MEDCXR_CHROMIUM": ""}

    replace_checks(project)
    good = run_manage(project, "test", "-k", "a word", **with_browser)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "'--dist', 'loadfile', '-k', 'a word']" in good.stdout
    assert "['--alone', '-k', 'a word']" in good.stdout
    assert "All passed in" in good.stdout.splitlines()[-1]

    replace_checks(project, {"ruff": "sys.exit(7)", "mypy": "sys.exit(8)"})
    bad = run_manage(project, "test", **with_browser)
    assert bad.returncode == 1
    assert "this is importlinter/cli" in bad.stdout
    assert "this is pytest" in bad.stdout
    assert "ruff check (exit code 7" in bad.stdout.splitlines()[-1]
    assert "mypy (exit code 8" in bad.stdout.splitlines()[-1]

    replace_checks(project, {"supply_chain/known_vulnerabilities": "sys.exit(75)"})
    unknown = run_manage(project, "test", **with_browser)
    assert unknown.returncode == 0
    assert "NOT CHECKED, see above why: known vulnerabilities" in unknown.stdout
    assert "known vulnerabilities" not in unknown.stdout.splitlines()[-1]
    replace_checks(project, {"supply_chain/known_vulnerabilities": "sys.exit(1)"})
    vulnerable = run_manage(project, "test", **with_browser)
    assert vulnerable.returncode == 1
    assert "known vulnerabilities (exit code 1" in vulnerable.stdout.splitlines()[-1]

    replace_checks(project)
    assert run_manage(project, "test", CI="", **without).returncode == 0
    in_ci = run_manage(project, "test", CI="true", **without)
    assert in_ci.returncode == 1
    assert "browser (no Chromium)" in in_ci.stdout.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
def test_a_dashboard_is_installed_started_again_at_once_repaired_and_stopped(
    project: Path, free_port: int
):
    with started(project, free_port) as first:
        assert "Installing the light runtime (first start only" in until_ready(first, free_port)
        assert not list((project / ".venv").rglob("site-packages/setuptools"))
        stop(first, signal.SIGTERM, code=128 + signal.SIGTERM, port=free_port)

    begun = time.monotonic()
    with started(project, free_port) as second:
        assert "Installing" not in until_ready(second, free_port)
        assert time.monotonic() - begun < 5
        stop(second, signal.SIGINT, code=130, port=free_port)

    (project / ".venv" / "medcxr-install.txt").write_text("unfinished")
    (project / ".venv" / "left-over").write_text("of an interrupted installation")
    with started(project, free_port) as third:
        assert "Installing" in until_ready(third, free_port)
        assert not (project / ".venv" / "left-over").exists()
        stop(third, signal.SIGTERM, code=128 + signal.SIGTERM, port=free_port)


@contextmanager
def started(folder: Path, port: int) -> "Iterator[subprocess.Popen[str]]":
    """Start the dashboard; whatever the test finds, nothing runs on after it."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "run", "--no-browser", "--port", str(port)],
        cwd=folder,
        env=offline(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def until_ready(process: "subprocess.Popen[str]", port: int) -> str:
    """Read until the dashboard is announced, and check that it answers there."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("The dashboard is at"):
            break
    output = "".join(lines)
    assert f"http://127.0.0.1:{port}" in output
    with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=10) as answer:
        assert answer.status == 200
    return output


def stop(process: "subprocess.Popen[str]", number: int, *, code: int, port: int) -> None:
    """Send a signal; manage.py ends with the code and nothing listens any more."""
    process.send_signal(number)
    assert process.wait(timeout=60) == code
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_programs_of_others_do_not_get_what_opens_the_database(manage, tmp_path, monkeypatch):
    for name in ("MEDCXR_DATABASE", "MEDCXR_DATABASE_FILE", "MEDCXR_BACKUP_PASSPHRASE_FILE"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("MEDCXR_WORKSPACE", "kept")
    log = tmp_path / "log"
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    manage._run_logged([sys.executable, "-c", code], log, problem="", remedy="")
    told = json.loads(log.read_text())
    assert told["MEDCXR_WORKSPACE"] == "kept"
    assert "secret" not in told.values()
