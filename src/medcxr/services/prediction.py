"""Score all radiographs of a table with one model, however many they are."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import medcxr
from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError, MissingExtra, StorageError
from medcxr.core.settings import Settings
from medcxr.datasets.image_column import TableSurvey, image_paths, survey_table
from medcxr.inference.predictor import Predictor
from medcxr.registry.bundle import ModelBundle
from medcxr.services.audit import note_alone
from medcxr.services.loaded_model import bundle_named, predictor_named
from medcxr.services.part_worker import PartJob, PartWorker
from medcxr.services.prediction_parts import (
    ROWS_PER_PART,
    PredictionParts,
    PredictionPlan,
    manifest_digest,
    opened_parts,
)
from medcxr.services.row_scoring import batches, csv_line, prepared_ahead, scored
from medcxr.services.workspace import Workspace

if TYPE_CHECKING:
    from medcxr.cluster.work import Outcome

__all__ = ["PredictionSummary", "RayCluster", "predict_table"]

Progress: TypeAlias = Callable[[int, int], None]
_MOST_TOLD = 5  # parts that a message lists


@dataclass(frozen=True, slots=True, kw_only=True)
class RayCluster:
    """Where Ray computes (extra: scale).

    Attributes:
        workers: processes that score, each on one core; None for as many as there are cores.
        address: HOST:PORT of a cluster that runs; None starts one on this computer, which nobody else
            can reach, and ends it.
    """

    workers: int | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionSummary:
    """What became of a table.

    Attributes:
        model: name and version.
        n_images: rows of the table.
        n_failed: of these, rows with an error instead of probabilities.
        n_kept: of these, rows that an earlier run had scored, which was cut off.
        seconds: time taken.
    """

    model: str
    n_images: int
    n_failed: int
    n_kept: int
    seconds: float


def predict_table(
    workspace: Workspace,
    manifest: Path,
    out: Path,
    *,
    model: str | None = None,
    cluster: RayCluster | None = None,
    progress: Progress | None = None,
) -> PredictionSummary:
    """Write the probabilities of every radiograph that a table names.

    The result has the columns image_path, one per finding, error and warning, and the table's
    order. A file that cannot be used becomes a row with the reason, and the others go on. An image
    that the gate would refuse keeps its probabilities, with the reason as a warning: a table is
    somebody's choice of images, and its reader can leave such rows out.

    What is done is kept beside the result until everything is: the same call goes on where an
    earlier one was cut off. The result is the same to the byte, wherever and in how many goes it was
    made.

    Args:
        workspace: whose model answers.
        manifest: CSV file with a column image_path, relative to the file's folder.
        out: CSV file to write; it appears when everything is done.
        model: name and version, or a name that has one version; None for the model in use.
        cluster: what computes; None computes in this process.
        progress: called with the numbers of rows done and of all rows.

    Raises:
        AccessError: whoever asks may not.
        DataError: the table cannot be read, the result would overwrite it, or parts of other scores
            lie beside the result.
        ModelError: there is no such model, or it is damaged.
        MissingExtra: a cluster is asked for, and Ray is not installed.
        StorageError: the result cannot be written, another process is writing it, or workers were
            killed again and again: what they did is kept.
    """
    workspace.require(Permission.ANALYZE)
    begun = time.perf_counter()
    _refuse_same_file(manifest, out)
    survey = survey_table(manifest, ROWS_PER_PART)
    if not survey.n_rows:
        raise DataError(f"Table {manifest.name} has no rows; add one line per image.")
    bundle = bundle_named(workspace, model)
    show = progress or (lambda _done, _total: None)
    with opened_parts(out, _plan(bundle, manifest, survey)) as parts:
        missing = parts.missing()
        n_kept = survey.n_rows - sum(map(parts.plan.rows_of, missing))
        table = _Table(path=manifest, starts=survey.starts, parts=parts)
        made = (
            _make_here(predictor_named(workspace, bundle.manifest.identity), table, missing)
            if cluster is None
            else _make_there(workspace, table, missing, cluster)
        )
        n_done = n_kept
        with closing(made):
            for n_rows in made if missing else ():
                n_done += n_rows
                show(n_done, survey.n_rows)
        n_failed = parts.assemble(manifest, out, bundle.manifest.findings)
    note_alone(
        workspace,
        AuditAction.TABLE_PREDICTED,
        f"{survey.n_rows} images",
        model=bundle.manifest.identity,
        failed=n_failed,
    )
    return PredictionSummary(
        model=bundle.manifest.identity,
        n_images=survey.n_rows,
        n_failed=n_failed,
        n_kept=n_kept,
        seconds=time.perf_counter() - begun,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    path: Path
    starts: tuple[int, ...]
    parts: PredictionParts

    def paths_of(self, numbers: list[int]) -> Iterator[str]:
        """Yield the image paths of some parts, one after the other."""
        for number in numbers:
            rows = self.parts.plan.rows_of(number)
            yield from islice(image_paths(self.path, start=self.starts[number]), rows)


def _refuse_same_file(manifest: Path, out: Path) -> None:
    if out.exists() and manifest.exists() and out.samefile(manifest):
        raise DataError(f"The scores would overwrite the table {manifest.name}; name another file.")


def _plan(bundle: ModelBundle, manifest: Path, survey: TableSurvey) -> PredictionPlan:
    return PredictionPlan(
        table_sha256=survey.sha256,
        folder=str(manifest.parent.resolve()),
        n_rows=survey.n_rows,
        model=bundle.manifest.identity,
        manifest_sha256=manifest_digest(bundle),
        software=medcxr.__version__,
        runtime=Settings.from_environment().runtime,
    )


def _make_here(
    predictor: Predictor, table: _Table, missing: list[int]
) -> Generator[int, None, None]:
    """Make parts in this process on all its cores; yield how many rows were scored each time."""
    rows = prepared_ahead(predictor, table.path.parent, table.paths_of(missing))
    with closing(rows):
        for number in missing:
            lines = bytearray()
            # A part is a number of whole batches, so each is of the rows that it always is of.
            for batch in batches(islice(rows, table.parts.plan.rows_of(number))):
                lines += b"".join(map(csv_line, scored(predictor, batch)))
                yield len(batch)
            table.parts.write(number, bytes(lines))


def _make_there(
    workspace: Workspace, table: _Table, missing: list[int], cluster: RayCluster
) -> Generator[int, None, None]:
    """Make parts by Ray's workers; yield how many rows were scored each time."""
    try:
        from medcxr.cluster.work import work_through  # noqa: PLC0415 - the light install has no Ray
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"Many cores and computers need {error.name}, which is not installed; install the extra: "
            "pip install 'medcxr[scale]'."
        ) from error
    job = PartJob(
        table=table.path.absolute(), starts=table.starts, parts=table.parts, models=workspace.models
    )
    outcomes = work_through(
        PartWorker,
        job,
        missing,
        hopeless=lambda number, n_kills: table.parts.attempts(number).hopeless(n_kills),
        workers=cluster.workers,
        address=cluster.address,
    )
    given_up = []
    with closing(outcomes):
        for outcome in outcomes:
            if outcome.given_up:
                given_up.append(outcome)
            else:
                yield outcome.value
    if given_up:
        raise StorageError(_told(given_up, table.parts))


def _told(given_up: Sequence["Outcome"], parts: PredictionParts) -> str:
    """Say which parts were given up and why."""
    first = parts.plan.rows_per_part
    each = [
        f"part {one.number} (rows {one.number * first + 1:,} to "
        f"{one.number * first + parts.plan.rows_of(one.number):,}), as {one.given_up}"
        for one in given_up[:_MOST_TOLD]
    ]
    more = len(given_up) - len(each)
    return (
        f"{len(given_up)} of {parts.plan.n_parts} parts could not be made: {'; '.join(each)}"
        f"{f'; and {more} more' if more else ''}. All others are kept in {parts.folder}: see that "
        "there is memory for the workers, or ask for fewer, and let the same command go on."
    )
