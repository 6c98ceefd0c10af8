"""Opening workspaces in real folders."""

import stat

import pytest

from medcxr.core.errors import StorageError
from medcxr.services.workspace import Workspace


def test_opening_creates_folders_for_the_owner_alone(tmp_path):
    workspace = Workspace.open(tmp_path / "new" / "workspace")
    parts = (workspace.models, workspace.runs, workspace.trainings, workspace.secrets)
    for folder in (workspace.folder, *parts):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_opening_twice_keeps_what_is_there(tmp_path):
    first = Workspace.open(tmp_path / "workspace")
    (first.models / "kept").write_text("kept")
    assert Workspace.open(tmp_path / "workspace") == first
    assert (first.models / "kept").read_text() == "kept"


@pytest.mark.parametrize("blocked", ["workspace", "workspace/models"])
def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path, blocked):
    (tmp_path / blocked).parent.mkdir(exist_ok=True)
    (tmp_path / blocked).write_text("a file")
    with pytest.raises(StorageError, match="a file stands in its place"):
        Workspace.open(tmp_path / "workspace")


def test_a_workspace_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(StorageError, match="file"):
        Workspace.open(tmp_path / "file" / "workspace")


def test_the_default_workspace_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDCXR_WORKSPACE", str(tmp_path / "chosen"))
    assert Workspace.open_default().folder == tmp_path / "chosen"
