"""The menu of manage.py, in a real terminal by keys, and without one by numbers."""

import os
import re
import select
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from test_manage import ROOT, load

if sys.platform != "win32":
    import pty

UP, DOWN, ENTER, ESCAPE = b"\x1b[A", b"\x1b[B", b"\r", b"\x1b"
NAMES = [
    "Install",
    "Run",
    "Sample data",
    "Backup",
    "Diagnostics",
    "Update",
    "Clean temporary files",
    "Exit",
]

# Stands in the place of the installed program: says what it was asked to do.
ECHO = """
import pathlib, sys
import manage

manage.ensure_installed = lambda environment: pathlib.Path(sys.executable)
manage.run_child = lambda command, **options: print("CALLED", command[3:], flush=True) or 0
sys.exit(manage.main(sys.argv[1:]))
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "manage.py").write_text((ROOT / "manage.py").read_text())
    (tmp_path / "echo.py").write_text(ECHO)
    return tmp_path


class Terminal:
    """A child on a pseudo terminal."""

    def __init__(self, folder, program, term="xterm"):
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.environ["TERM"] = term
            os.execv(sys.executable, [sys.executable, program])  # noqa: S606 - no shell
        self.shown = ""
        self.seen = 0

    def until(self, words, limit_s=30):
        """Read on to some words after those that were waited for last."""
        end = time.monotonic() + limit_s
        while words not in self.shown[self.seen :]:
            assert time.monotonic() < end, self.shown
            self.read()
        self.seen = self.shown.index(words, self.seen) + len(words)

    def read(self):
        if select.select([self.descriptor], [], [], 0.2)[0]:
            try:
                piece = os.read(self.descriptor, 4096)
            except OSError:  # Linux's way to say that the other side is closed
                piece = b""
            self.shown += piece.decode()
            return bool(piece)
        return True

    def press(self, *keys):
        for key in keys:
            os.write(self.descriptor, key)

    def code(self):
        while self.read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@contextmanager
def terminal(folder, program="echo.py", term="xterm"):
    opened = Terminal(folder, program, term)
    try:
        yield opened
    finally:
        os.close(opened.descriptor)


posix = pytest.mark.skipif(os.name != "posix", reason="opens a pseudo terminal")


def chosen(screen):
    """Return which line is marked, of the last time that it was drawn."""
    return re.findall(r"\x1b\[7m> (\d)  ([\w ]+?)  ", screen)[-1]


@posix
def test_the_eight_choices_are_in_their_order(folder):
    with terminal(folder) as screen:
        screen.until("or a number.")
        lines = re.findall(r"^[> ] (\d)  (\w+(?: \w+)*)", strip(screen.shown), re.MULTILINE)
        assert lines == [(str(n), name) for n, name in enumerate(NAMES, start=1)]
        screen.press(b"8")
        assert screen.code() == 0


def strip(screen):
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", screen).replace("\r", "")


@posix
def test_arrow_keys_move_and_enter_chooses(folder):
    with terminal(folder) as screen:
        screen.until("or a number.")
        assert chosen(screen.shown) == ("1", "Install")
        screen.press(DOWN, DOWN, UP, DOWN, DOWN)
        screen.press(b"\x1bOB")  # as terminals in their application mode send it
        screen.press(ENTER)
        screen.until("CALLED ['doctor']")
        screen.until("or a number.")
        screen.press(UP, ENTER)  # from the first to the last
        assert screen.code() == 0


@posix
@pytest.mark.parametrize(
    ("key", "called"),
    [(b"3", "['sample-data', "), (b"5", "['doctor']"), (b"7", "['clean', '--help']")],
)
def test_a_number_chooses_at_once(folder, key, called):
    with terminal(folder) as screen:
        screen.until("or a number.")
        screen.press(key)
        screen.until("CALLED " + called)
        screen.until("or a number.")
        screen.press(b"q")
        assert screen.code() == 0


@posix
def test_backups_have_a_menu_of_their_own(folder):
    with terminal(folder) as screen:
        screen.until("or a number.")
        screen.press(b"4")
        screen.until("Make an encrypted backup")  # not in what is drawn of the first menu again
        screen.until("or a number.")
        screen.press(DOWN, ENTER)
        screen.until("CALLED ['backup', 'make', '--encrypt']")
        screen.until("or a number.")
        screen.press(b"4")
        screen.until("Make an encrypted backup")
        screen.until("or a number.")
        screen.press(b"4")
        screen.until("There is no backup yet")
        screen.until("or a number.")
        screen.press(ESCAPE)
        assert screen.code() == 0


@posix
def test_a_failing_choice_comes_back_to_the_menu(folder):
    with terminal(folder) as screen:
        screen.until("or a number.")
        screen.press(b"6")
        screen.until("is no git checkout")
        screen.until("exit code 1")
        screen.until("or a number.")
        screen.press(b"8")
        assert screen.code() == 0


@posix
def test_ctrl_c_leaves_and_the_terminal_is_as_before(folder):
    import termios

    with terminal(folder) as screen:
        before = termios.tcgetattr(screen.descriptor)
        screen.until("or a number.")
        assert termios.tcgetattr(screen.descriptor)[3] != before[3]  # keys are read at once
        screen.press(b"\x03")
        screen.until("Stopped.")
        after = termios.tcgetattr(screen.descriptor)
        assert screen.code() == 130
        assert after[3] == before[3]


@posix
def test_a_terminal_that_cannot_move_its_cursor_asks_for_a_number(folder):
    with terminal(folder, term="dumb") as screen:
        screen.until("Number (1-8)")
        assert "\x1b[" not in screen.shown
        screen.press(b"9\r")
        screen.until("9 is none of the numbers")
        screen.press(b"5\r")
        screen.until("CALLED ['doctor']")
        screen.press(b"8\r")
        assert screen.code() == 0


@posix
def test_the_shell_script_opens_the_menu(folder):
    script = folder / "Medical_AI_Manager.sh"
    script.write_bytes((ROOT / "Medical_AI_Manager.sh").read_bytes())
    result = subprocess.run(
        ["/bin/sh", str(script)],
        env=dict(os.environ, PYTHON=sys.executable),
        input="8\n",
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    assert result.returncode == 0, result.stderr
    assert [name in result.stdout for name in NAMES] == [True] * 8


def test_the_scripts_start_manage_py_with_their_words():
    assert 'manage.py "$@"' in (ROOT / "Medical_AI_Manager.sh").read_text()
    batch = (ROOT / "Medical_AI_Manager.bat").read_bytes()
    assert b"manage.py %*\r\n" in batch
    assert b"\n" not in batch.replace(b"\r\n", b"")  # cmd.exe misreads other ends of lines


def test_without_a_terminal_numbers_are_read_and_the_end_leaves(folder):
    result = subprocess.run(
        [sys.executable, "echo.py"],
        cwd=folder,
        input="nonsense\n5\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0
    assert "nonsense is none of the numbers" in result.stdout
    assert "CALLED ['doctor']" in result.stdout


@pytest.mark.parametrize("name", ["install", "sample-data", "backup", "diagnostics", "clean"])
def test_each_choice_is_a_command(folder, name):
    result = subprocess.run(
        [sys.executable, "echo.py", name], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "CALLED" in result.stdout or name == "install"


def test_words_after_backup_go_to_the_program(folder):
    words = ["backup", "verify", "a file", "--help"]
    result = subprocess.run(
        [sys.executable, "echo.py", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert "CALLED ['backup', 'verify', 'a file', '--help']" in result.stdout


def test_every_choice_of_the_menu_is_a_command():
    manage = load(Path(ROOT / "manage.py"))
    assert [name for name, _, _ in manage.MENU] == NAMES
    assert [words for _, words, _ in manage.MENU if words] == list(manage.COMMANDS)
