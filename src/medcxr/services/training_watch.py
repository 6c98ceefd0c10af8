"""Where a training started from the dashboard stands, by the events of its run."""

from pathlib import Path

from medcxr.core.access import Permission
from medcxr.services.training_jobs import TrainingJob, recipe_of_job
from medcxr.services.training_progress import TrainingProgress, parts_of, progress_of
from medcxr.services.workspace import Workspace
from medcxr.storage.events import EventLog

__all__ = ["watch_training"]

_EVENTS_FILE = "events.jsonl"


def watch_training(workspace: Workspace, job: TrainingJob, *, now: float) -> TrainingProgress:
    """Return where a training stands; without a run nothing is done yet.

    Args:
        workspace: where its run is kept.
        job: the training.
        now: seconds since 1970.

    Raises:
        AccessError: whoever asks may not.
        DataError: its recipe was changed since and is wrong now.
    """
    workspace.require(Permission.TRAIN_MODELS)
    config = recipe_of_job(job)
    events = EventLog(workspace.runs / _folder_name(job) / _EVENTS_FILE).read()
    settings = config.optimization
    return progress_of(
        events,
        parts=parts_of(config),
        epochs=settings.epochs,
        now=now,
        may_stop=settings.early_stopping,
    )


def _folder_name(job: TrainingJob) -> str:
    """Return the name of its run's folder; one that is not there before it is known."""
    run = job.run or ""
    return run if Path(run).name == run and run not in ("", "..") else ".none"
