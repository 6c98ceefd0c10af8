"""Score all radiographs of a table with the model in use, however many they are."""

import csv
import io
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from medcxr.core.access import Permission
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError, ImageError
from medcxr.core.spreadsheet import LINE_END
from medcxr.datasets.study_table import check_image_path
from medcxr.imaging.reading import read_image
from medcxr.inference.gate import shipped_gate
from medcxr.inference.predictor import Predictor, Prepared
from medcxr.services.audit import note_alone
from medcxr.services.loaded_model import current_predictor
from medcxr.services.workspace import Workspace
from medcxr.storage.atomic import open_atomically

__all__ = ["PredictionSummary", "predict_table"]

Progress: TypeAlias = Callable[[int, int], None]

# image_path, its input or why there is none, and what the gate says of it
_Row: TypeAlias = tuple[str, Prepared | str, str]

_BATCH = 8  # images per run of the model; more are not faster on a CPU
_READERS = 2  # one file is decoded while another one is prepared
_AHEAD = 2 * _BATCH  # prepared images that may wait: some MiB, whatever the originals' size
_COLUMN = "image_path"


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionSummary:
    """What became of a table.

    Attributes:
        model: name and version.
        n_images: rows of the table.
        n_failed: of these, rows with an error instead of probabilities.
        seconds: time taken.
    """

    model: str
    n_images: int
    n_failed: int
    seconds: float


def predict_table(
    workspace: Workspace, manifest: Path, out: Path, *, progress: Progress | None = None
) -> PredictionSummary:
    """Write the probabilities of every radiograph that a table names.

    The result has the columns image_path, one per finding, error and warning, and the table's
    order. A file that cannot be used becomes a row with the reason, and the others go on. An image
    that the gate would refuse keeps its probabilities, with the reason as a warning: a table is
    somebody's choice of images, and its reader can leave such rows out.

    Args:
        workspace: whose model answers.
        manifest: CSV file with a column image_path, relative to the file's folder.
        out: CSV file to write; it appears when everything is done.
        progress: called with the numbers of rows done and of all rows.

    Raises:
        AccessError: whoever asks may not.
        DataError: the table cannot be read, or the result would overwrite it.
        ModelError: there is no model, or it is damaged.
        StorageError: the result cannot be written.
    """
    workspace.require(Permission.ANALYZE)
    start = time.perf_counter()
    _refuse_same_file(manifest, out)
    n_images = sum(1 for _ in _image_paths(manifest))
    if not n_images:
        raise DataError(f"Table {manifest.name} has no rows; add one line per image.")
    predictor = current_predictor(workspace)
    n_done = n_failed = 0
    with open_atomically(out) as file:
        _write_row(file, [_COLUMN, *predictor.manifest.findings, "error", "warning"])
        for batch in _batches(_prepared(predictor, manifest)):
            n_failed += sum(isinstance(result, str) for _, result, _ in batch)
            n_done += len(batch)
            for row in _scored(predictor, batch):
                _write_row(file, row)
            if progress is not None:
                progress(n_done, n_images)
    note_alone(
        workspace,
        AuditAction.TABLE_PREDICTED,
        f"{n_done} images",
        model=predictor.manifest.identity,
        failed=n_failed,
    )
    return PredictionSummary(
        model=predictor.manifest.identity,
        n_images=n_done,
        n_failed=n_failed,
        seconds=time.perf_counter() - start,
    )


def _refuse_same_file(manifest: Path, out: Path) -> None:
    if out.exists() and manifest.exists() and out.samefile(manifest):
        raise DataError(f"The scores would overwrite the table {manifest.name}; name another file.")


def _image_paths(manifest: Path) -> Iterator[str]:
    """Yield a table's image paths one by one, so that its length does not matter."""
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, restval="")
            if _COLUMN not in (reader.fieldnames or ()):
                raise DataError(
                    f"Table {manifest.name} lacks the column {_COLUMN!r}; add it to the header row."
                )
            for row in reader:
                yield row[_COLUMN]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"Table {manifest.name} cannot be read ({type(error).__name__}: {error}); give a "
            "UTF-8 CSV file with a header row."
        ) from error


def _prepared(predictor: Predictor, manifest: Path) -> Iterator[_Row]:
    """Read the files some rows ahead of the model, which computes meanwhile; keep their order."""
    waiting: deque[Future[_Row]] = deque()
    with ThreadPoolExecutor(_READERS) as readers:
        try:
            for image_path in _image_paths(manifest):
                waiting.append(readers.submit(_prepare, predictor, manifest.parent, image_path))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:  # after an error or Ctrl+C nobody needs them
                future.cancel()


def _prepare(predictor: Predictor, root: Path, image_path: str) -> _Row:
    try:
        image = read_image(check_image_path(root, image_path))
    except (DataError, ImageError) as error:
        return image_path, str(error), ""
    verdict = shipped_gate().check(image)
    warnings = filter(None, (verdict.reason, *image.warnings, *verdict.warnings))
    return image_path, predictor.prepare(image), " ".join(warnings)


def _batches(rows: Iterable[_Row]) -> Iterator[Sequence[_Row]]:
    batch: list[_Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _scored(predictor: Predictor, batch: Sequence[_Row]) -> Iterator[Sequence[str]]:
    inputs = [result for _, result, _ in batch if isinstance(result, Prepared)]
    scores = iter(predictor.predict_prepared(inputs).probabilities) if inputs else iter(())
    empty = [""] * len(predictor.manifest.findings)
    for image_path, result, warning in batch:
        if isinstance(result, Prepared):
            yield [image_path, *(f"{value:.8g}" for value in next(scores)), "", warning]
        else:
            yield [image_path, *empty, result, warning]


def _write_row(file: BinaryIO, cells: Sequence[str]) -> None:
    line = io.StringIO()
    csv.writer(line, lineterminator=LINE_END).writerow(cells)
    file.write(line.getvalue().encode())
