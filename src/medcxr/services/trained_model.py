"""A model just trained beside the one in use; a person decides which one answers."""

from dataclasses import dataclass
from pathlib import Path

from medcxr.core.access import Permission
from medcxr.core.errors import DataError, ModelError
from medcxr.core.language import Sentence, text
from medcxr.datasets.study_table import check_image_path
from medcxr.registry.bundle import ModelBundle
from medcxr.registry.manifest import Manifest
from medcxr.registry.registry import ModelRegistry
from medcxr.services.comparison import ScoreComparison, compare_scores
from medcxr.services.held_out import held_out_scores
from medcxr.services.model_choice import choose_model
from medcxr.services.training_jobs import TrainingJob
from medcxr.services.workspace import Workspace

__all__ = ["BesideCurrent", "beside_current", "put_in_use"]

_NO_SHARED_FINDING = text("No finding has both classes among the shared images.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BesideCurrent:
    """A trained model and the model in use.

    Attributes:
        trained: manifest of the trained model.
        current: manifest of the model in use.
        paired: both on the same images, each scored by networks that had not seen its patient, the
            trained one first; None where there is no such comparison.
        why_not: why there is none; empty where there is one.
    """

    trained: Manifest
    current: Manifest
    paired: ScoreComparison | None
    why_not: str

    @property
    def is_in_use(self) -> bool:
        """Tell whether the trained model is the one in use."""
        return self.trained.identity == self.current.identity


def beside_current(workspace: Workspace, job: TrainingJob) -> BesideCurrent:
    """Compare what a training made with the model in use, where that is fair.

    Scores of the same images are paired only where both runs learned from the same data by
    fingerprint: equal names of files do not make equal images, and a model may have learned from
    images that the other one held out.

    Raises:
        AccessError: whoever asks may not.
        DataError: the training is not finished.
        ModelError: a model is missing or damaged.
    """
    workspace.require(Permission.TRAIN_MODELS)
    registry = ModelRegistry(workspace.models)
    trained, current = _of(registry, job).manifest, registry.current().manifest
    own, others = (_scores(workspace, one) for one in (trained, current))
    paired, why_not = None, _why_not((trained, own), (current, others))
    if own is not None and others is not None and not why_not:
        try:
            paired = compare_scores(own, others, check_image_path(job.data, job.table))
        except DataError as error:
            why_not = error.sentence
        else:
            if not paired.findings:
                paired, why_not = None, _NO_SHARED_FINDING
    return BesideCurrent(trained=trained, current=current, paired=paired, why_not=why_not)


def put_in_use(workspace: Workspace, job: TrainingJob) -> ModelBundle:
    """Let the model that a training made answer from now on, as `medcxr models use` does.

    Raises:
        AccessError: whoever asks may not.
        DataError: the training is not finished.
        ModelError: the model is missing or damaged.
        StorageError: the choice cannot be written.
    """
    workspace.require(Permission.CHOOSE_MODELS)
    trained = _of(ModelRegistry(workspace.models), job)
    return choose_model(workspace, trained.manifest.identity)


def _of(registry: ModelRegistry, job: TrainingJob) -> ModelBundle:
    if job.model is None:
        raise DataError("The training {job} has made no model yet; wait for its end.", job=job.name)
    return registry.get(job.model)


def _why_not(own: tuple[Manifest, Path | None], other: tuple[Manifest, Path | None]) -> str:
    """Say why two models, each with its scores, cannot be compared; empty where they can."""
    trained, current = own[0], other[0]
    if trained.identity == current.identity:
        return text("This model is the one in use.")
    for one, scores in (own, other):
        if scores is None:
            return Sentence(
                "The scores that {model} gave radiographs of patients whom it had not seen are not on "
                "this computer, and it may have learned from these radiographs.",
                model=one.identity,
            )
    if trained.training is None or current.training is None:  # both have scores, so never
        raise ModelError("A model does not say how it was trained; choose another one.")
    if trained.training.data_fingerprint != current.training.data_fingerprint:
        return Sentence(
            "{model} learned from other radiographs, labels or tables, so it may have learned from "
            "those that were held out here.",
            model=current.identity,
        )
    return ""


def _scores(workspace: Workspace, model: Manifest) -> Path | None:
    """Return the scores of a model's run; None where they are not kept.

    A model may come from anywhere: its run is looked for by name and never becomes a path.
    """
    run = model.training.run if model.training else ""
    return next((one.path for one in held_out_scores(workspace) if one.run == run), None)
