"""Runs whose networks learn from more than the bare labels, or answer for mirror images too."""

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from medcxr.core.errors import DataError
from medcxr.datasets.study_table import read_rows
from medcxr.learning import parts
from medcxr.learning.checkpoint import CHECKPOINT_FILE, load_checkpoint
from medcxr.learning.config import load_config
from medcxr.learning.experiment import Hardware, run_experiment
from medcxr.learning.fitting import build_network
from medcxr.learning.training_data import TrainingData
from small_training import SMALL_TOML

pytestmark = pytest.mark.train

CROSSED = SMALL_TOML.replace("batch_size = 2", "batch_size = 8\nearly_stopping = false").replace(
    "[evaluation]", "[evaluation]\nmethod = 'cross_validation'\nfolds = 3\nship = 'folds'"
)
TEACHER = CROSSED.replace('name = "small"', 'name = "teacher"')


@pytest.fixture
def train(tmp_path, sample_data, monkeypatch):
    """Return a function that trains a part and returns its folder, labels and answers."""
    seen = {}
    real = parts.fit

    def fit(fabric, config, images, part, emit, **options):
        seen[part.name] = (images.labels, options["taught"](), part)
        seen["images"] = images
        return real(fabric, config, images, part, emit, **options)

    monkeypatch.setattr(parts, "fit", fit)

    def run(text, part="fold-2"):
        path = tmp_path / "own.toml"
        path.write_text(text)
        run_experiment(
            load_config(path),
            sample_data,
            tmp_path / "runs",
            command="c",
            hardware=Hardware(accelerator="cpu"),
            only=part,
        )
        (folder,) = (tmp_path / "runs").glob("small-*")
        return folder, seen

    return run


def test_plain_labels_stay_the_tables_own(train):
    _, seen = train(CROSSED)
    assert seen["fold-2"][1] is None


def test_a_teacher_learns_the_same_fold_and_softens_only_what_is_learned(train, tmp_path):
    (tmp_path / "teacher.toml").write_text(TEACHER)
    folder, seen = train('teacher = "teacher.toml"\n' + CROSSED)

    labels, taught, part = seen["fold-2"]
    assert seen["teacher-fold-2"][2].train_rows == part.train_rows
    assert (folder / "teacher" / "fold-2" / "held_out.csv").is_file()
    assert not (folder / "teacher" / "fold-1" / "held_out.csv").exists()
    learned, hidden = list(part.train_rows), list(part.watched_rows)
    np.testing.assert_array_equal(taught[hidden], labels[hidden])
    moved = np.abs(taught[learned] - labels[learned])[:, :4]
    assert (moved > 0).any()
    assert np.nanmax(moved) <= 0.5  # the default share


def test_a_teacher_teaches_the_recipes_beside_only_where_it_is_told_to(train, tmp_path):
    (tmp_path / "teacher.toml").write_text(TEACHER)
    (tmp_path / "beside.toml").write_text(CROSSED.replace('name = "small"', 'name = "beside"'))
    named = 'teacher = "teacher.toml"\ncompanion = "beside.toml"\n'
    part = "companion-fold-2"
    _, seen = train(named + CROSSED + "\n[soft_labels]\nshare = 0.25\ncompanions = true\n", part)

    labels, taught, learned = seen[part]
    assert seen["teacher-fold-2"][2].train_rows == learned.train_rows
    rows, hidden = list(learned.train_rows), list(learned.watched_rows)
    np.testing.assert_array_equal(taught[hidden], labels[hidden])
    moved = np.abs(taught[rows] - labels[rows])[:, :4]
    assert 0 < np.nanmax(moved) <= 0.25

    (tmp_path / "own.toml").write_text(named + CROSSED)
    untaught = load_config(tmp_path / "own.toml")
    assert untaught.teacher is not None
    assert not untaught.soft_labels.companions


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CROSSED + "\n[soft_labels]\ncompanions = true\n", "names none; name a teacher"),
        (
            'teacher = "teacher.toml"\n'
            + CROSSED.replace("[network]", "[[data.tables]]\ncomplete_labels = false\n\n[network]"),
            "does not learn from manifest.csv as small does",
        ),
    ],
)
def test_a_teacher_that_could_not_teach_so_is_refused(tmp_path, text, words):
    (tmp_path / "teacher.toml").write_text(TEACHER)
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(DataError, match=words):
        load_config(path)


def test_other_scores_are_another_run_and_missing_ones_are_named(train, sample_data, tmp_path):
    table = sample_data / "scores.csv"
    text = CROSSED + "\n[soft_labels]\npath = 'scores.csv'\n"
    with pytest.raises(DataError, match=r"scores\.csv cannot be read"):
        train(text)
    try:
        for score in (0.1, 0.2):
            table.write_text(f"image_path,Effusion\nabsent.png,{score}\n")
            for own in (text, 'companion = "beside.toml"\n' + CROSSED):
                (tmp_path / "beside.toml").write_text(text.replace('"small"', '"beside"'))
                with pytest.raises(DataError, match="has no part 'none'"):
                    train(own, "none")
    finally:
        table.unlink()
    # the scores name the run, also where the companion learns from them
    assert len(list((tmp_path / "runs").glob("small-*"))) == 4


def test_a_teacher_of_the_same_tables_reads_no_image_again(train, tmp_path, monkeypatch):
    (tmp_path / "teacher.toml").write_text(TEACHER)
    read = []
    real = TrainingData.load_images

    def load_images(*words, **options):
        read.append(words)
        return real(*words, **options)

    monkeypatch.setattr(TrainingData, "load_images", load_images)
    train('teacher = "teacher.toml"\n' + CROSSED)
    assert len(read) == 1


def test_scores_of_other_images_are_refused(train, sample_data):
    table = sample_data / "scores.csv"
    table.write_text("image_path,Effusion\nabsent.png,0.2\n")
    try:
        with pytest.raises(DataError, match="scores none of the images"):
            train(CROSSED + "\n[soft_labels]\npath = 'scores.csv'\n")
    finally:
        table.unlink()


def test_another_readers_scores_soften_the_labels(train, sample_data):
    rows = read_rows(sample_data / "manifest.csv", required=("image_path",))
    table = sample_data / "scores.csv"
    lines = [f"{row['image_path']},{0.02 + 0.9 * ('Effusion' in row['labels'])}" for row in rows]
    table.write_text("\n".join(["image_path,Effusion", *lines]) + "\n")
    try:
        _, seen = train(CROSSED + "\n[soft_labels]\npath = 'scores.csv'\nshare = 0.25\n")
    finally:
        table.unlink()

    labels, taught, part = seen["fold-2"]
    learned = list(part.train_rows)
    moved = np.abs(taught[learned] - labels[learned])
    assert 0 < moved[:, 1].max() <= 0.25
    assert (np.nan_to_num(moved[:, 0]) == 0).all()  # Pneumonia is not scored


def test_a_mirrored_recipe_scores_both_looks(train):
    text = CROSSED.replace("ship = 'folds'", "ship = 'folds'\nmirrored = true")
    folder, seen = train(text)
    images, part = seen["images"], seen["fold-2"][2]
    stored = load_checkpoint(part.folder / CHECKPOINT_FILE)
    network = build_network(load_config(folder.parents[1] / "own.toml"))
    network.load_state_dict(
        {
            name.removeprefix("module."): value
            for name, value in stored[0]["average"].items()
            if name.startswith("module.")
        }
    )
    network.eval()
    inputs = torch.stack([torch.from_numpy(images.input(row)) for row in part.watched_rows])
    with torch.inference_mode():
        both = (network(inputs).logits + network(inputs.flip(-1)).logits) / 2
    scored = read_rows(folder / "fold-2" / "held_out.csv", required=())
    np.testing.assert_allclose(
        [float(row["Effusion"]) for row in scored], both.sigmoid()[:, 1].numpy(), atol=1e-5
    )
