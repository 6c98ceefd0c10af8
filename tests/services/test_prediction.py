"""Tables scored row by row, whatever their files are."""

import csv
import errno
import os

import numpy as np
import pytest
from PIL import Image

from bundles import FINDINGS, tiny_bundle
from medcxr.core.errors import DataError, ModelError, StorageError
from medcxr.imaging.reading import read_image
from medcxr.inference.predictor import Predictor
from medcxr.registry.registry import ModelRegistry
from medcxr.services import row_scoring
from medcxr.services.analysis import analyze_image
from medcxr.services.prediction import predict_table
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

N_GOOD = 20  # more than a batch and than the rows read ahead


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "table" / "images").mkdir(parents=True)
    for number in range(N_GOOD):
        pixels = np.random.default_rng(number).integers(0, 255, (8, 9), dtype=np.uint8)
        image = Image.fromarray(pixels).resize((80 + number, 90))
        image.save(tmp_path / "table" / "images" / f"{number}.png")
    return tmp_path / "table"


def write_table(folder, image_paths, name="manifest.csv"):
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["labels", "image_path"])
        writer.writerows(["", path] for path in image_paths)
    return folder / name


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


GOOD = [f"images/{number}.png" for number in range(N_GOOD)]


def test_every_row_has_the_probabilities_of_its_own_image(tiny_workspace, folder, tmp_path):
    out = tmp_path / "scores.csv"
    shuffled = GOOD[::-1] + GOOD[:3]
    summary = predict_table(tiny_workspace, write_table(folder, shuffled), out)
    assert (summary.model, summary.n_images, summary.n_failed) == ("tiny 1.0.0", N_GOOD + 3, 0)
    scored = rows(out)
    assert list(scored[0]) == ["image_path", *FINDINGS, "error", "warning"]
    assert [row["image_path"] for row in scored] == shuffled
    for row in scored:
        analysis = analyze_image(tiny_workspace, folder / row["image_path"], gate=False).analysis
        for found in analysis.findings:
            assert float(row[found.finding]) == pytest.approx(found.probability, abs=1e-6)
        assert row["error"] == ""


def test_a_model_that_is_named_answers_and_the_one_in_use_stays(tiny_workspace, folder, tmp_path):
    registry = ModelRegistry(tiny_workspace.models)
    other = tiny_bundle(tiny_workspace.models / "fast-1", name="fast", version="1", seed=9)
    table, named, in_use = write_table(folder, GOOD[:3]), tmp_path / "named.csv", tmp_path / "s.csv"
    assert predict_table(tiny_workspace, table, named, model="fast").model == "fast 1"
    assert predict_table(tiny_workspace, table, in_use).model == "tiny 1.0.0"
    assert registry.current().manifest.identity == "tiny 1.0.0"
    predictor = Predictor(other)
    for row in rows(named):
        image = read_image(folder / row["image_path"])
        (expected,) = predictor.predict([image]).probabilities
        assert [float(row[name]) for name in FINDINGS] == pytest.approx(expected, abs=1e-6)
    assert rows(named) != rows(in_use)


def test_a_name_that_no_model_or_several_have_is_refused(tiny_workspace, folder, tmp_path):
    for version in ("1", "2"):
        tiny_bundle(tiny_workspace.models / f"fast-{version}", name="fast", version=version)
    table = write_table(folder, GOOD[:1])
    for name, words in (("absent", "no model 'absent'"), ("fast", "fast 1, fast 2; say which")):
        with pytest.raises(ModelError, match=words):
            predict_table(tiny_workspace, table, tmp_path / "scores.csv", model=name)
    assert predict_table(tiny_workspace, table, tmp_path / "s.csv", model="fast 2").n_failed == 0


def test_a_radiograph_that_the_gate_accepts_has_no_warning(tiny_workspace, folder, tmp_path):
    pixels = simulate(ThoraxParameters(), size=128).pixels
    thorax = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    thorax.save(folder / "images" / "thorax.png")
    thorax.transpose(Image.Transpose.ROTATE_180).save(folder / "images" / "turned.png")
    out = tmp_path / "scores.csv"
    table = write_table(folder, ["images/thorax.png", "images/turned.png"])
    assert predict_table(tiny_workspace, table, out).n_failed == 0
    upright, turned = rows(out)
    assert upright["warning"] == ""
    assert "upside down" in turned["warning"]
    assert all(0 <= float(turned[finding]) <= 1 for finding in FINDINGS)


def test_bad_rows_say_why_and_the_others_go_on(tiny_workspace, folder, tmp_path):
    (folder / "images" / "text.png").write_text("not an image")
    outside = tmp_path / "outside.png"
    outside.write_bytes((folder / "images" / "0.png").read_bytes())
    (folder / "images" / "link.png").symlink_to(outside)
    bad = {
        "images/text.png": "not an image",
        "images/absent.png": "cannot be opened",
        "../outside.png": "outside the manifest's folder",
        str(outside): "outside the manifest's folder",
        "images/link.png": "outside the manifest's folder",
        "images/../../outside.png": "outside the manifest's folder",
        "": "names no image",
        "images": "not a file",
        'a "quoted", name\n.png': "cannot be opened",
    }
    table = [path for pair in zip(bad, GOOD, strict=False) for path in pair]
    out = tmp_path / "scores.csv"
    summary = predict_table(tiny_workspace, write_table(folder, table), out)
    assert (summary.n_images, summary.n_failed) == (2 * len(bad), len(bad))
    scored = rows(out)
    assert [row["image_path"] for row in scored] == table
    for row in scored:
        values = [row[finding] for finding in FINDINGS]
        if row["image_path"] in bad:
            assert bad[row["image_path"]] in row["error"]
            assert values == [""] * len(FINDINGS)
        else:
            assert row["error"] == ""
            assert all(0 <= float(value) <= 1 for value in values)


def test_a_table_of_bad_rows_only_is_written(tiny_workspace, folder, tmp_path):
    out = tmp_path / "scores.csv"
    summary = predict_table(tiny_workspace, write_table(folder, ["x"] * 9), out)
    assert summary.n_failed == len(rows(out)) == 9


def test_progress_ends_at_the_number_of_rows(tiny_workspace, folder, tmp_path):
    seen = []
    predict_table(
        tiny_workspace,
        write_table(folder, GOOD),
        tmp_path / "scores.csv",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(8, 20), (16, 20), (20, 20)]


@pytest.mark.parametrize("way", ["same", "other spelling", "link"])
def test_the_table_itself_is_never_overwritten(tiny_workspace, folder, way):
    manifest = write_table(folder, GOOD[:1])
    out = {
        "same": manifest,
        "other spelling": folder / "images" / ".." / "manifest.csv",
        "link": folder / "link.csv",
    }[way]
    if way == "link":
        out.symlink_to(manifest)
    before = manifest.read_bytes()
    with pytest.raises(DataError, match="would overwrite the table"):
        predict_table(tiny_workspace, manifest, out)
    assert manifest.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"image\n1.png\n", "lacks the column 'image_path'"),
        (b"", "lacks the column"),
        (b"image_path\n", "no rows"),
        (b"image_path\n\xff\xfe.png\n", "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_a_table_that_is_none_is_refused(tiny_workspace, tmp_path, content, words):
    manifest = tmp_path / "manifest.csv"
    if content is not None:
        manifest.write_bytes(content)
    with pytest.raises(DataError, match=words):
        predict_table(tiny_workspace, manifest, tmp_path / "scores.csv")
    assert not (tmp_path / "scores.csv").exists()


def test_a_missing_folder_for_the_result_is_told_before_any_work(tiny_workspace, folder, tmp_path):
    done = []
    with pytest.raises(StorageError, match="does not exist; create it"):
        predict_table(
            tiny_workspace,
            write_table(folder, GOOD),
            tmp_path / "absent" / "scores.csv",
            progress=lambda *numbers: done.append(numbers),
        )
    assert done == []


def test_an_interruption_leaves_the_earlier_result(tiny_workspace, folder, tmp_path):
    def interrupt(_done, _total):
        raise KeyboardInterrupt

    out = tmp_path / "scores.csv"
    out.write_text("earlier")
    with pytest.raises(KeyboardInterrupt):
        predict_table(tiny_workspace, write_table(folder, GOOD), out, progress=interrupt)
    assert out.read_text() == "earlier"
    assert not list(tmp_path.glob(".scores*"))


def test_a_full_disk_leaves_the_earlier_result(tiny_workspace, folder, tmp_path, monkeypatch):
    def fail(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    out = tmp_path / "scores.csv"
    out.write_text("earlier")
    manifest = write_table(folder, GOOD[:2])
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError, match="the disk is full"):
        predict_table(tiny_workspace, manifest, out)
    assert out.read_text() == "earlier"


def test_a_damaged_model_stops_before_any_row(tiny_workspace, folder, tmp_path):
    (tiny_workspace.models / "tiny-1.0.0" / "model.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match="changed or damaged"):
        predict_table(tiny_workspace, write_table(folder, GOOD), tmp_path / "scores.csv")
    assert not (tmp_path / "scores.csv").exists()


def test_only_a_few_rows_are_read_ahead_of_the_result(
    tiny_workspace, folder, tmp_path, monkeypatch
):
    real, read, lead = row_scoring.prepare_row, [], []

    def counting(*args):
        read.append(1)
        return real(*args)

    monkeypatch.setattr(row_scoring, "prepare_row", counting)
    predict_table(
        tiny_workspace,
        write_table(folder, GOOD * 5),
        tmp_path / "scores.csv",
        progress=lambda done, _total: lead.append(len(read) - done),
    )
    assert len(read) == 5 * N_GOOD
    assert max(lead) <= row_scoring.ROWS_AHEAD + 1
