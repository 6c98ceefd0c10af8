"""Install, start, back up, update and check medcxr, each with one command or from a menu.

    python3 manage.py          shows the menu
    python3 manage.py run      installs the light runtime, then starts the dashboard
    python3 manage.py update   brings a newer version, and goes back if it does not work
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
import select
import shutil
import signal
import socket
import stat
import subprocess  # nosec B404 # never a shell
import sys
import threading
import time
import webbrowser
import zipfile
from collections.abc import Callable, Iterator
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
WORKSPACE = ROOT / "workspace"
UPDATE = ROOT / ".update"  # what a roll-back needs
RECORD = UPDATE / "update.json"
WHEELS = ".program"  # a folder with the wheel that the program was last updated from, if it was
GB = 10**9
UNFINISHED = "unfinished"
POLITE_END_S = 15  # the dashboard gives open requests 10 s
NEVER_RUN = {  # folders of libraries: their own tests, headers for compilers, a notebook's extension
    "numpy": ("tests", "include"),
    "pandas": ("tests",),
    "pyarrow": ("tests", "include"),
    "pydeck": ("static",),
    "scipy": ("tests",),
}
BANDIT_READS = ("src", "manage.py", "supply_chain")
NOT_CHECKED = 75  # what a check ends with that could not look
MOST_AT_ONCE = 4  # tests; each may hold a browser, a database server and torch
SECRETS = ("MEDCXR_DATABASE", "MEDCXR_DATABASE_FILE", "MEDCXR_BACKUP_PASSPHRASE_FILE")
BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


MENU = (
    ("Install", "install", "install what the program needs"),
    ("Run", "run", "start the dashboard; Ctrl-C comes back here"),
    ("Sample data", "sample-data", "make simulated radiographs to try it with"),
    ("Backup", "backup", "make, list and restore backups"),
    ("Diagnostics", "diagnostics", "check this computer, the workspace and the models"),
    ("Update", "update", "bring a newer version; goes back if it does not work"),
    ("Clean temporary files", "clean", "delete what is left of interrupted work"),
    ("Exit", "", ""),
)
BACKUP_MENU = (
    ("Make a backup", "make", "encrypted only where a file with a passphrase is named"),
    ("Make an encrypted backup", "make --encrypt", "asks for a passphrase"),
    ("List backups", "list", ""),
    ("Restore the newest backup", "restore", "the state before is kept"),
    ("Back to the menu", "", ""),
)
# What lies beside the program and is none of it; an update leaves it as it is.
NOT_PROGRAM = {".git", ".venv", ".venv-test", ".update", "workspace", "runs", "sample-data"}
MOST_UNPACKED_BYTES = 2 * GB


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
    ROOT / ".venv-test",
    "dev,docs,hospital,openvino,postgres,scale,train",
    "the test environment",
    "a few minutes",
    4 * GB,
)


def main(arguments: "list[str]") -> int:
    """Carry out one command and return its exit code."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _stop_on_signal)
    try:
        if arguments[:1] == ["test"] and arguments[1:2] not in (["-h"], ["--help"]):
            return test(arguments[1:])
        if not arguments:
            return show_menu()
        options = _parser().parse_args(arguments)
        return int(COMMANDS[options.command](options))
    except SetupError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 130  # the shell's code for Ctrl-C


def run(options: argparse.Namespace) -> int:
    """Install what is missing, then keep the dashboard running until it is stopped."""
    check_port(options.address, options.port)
    python = ensure_installed(runtime())
    offer_end_of_cut_off_update()
    workspace = prepare_workspace(options.workspace)
    command = [str(python), "-m", "medcxr", "dashboard", "--workspace", str(workspace)]
    command += ["--address", options.address, "--port", str(options.port)]
    if options.allow_unencrypted:
        command.append("--allow-unencrypted")
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
        "pytest": ["-m", "pytest", *_beside_each_other(), *pytest_arguments],
        "pytest, tests that measure times": ["-m", "pytest", "--alone", *pytest_arguments],
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


def _beside_each_other() -> "list[str]":
    """Return how pytest runs tests at once: many wait, for a page or for another program."""
    return ["-n", str(min(os.cpu_count() or 1, MOST_AT_ONCE)), "--dist", "loadfile"]


def install(_options: argparse.Namespace) -> int:
    """Install what the program needs."""
    ensure_installed(runtime())
    say("The program is installed.")
    return 0


def make_sample_data(options: argparse.Namespace) -> int:
    """Make simulated radiographs."""
    return run_medcxr(["sample-data", str(options.folder)], options.workspace)


def back_up(options: argparse.Namespace) -> int:
    """Make a backup of the workspace, or do what else `medcxr backup` can."""
    return run_medcxr(["backup", *(options.words or ["make"])], options.workspace)


def diagnose(options: argparse.Namespace) -> int:
    """Check this computer, the workspace and the models."""
    return run_medcxr(["doctor"], options.workspace)


def clean(options: argparse.Namespace) -> int:
    """Delete temporary files: those of this file, then the program's own."""
    for left in [*ROOT.glob(".medcxr-write-*"), ROOT / "__pycache__", UPDATE / "new"]:
        _remove(left)
    if run_medcxr(["clean", "--help"], options.workspace, silent=True):
        say("This version of medcxr has no temporary files of its own to clean.")
        return 0
    return run_medcxr(["clean"], options.workspace)


def run_medcxr(words: "list[str]", workspace: Path, *, silent: bool = False) -> int:
    """Run a command of the program on a workspace, installing what is missing."""
    python = ensure_installed(runtime())
    surroundings = dict(os.environ, MEDCXR_WORKSPACE=str(prepare_workspace(workspace)))
    command = [str(python), "-m", "medcxr", *words]
    if not silent:
        return run_child(command, surroundings=surroundings)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - no file
        return run_child(command, surroundings=surroundings, output=nowhere)


def show_menu() -> int:
    """Let one thing after another be chosen, until somebody leaves."""
    while True:
        words = choose("medcxr: management console", MENU)
        if not words:
            return 0
        try:
            code = _choose_backup() if words == "backup" else _carry_out(words.split())
        except SetupError as error:
            print(f"Error: {error}", file=sys.stderr, flush=True)
            code = 1
        except KeyboardInterrupt:
            say("Stopped.")
            code = 130
        if code:
            say(f"It ended with exit code {code}; the lines above say why.")


def choose(title: str, menu: "tuple[tuple[str, str, str], ...]") -> str:
    """Let somebody choose by arrow keys and Enter, or by number; return the choice's words.

    The last choice leaves; so do "q", Escape and the end of the input.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        return _choose_by_number(title, menu)
    with _keys() as read_key:
        if read_key is None:
            return _choose_by_number(title, menu)
        chosen = 0
        say(f"\n{title}\n")
        _draw(menu, chosen)
        while True:
            key = read_key()
            if key in {"up", "down"}:
                chosen = (chosen + (1 if key == "down" else -1)) % len(menu)
            elif key.isdigit() and 1 <= int(key) <= len(menu):
                chosen = int(key) - 1
            elif key == "leave":
                chosen = len(menu) - 1
            sys.stdout.write(f"\x1b[{len(menu) + 2}A")  # up to the first line
            _draw(menu, chosen)
            if key in {"enter", "leave"} or key.isdigit():
                return menu[chosen][1]


def update(options: argparse.Namespace) -> int:
    """Bring a newer version; if it does not work, everything is as it was before."""
    record = read_record()
    if options.roll_back:
        if record is None:
            raise SetupError("There is no update to go back from")
        return roll_back(record, options.workspace, failed=record["state"] != "done")
    if record is not None and record["state"] != "done":
        say("The last update was cut off. Going back to the version before it first ...")
        roll_back(record, options.workspace, failed=True)
    source = options.source
    commit = _commit_to_update() if source is None else ""
    if run_medcxr(["doctor"], options.workspace):
        raise SetupError(
            "The diagnostics above find something broken; mend it before the update, so that what "
            "the update breaks can be told apart"
        )
    record = remember_this_version(commit, options.workspace)
    try:
        if source is None:
            _git("pull", "--ff-only", problem="git could not bring a newer version")
            replace_entries({WHEELS: None}, record)
        else:
            replace_entries(_entries_of(source), record)
        say("Checking the new version ...")
        # By the new version's own manage.py: it knows how that is installed and checked.
        words = ["diagnostics", "--workspace", str(options.workspace)]
        problem = run_child([sys.executable, str(ROOT / "manage.py"), *words])
    except (SetupError, OSError, zipfile.BadZipFile) as error:
        say(f"Error: {error}")
        problem = 1
    except BaseException:
        roll_back(record, options.workspace, failed=True)
        raise
    if problem:
        roll_back(record, options.workspace, failed=True)
        raise SetupError("The update did not work; the version before is back and nothing is lost")
    _write_record(dict(record, state="done"))
    say("Updated. python3 manage.py update --roll-back returns to the version before.")
    return 0


def remember_this_version(commit: str, workspace: Path) -> "dict[str, object]":
    """Back up and keep everything that a roll-back needs; return its record."""
    before = _backups_of(workspace)
    if run_medcxr(["backup", "make", "--without-runs"], workspace):
        raise SetupError("The workspace could not be backed up, so nothing was updated")
    made = sorted(_backups_of(workspace) - before)
    if not made:
        raise SetupError("The backup is not where it should be, so nothing was updated")
    _remove(UPDATE)
    UPDATE.mkdir(mode=0o700)
    record: dict[str, object] = {"state": "begun", "commit": commit}
    record.update(backup=made[-1], entries={})
    _copy_environment(RUNTIME.folder, UPDATE / "venv.part")
    (UPDATE / "venv.part").rename(UPDATE / "venv")
    _write_record(record)
    return record


def roll_back(record: "dict[str, object]", workspace: Path, *, failed: bool) -> int:
    """Bring program, environment and, where it is needed, the workspace back as they were.

    After an update that failed the workspace is always brought back. Later it is only where the
    version before cannot read what the newer one made of the database: work was done since.
    """
    say("Going back to the version before ...")
    commit = str(record["commit"])
    if commit:
        if not failed:
            _require_clean()
        _git("reset", "--hard", commit, problem="git could not go back")
    entries = record["entries"]
    for name, existed in entries.items() if isinstance(entries, dict) else ():
        saved = UPDATE / "program" / str(name)
        if saved.exists() or not existed:
            _remove(ROOT / str(name))
        if saved.exists():
            saved.rename(ROOT / str(name))
    if (UPDATE / "venv").exists():
        _remove(RUNTIME.folder)
        (UPDATE / "venv").rename(RUNTIME.folder)
    reads = run_medcxr(["cases", "list", "--limit", "1", "--json"], workspace, silent=True) == 0
    if failed or not reads:
        words = ["backup", "restore", str(record["backup"]), "--yes"]
        if run_medcxr(words, workspace):
            raise SetupError(
                f"The program is back, the workspace is not: restore {record['backup']} by "
                "medcxr backup restore"
            )
    _remove(UPDATE)
    say("The version before is back.")
    return 0


def replace_entries(new: "dict[str, Path | None]", record: "dict[str, object]") -> None:
    """Put new files and folders in the program's folder; None takes one away.

    What was there is kept, and the record names it before anything is moved.
    """
    record["entries"] = {name: (ROOT / name).exists() for name in new}
    _write_record(record)
    (UPDATE / "program").mkdir()
    for name, source in new.items():
        if (ROOT / name).exists():
            (ROOT / name).rename(UPDATE / "program" / name)
        if source is not None and source.is_dir():
            shutil.copytree(source, ROOT / name, symlinks=True)
        elif source is not None:
            shutil.copy2(source, ROOT / name)


def read_record() -> "dict[str, object] | None":
    """Return what is kept of the last update; None if there was none."""
    try:
        record = json.loads(RECORD.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    complete = isinstance(record, dict) and {"state", "commit", "backup", "entries"} <= set(record)
    return record if complete else None


def offer_end_of_cut_off_update() -> None:
    """Tell about an update that was cut off before it was checked."""
    record = read_record()
    if record is not None and record["state"] != "done":
        say(
            "The last update was cut off. If something does not work, "
            "python3 manage.py update --roll-back returns to the version before."
        )


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
    """Remove what an environment never runs of its libraries, and all bytecode.

    Bytecode is made again of what is used. Together this is an eighth of the light runtime.
    """
    unused = [
        found
        for name, kinds in NEVER_RUN.items()
        for library in folder.rglob("site-packages/" + name)
        for kind in kinds
        for found in library.rglob(kind)
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
    wheel = _wheel()
    if wheel is not None:
        parts.append(hashlib.sha256(wheel.read_bytes()).hexdigest())
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
    surroundings = dict(without_secrets(), DEBIAN_FRONTEND="noninteractive")
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


def without_secrets() -> "dict[str, str]":
    """Return the environment for programs of others, which fetch and run code of others in turn."""
    return {name: value for name, value in os.environ.items() if name not in SECRETS}


def say(words: str) -> None:
    """Print at once, so that the order with the children's output is right."""
    print(words, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="manage.py",
        description="Install, start, back up, update and check medcxr. Without a command: a menu.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("install", help="install what the program needs")
    start = commands.add_parser("run", help="install what is missing, then start the dashboard")
    start.add_argument("--port", type=_port, default=8501, help="default: 8501")
    start.add_argument("--address", default="127.0.0.1", help="default: 127.0.0.1, this machine")
    start.add_argument(
        "--allow-unencrypted", action="store_true", help="other machines too without TLS"
    )
    start.add_argument("--no-browser", dest="browser", action="store_false", help="only serve")
    samples = commands.add_parser("sample-data", help="make simulated radiographs")
    samples.add_argument(
        "folder", type=Path, nargs="?", default=ROOT / "sample-data", help="new folder for them"
    )
    backup = commands.add_parser(
        "backup",
        help="back the workspace up, or what else follows: list, verify, restore, schedule ...",
    )
    backup.add_argument("words", nargs=argparse.REMAINDER, help="for medcxr backup; default: make")
    checks = commands.add_parser("diagnostics", help="check computer, workspace and models")
    newer = commands.add_parser(
        "update", help="bring a newer version; goes back by itself if it does not work"
    )
    newer.add_argument(
        "--from",
        dest="source",
        type=Path,
        help="folder, zip or wheel of the newer version; default: git pull",
    )
    newer.add_argument(
        "--roll-back", action="store_true", help="return to the version before the last update"
    )
    cleaning = commands.add_parser("clean", help="delete temporary files")
    for one in (start, samples, backup, checks, newer, cleaning):
        one.add_argument(
            "--workspace", type=Path, default=WORKSPACE, help="folder for cases and models"
        )
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
    wheel = _wheel()
    from_wheel = wheel is not None and environment.folder == RUNTIME.folder
    if from_wheel:
        _pip_remove(environment, "medcxr")  # one of the same version would be taken for it
    # Bytecode is made when a module is first used; made ahead it would fill another 150 MB.
    command = [str(environment.python), "-m", "pip", "install", "--no-compile", "--no-input"]
    command += ["--disable-pip-version-check", "-c", "constraints.txt"]
    if from_wheel:
        command.append(f"{wheel}[{environment.extras}]" if environment.extras else str(wheel))
    else:
        command += ["-e", project]
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
        code = run_child(command, surroundings=without_secrets(), output=output)
    if code:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        last = "\n  ".join(lines[-15:])
        raise SetupError(
            f"{problem}. Its last lines:\n  {last}\n"
            f"The full output is in {log}. {remedy}, then start again"
        )


def _wheel() -> "Path | None":
    """Return the wheel that the program was last updated from, if it was."""
    return next(iter((ROOT / WHEELS).glob("medcxr-*.whl")), None)


def _carry_out(words: "list[str]") -> int:
    options = _parser().parse_args(words)
    return int(COMMANDS[options.command](options))


def _choose_backup() -> int:
    words = choose("Backup", BACKUP_MENU).split()
    if words == ["restore"]:
        made = sorted(_backups_of(WORKSPACE), key=lambda path: Path(path).name)
        if not made:
            raise SetupError("There is no backup yet")
        words = ["restore", made[-1]]  # the program asks before it does it
    return _carry_out(["backup", *words]) if words else 0


def _choose_by_number(title: str, menu: "tuple[tuple[str, str, str], ...]") -> str:
    say(f"\n{title}\n")
    for number, (name, _words, told) in enumerate(menu, start=1):
        say(f"  {number}  {name:24} {told}".rstrip())
    while True:
        try:
            answer = input(f"\nNumber (1-{len(menu)}): ").strip().lower()
        except EOFError:
            return ""
        if answer in {"q", "quit", "exit"}:
            return ""
        if answer.isdigit() and 1 <= int(answer) <= len(menu):
            return menu[int(answer) - 1][1]
        say(f"{answer or 'Nothing'} is none of the numbers.")


def _draw(menu: "tuple[tuple[str, str, str], ...]", chosen: int) -> None:
    for number, (name, _words, told) in enumerate(menu):
        line = f"{'>' if number == chosen else ' '} {number + 1}  {name:24} {told}".rstrip()
        mark = ("\x1b[7m", "\x1b[0m") if number == chosen else ("", "")
        sys.stdout.write(f"\r\x1b[2K{mark[0]}{line}{mark[1]}\n")
    sys.stdout.write("\r\x1b[2K\n\r\x1b[2KArrow keys and Enter, or a number.\n")
    sys.stdout.flush()


if sys.platform == "win32":
    import ctypes
    import msvcrt

    @contextlib.contextmanager
    def _keys() -> "Iterator[Callable[[], str] | None]":
        """Yield what reads one key; None where this console cannot move its cursor."""
        kernel = ctypes.windll.kernel32
        # ENABLE_VIRTUAL_TERMINAL_PROCESSING with the two that are usual (consoleapi.h)
        shows_escapes = kernel.SetConsoleMode(kernel.GetStdHandle(-11), 7)
        yield _read_key if shows_escapes else None

    def _read_key() -> str:
        key = msvcrt.getwch()
        if key in {"\x00", "\xe0"}:  # an arrow is two
            return {"H": "up", "P": "down"}.get(msvcrt.getwch(), "")
        if key == "\x03":
            raise KeyboardInterrupt
        return _plain_key(key)

else:
    import termios
    import tty

    @contextlib.contextmanager
    def _keys() -> "Iterator[Callable[[], str] | None]":
        """Yield what reads one key at once; the terminal is as it was afterwards."""
        before = termios.tcgetattr(0)
        try:
            tty.setcbreak(0)
            yield _read_key
        finally:
            termios.tcsetattr(0, termios.TCSADRAIN, before)

    def _read_key() -> str:
        key = os.read(0, 1)
        if key == b"\x1b":
            # An arrow is three bytes that come together; after Escape alone nothing comes.
            if not select.select([0], [], [], 0.1)[0]:
                return "leave"
            if os.read(0, 1) not in {b"[", b"O"}:
                return ""
            return {b"A": "up", b"B": "down"}.get(os.read(0, 1), "")
        return _plain_key(key.decode("ascii", "replace"))


def _plain_key(key: str) -> str:
    if key in {"", "q", "Q", "\x1b", "\x04"}:  # nothing: the input has ended
        return "leave"
    if key in {"\r", "\n"}:
        return "enter"
    if key in {"k", "j"}:
        return {"k": "up", "j": "down"}[key]
    return key if key.isdigit() else ""


def _commit_to_update() -> str:
    """Return the commit that is checked out, if newer ones can be pulled over it."""
    advice = "name a folder, zip or wheel of the newer version: update --from PATH"
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        raise SetupError(f"This folder is no git checkout; {advice}")
    if not _git("remote", problem="git cannot read this checkout"):
        raise SetupError(f"This checkout knows no place to pull from; {advice}")
    _require_clean()
    return _git("rev-parse", "HEAD", problem="git cannot read this checkout")


def _require_clean() -> None:
    changed = _git("status", "--porcelain", "--untracked-files=no", problem="git cannot compare")
    if changed:
        raise SetupError(
            f"Files of the program were changed here; take the changes back first:\n{changed}"
        )


def _git(*words: str, problem: str) -> str:
    surroundings = dict(without_secrets(), GIT_TERMINAL_PROMPT="0")
    result = subprocess.run(  # nosec B603 B607 # this file's own words; git is the user's own
        ["git", *words],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise SetupError(f"{problem}: {result.stderr.strip() or result.stdout.strip()}")
    return result.stdout.strip()


def _entries_of(source: Path) -> "dict[str, Path | None]":
    """Return name -> new content of everything that a newer version has in the program's folder."""
    source = source.expanduser().absolute()
    if source.is_file() and re.fullmatch(r"medcxr-[\w.]+-[\w.]+-[\w.]+-[\w.]+\.whl", source.name):
        folder = UPDATE / "new" / WHEELS
        folder.mkdir(parents=True)
        shutil.copy2(source, folder)
        return {WHEELS: folder}
    if source.is_file() and zipfile.is_zipfile(source):
        source = _unzip(source, UPDATE / "new")
    if not all((source / name).is_file() for name in ("manage.py", "pyproject.toml")):
        raise SetupError(f"{source} is no folder, zip or wheel of medcxr")
    new = {one.name: one for one in sorted(source.iterdir()) if one.name not in NOT_PROGRAM}
    return {**new, WHEELS: None}


def _unzip(source: Path, folder: Path) -> Path:
    """Unpack a zip whose names stay inside a folder; return the folder of the program."""
    with zipfile.ZipFile(source) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > MOST_UNPACKED_BYTES:
            raise SetupError(f"{source} unpacks to more than a version of medcxr")
        for entry in entries:
            parts = entry.filename.rstrip("/").split("/")
            is_link = stat.S_ISLNK(entry.external_attr >> 16)
            if is_link or any(part in {"", ".", ".."} or set(part) & set("\\:") for part in parts):
                raise SetupError(f"{source} holds {entry.filename}, which leads elsewhere")
        archive.extractall(folder)  # names were checked
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _backups_of(workspace: Path) -> "set[str]":
    folder = Path(os.environ.get("MEDCXR_BACKUPS", "").strip() or workspace / "backups")
    return {str(path.absolute()) for path in folder.glob("medcxr-*.medcxr-backup")}


def _copy_environment(folder: Path, copy: Path) -> None:
    """Keep an environment as it is; its libraries are linked, since pip replaces whole files."""
    shutil.copytree(folder, copy, symlinks=True, copy_function=_link_or_copy)
    for path in folder.iterdir():  # the stamp and the settings are written in place
        if path.is_file() and not path.is_symlink():
            (copy / path.name).unlink()
            shutil.copy2(path, copy / path.name)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a disk without links
        shutil.copy2(source, target)


def _write_record(record: "dict[str, object]") -> None:
    new = RECORD.with_suffix(".new")
    new.write_text(json.dumps(record, indent=2), encoding="utf-8")
    new.replace(RECORD)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.exists() or path.is_symlink():
        path.unlink()


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
    scheme = "https" if os.environ.get("MEDCXR_TLS_CERTIFICATE") else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


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


COMMANDS = {
    "install": install,
    "run": run,
    "sample-data": make_sample_data,
    "backup": back_up,
    "diagnostics": diagnose,
    "update": update,
    "clean": clean,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
