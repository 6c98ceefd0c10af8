"""Rows of a table turned into rows of its scores, with the same bits wherever that happens.

What a graph computes of one image depends, in the last bits, on how many are computed with it, but not
on how many threads compute. So images are always computed in the same company: `BATCH` rows that
follow each other in the table, less those that cannot be used.
"""

import csv
import io
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeAlias, TypeVar

from medcxr.core.errors import DataError, ImageError
from medcxr.core.spreadsheet import LINE_END
from medcxr.datasets.image_column import IMAGE_COLUMN
from medcxr.datasets.study_table import check_image_path
from medcxr.imaging.reading import read_image
from medcxr.inference.gate import shipped_gate
from medcxr.inference.predictor import Predictor, Prepared

__all__ = ["BATCH", "ROWS_AHEAD", "PreparedRow", "batches", "csv_line", "done_ahead", "header_of", "prepare_row",
           "prepared_ahead", "scored"]  # fmt: skip

# image_path, its input or why there is none, and what the gate says of it
PreparedRow: TypeAlias = tuple[str, Prepared | str, str]

BATCH = 8  # images per run of the model; more are not faster on a CPU
ROWS_AHEAD = 2 * BATCH  # prepared images that may wait: some MiB, whatever the originals' size
_READERS = 2  # one file is decoded while another one is prepared
_Thing = TypeVar("_Thing")
_Done = TypeVar("_Done")


def header_of(findings: Sequence[str]) -> Sequence[str]:
    """Return the columns of the scores."""
    return [IMAGE_COLUMN, *findings, "error", "warning"]


def prepare_row(predictor: Predictor, root: Path, image_path: str) -> PreparedRow:
    """Read and prepare the image of a row; what cannot be used becomes its reason."""
    try:
        image = read_image(check_image_path(root, image_path))
    except (DataError, ImageError) as error:
        return image_path, str(error), ""
    verdict = shipped_gate().check(image)
    warnings = filter(None, (verdict.reason, *image.warnings, *verdict.warnings))
    return image_path, predictor.prepare(image), " ".join(warnings)


def prepared_ahead(
    predictor: Predictor, root: Path, image_paths: Iterable[str]
) -> Generator[PreparedRow, None, None]:
    """Read the files some rows ahead of the model, which computes meanwhile; keep their order."""
    return done_ahead(lambda path: prepare_row(predictor, root, path), image_paths, ROWS_AHEAD)


def done_ahead(
    do: Callable[[_Thing], _Done], things: Iterable[_Thing], n_ahead: int
) -> Generator[_Done, None, None]:
    """Do things in two threads, some ahead of what is asked for; keep their order."""
    waiting: deque[Future[_Done]] = deque()
    with ThreadPoolExecutor(_READERS) as readers:
        try:
            for thing in things:
                waiting.append(readers.submit(do, thing))
                if len(waiting) > n_ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:  # after an error or Ctrl+C nobody needs them
                future.cancel()


def batches(rows: Iterable[_Thing], size: int = BATCH) -> Iterator[Sequence[_Thing]]:
    """Yield rows by so many at a time; the last ones may be fewer."""
    remaining = iter(rows)
    while batch := list(islice(remaining, size)):
        yield batch


def scored(predictor: Predictor, batch: Sequence[PreparedRow]) -> Iterator[Sequence[str]]:
    """Yield the cells of each row of a batch, as `header_of` names them."""
    inputs = [result for _, result, _ in batch if isinstance(result, Prepared)]
    scores = iter(predictor.predict_prepared(inputs).probabilities) if inputs else iter(())
    empty = [""] * len(predictor.manifest.findings)
    for image_path, result, warning in batch:
        if isinstance(result, Prepared):
            yield [image_path, *(f"{value:.8g}" for value in next(scores)), "", warning]
        else:
            yield [image_path, *empty, result, warning]


def csv_line(cells: Sequence[str]) -> bytes:
    """Return a row of the scores as it is written."""
    line = io.StringIO()
    csv.writer(line, lineterminator=LINE_END).writerow(cells)
    return line.getvalue().encode()
