"""`medcxr backup`: from one file to the next, with passphrases that nobody sees."""

import os
import pty
import re
import select
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from medcxr.apps.cli.main import app
from medcxr.core.errors import AccessError, DataError
from medcxr.security import sealed
from medcxr.services.backup_files import is_sealed
from medcxr.services.backup_restoring import earlier_states
from medcxr.services.backup_schedule import BackupSchedule, backup_schedule
from medcxr.services.case_records import cases
from remembering import remember

NOW = datetime(2026, 3, 4, tzinfo=UTC)
SOURCE = Path(__file__).resolve().parents[2] / "src"
PASSPHRASE = "five words of nobody else"  # noqa: S105 - of these tests alone


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(sealed, "_MEMORY_KIB", 64)


@pytest.fixture
def run(tiny_workspace, monkeypatch):
    """Return a function that runs a command on the workspace."""
    monkeypatch.setenv("MEDCXR_WORKSPACE", str(tiny_workspace.folder))

    def run(*words, answers="", code=0):
        result = CliRunner().invoke(app, ["backup", *map(str, words)], input=answers)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return run


def test_there_and_back_again(run, tiny_workspace):
    remember(tiny_workspace, 1, NOW)
    made = run("make")
    path = made.stdout.strip()
    assert Path(path).is_file()
    assert "This backup is not encrypted" in made.stderr
    assert Path(path).name in run("list").stdout
    assert "is whole" in run("verify", path).stderr

    remember(tiny_workspace, 2, NOW)
    run("restore", path, answers="n\n", code=1)
    assert len(cases(tiny_workspace)) == 2
    assert "go-back" in run("restore", path, answers="y\n").stderr
    assert len(cases(tiny_workspace)) == 1
    assert "yes" in run("states").stdout
    run("go-back", "--yes")
    assert len(cases(tiny_workspace)) == 2
    (state,) = earlier_states(tiny_workspace)
    run("forget", state.name, answers="n\n", code=1)
    run("forget", state.name, "--yes")
    assert earlier_states(tiny_workspace) == []

    run("delete", Path(path).name, "--yes")
    assert "No backup in" in run("list").stderr


def test_a_passphrase_is_asked_for_twice_and_never_shown(run):
    made = run("make", "--encrypt", answers=f"{PASSPHRASE}\n{PASSPHRASE}\n")
    assert PASSPHRASE not in made.output
    assert "not encrypted" not in made.output
    path = made.stdout.strip().splitlines()[-1]
    assert "is whole" in run("verify", path, answers=f"{PASSPHRASE}\n").stderr
    with pytest.raises(DataError, match="passphrase is another one"):
        run("verify", path, answers="another passphrase\n")


def test_a_passphrase_comes_from_the_file_that_is_named(run, tmp_path, monkeypatch):
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    monkeypatch.setenv("MEDCXR_BACKUP_PASSPHRASE_FILE", str(file))
    path = run("make", "--encrypt", "--to", tmp_path / "elsewhere").stdout.strip()
    assert Path(path).parent == tmp_path / "elsewhere"
    run("verify", path)
    run("restore", path, "--yes")
    file.write_text("short\n")
    with pytest.raises(AccessError, match="use at least 12"):
        run("make", "--encrypt")


def test_where_a_file_is_named_every_backup_is_encrypted(run, tmp_path, monkeypatch):
    assert "not encrypted" in run("make").stderr
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    monkeypatch.setenv("MEDCXR_BACKUP_PASSPHRASE_FILE", str(file))
    made = run("make")
    assert "not encrypted" not in made.stderr
    assert is_sealed(Path(made.stdout.strip()))
    run("restore", made.stdout.strip(), "--yes")
    assert not is_sealed(Path(run("make", "--no-encrypt").stdout.strip()))


def test_no_option_takes_a_passphrase(run):
    for command in ("make", "verify", "restore"):
        options = re.findall(r"--[\w-]+", run(command, "--help").output)
        assert not {"--passphrase", "--password"} & set(options)


def test_the_schedule_is_shown_changed_and_kept_to(run, tiny_workspace):
    assert "No backups are made by the clock" in run("schedule").stderr
    assert "No backup is due" in run("due").stderr
    assert "every 24 hours" in run("schedule", "--every", 24, "--keep", 3, "--weeks", 0).stderr
    wanted = BackupSchedule(every_hours=24, keep=3, weeks=0)
    assert backup_schedule(tiny_workspace) == wanted
    assert "every 24 hours" in run("schedule").stderr
    assert Path(run("due").stdout.strip()).name.endswith("-scheduled.medcxr-backup")
    assert "No backup is due" in run("due").stderr
    run("schedule", "--off")
    assert backup_schedule(tiny_workspace).every_hours is None


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="opens a pseudo terminal")
def test_a_terminal_does_not_echo_the_passphrase(tiny_workspace):
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(PYTHONPATH=str(SOURCE), MEDCXR_WORKSPACE=str(tiny_workspace.folder))
        words = [sys.executable, "-m", "medcxr", "backup", "make", "--encrypt"]
        os.execv(sys.executable, words)  # noqa: S606 - no shell
    shown, asked, end = "", 0, time.monotonic() + 90
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # Linux's way to say that the other side is closed
            break
        shown += piece.decode()
        if shown.count(": ") > asked and asked < 2 and shown.endswith(": "):
            asked += 1
            time.sleep(0.3)  # until the terminal has stopped to echo
            os.write(terminal, PASSPHRASE.encode() + b"\r")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
    os.close(terminal)
    assert asked == 2
    assert PASSPHRASE not in shown
    assert "read back and whole" in shown
