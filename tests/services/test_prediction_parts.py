"""A table that is scored in several goes has the result of one that is scored in one."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medcxr.core.errors import DataError, MissingExtra, ModelError, StorageError
from medcxr.services import prediction, prediction_parts, row_scoring
from medcxr.services.loaded_model import current_bundle
from medcxr.services.part_worker import PartJob, PartWorker
from medcxr.services.prediction import predict_table
from medcxr.services.prediction_parts import manifest_digest
from medcxr.storage import atomic
from medcxr.storage.locks import exclusive

SRC = Path(__file__).resolve().parents[2] / "src"
N_ROWS = 40  # five parts of one batch


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(prediction, "ROWS_PER_PART", 8)
    plan = prediction_parts.PredictionPlan
    monkeypatch.setattr(prediction, "PredictionPlan", lambda **f: plan(**f, rows_per_part=8))


@pytest.fixture
def table(tmp_path):
    (tmp_path / "images").mkdir()
    for number in range(5):
        pixels = np.random.default_rng(number).integers(0, 255, (64, 64), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{number}.png")
    (tmp_path / "images" / "bad.png").write_text("not an image")
    names = [f"images/{n % 5}.png" if n % 7 else "images/bad.png" for n in range(N_ROWS)]
    (tmp_path / "table.csv").write_text("\n".join(["image_path", *names]) + "\n")
    return tmp_path / "table.csv"


@pytest.fixture
def whole(tiny_workspace, table, small_parts):  # noqa: ARG001 - sets the size of parts
    predict_table(tiny_workspace, table, table.with_name("whole.csv"))
    return table.with_name("whole.csv").read_bytes()


def cut_off(workspace, table, out, after):
    """Interrupt a run when so many rows are done."""

    def interrupt(done, _total):
        if done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_table(workspace, table, out, progress=interrupt)


def parts_beside(out):
    return sorted(path.name for path in out.with_name(f"{out.name}.parts").glob("part-*"))


def test_what_was_done_is_not_done_again(whole, tiny_workspace, table, tmp_path, monkeypatch):
    out = tmp_path / "scores.csv"
    cut_off(tiny_workspace, table, out, after=24)
    assert not out.exists()
    assert parts_beside(out) == ["part-00000000.csv", "part-00000001.csv"]  # the third was begun
    real, read, shown = row_scoring.prepare_row, [], []

    def counting(*args):
        read.append(1)
        return real(*args)

    monkeypatch.setattr(row_scoring, "prepare_row", counting)
    summary = predict_table(
        tiny_workspace, table, out, progress=lambda done, _total: shown.append(done)
    )
    assert len(read) == N_ROWS - 16
    assert shown == [24, 32, 40]
    assert (summary.n_images, summary.n_kept, summary.n_failed) == (N_ROWS, 16, 6)
    assert out.read_bytes() == whole
    assert not out.with_name("scores.csv.parts").exists()


def test_a_part_missing_in_the_middle_is_made(whole, tiny_workspace, table, tmp_path):
    out = tmp_path / "scores.csv"
    cut_off(tiny_workspace, table, out, after=N_ROWS)
    (tmp_path / "scores.csv.parts" / "part-00000001.csv").unlink()
    assert predict_table(tiny_workspace, table, out).n_kept == 24
    assert out.read_bytes() == whole


def test_a_process_that_is_killed_leaves_what_it_had_done(tiny_workspace, table, tmp_path):
    names = [f"images/{n % 5}.png" for n in range(3000)]
    table.write_text("\n".join(["image_path", *names]) + "\n")
    out = tmp_path / "scores.csv"
    words = ["predict", "--manifest", str(table), "--out", str(out)]
    command = [sys.executable, "-m", "medcxr", *words, "--workspace", str(tiny_workspace.folder)]
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and len(parts_beside(out)) < 2:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert not out.exists()
    n_done = 256 * len(parts_beside(out))
    assert predict_table(tiny_workspace, table, out).n_kept == n_done >= 512
    predict_table(tiny_workspace, table, tmp_path / "whole.csv")
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()


@pytest.mark.usefixtures("small_parts")
def test_parts_of_another_table_are_not_taken(tiny_workspace, table, tmp_path):
    out = tmp_path / "scores.csv"
    cut_off(tiny_workspace, table, out, after=24)
    table.write_text(table.read_text().replace("images/1.png", "images/2.png"))
    with pytest.raises(DataError, match="table_sha256 differ"):
        predict_table(tiny_workspace, table, out)
    (tmp_path / "scores.csv.parts" / "plan.json").write_text("[")
    with pytest.raises(DataError, match="parts of other scores"):
        predict_table(tiny_workspace, table, out)


@pytest.mark.usefixtures("small_parts")
def test_parts_of_another_runtime_are_not_taken(tiny_workspace, table, tmp_path, monkeypatch):
    cut_off(tiny_workspace, table, tmp_path / "scores.csv", after=24)
    monkeypatch.setenv("MEDCXR_RUNTIME", "openvino")
    with pytest.raises(DataError, match="runtime differ"):
        predict_table(tiny_workspace, table, tmp_path / "scores.csv")


@pytest.mark.usefixtures("small_parts")
def test_a_part_that_was_changed_is_no_result(tiny_workspace, table, tmp_path):
    out = tmp_path / "scores.csv"
    cut_off(tiny_workspace, table, out, after=24)
    part = tmp_path / "scores.csv.parts" / "part-00000001.csv"
    part.write_bytes(part.read_bytes().replace(b"images/3", b"images/4"))
    with pytest.raises(DataError, match=r"Part 1 .* is not of the rows"):
        predict_table(tiny_workspace, table, out)
    assert not out.exists()


@pytest.mark.usefixtures("small_parts")
def test_two_processes_do_not_make_one_result(tiny_workspace, table, tmp_path):
    folder = tmp_path / "scores.csv.parts"
    folder.mkdir()
    with (
        exclusive(folder / "plan.json"),
        pytest.raises(StorageError, match="held by a process"),
    ):
        predict_table(tiny_workspace, table, tmp_path / "scores.csv")


def test_a_full_disk_keeps_what_was_done(whole, tiny_workspace, table, tmp_path, monkeypatch):
    out, real, written = tmp_path / "scores.csv", atomic._create_beside, []

    def full(path, mode):
        written.append(path.name)
        if path.name == "part-00000002.csv":
            raise OSError(28, "No space left on device")
        return real(path, mode)

    with monkeypatch.context() as patched:
        patched.setattr(atomic, "_create_beside", full)
        with pytest.raises(StorageError, match="the disk is full"):
            predict_table(tiny_workspace, table, out)
    assert len(parts_beside(out)) == 2
    assert predict_table(tiny_workspace, table, out).n_kept == 16
    assert out.read_bytes() == whole


@pytest.fixture
def job(tiny_workspace, table, tmp_path, small_parts):  # noqa: ARG001 - as above
    """Return what workers do of a run that was cut off."""
    cut_off(tiny_workspace, table, tmp_path / "scores.csv", after=24)
    folder = tmp_path / "scores.csv.parts"
    plan = prediction_parts.PredictionPlan(**json.loads((folder / "plan.json").read_text()))
    return PartJob(
        table=table,
        starts=prediction.survey_table(table, 8).starts,
        parts=prediction_parts.PredictionParts(folder=folder, plan=plan),
        models=tiny_workspace.models,
    )


def test_a_worker_makes_the_same_bytes(job, whole, tiny_workspace, table, tmp_path):
    worker = PartWorker(job)
    assert [worker(number) for number in (4, 2, 3, 2)] == [8, 8, 8, 8]
    assert predict_table(tiny_workspace, table, tmp_path / "scores.csv").n_kept == N_ROWS
    assert (tmp_path / "scores.csv").read_bytes() == whole


def test_a_worker_with_another_model_does_nothing(job, tiny_workspace):
    assert job.parts.plan.manifest_sha256 == manifest_digest(current_bundle(tiny_workspace))
    graph = tiny_workspace.models / "tiny-1.0.0" / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-1])
    with pytest.raises(ModelError, match="changed or damaged"):
        PartWorker(job)(3)
    assert not job.parts.is_done(3)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"software": "0.0.1"}, ModelError, "install the same version"),
        ({"manifest_sha256": "0" * 64}, ModelError, "another model of the name"),
        ({"runtime": "openvino"}, MissingExtra, r"install 'medcxr\[openvino\]'"),
    ],
)
def test_a_worker_of_another_install_does_nothing(job, changes, error, words, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)  # as where it is not installed
    plan = replace(job.parts.plan, **changes)
    path = job.parts.folder / "plan.json"
    path.write_text(json.dumps(asdict(plan)))
    with pytest.raises(error, match=words):
        PartWorker(replace(job, parts=replace(job.parts, plan=plan)))(3)


def test_a_worker_without_the_shared_folder_does_nothing(job, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    other = replace(job.parts, folder=tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="give every computer"):
        PartWorker(replace(job, parts=other))(3)
    assert list((tmp_path / "elsewhere").iterdir()) == []
