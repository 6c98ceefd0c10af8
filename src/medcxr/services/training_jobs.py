"""Trainings as processes of their own, which no page, sign-out or dashboard ends.

Each has a folder in the workspace's `trainings/`:

| file          |                                                                        |
|---------------|------------------------------------------------------------------------|
| `job.json`    | name, table and folder of the data                                     |
| `NAME.toml`   | the recipe                                                             |
| `record.jsonl`| starts and stops, and what the process says of itself                  |
| `log.txt`     | what the process prints                                                |
| `alive.lock`  | held by the process as long as it lives                                |
"""

import json
import os
import secrets
import shutil
import signal
import subprocess  # nosec B404 # never a shell
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError, StorageError
from medcxr.core.language import text
from medcxr.learning.config import TrainingConfig, load_config
from medcxr.registry.manifest import is_plain_name
from medcxr.services import training_record as said
from medcxr.services.audit import note_alone
from medcxr.services.labeled_tables import table_path
from medcxr.services.training import require_training_libraries
from medcxr.services.training_settings import TrainingSettings, recipe_of
from medcxr.services.workspace import Workspace
from medcxr.storage.atomic import write_bytes_atomically, write_json_atomically
from medcxr.storage.events import EventLog
from medcxr.storage.locks import exclusive, is_held, lock_to_hand_on

__all__ = [
    "JobState",
    "TrainingJob",
    "count_unreadable_jobs",
    "find_job",
    "list_jobs",
    "log_tail",
    "recipe_of_job",
    "resume_training",
    "running_job",
    "start_recipe",
    "start_training",
    "stop_training",
]

_JOB_FILE, _RECORD_FILE, _LOG_FILE, _LOCK_FILE = "job.json", "record.jsonl", "log.txt", "alive.lock"
_START, _PROCESS, _STOP = "start", "process", "stop"  # by this module; the rest by the process
_OWNER_ONLY = 0o700
_GRACE_S = 10.0  # for the process to end before it is killed
_POLL_S = 0.05
_TAIL_BYTES = 2**16
_CUT_OFF = text(
    "It was cut off: its process was killed or crashed, or the computer was switched off. It goes "
    "on from its last checkpoint."
)
_NEVER_BEGAN = text("It ended before it began; its output says why.")
_STOPPED = text("It was stopped here, and goes on from its last checkpoint.")


class JobState(StrEnum):
    """Where a training stands."""

    WAITING = text("waiting")  # its process lives but does not train yet: it reads images
    RUNNING = text("running")
    STOPPED = text("stopped")
    FAILED = text("failed")
    FINISHED = text("finished")

    @property
    def is_alive(self) -> bool:
        """Tell whether a process works on it."""
        return self in (JobState.WAITING, JobState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """A training that was started from the dashboard.

    Attributes:
        identity: name of its folder.
        folder: where its files lie.
        name: of its run and model.
        created: when it was first started, ISO 8601.
        data: folder of the data.
        table: relative to it.
        state: where it stands.
        reason: why it is stopped or failed; empty otherwise.
        read: images read and images there are, since the last start; None before the first.
        run: name of the run's folder, once it is known.
        model: name and version, once it is registered.
    """

    identity: str
    folder: Path
    name: str
    created: str
    data: Path
    table: str
    state: JobState
    reason: str
    read: tuple[int, int] | None
    run: str | None
    model: str | None


def start_training(workspace: Workspace, data: Path, settings: TrainingSettings) -> TrainingJob:
    """Start a training by settings in a process of its own.

    Args:
        workspace: where run and model will be kept.
        data: folder of the labeled tables.
        settings: what to train.

    Raises:
        AccessError: whoever asks may not.
        DataError: a setting is wrong, there is no such table, or another training runs.
        MissingExtra: the libraries for training are not installed.
        StorageError: the workspace cannot be written, or the system cannot do it.
    """
    workspace.require(Permission.TRAIN_MODELS)
    recipe = recipe_of(settings)
    table_path(data, settings.table)
    return start_recipe(workspace, data, recipe, name=settings.name, table=settings.table)


def start_recipe(
    workspace: Workspace, data: Path, recipe: str, *, name: str, table: str
) -> TrainingJob:
    """Start a training by a recipe in TOML; the rest as for `start_training`.

    Args:
        workspace: where run and model will be kept.
        data: folder to which the recipe's tables are relative.
        recipe: a configuration as `medcxr train` reads it.
        name: of the recipe.
        table: the one that was chosen, relative to the data folder.
    """
    workspace.require(Permission.TRAIN_MODELS)
    require_training_libraries()
    if not is_plain_name(name):
        raise DataError(
            "{name!r} cannot be the name of a training; use letters and digits.", name=name
        )
    with _alone(workspace):
        identity = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
        folder = workspace.trainings / identity
        try:
            folder.mkdir(mode=_OWNER_ONLY)
        except OSError as error:
            raise StorageError(
                "{folder} cannot be created: {reason}; let this user write to it.",
                folder=folder,
                reason=error.strerror,
            ) from error
        try:
            write_bytes_atomically(folder / f"{name}.toml", recipe.encode())
            load_config(folder / f"{name}.toml")  # before a process is started for nothing
            facts = {
                "name": name,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "data": str(data.absolute()),
                "table": table,
            }
            write_json_atomically(folder / _JOB_FILE, facts)
            write_bytes_atomically(folder / _RECORD_FILE, b"")  # so that nobody else may read it
            _launch(workspace, folder, facts)
        except BaseException:
            if not _is_alive(folder):
                shutil.rmtree(folder, ignore_errors=True)
            raise
        note_alone(workspace, AuditAction.TRAINING_STARTED, _subject(identity), resumed=False)
    return find_job(workspace, identity)


def resume_training(workspace: Workspace, identity: str) -> TrainingJob:
    """Go on with a training that was stopped or failed, from its last checkpoint.

    Raises:
        AccessError: whoever asks may not.
        DataError: there is no such training, it needs no going on, or another training runs.
        MissingExtra: the libraries for training are not installed.
        StorageError: the workspace cannot be written.
    """
    workspace.require(Permission.TRAIN_MODELS)
    require_training_libraries()
    with _alone(workspace):
        job = find_job(workspace, identity)
        if job.state is JobState.FINISHED:
            raise DataError("The training {job} is finished; start another one.", job=job.name)
        facts = {"name": job.name, "data": str(job.data)}
        _launch(workspace, job.folder, facts)
        note_alone(workspace, AuditAction.TRAINING_STARTED, _subject(identity), resumed=True)
    return find_job(workspace, identity)


def stop_training(workspace: Workspace, identity: str, *, grace_s: float = _GRACE_S) -> TrainingJob:
    """End a training's process; a training that has ended stays as it is.

    Args:
        workspace: where it is kept.
        identity: of the training.
        grace_s: seconds that it has to end by itself before it is killed.

    Raises:
        AccessError: whoever asks may not.
        DataError: there is no such training.
        StorageError: its process is unknown or did not end.
    """
    workspace.require(Permission.TRAIN_MODELS)
    folder = find_job(workspace, identity).folder
    # The number is sure to be the training's: its group lives as long as one of it holds the lock.
    if _is_alive(folder):
        log = EventLog(folder / _RECORD_FILE)
        pid = _pid(_since_start(log.read()))
        log.append(_STOP)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(pid, number)
            if _has_ended(folder, grace_s):
                break
        else:
            raise StorageError(
                "The process {pid} of the training does not end; end it by hand.", pid=pid
            )
        note_alone(workspace, AuditAction.TRAINING_STOPPED, _subject(identity))
    return find_job(workspace, identity)


def list_jobs(workspace: Workspace) -> tuple[TrainingJob, ...]:
    """Return all trainings started from the dashboard, the newest first."""
    workspace.require(Permission.TRAIN_MODELS)
    return _jobs(workspace)


def count_unreadable_jobs(workspace: Workspace) -> int:
    """Return how many folders of trainings hold none that can be read."""
    workspace.require(Permission.TRAIN_MODELS)
    return sum(_read_job(folder) is None for folder in _folders(workspace))


def running_job(workspace: Workspace) -> TrainingJob | None:
    """Return the training that a process works on now, None if there is none."""
    workspace.require(Permission.VIEW_MODELS)
    return next((job for job in _jobs(workspace) if _is_alive(job.folder)), None)


def find_job(workspace: Workspace, identity: str) -> TrainingJob:
    """Return a training by its identity, which is looked up and never made into a path.

    Raises:
        AccessError: whoever asks may not.
        DataError: there is no such training.
    """
    workspace.require(Permission.TRAIN_MODELS)
    for job in list_jobs(workspace):
        if job.identity == identity:
            return job
    raise DataError(
        "There is no training {identity!r}; choose one that is listed.", identity=identity
    )


def recipe_of_job(job: TrainingJob) -> TrainingConfig:
    """Return a training's configuration.

    Raises:
        DataError: it was changed since and is wrong now.
    """
    return load_config(job.folder / f"{job.name}.toml")


def log_tail(job: TrainingJob, *, lines: int = 20) -> str:
    """Return the last lines that a training printed, without what steers a terminal."""
    try:
        with (job.folder / _LOG_FILE).open("rb") as stream:
            stream.seek(max(stream.seek(0, os.SEEK_END) - _TAIL_BYTES, 0))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    kept = text.splitlines()[-lines:]
    return "\n".join("".join(c for c in line if c.isprintable()) for line in kept)


def _jobs(workspace: Workspace) -> tuple[TrainingJob, ...]:
    jobs = [_read_job(folder) for folder in _folders(workspace)]
    return tuple(job for job in reversed(jobs) if job is not None)


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Let one start at a time go on, and none while a training runs."""
    with exclusive(workspace.trainings / _START):
        # Counted by locks, not by what a damaged file says.
        for folder in _folders(workspace):
            if _is_alive(folder):
                job = _read_job(folder)
                raise DataError(
                    "The training {name} runs already, and one at a "
                    "time uses the whole computer; wait for its end or stop it first.",
                    name=job.name if job else folder.name,
                )
        yield


def _launch(workspace: Workspace, folder: Path, facts: Mapping[str, str]) -> None:
    """Start the process of a training; the caller holds the lock of starts."""
    command = [sys.executable, "-P", "-m", "medcxr", "train", str(folder / f"{facts['name']}.toml")]
    command += ["--data", facts["data"], "--workspace", str(workspace.folder)]
    command += ["--record", str(folder / _RECORD_FILE)]
    log = EventLog(folder / _RECORD_FILE)
    descriptor = lock_to_hand_on(folder / _LOCK_FILE)
    try:
        log.append(_START)
        output = os.open(folder / _LOG_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # No shell: each path is a word of its own, and none is taken for an option, as all
            # are absolute.
            process = subprocess.Popen(  # noqa: S603 - absolute paths in a list of words  # nosec B603
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # neither Ctrl-C nor a closed terminal reaches it
                pass_fds=(descriptor,),
            )
        finally:
            os.close(output)
        log.append(_PROCESS, pid=process.pid)
    except OSError as error:
        raise StorageError(
            "The training could not be started: {reason}; mend this and start again.",
            reason=error.strerror,
        ) from error
    finally:
        os.close(descriptor)
    # Somebody must take note of its end, or it stays in the table of processes.
    threading.Thread(target=process.wait, daemon=True).start()


def _subject(identity: str) -> str:
    return f"training {identity}"


def _folders(workspace: Workspace) -> Sequence[Path]:
    """Return the folders of all trainings, the oldest first."""
    found = (one for one in workspace.trainings.iterdir() if not one.name.startswith("."))
    return sorted(one for one in found if one.is_dir())


def _is_alive(folder: Path) -> bool:
    return is_held(folder / _LOCK_FILE)


def _has_ended(folder: Path, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while _is_alive(folder):
        if time.monotonic() > end:
            return False
        time.sleep(_POLL_S)
    return True


def _read_job(folder: Path) -> TrainingJob | None:
    """Return the training of a folder, None where that is none or its facts are damaged."""
    alive = _is_alive(folder)  # before the record: what a dead process has written is all there
    record = list(EventLog(folder / _RECORD_FILE).read())
    events = _since_start(record)
    try:
        facts = json.loads((folder / _JOB_FILE).read_text(encoding="utf-8"))
        name, created, data, table = (str(facts[k]) for k in ("name", "created", "data", "table"))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if not is_plain_name(name):
        return None
    state, reason = _state(events, alive=alive)
    reading, finished = _last(events, said.READ), _last(events, said.FINISHED)
    run = _last(record, said.RUN)  # of an earlier start, until images are read again
    return TrainingJob(
        identity=folder.name,
        folder=folder,
        name=name,
        created=created,
        data=Path(data),
        table=table,
        state=state,
        reason=reason,
        read=(int(reading["done"]), int(reading["total"])) if reading else None,
        run=str(run["run"]) if run else None,
        model=str(finished["model"]) if finished else None,
    )


def _state(events: Sequence[Mapping[str, Any]], *, alive: bool) -> tuple[JobState, str]:
    kinds = {event["event"] for event in events}
    failed = _last(events, said.FAILED)
    if said.FINISHED in kinds:
        return JobState.FINISHED, ""
    if alive and failed is None:
        return (JobState.RUNNING if said.TRAINING in kinds else JobState.WAITING), ""
    if failed is not None:
        return JobState.FAILED, str(failed.get("words", ""))
    if _STOP in kinds:
        return JobState.STOPPED, _STOPPED
    if said.OPENED not in kinds:
        return JobState.FAILED, _NEVER_BEGAN
    return JobState.STOPPED, _CUT_OFF


def _since_start(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return what was recorded since the process was started last."""
    kept: list[Mapping[str, Any]] = []
    for event in events:
        if event["event"] == _START:
            kept.clear()
        kept.append(event)
    return kept


def _last(events: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any] | None:
    return next((event for event in reversed(events) if event["event"] == kind), None)


def _pid(events: Sequence[Mapping[str, Any]]) -> int:
    event = _last(events, _PROCESS)
    if event is None or not isinstance(event.get("pid"), int) or event["pid"] <= 1:
        raise StorageError("The record does not tell the training's process; end it by hand.")
    return int(event["pid"])
