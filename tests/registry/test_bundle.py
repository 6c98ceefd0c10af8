"""Bundles as folders: what is whole is opened, what is not is refused with its reason."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bundles import tiny_bundle, tiny_graph, tiny_manifest
from medcxr.core.errors import ModelError, StorageError
from medcxr.registry.bundle import ModelBundle, write_bundle
from medcxr.registry.manifest import QuickLook
from medcxr.registry.sealed_text import without_seal


@pytest.fixture
def bundle(tmp_path):
    return tiny_bundle(tmp_path / "models" / "tiny-1.0.0")


@pytest.fixture(scope="module")
def shared_bundle(tmp_path_factory):
    """One bundle for many examples; each puts back what it changes."""
    return tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny")


@pytest.fixture
def graph(tmp_path):
    path = tmp_path / "graph"
    path.write_bytes(tiny_graph())
    return path


def test_a_written_bundle_is_opened_with_equal_facts(bundle):
    opened = ModelBundle.open(bundle.folder)
    assert opened == bundle
    assert opened.path("model.onnx").read_bytes() == tiny_graph()
    assert opened.path("model_card.md").read_text().startswith("# Model card: tiny 1.0.0")
    assert replace(opened.manifest, files={}) == tiny_manifest()


def test_a_bundle_holds_its_files_and_nothing_else(bundle):
    names = {path.name for path in bundle.folder.iterdir()}
    assert names == {"manifest.json", "model.onnx", "model_card.md"}
    assert [path.name for path in bundle.folder.parent.iterdir()] == [bundle.folder.name]


@given(data=st.data())
@settings(max_examples=60)
def test_any_flipped_bit_of_a_listed_file_is_noticed(shared_bundle, data):
    name = data.draw(st.sampled_from(sorted(shared_bundle.manifest.files)))
    path = shared_bundle.folder / name
    content = path.read_bytes()
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    try:
        path.write_bytes(changed)
        with pytest.raises(ModelError, match=f"{name} of model tiny 1.0.0 is not the file"):
            ModelBundle.open(shared_bundle.folder)
    finally:
        path.write_bytes(content)
    ModelBundle.open(shared_bundle.folder)


def test_a_thousand_changed_bytes_of_a_bundle_are_all_noticed(shared_bundle):
    random = np.random.default_rng(7)
    files = sorted(path for path in shared_bundle.folder.iterdir())
    contents = {path: path.read_bytes() for path in files}
    ends = np.cumsum([len(content) for content in contents.values()])
    missed = []
    for place in random.integers(0, ends[-1], 1000).tolist():
        at = int(np.searchsorted(ends, place, side="right"))
        path = files[at]
        changed = bytearray(contents[path])
        changed[place - int(ends[at])] ^= int(random.integers(1, 256))  # from the file's end
        path.write_bytes(changed)
        try:
            ModelBundle.open(shared_bundle.folder)
            missed.append((path.name, place))
        except ModelError:
            pass
        path.write_bytes(contents[path])
    assert missed == []
    assert ModelBundle.open(shared_bundle.folder) == shared_bundle


def test_a_manifest_written_before_there_were_seals_is_still_read(bundle):
    path = bundle.folder / "manifest.json"
    words = path.read_text()
    path.write_text(without_seal(words))
    assert without_seal(words) != words
    assert ModelBundle.open(bundle.folder) == bundle


def test_a_changed_figure_of_a_manifest_is_named(bundle):
    path = bundle.folder / "manifest.json"
    path.write_text(path.read_text().replace('"name": "tiny"', '"name": "tini"'))
    with pytest.raises(ModelError, match=r"manifest\.json is not what was written"):
        ModelBundle.open(bundle.folder)


@given(cut=st.floats(0, 0.999))
@settings(max_examples=30)
def test_a_manifest_cut_off_anywhere_is_refused(shared_bundle, cut):
    path = shared_bundle.folder / "manifest.json"
    content = path.read_bytes()
    try:
        path.write_bytes(content[: int(cut * (len(content) - 2))])
        with pytest.raises(ModelError):
            ModelBundle.open(shared_bundle.folder)
    finally:
        path.write_bytes(content)


def test_a_cut_off_graph_is_noticed(bundle):
    path = bundle.path("model.onnx")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelError, match="reinstall the model"):
        ModelBundle.open(bundle.folder)


@pytest.mark.parametrize("name", ["model.onnx", "model_card.md"])
def test_a_missing_file_is_named(bundle, name):
    (bundle.folder / name).unlink()
    with pytest.raises(ModelError, match=f"lacks {name}; reinstall"):
        ModelBundle.open(bundle.folder)


def test_a_folder_without_a_manifest_is_no_model(tmp_path):
    with pytest.raises(ModelError, match="holds no manifest"):
        ModelBundle.open(tmp_path)


@pytest.mark.parametrize("name", ["extra.py", "model.onnx.data", "weights"])
def test_what_the_manifest_does_not_list_is_refused(bundle, name):
    (bundle.folder / name).mkdir() if name == "weights" else (bundle.folder / name).touch()
    with pytest.raises(ModelError, match=f"holds '{name}', which its manifest does not list"):
        ModelBundle.open(bundle.folder)


def test_hidden_files_of_a_desktop_do_no_harm(bundle):
    (bundle.folder / ".DS_Store").write_bytes(b"x")
    assert ModelBundle.open(bundle.folder) == bundle


@pytest.mark.parametrize(
    "name", ["../model.onnx", "/etc/passwd", "a/model.onnx", "..", "", "manifest.json", "c:\\x"]
)
def test_a_manifest_cannot_list_a_file_by_another_name(bundle, name):
    path = bundle.folder / "manifest.json"
    plain = json.loads(without_seal(path.read_text()))
    plain["files"][name] = "0" * 64
    path.write_text(json.dumps(plain))
    with pytest.raises(ModelError, match="lists the files"):
        ModelBundle.open(bundle.folder)


@pytest.mark.parametrize("name", ["../model.onnx", "manifest.json", ".hidden", "model.pt", ""])
def test_a_bundle_is_not_written_under_other_names(tmp_path, graph, name):
    with pytest.raises(ModelError, match="correct the names"):
        write_bundle(tmp_path / "new", tiny_manifest(), {"model.onnx": graph, name: graph})
    assert not (tmp_path / "new").exists()


def test_a_bundle_needs_a_graph(tmp_path, graph):
    with pytest.raises(ModelError, match="correct the names"):
        write_bundle(tmp_path / "new", tiny_manifest(), {"model.safetensors": graph})


def test_a_path_outside_the_list_is_not_given_out(bundle):
    with pytest.raises(ModelError, match="has no file"):
        bundle.path("../secret")


def test_a_huge_manifest_is_not_read(bundle):
    with (bundle.folder / "manifest.json").open("r+b") as file:
        file.truncate(9 * 2**20)
    with pytest.raises(ModelError, match="larger than 8 MiB"):
        ModelBundle.open(bundle.folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("name", ["manifest.json", "model.onnx"])
@pytest.mark.timeout(20)
def test_a_pipe_in_the_place_of_a_file_does_not_block(bundle, name):
    (bundle.folder / name).unlink()
    os.mkfifo(bundle.folder / name)
    with pytest.raises(ModelError):
        ModelBundle.open(bundle.folder)


def test_an_equal_bundle_is_left_as_it_is(bundle, graph):
    before = {p.name: p.stat().st_mtime_ns for p in bundle.folder.iterdir()}
    assert write_bundle(bundle.folder, tiny_manifest(), {"model.onnx": graph}) == bundle
    assert {p.name: p.stat().st_mtime_ns for p in bundle.folder.iterdir()} == before


def test_a_different_graph_or_fact_does_not_replace_a_bundle(bundle, graph):
    for manifest, seed in ((tiny_manifest(), 1), (replace(tiny_manifest(), created="later"), 0)):
        graph.write_bytes(tiny_graph(seed=seed))
        with pytest.raises(ModelError, match="already holds another model, tiny"):
            write_bundle(bundle.folder, manifest, {"model.onnx": graph})
    assert ModelBundle.open(bundle.folder) == bundle


def test_a_folder_with_other_things_is_not_taken(tmp_path, graph):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "letter.txt").write_text("mine")
    with pytest.raises(StorageError, match="something is there already"):
        write_bundle(tmp_path / "new", tiny_manifest(), {"model.onnx": graph})
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["letter.txt"]


def test_a_full_disk_leaves_nothing_behind(tmp_path, graph, monkeypatch):
    def fail(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match="the disk is full"):
        write_bundle(tmp_path / "models" / "new", tiny_manifest(), {"model.onnx": graph})
    assert list((tmp_path / "models").iterdir()) == []


def test_an_interruption_leaves_nothing_behind(tmp_path, graph, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.copyfile", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bundle(tmp_path / "models" / "new", tiny_manifest(), {"model.onnx": graph})
    assert list((tmp_path / "models").iterdir()) == []


def test_a_missing_source_is_named(tmp_path):
    with pytest.raises(ModelError, match="No such file"):
        write_bundle(tmp_path / "new", tiny_manifest(), {"model.onnx": tmp_path / "absent"})


def test_a_number_that_json_cannot_hold_is_refused(tmp_path, graph):
    training = replace(tiny_manifest().training, minutes=float("nan"))
    with pytest.raises(ModelError, match="JSON"):
        write_bundle(
            tmp_path / "new", replace(tiny_manifest(), training=training), {"model.onnx": graph}
        )
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("networks", "of"), [(0, 5), (5, 5), (-1, 2)])
def test_a_quick_look_asks_some_of_the_networks(networks, of):
    look = QuickLook(networks=networks, of=of)

    with pytest.raises(ModelError, match=f"asks {networks} of {of} networks"):
        replace(tiny_manifest(), quick_look=look)
