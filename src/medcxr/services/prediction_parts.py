"""The scores of a table while they are made: a folder of parts beside the result.

`scores.csv.parts` holds `plan.json`, which says of what table and model the parts are, and one file for
each part that is done, `part-00000042.csv`, written in one step. So a run that was killed goes on with
the parts that are missing, whoever makes them, and the result is put together of the same bytes.
"""

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from medcxr.core.errors import DataError, StorageError
from medcxr.datasets.image_column import image_paths
from medcxr.registry.bundle import MANIFEST_FILE, ModelBundle
from medcxr.services.part_attempts import PartAttempts
from medcxr.services.row_scoring import BATCH, csv_line, header_of
from medcxr.storage.atomic import open_atomically, storage_error, write_json_atomically
from medcxr.storage.locks import exclusive

__all__ = ["ROWS_PER_PART", "PredictionParts", "PredictionPlan", "manifest_digest", "opened_parts"]

ROWS_PER_PART = 32 * BATCH  # some ten seconds of one core: what a kill may cost
_PLAN_FILE = "plan.json"
_TRIED = ".tried"
_FORMAT = 1
_OWNER_ONLY = 0o700  # it names the images


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionPlan:
    """What decides the scores of a table, as far as it can be told without reading every image.

    Attributes:
        table_sha256: of the table's file.
        folder: to which its image paths are relative.
        n_rows: of the table.
        model: name and version.
        manifest_sha256: of the model's manifest, which lists the digests of its other files.
        software: version of medcxr.
        runtime: name of what computes the model; others round otherwise.
        rows_per_part: of all parts but the last one.
        format: of the parts.
    """

    table_sha256: str
    folder: str
    n_rows: int
    model: str
    manifest_sha256: str
    software: str
    runtime: str
    rows_per_part: int = ROWS_PER_PART
    format: int = _FORMAT

    @property
    def n_parts(self) -> int:
        """How many parts the table has."""
        return -(-self.n_rows // self.rows_per_part)

    def rows_of(self, number: int) -> int:
        """Return how many rows a part has."""
        return min(self.rows_per_part, self.n_rows - number * self.rows_per_part)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionParts:
    """The folder of a plan's parts.

    Attributes:
        folder: where they lie.
        plan: of what they are.
    """

    folder: Path
    plan: PredictionPlan

    def is_done(self, number: int) -> bool:
        """Tell whether a part is there."""
        return self._path(number).is_file()

    def missing(self) -> list[int]:
        """Return the numbers of the parts that are to be made."""
        return [number for number in range(self.plan.n_parts) if not self.is_done(number)]

    def write(self, number: int, lines: bytes) -> None:
        """Keep a part in one step; one that is there already is of the same bytes.

        Raises:
            StorageError: the disk is full, or the folder cannot be written.
        """
        with open_atomically(self._path(number)) as file:
            file.write(lines)

    def attempts(self, number: int) -> PartAttempts:
        """Return what workers that were killed noted of a part."""
        return PartAttempts(path=self._path(number).with_suffix(_TRIED))

    def verify_plan(self) -> None:
        """Return if the folder is the one in which the plan lies.

        Raises:
            StorageError: it is not there, or another one stands in its place, as on a computer that does
                not share the folder.
        """
        if _plan_in(self.folder) != asdict(self.plan):
            raise StorageError(
                f"{self.folder} is not the folder in which the scores are made; give every computer "
                "of the cluster the same folder of the result."
            )

    def assemble(self, table: Path, out: Path, findings: tuple[str, ...]) -> int:
        """Write the result of all parts, each compared with the rows of the table.

        Returns:
            How many rows have an error instead of probabilities.

        Raises:
            DataError: a part is not of these rows.
            StorageError: a part cannot be read, or the result not be written.
        """
        expected = image_paths(table)
        n_failed = 0
        columns = header_of(findings)
        with open_atomically(out) as file:
            file.write(csv_line(columns))
            for number in range(self.plan.n_parts):
                lines = self._path(number).read_bytes()
                rows = list(csv.reader(io.StringIO(lines.decode(), newline="")))
                paths = list(islice(expected, self.plan.rows_per_part))
                if [row[0] for row in rows] != paths or {len(row) for row in rows} != {
                    len(columns)
                }:
                    raise self._changed(number, table)
                n_failed += sum(row[columns.index("error")] != "" for row in rows)
                file.write(lines)
            if next(expected, None) is not None:
                raise self._changed(self.plan.n_parts, table)
        return n_failed

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:08}.csv"

    def _changed(self, number: int, table: Path) -> DataError:
        return DataError(
            f"Part {number} in {self.folder} is not of the rows of {table.name}: one of them was "
            "changed meanwhile; delete the folder and begin again."
        )


@contextmanager
def opened_parts(out: Path, plan: PredictionPlan) -> Iterator[PredictionParts]:
    """Yield the folder of parts of a result, alone; it is deleted if the block ends well.

    Args:
        out: the result.
        plan: what is to be made; parts that are there already must be of the same.

    Raises:
        DataError: parts of something else are there.
        StorageError: the folder cannot be made, or another process is making the same result.
    """
    parts = PredictionParts(folder=out.absolute().with_name(f"{out.name}.parts"), plan=plan)
    try:
        parts.folder.mkdir(mode=_OWNER_ONLY, exist_ok=True)
    except OSError as error:
        raise storage_error(out, error) from error
    with exclusive(parts.folder / _PLAN_FILE, wait=False):
        _begin(parts)
        try:
            yield parts
        except BaseException:
            if not any(parts.is_done(number) for number in range(plan.n_parts)):
                shutil.rmtree(parts.folder, ignore_errors=True)
            raise
        shutil.rmtree(parts.folder, ignore_errors=True)


def manifest_digest(bundle: ModelBundle) -> str:
    """Return the SHA-256 of a model's manifest, in hexadecimal digits."""
    return hashlib.sha256((bundle.folder / MANIFEST_FILE).read_bytes()).hexdigest()


def _begin(parts: PredictionParts) -> None:
    for noted in parts.folder.glob(f"*{_TRIED}"):  # of a run that was cut off, by no file's fault
        noted.unlink(missing_ok=True)
    kept, wanted = _plan_in(parts.folder), asdict(parts.plan)
    if kept is None:
        write_json_atomically(parts.folder / _PLAN_FILE, wanted)
    elif kept != wanted:
        other = sorted(name for name in wanted if kept.get(name) != wanted[name])
        raise DataError(
            f"{parts.folder} holds the parts of other scores ({', '.join(other)} differ): go on with "
            "that table and model, name another result, or delete the folder to begin again."
        )


def _plan_in(folder: Path) -> dict[str, object] | None:
    """Return what a folder's plan says; None if there is none."""
    try:
        plan = json.loads((folder / _PLAN_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}  # whatever it was, it is not the plan that is wanted
    return plan if isinstance(plan, dict) else {}
