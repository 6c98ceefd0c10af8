"""A trained model beside the one in use: paired where that is fair, and otherwise said plainly."""

import numpy as np
import pytest

from bundles import FINDINGS, tiny_bundle
from medcxr.core.errors import DataError, ModelError
from medcxr.datasets.study_table import StudyTable
from medcxr.registry.manifest import TrainingFacts
from medcxr.registry.registry import ModelRegistry
from medcxr.services.trained_model import beside_current, put_in_use
from medcxr.services.training_jobs import JobState, TrainingJob
from medcxr.services.workspace import Workspace


def job_of(data, model):
    return TrainingJob(
        identity="a",
        folder=data,
        name="a",
        created="2026-11-26",
        data=data,
        table="manifest.csv",
        state=JobState.FINISHED,
        reason="",
        read=None,
        run="a",
        model=model,
    )


def write_model(workspace, data, name, *, fingerprint="f", run=None, scored=True, noise=0.5):
    """Register a model of a run, which scored each image by its label and some noise."""
    run = run or f"{name}-1"
    facts = TrainingFacts(
        run=run,
        software="0",
        config={},
        data={},
        n_images=1,
        n_patients=1,
        data_fingerprint=fingerprint,
        minutes=1.0,
    )
    folder = workspace.folder / f"made {name}"
    bundle = tiny_bundle(folder, name=name, training=facts)
    ModelRegistry(workspace.models).register(bundle)
    if scored:
        table = StudyTable.read_csv(data / "manifest.csv", FINDINGS)
        random = np.random.default_rng(0)
        rows = [",".join(["image_path", *FINDINGS, "fold"])]
        for path, labels in zip(table.image_paths, table.labels, strict=True):
            scores = labels + noise * random.normal(size=len(labels))
            rows.append(",".join([path, *(f"{score:.6f}" for score in scores), "test"]))
        (workspace.runs / run).mkdir()
        (workspace.runs / run / "out_of_fold.csv").write_text("\n".join(rows) + "\n")
    return bundle.manifest.identity


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "workspace")


def test_scores_of_the_same_data_are_paired(workspace, sample_data):
    better = write_model(workspace, sample_data, "better", noise=0.2)
    worse = write_model(workspace, sample_data, "worse", noise=3.0)
    ModelRegistry(workspace.models).use(worse)

    beside = beside_current(workspace, job_of(sample_data, better))

    assert (beside.trained.identity, beside.current.identity) == (better, worse)
    assert beside.why_not == ""
    assert set(beside.paired.findings) == set(FINDINGS)
    for one in beside.paired.findings.values():
        assert one.n_images == 40
        assert one.first > one.second
        assert one.difference.value == pytest.approx(one.first - one.second)
    assert beside.paired.mean_difference.low > 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fingerprint": "other"}, "learned from other radiographs"),
        ({"scored": False}, "are not on this computer"),
        ({"run": "../../elsewhere", "scored": False}, "are not on this computer"),
    ],
)
def test_where_a_pair_would_not_be_fair_the_reason_is_told(workspace, sample_data, changes, words):
    trained = write_model(workspace, sample_data, "trained")
    current = write_model(workspace, sample_data, "current", **changes)
    ModelRegistry(workspace.models).use(current)
    elsewhere = workspace.folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "out_of_fold.csv").write_text("image_path,Effusion\n")

    beside = beside_current(workspace, job_of(sample_data, trained))

    assert beside.paired is None
    assert words in beside.why_not
    assert not beside.is_in_use


def test_a_model_is_put_in_use_only_when_asked(workspace, sample_data):
    registry = ModelRegistry(workspace.models)
    trained = write_model(workspace, sample_data, "trained")
    before = registry.current().manifest.identity
    beside_current(workspace, job_of(sample_data, trained))
    assert registry.current().manifest.identity == before

    put_in_use(workspace, job_of(sample_data, trained))

    assert registry.current().manifest.identity == trained
    assert beside_current(workspace, job_of(sample_data, trained)).is_in_use


def test_a_training_without_a_model_is_refused(workspace, sample_data):
    with pytest.raises(DataError, match="no model yet"):
        put_in_use(workspace, job_of(sample_data, None))
    with pytest.raises(ModelError, match="no model"):
        put_in_use(workspace, job_of(sample_data, "gone 1"))
