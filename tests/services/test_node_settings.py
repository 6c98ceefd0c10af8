"""node.toml is read strictly, and what it opens to others needs a list of callers."""

import pytest

from medcxr.core.errors import DataError
from medcxr.services.node_receiving import server_settings
from medcxr.services.node_settings import (
    CallerSettings,
    ListenSettings,
    NodeSettings,
    node_settings,
)
from medcxr.services.workspace import Workspace


def settings_of(tmp_path, words):
    workspace = Workspace.open(tmp_path)
    workspace.node_settings.write_text(words, encoding="utf-8")
    return node_settings(workspace)


def test_without_a_file_the_node_listens_on_this_computer_alone(tmp_path):
    found = node_settings(Workspace.open(tmp_path))
    assert found == NodeSettings()
    assert found.node.address == "127.0.0.1"


def test_a_file_is_read_with_the_tables_of_others(tmp_path):
    found = settings_of(
        tmp_path,
        """
        [node]
        title = "CXR"
        address = "0.0.0.0"
        port = 104
        idle_s = 30

        [[callers]]
        title = "DX1"
        addresses = ["10.1.0.0/16", "fd00::7"]

        [rules]
        views = ["PA"]

        [[destinations]]
        title = "PACS"
        """,
    )
    assert found.node == ListenSettings(title="CXR", address="0.0.0.0", port=104, idle_s=30.0)  # noqa: S104
    assert found.callers == (CallerSettings(title="DX1", addresses=("10.1.0.0/16", "fd00::7")),)
    assert found.table("rules") == {"views": ["PA"]}
    assert found.tables["destinations"] == [{"title": "PACS"}]
    assert found.table("folder") == {}
    with pytest.raises(DataError, match="no table"):
        found.table("destinations")


def test_associations_are_shared_out_among_processes(tmp_path):
    found = settings_of(tmp_path, "[node]\nprocesses = 4\nmost_associations = 10\n")
    assert server_settings(found).most_associations == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("[node", "no TOML"),
        ("[node]\nprot = 1", "prot"),
        ("[nodes]\nport = 1", "nodes"),
        ("tables = 1", "tables"),
        ("[node]\nport = true", "port"),
        ("[node]\nport = 70000", "port .* 70000"),
        ("[node]\nidle_s = 0", "idle_s"),
        ("[node]\npdu_bytes = 100", "pdu_bytes"),
        ('[node]\ntitle = ""', "AE title"),
        ('[node]\ntitle = "SEVENTEEN LETTERS"', "AE title"),
        ('[node]\ntitle = "A\\\\B"', "AE title"),
        ('[node]\naddress = "0.0.0.0"', r"\[\[callers\]\]"),
        ('[node]\naddress = ""', r"\[\[callers\]\]"),
        ('[[callers]]\ntitle = "X"\naddresses = ["10.1.2.3/8"]', "no address or network"),
        ('[[callers]]\naddresses = ["10.1.2.3"]', "title"),
        ('[tls]\ncertificate = "x"', "key"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, words, told):
    with pytest.raises(DataError, match=told):
        settings_of(tmp_path, words)


def test_certificates_that_cannot_be_used_are_told(tmp_path):
    missing = f'[tls]\ncertificate = "{tmp_path}/none.pem"\nkey = "{tmp_path}/none.pem"\n'
    with pytest.raises(DataError, match="name PEM files"):
        server_settings(settings_of(tmp_path, missing))


def test_files_lie_in_the_nodes_folder_wherever_it_is_started(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    words = f'[tls]\ncertificate = "node.pem"\nkey = "{tmp_path}/elsewhere.key"\n'
    tls = settings_of(tmp_path / "workspace", words).tls
    assert tls.certificate == str(tmp_path / "workspace" / "node" / "node.pem")
    assert (tls.key, tls.callers) == (f"{tmp_path}/elsewhere.key", "")
