"""Results that were not delivered, over backups and restores: none is lost, none is made another."""

from collections import Counter

import pytest

from kept_results import RULES, folder_out, give_up, queue, result_files
from medcxr.core.access import NODE, OPERATOR
from medcxr.core.errors import DataError
from medcxr.services import backups
from medcxr.services.backup_restoring import go_back, restore_backup
from medcxr.services.backups import make_backup, verify_backup
from medcxr.services.delivery import deliver_due, standings
from medcxr.services.result_files import remove_unneeded_results
from medcxr.services.undelivered import discard_results, undelivered_results
from medcxr.services.waiting_results import require_right_names
from medcxr.services.workspace import Workspace
from medcxr.storage import database as database_module
from medcxr.storage.archive import read_archive


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def out(tmp_path):
    """Return a destination, which is there."""
    (tmp_path / "out").mkdir()
    return folder_out(tmp_path)


def node(workspace):
    return workspace.used_by(NODE)


def sent(tmp_path):
    return sorted(path.read_text() for path in (tmp_path / "out").iterdir())


def states(workspace):
    return Counter({str(one.state): one.n for one in standings(workspace)})


def test_what_waits_is_on_another_computer_what_it_was(workspace, out, tmp_path):
    queue(node(workspace), out, 1, 2)
    path = make_backup(workspace).backup.path
    other = Workspace.open(tmp_path / "other")
    restore_backup(other, path)
    assert result_files(other) == result_files(workspace) == ["of 1", "of 2"]
    assert remove_unneeded_results(node(other)) == 0
    assert deliver_due(node(other), out, RULES).n_sent == 2
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    # The computer that they came from sends the same objects under the same names.
    assert deliver_due(node(workspace), out, RULES).n_sent == 2
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == first
    assert result_files(other) == result_files(workspace) == []


def test_what_was_done_since_the_backup_stays_done_and_what_is_owed_stays_owed(
    workspace, out, tmp_path
):
    queue(node(workspace), out, 1, 2, 3)
    path = make_backup(workspace).backup.path
    first, second, _ = undelivered_results(workspace)
    assert discard_results(workspace, [first.number]) == 1
    (tmp_path / "out").rename(tmp_path / "away")
    give_up(node(workspace), out)
    assert discard_results(workspace, [second.number]) == 1
    (tmp_path / "away").rename(tmp_path / "out")
    queue(node(workspace), out, 4)
    assert deliver_due(node(workspace), out, RULES).n_sent == 1
    queue(node(workspace), out, 5)
    before = states(workspace)
    assert before == {"discarded": 2, "given up": 1, "sent": 1, "waiting": 1}
    restore_backup(workspace, path)
    assert states(workspace) == before
    go_back(workspace)
    assert states(workspace) == before
    remove_unneeded_results(node(workspace))
    assert result_files(workspace) == ["of 3", "of 5"]
    assert deliver_due(node(workspace), out, RULES).n_sent == 1
    assert sent(tmp_path) == ["of 4", "of 5"]


def test_a_result_that_is_delivered_while_it_is_backed_up_is_whole_in_the_backup(
    workspace, out, tmp_path, monkeypatch
):
    queue(node(workspace), out, 1)
    contents = backups._contents

    def meanwhile(*words, **more):
        deliver_due(node(workspace), out, RULES)
        return contents(*words, **more)

    monkeypatch.setattr(backups, "_contents", meanwhile)
    path = make_backup(workspace).backup.path
    assert result_files(workspace) == []
    assert [one.name for one in workspace.node.iterdir()] == ["results"]  # nothing is left beside
    other = Workspace.open(tmp_path / "other")
    restore_backup(other, path)
    assert result_files(other) == ["of 1"]
    assert deliver_due(node(other), out, RULES).n_sent == 1


def test_a_result_whose_file_is_gone_is_not_promised_by_a_backup(workspace, out, tmp_path):
    queue(node(workspace), out, 1, 2)
    next(one for one in workspace.results.iterdir() if one.read_text() == "of 1").unlink()
    path = make_backup(workspace).backup.path
    other = Workspace.open(tmp_path / "other")
    restore_backup(other, path)
    assert states(other) == {"waiting": 1}
    assert result_files(other) == ["of 2"]


def test_a_database_beyond_use_takes_no_result_with_it(workspace, out):
    path = make_backup(workspace).backup.path
    queue(node(workspace), out, 1)
    for file in workspace.folder.glob("medcxr.db-*"):
        file.unlink()
    workspace.database.write_bytes(b"no database " * 999)
    database_module._opened.cache_clear()  # as the next start of the program finds it
    before = restore_backup(workspace, path)
    remove_unneeded_results(node(workspace))
    assert result_files(workspace) == []
    kept = workspace.folder / "before-restore" / before / "results"
    assert [one.read_text() for one in kept.iterdir()] == ["of 1"]


def test_a_result_under_another_name_is_refused(workspace, out):
    queue(node(workspace), out, 1)
    path = make_backup(workspace).backup.path
    verify_backup(path)
    with backups.body_of_backup(path) as body:
        manifest = read_archive(body)
    require_right_names(manifest)
    (result,) = [one for one in manifest.files if one.name.startswith("results/")]
    object.__setattr__(result, "name", f"results/{'0' * 64}.result")
    with pytest.raises(DataError, match="not named by what it holds"):
        require_right_names(manifest)


def test_backups_of_whoever_receives_nothing_have_no_results(workspace):
    with backups.body_of_backup(make_backup(workspace.used_by(OPERATOR)).backup.path) as body:
        assert "results" not in read_archive(body).parts
