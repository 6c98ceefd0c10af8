"""Parts of a table scored in a process of its own, on one core, beside others."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import medcxr
from medcxr.core.errors import DataError, ModelError
from medcxr.core.runtime import Runtime
from medcxr.datasets.image_column import image_paths
from medcxr.inference.predictor import Predictor
from medcxr.registry.registry import ModelRegistry
from medcxr.services.part_attempts import DEADLY_FILE, Mark
from medcxr.services.prediction_parts import PredictionParts, manifest_digest
from medcxr.services.row_scoring import PreparedRow, batches, csv_line, prepare_row, scored

__all__ = ["PartJob", "PartWorker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartJob:
    """What a worker must know; every path is absolute and the same on every computer.

    Attributes:
        table: that is scored.
        starts: the byte of the table at which each part begins.
        parts: where parts are kept, and of what they are.
        models: the workspace's models.
    """

    table: Path
    starts: tuple[int, ...]
    parts: PredictionParts
    models: Path


class PartWorker:
    """Scores one part after the other; the model is loaded with the first one and kept.

    A file that killed two workers gets a row that says so, and the others are scored.

    Args:
        job: what all workers do.
    """

    def __init__(self, job: PartJob) -> None:
        self._job = job
        self._predictor: Predictor | None = None

    def __call__(self, number: int) -> int:
        """Make a part, unless it is there: whoever was killed may have finished it.

        Returns:
            How many rows it has.

        Raises:
            ModelError: this computer has another model or version, or a damaged one.
            MissingExtra: this computer lacks the runtime.
            DataError: the table cannot be read or is another one.
            StorageError: the part cannot be kept.
        """
        parts, n_rows = self._job.parts, self._job.parts.plan.rows_of(number)
        if self._predictor is None:
            self._predictor = self._load()
        if not parts.is_done(number):
            with parts.attempts(number).recorded() as mark:
                parts.write(number, self._lines(self._predictor, number, n_rows, mark))
        return n_rows

    def _load(self) -> Predictor:
        plan = self._job.parts.plan
        self._job.parts.verify_plan()
        if medcxr.__version__ != plan.software:
            raise ModelError(
                f"A computer of the cluster has medcxr {medcxr.__version__} in the place of "
                f"{plan.software}; install the same version on all."
            )
        bundle = ModelRegistry(self._job.models).get(plan.model)  # verifies every file's digest
        if manifest_digest(bundle) != plan.manifest_sha256:
            raise ModelError(
                f"A computer of the cluster has another model of the name {plan.model}; give all "
                "the same workspace."
            )
        return Predictor(bundle, threads=1, runtime=Runtime(plan.runtime))

    def _lines(self, predictor: Predictor, number: int, n_rows: int, mark: Mark) -> bytes:
        """Score a part's rows one after the other: a worker takes one core, not more."""
        table, deadly = self._job.table, self._job.parts.attempts(number).deadly_rows()
        paths = list(islice(image_paths(table, start=self._job.starts[number]), n_rows))
        if len(paths) != n_rows:
            raise DataError(f"Table {table.name} was changed while it was scored; begin again.")

        def prepared(row: int) -> PreparedRow:
            if row in deadly:
                return paths[row], DEADLY_FILE, ""
            mark(row)
            return prepare_row(predictor, table.parent, paths[row])

        lines = bytearray()
        for rows in batches(range(n_rows)):
            batch = [prepared(row) for row in rows]
            mark(None)
            for cells in scored(predictor, batch):
                lines += csv_line(cells)
        return bytes(lines)
