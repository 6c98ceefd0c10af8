"""Updates by manage.py: a good one stays, a bad one leaves everything as it was before.

A tiny package of the same name stands in the place of medcxr; its "database" is a file that each
version marks when it is checked, as a migration would. git, pip and the environment are real.
"""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from test_manage import BACKEND, PYPROJECT, ROOT, run_manage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("git") is None, reason="needs git"),
]

PROGRAM = """
import os, pathlib, shutil, sys

VERSION, DOCTOR, READS = {version!r}, {doctor!r}, {reads!r}
workspace = pathlib.Path(os.environ["MEDCXR_WORKSPACE"])
database, words = workspace / "database", sys.argv[1:]
kept = database.read_text() if database.exists() else "new"
if words[:2] == ["backup", "make"]:
    (workspace / "backups").mkdir(exist_ok=True)
    number = len(list((workspace / "backups").iterdir()))
    shutil.copy(database, workspace / "backups" / f"medcxr-{{number}}.medcxr-backup")
elif words[:2] == ["backup", "restore"]:
    shutil.copy(words[2], database)
elif words[0] == "doctor":
    database.write_text(VERSION)
    sys.exit(DOCTOR)
elif words[0] == "cases":
    sys.exit(0 if kept in READS else 2)
print("this is", VERSION, words)
"""


def write_version(folder, version, *, doctor=0, reads=None):
    (folder / "medcxr").mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "manage.py", folder)
    (folder / "pyproject.toml").write_text(f"{PYPROJECT}# {version}\n")
    (folder / "constraints.txt").write_text("")
    (folder / "backend.py").write_text(BACKEND)
    (folder / "medcxr" / "__init__.py").write_text("")
    code = PROGRAM.format(version=version, doctor=doctor, reads=reads or ["one", "two", "new"])
    (folder / "medcxr" / "__main__.py").write_text(code)
    shutil.copy(ROOT / ".gitignore", folder)


def git(folder, *words):
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    result = subprocess.run(
        ["git", *who, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


@pytest.fixture
def upstream(tmp_path):
    """A checkout whose commits are pushed to a bare repository."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "remote.git")
    git(tmp_path, "clone", "-q", "remote.git", "upstream")
    folder = tmp_path / "upstream"
    git(folder, "checkout", "-q", "-B", "main")
    publish(folder, "one")
    return folder


def publish(folder, version, **values):
    write_version(folder, version, **values)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", version)
    git(folder, "push", "-q", "origin", "main")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def installed(upstream, tmp_path):  # noqa: ARG001 - which it is cloned from
    """A checkout of the first version, installed and used."""
    git(tmp_path, "clone", "-q", "remote.git", "installed")
    folder = tmp_path / "installed"
    assert manage(folder, "diagnostics").returncode == 0
    return folder


def manage(folder, *words):
    # Where the tests find the real package is no place for the tiny one's.
    return run_manage(folder, *words, PYTHONPATH="")


def state_of(folder):
    """Return the commit, what is installed, and the database."""
    return (
        git(folder, "rev-parse", "HEAD"),
        (folder / ".venv" / "medcxr-install.txt").read_text(),
        (folder / "workspace" / "database").read_text(),
    )


def test_a_good_update_stays_and_can_be_gone_back_from(upstream, installed):
    before = state_of(installed)
    commit = publish(upstream, "two")

    result = manage(installed, "update")

    assert result.returncode == 0, result.stdout + result.stderr
    after = state_of(installed)
    assert after[0] == commit
    assert after[1] != before[1]
    assert after[2] == "two"
    assert len(list((installed / "workspace" / "backups").iterdir())) == 1

    back = manage(installed, "update", "--roll-back")
    assert back.returncode == 0, back.stdout + back.stderr
    assert state_of(installed) == (*before[:2], "two")  # which the version before can read
    assert not (installed / ".update").exists()
    assert "this is one ['backup', 'list']" in manage(installed, "backup", "list").stdout
    again = manage(installed, "update", "--roll-back")
    assert again.returncode == 1
    assert "no update to go back from" in again.stderr


def test_going_back_restores_a_database_that_the_version_before_cannot_read(upstream, installed):
    before = state_of(installed)
    publish(upstream, "three")  # which "one" cannot read
    assert manage(installed, "update").returncode == 0
    assert manage(installed, "update", "--roll-back").returncode == 0
    assert state_of(installed) == before


def test_an_update_whose_check_fails_is_rolled_back(upstream, installed):
    before = state_of(installed)
    publish(upstream, "two", doctor=1)

    result = manage(installed, "update")

    assert result.returncode == 1
    assert "The update did not work; the version before is back" in result.stderr
    assert state_of(installed) == before
    assert git(installed, "status", "--porcelain") == ""
    assert not (installed / ".update").exists()
    assert manage(installed, "backup", "list").stdout.endswith("this is one ['backup', 'list']\n")


def test_an_update_that_cannot_be_installed_is_rolled_back(upstream, installed):
    before = state_of(installed)
    with (upstream / "pyproject.toml").open("a") as file:
        file.write('dependencies = ["a-package-that-no-index-has"]\n')
    git(upstream, "commit", "-q", "-a", "-m", "cannot be installed")
    git(upstream, "push", "-q")

    result = manage(installed, "update")

    assert result.returncode == 1
    assert "a-package-that-no-index-has" in result.stdout + result.stderr
    assert state_of(installed) == before
    assert manage(installed, "backup", "list").returncode == 0


def test_an_update_that_was_cut_off_is_undone_by_the_next_one(upstream, installed):
    before = state_of(installed)
    commit = publish(upstream, "two")
    code = (
        "import os, manage\n"
        "manage.replace_entries = lambda *_: os._exit(9)  # as if it was killed after the pull\n"
        "manage.main(['update'])\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=installed, check=False)
    assert killed.returncode == 9
    assert state_of(installed)[0] == commit

    again = manage(installed, "update")

    assert again.returncode == 0, again.stdout + again.stderr
    assert "The last update was cut off" in again.stdout
    assert json.loads((installed / ".update" / "update.json").read_text())["commit"] == before[0]
    assert state_of(installed)[0] == commit


def test_changed_files_and_a_folder_without_a_remote_are_refused(upstream, installed):
    publish(upstream, "two")
    before = state_of(installed)
    (installed / "constraints.txt").write_text("# mine\n")
    result = manage(installed, "update")
    assert result.returncode == 1
    assert "were changed here" in result.stderr
    assert "constraints.txt" in result.stderr
    git(installed, "checkout", "constraints.txt")
    assert state_of(installed) == before

    git(installed, "remote", "remove", "origin")
    result = manage(installed, "update")
    assert result.returncode == 1
    assert "update --from PATH" in result.stderr


def test_nothing_is_updated_where_something_is_broken_already(upstream, installed):
    publish(upstream, "two")
    main = installed / "medcxr" / "__main__.py"
    before = git(installed, "rev-parse", "HEAD")
    git(installed, "update-index", "--assume-unchanged", "medcxr/__main__.py")
    main.write_text(
        main.read_text().replace("DOCTOR, READS = 'one', 0", "DOCTOR, READS = 'one', 1")
    )
    result = manage(installed, "update")
    assert result.returncode == 1
    assert "mend it before the update" in result.stderr
    assert git(installed, "rev-parse", "HEAD") == before
    assert not (installed / ".update").exists()


def zip_of(folder, target, extra=()):
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and ".git" not in path.relative_to(folder).parts:
                archive.write(path, "medcxr-2/" + path.relative_to(folder).as_posix())
        for name in extra:
            archive.writestr(name, "x")
    return target


@pytest.mark.parametrize("how", ["folder", "zip"])
@pytest.mark.parametrize("doctor", [0, 1])
def test_a_version_from_a_folder_or_zip(tmp_path, how, doctor):
    installed, newer = tmp_path / "installed", tmp_path / "newer"
    write_version(installed, "one")
    (installed / "only-old.txt").write_text("stays")
    assert manage(installed, "diagnostics").returncode == 0
    write_version(newer, "two", doctor=doctor)
    (newer / "only-new.txt").write_text("new")
    (newer / "workspace").mkdir()
    (newer / "workspace" / "database").write_text("not this")
    source = newer if how == "folder" else zip_of(newer, tmp_path / "newer.zip")

    result = manage(installed, "update", "--from", str(source))

    assert result.returncode == doctor, result.stdout + result.stderr
    version = "one" if doctor else "two"
    assert f"'{version}'" in (installed / "medcxr" / "__main__.py").read_text()
    assert (installed / "workspace" / "database").read_text() == version
    assert (installed / "only-new.txt").exists() == (doctor == 0)
    assert (installed / "only-old.txt").read_text() == "stays"
    if not doctor:
        assert manage(installed, "update", "--roll-back").returncode == 0
        assert "'one'" in (installed / "medcxr" / "__main__.py").read_text()
        assert not (installed / "only-new.txt").exists()


@pytest.mark.parametrize("name", ["../outside", "/outside", "medcxr-2/../../outside", "a\\..\\b"])
def test_a_zip_that_leads_elsewhere_is_refused(tmp_path, name):
    installed, newer = tmp_path / "installed", tmp_path / "newer"
    write_version(installed, "one")
    assert manage(installed, "diagnostics").returncode == 0
    write_version(newer, "two")
    source = zip_of(newer, tmp_path / "newer.zip", extra=[name])
    result = manage(installed, "update", "--from", str(source))
    assert result.returncode == 1
    assert "leads elsewhere" in result.stdout
    assert "'one'" in (installed / "medcxr" / "__main__.py").read_text()
    assert not (tmp_path / "outside").exists()


def test_something_else_is_refused(tmp_path):
    installed = tmp_path / "installed"
    write_version(installed, "one")
    assert manage(installed, "diagnostics").returncode == 0
    (tmp_path / "other").mkdir()
    result = manage(installed, "update", "--from", str(tmp_path / "other"))
    assert result.returncode == 1
    assert "is no folder, zip or wheel of medcxr" in result.stdout
    assert not (installed / ".update").exists()


def wheel_of(folder, version):
    path = folder / "medcxr-0.2.0-py3-none-any.whl"
    info = "medcxr-0.2.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        code = PROGRAM.format(version=version, doctor=0, reads=["one", "two"])
        wheel.writestr("medcxr/__init__.py", "")
        wheel.writestr("medcxr/__main__.py", code)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: medcxr\nVersion: 0.2.0\n")
        tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{info}/WHEEL", tags)
        wheel.writestr(f"{info}/RECORD", "")
    return path


def test_a_version_from_a_wheel_and_back(tmp_path):
    installed = tmp_path / "installed"
    write_version(installed, "one")
    # As in the real project, the package does not lie where the interpreter looks first.
    (installed / "src").mkdir()
    (installed / "medcxr").rename(installed / "src" / "medcxr")
    backend = installed / "backend.py"
    here = f"        wheel.writestr('here.pth', {str(installed / 'src')!r})\n"
    backend.write_text(backend.read_text().replace("    return name", here + "    return name"))
    assert manage(installed, "diagnostics").returncode == 0
    wheel = wheel_of(tmp_path, "two")

    result = manage(installed, "update", "--from", str(wheel))

    assert result.returncode == 0, result.stdout + result.stderr
    assert "this is two ['backup', 'list']" in manage(installed, "backup", "list").stdout
    assert "Installing" not in manage(installed, "backup", "list").stdout
    assert manage(installed, "update", "--roll-back").returncode == 0
    assert "this is one ['backup', 'list']" in manage(installed, "backup", "list").stdout


def test_the_record_of_an_update_says_what_a_roll_back_needs(upstream, installed):
    before = state_of(installed)
    publish(upstream, "two")
    assert manage(installed, "update").returncode == 0
    record = json.loads((installed / ".update" / "update.json").read_text())
    assert record["state"] == "done"
    assert record["commit"] == before[0]
    assert os.path.exists(record["backup"])  # noqa: PTH110 - as it is written there
