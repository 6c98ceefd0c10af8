"""Install, start and check medcxr, each with one command.

    python3 manage.py run      installs the light runtime, then starts the dashboard
    python3 manage.py test     installs everything, then runs every check and test

It stays one file and needs only the standard library, because it runs before anything is installed.
Its syntax stays readable to Python 3.6, so that an old Python is told what it lacks.
"""

import argparse
import contextlib
import errno
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess  # nosec B404 # never a shell
import sys
import threading
import time
import webbrowser
from pathlib import Path
from typing import IO, NamedTuple, NoReturn

NEEDED_PYTHON = (3, 11)


def old_python_message(found: "tuple[int, ...]") -> str:
    """Return what to tell the user of a Python that is too old, or nothing."""
    if tuple(found[:2]) >= NEEDED_PYTHON:
        return ""
    return (
        "This is Python {}.{}, and medcxr needs Python {}.{} or newer. Install one from python.org "
        "or your system's packages, then start manage.py with it, e.g. python{}.{} manage.py run"
    ).format(*found[:2], *NEEDED_PYTHON, *NEEDED_PYTHON)


# Asked before anything below is defined: older versions cannot evaluate its annotations.
if old_python_message(sys.version_info[:2]):
    sys.exit(old_python_message(sys.version_info[:2]))

ROOT = Path(__file__).resolve().parent
GB = 10**9
UNFINISHED = "unfinished"
POLITE_END_S = 15  # the dashboard gives open requests 10 s
TESTED_LIBRARIES = ("numpy", "pandas", "pyarrow", "scipy")  # bring large tests of their own along
BANDIT_READS = ("src", "manage.py", "supply_chain")
NOT_CHECKED = 75  # what a check ends with that could not look
BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


class SetupError(Exception):
    """Say what went wrong and what to do; shown without a traceback."""


class Environment(NamedTuple):
    """A virtual environment and what is installed into it."""

    folder: Path
    extras: str  # as in pip install .[extras]
    label: str
    duration: str
    needed_bytes: int

    @property
    def python(self) -> Path:
        """The environment's own interpreter."""
        inside = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
        return self.folder.joinpath(*inside)

    @property
    def stamp(self) -> Path:
        """The file that tells whether the installation is complete, and of what."""
        return self.folder / "medcxr-install.txt"


RUNTIME = Environment(ROOT / ".venv", "", "the light runtime", "about a minute", 1 * GB)
# A second environment, so that running the tests does not make the light installation heavy.
TESTING = Environment(
    ROOT / ".venv-test", "dev,docs,postgres,train", "the test environment", "a few minutes", 4 * GB
)


def main(arguments: "list[str]") -> int:
    """Carry out one command and return its exit code."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _stop_on_signal)
    try:
        if arguments[:1] == ["test"] and arguments[1:2] not in (["-h"], ["--help"]):
            return test(arguments[1:])
        parser = _parser()
        options = parser.parse_args(arguments)
        if options.command == "run":
            return run(options)
        parser.print_help()
    except SetupError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 130  # the shell's code for Ctrl-C
    return 0


def run(options: argparse.Namespace) -> int:
    """Install what is missing, then keep the dashboard running until it is stopped."""
    check_port(options.address, options.port)
    python = ensure_installed(runtime())
    workspace = prepare_workspace(options.workspace)
    command = [str(python), "-m", "medcxr", "dashboard", "--workspace", str(workspace)]
    command += ["--address", options.address, "--port", str(options.port)]
    ended = threading.Event()
    waiter = threading.Thread(
        target=_announce_when_ready,
        args=(options.address, options.port, options.browser and _has_screen(), ended),
        daemon=True,
    )
    waiter.start()
    try:
        code = run_child(command)
    finally:
        ended.set()
    if code:
        say(f"The dashboard ended with exit code {code}; the lines above say why.")
    return code


def test(pytest_arguments: "list[str]") -> int:
    """Run every check even if one fails; return 1 if any failed."""
    python = str(ensure_installed(TESTING))
    surroundings, browser_problem = prepare_browser()
    server_problem = prepare_server()
    layers = "from importlinter.cli import lint_imports_command as check; check()"
    checks = {
        "ruff check": ["-m", "ruff", "check", "."],
        "ruff format": ["-m", "ruff", "format", "--check", "."],
        "mypy": ["-m", "mypy"],
        "import-linter": ["-c", layers, "--no-logo"],
        "bandit": ["-m", "bandit", "-q", "-c", "pyproject.toml", "-r", *BANDIT_READS],
        "known vulnerabilities": ["supply_chain/known_vulnerabilities.py"],
        "pytest": ["-m", "pytest", *pytest_arguments],
    }
    started = time.monotonic()
    failed, unknown = [], []
    for name, command in checks.items():
        say(f"\n--- {name}")
        begun = time.monotonic()
        code = run_child([python, *command], surroundings=surroundings)
        if code == NOT_CHECKED and name != "pytest":
            unknown.append(name)
        elif code:
            failed.append(f"{name} (exit code {code}, {_seconds_since(begun)})")
    missing = {"browser (no Chromium)": browser_problem, "database (no PostgreSQL)": server_problem}
    for name, problem in missing.items():
        if problem:
            say(problem)
            failed += [name] if os.environ.get("CI") == "true" else []
    if unknown:
        say(f"NOT CHECKED, see above why: {', '.join(unknown)}")
    if failed:
        say(f"FAILED in {_seconds_since(started)}: {', '.join(failed)}")
        return 1
    passed = [name for name in checks if name not in unknown]
    say(f"All passed in {_seconds_since(started)}: {', '.join(passed)}")
    return 0


def ensure_installed(environment: Environment) -> Path:
    """Install an environment unless it is complete and up to date; return its interpreter."""
    wanted = fingerprint(environment)
    stamp = read_stamp(environment)
    if stamp == wanted and environment.python.exists():
        return environment.python
    check_venv_module()
    check_writable(ROOT)
    check_disk(ROOT, environment.needed_bytes)
    reason = "after an interruption" if stamp == UNFINISHED else "first start only"
    reason = "something changed" if stamp not in {UNFINISHED, ""} else reason
    say(f"Installing {environment.label} ({reason}, {environment.duration}) ...")
    begun = time.monotonic()
    if stamp == UNFINISHED or not _fits_this_python(environment):
        _make_venv(environment)
    environment.stamp.write_text(UNFINISHED, encoding="utf-8")
    _pip_install(environment)
    if environment.folder == RUNTIME.folder:
        _pip_remove(environment, "setuptools")  # Python 3.11 adds it; nothing here needs it
        leave_out(environment.folder)
    finished = environment.stamp.with_suffix(".new")
    finished.write_text(wanted, encoding="utf-8")
    finished.replace(environment.stamp)
    say(f"Installed in {_seconds_since(begun)}.")
    return environment.python


def runtime() -> Environment:
    """Return what to install to run: with PostgreSQL's driver where a setting names a server."""
    if os.environ.get("MEDCXR_DATABASE") or os.environ.get("MEDCXR_DATABASE_FILE"):
        return RUNTIME._replace(extras="postgres")
    return RUNTIME


def leave_out(folder: Path) -> None:
    """Remove what an environment never runs: its libraries' own tests, and all bytecode.

    Bytecode is made again of what is used. Together this is a tenth of the light runtime.
    """
    unused = [
        found
        for name in TESTED_LIBRARIES
        for library in folder.rglob("site-packages/" + name)
        for found in library.rglob("tests")
    ]
    for found in unused + list(folder.rglob("__pycache__")):
        if found.is_dir() and not found.is_symlink():
            shutil.rmtree(found, ignore_errors=True)  # what stays does no harm


def fingerprint(environment: Environment) -> str:
    """Name everything that an installation depends on; equal means nothing to install."""
    parts = [str(ROOT), "{}.{}".format(*sys.version_info[:2]), environment.extras]
    parts += [
        (ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "constraints.txt")
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def read_stamp(environment: Environment) -> str:
    """Return the fingerprint of what is installed, "unfinished", or nothing."""
    try:
        return environment.stamp.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def check_port(address: str, port: int) -> None:
    """Raise unless a server can listen there."""
    try:
        _bind(address, port)
    except socket.gaierror as error:
        raise SetupError(
            f"{address} is not an address of this machine; use --address 127.0.0.1"
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SetupError(
                f"Port {port} on {address} is in use. If the dashboard already runs, open "
                f"{_url(address, port)}; else choose another port: "
                f"python3 manage.py run --port {_free_port(address, port)}"
            ) from error
        raise SetupError(
            f"Cannot listen on {address} port {port} ({error.strerror}); use --address 127.0.0.1 "
            "and a port from 1024 to 65535"
        ) from error


def check_venv_module() -> None:
    """Raise where Python cannot make virtual environments, as on a bare Debian."""
    if importlib.util.find_spec("ensurepip") is None:
        version = "{}.{}".format(*sys.version_info[:2])
        raise SetupError(
            "This Python cannot make virtual environments: its module ensurepip is missing. On "
            f"Debian or Ubuntu run: apt-get install python3-venv (or python{version}-venv), then "
            "start again"
        )


def check_writable(folder: Path) -> None:
    """Raise unless files can be made in a folder."""
    probe = folder / f".medcxr-write-{os.getpid()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SetupError(
            f"Cannot write in {folder} ({error.strerror}); move the project to a folder of yours "
            "or mend its permissions"
        ) from error


def check_disk(folder: Path, needed_bytes: int) -> None:
    """Raise unless the disk has room for an installation."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise SetupError(
            f"The disk of {folder} has {free / GB:.1f} GB free and the installation needs about "
            f"{needed_bytes / GB:.0f} GB; free some space and start again"
        )


def prepare_workspace(folder: Path) -> Path:
    """Make the folder for cases, models and accounts; only its owner may look inside."""
    workspace = folder.expanduser().absolute()
    try:
        workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"Cannot make the workspace {workspace} ({error.strerror}); choose another folder with "
            "--workspace"
        ) from error
    return workspace


def prepare_browser() -> "tuple[dict[str, str], str]":
    """Find or install Chromium; return the tests' environment and a sentence if there is none."""
    browser = find_browser()
    if not browser and install_for_system("chromium", "Chromium for the browser tests"):
        browser = find_browser()
    if browser:
        return dict(os.environ, MEDCXR_CHROMIUM=browser), ""
    return dict(os.environ), (
        "No Chromium found, so the browser tests cannot run: install chromium, or name the program "
        "in MEDCXR_CHROMIUM."
    )


def find_browser() -> str:
    """Return the path of Chromium or Chrome, or nothing."""
    named = os.environ.get("MEDCXR_CHROMIUM", "")
    for name in (named, *BROWSER_NAMES):
        path = shutil.which(name) if name else None
        if path:
            return path
    return ""


def prepare_server() -> str:
    """Find or install PostgreSQL for the tests; return a sentence if there is none."""
    if find_server() or (
        install_for_system("postgresql", "PostgreSQL for the tests of databases") and find_server()
    ):
        return ""
    return (
        "No PostgreSQL server found, so the tests of databases on a server cannot run: install "
        "postgresql, or name the folder of its programs in MEDCXR_POSTGRES."
    )


def find_server() -> bool:
    """Tell whether the tests will find PostgreSQL's programs, as they look for them."""
    named = os.environ.get("MEDCXR_POSTGRES", "")
    places = [Path(named)] if named else []
    places += [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    places += [Path(path).resolve().parent for path in [shutil.which("postgres")] if path]
    return any((place / "initdb").is_file() for place in places)


def install_for_system(package: str, label: str) -> bool:
    """Install one of Debian's packages where this user may; tell whether it was tried."""
    if not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")):
        return False
    say(f"Installing {label} ...")
    surroundings = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    with (TESTING.folder / f"{package}.log").open("wb") as log:
        for words in ("update", f"install -y --no-install-recommends {package}"):
            run_child(["apt-get", "-q", *words.split()], surroundings=surroundings, output=log)
    return True


def run_child(
    command: "list[str]",
    *,
    surroundings: "dict[str, str] | None" = None,
    output: "IO[bytes] | None" = None,
) -> int:
    """Run a program to its end; whatever ends manage.py also ends the program and its children."""
    variables = dict(os.environ if surroundings is None else surroundings)
    # Packages are installed without bytecode; without this, every start would compile them again.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    begun = time.monotonic()
    # A session of its own is a process group that can be ended as a whole.
    child = subprocess.Popen(  # nosec B603 # programs named here
        command, env=variables, cwd=ROOT, stdout=output, stderr=output, start_new_session=True
    )
    try:
        while True:
            try:
                return child.wait(timeout=30)
            except subprocess.TimeoutExpired:
                if output is not None:
                    say(f"  still working after {_seconds_since(begun)}")
    except KeyboardInterrupt:
        _end(child, signal.SIGINT)
        raise
    except BaseException:
        _end(child, signal.SIGTERM)
        raise


def say(words: str) -> None:
    """Print at once, so that the order with the children's output is right."""
    print(words, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manage.py", description="Start and check medcxr.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    start = commands.add_parser("run", help="install what is missing, then start the dashboard")
    start.add_argument("--port", type=_port, default=8501, help="default: 8501")
    start.add_argument("--address", default="127.0.0.1", help="default: 127.0.0.1, this machine")
    start.add_argument(
        "--workspace", type=Path, default=ROOT / "workspace", help="folder for cases and models"
    )
    start.add_argument("--no-browser", dest="browser", action="store_false", help="only serve")
    commands.add_parser(
        "test",
        help="install everything, then run every check and test",
        usage="manage.py test [words for pytest ...]",
        description="Run ruff, mypy, import-linter, bandit, pip-audit and pytest. Words after test go to pytest.",
    )
    return parser


def _port(words: str) -> int:
    if not re.fullmatch("[0-9]+", words) or not 1 <= int(words) <= 65535:
        raise argparse.ArgumentTypeError(f"{words} is not a port; give a number from 1 to 65535")
    return int(words)


def _fits_this_python(environment: Environment) -> bool:
    try:
        settings = (environment.folder / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    version = re.search(r"^version\S*\s*=\s*(\d+)\.(\d+)", settings, re.MULTILINE)
    same = version is not None and (int(version[1]), int(version[2])) == sys.version_info[:2]
    return same and environment.python.exists()


def _make_venv(environment: Environment) -> None:
    try:
        if environment.folder.exists():
            shutil.rmtree(environment.folder)
        environment.folder.mkdir()
        environment.stamp.write_text(UNFINISHED, encoding="utf-8")
    except OSError as error:
        raise SetupError(
            f"Cannot make {environment.folder} anew ({error.strerror}); stop what runs from it, "
            "delete the folder and start again"
        ) from error
    # The system's Python, for the case that manage.py runs in the environment just removed.
    python = getattr(sys, "_base_executable", sys.executable)
    _run_logged(
        [python, "-m", "venv", str(environment.folder)],
        environment.folder / "venv.log",
        problem="Python could not make a virtual environment",
        remedy="Repair or reinstall this Python",
    )


def _pip_install(environment: Environment) -> None:
    project = f".[{environment.extras}]" if environment.extras else "."
    # Bytecode is made when a module is first used; made ahead it would fill another 150 MB.
    command = [str(environment.python), "-m", "pip", "install", "--no-compile", "--no-input"]
    command += ["--disable-pip-version-check", "-c", "constraints.txt", "-e", project]
    _run_logged(
        command,
        environment.folder / "install.log",
        problem=f"pip could not install {environment.label}",
        remedy="Check the network and pip's own configuration (pip config list)",
    )


def _pip_remove(environment: Environment, package: str) -> None:
    command = [str(environment.python), "-m", "pip", "uninstall", "--yes", "--no-input"]
    command += ["--disable-pip-version-check", package]
    _run_logged(
        command,
        environment.folder / "remove.log",
        problem=f"pip could not remove {package}",
        remedy=f"Delete the folder {environment.folder}",
    )


def _run_logged(command: "list[str]", log: Path, *, problem: str, remedy: str) -> None:
    with log.open("wb") as output:
        code = run_child(command, output=output)
    if code:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        last = "\n  ".join(lines[-15:])
        raise SetupError(
            f"{problem}. Its last lines:\n  {last}\n"
            f"The full output is in {log}. {remedy}, then start again"
        )


def _bind(address: str, port: int) -> None:
    found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, target = found[0]
    with socket.socket(family, kind, protocol) as probe:
        if os.name == "posix":  # a port that was closed a moment ago counts as free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(target)


def _free_port(address: str, port: int) -> int:
    for candidate in range(port + 1, min(port + 50, 65535)):
        try:
            _bind(address, candidate)
        except OSError:
            continue
        return candidate
    return 8601


def _announce_when_ready(address: str, port: int, browser: bool, ended: threading.Event) -> None:  # noqa: FBT001 - a thread's arguments have no names
    host = _reachable(address)
    while not ended.wait(0.2):
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            continue
        say(f"The dashboard is at {_url(address, port)} - stop it with Ctrl-C.")
        if browser:
            webbrowser.open(_url(address, port))
        return


def _reachable(address: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - the address is only compared  # nosec B104


def _url(address: str, port: int) -> str:
    host = _reachable(address)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _has_screen() -> bool:
    if sys.platform in {"win32", "darwin"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _stop_on_signal(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _end(child: "subprocess.Popen[bytes]", number: int) -> None:
    try:
        _signal_all(child, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=POLITE_END_S)
    finally:
        _signal_all(child, getattr(signal, "SIGKILL", number))
        child.wait()


def _signal_all(child: "subprocess.Popen[bytes]", number: int) -> None:
    if os.name == "nt":
        end = ["taskkill", "/T", "/F", "/PID", str(child.pid)]
        subprocess.run(end, check=False, capture_output=True)  # nosec B603 # programs named here
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)  # the group outlives its leader


def _seconds_since(begun: float) -> str:
    return f"{time.monotonic() - begun:.0f} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
