"""What lies in a workspace."""

import pytest

from medcxr.services.database import workspace_database
from medcxr.services.preferences import Preferences, set_preferences
from medcxr.services.workspace import Workspace
from medcxr.services.workspace_facts import workspace_places


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace")


def test_files_are_counted_with_those_in_folders_below(workspace):
    below = workspace.runs / "run" / "fold-1"
    below.mkdir(parents=True)
    (below / "checkpoint").write_bytes(bytes(100))
    (workspace.runs / "list").write_bytes(bytes(20))
    places = {place.path: place for place in workspace_places(workspace)}
    assert (places[workspace.runs].n_files, places[workspace.runs].n_bytes) == (2, 120)
    assert places[workspace.models].n_files == 0
    assert workspace.folder not in places


def test_the_database_counts_with_what_lies_beside_it_while_it_is_used(workspace):
    set_preferences(workspace, Preferences(keep_days=7))
    with workspace_database(workspace).reading():
        names = {path.name for path in workspace.folder.glob("medcxr.db*")}
        places = {place.path: place for place in workspace_places(workspace)}
    assert "medcxr.db-wal" in names
    assert places[workspace.database].n_files == len(names)
    assert places[workspace.database].n_bytes >= workspace.database.stat().st_size


def test_what_else_lies_there_is_one_line(workspace):
    (workspace.folder / "notes").write_bytes(bytes(7))
    (workspace.folder / "further").mkdir()
    (workspace.folder / "further" / "file").write_bytes(bytes(3))
    rest = workspace_places(workspace)[-1]
    assert (rest.path, rest.n_files, rest.n_bytes) == (workspace.folder, 2, 10)


def test_links_are_not_followed(workspace, tmp_path):
    (tmp_path / "elsewhere").write_bytes(bytes(50))
    (workspace.runs / "link").symlink_to(tmp_path / "elsewhere")
    (workspace.runs / "around").symlink_to(workspace.runs)
    places = {place.path: place for place in workspace_places(workspace)}
    assert places[workspace.runs].n_files == 0
