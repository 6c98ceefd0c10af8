"""Score the radiographs of a study, and go on where it was cut off."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medcxr import __version__
from medcxr.core.errors import DataError, ImageError, StorageError
from medcxr.core.images import CxrImage
from medcxr.datasets.study_table import StudyTable
from medcxr.imaging.reading import read_image
from medcxr.inference.gate import shipped_gate
from medcxr.inference.predictor import Predictor
from medcxr.services.incoming import IMAGE_FACTS, image_facts
from medcxr.services.row_scoring import csv_line, done_ahead
from medcxr.storage.atomic import write_json_atomically
from medcxr.synthetic.centres import SimulatedCentre, centre_named, changed

__all__ = ["UNCHANGED", "CentreRow", "StudyRow", "score_centres", "score_rows"]

UNCHANGED = "unchanged"
"""The centre at which nothing is changed."""

_AHEAD = 6  # radiographs that may wait
_ROWS, _CENTRES = "scores.csv", "centres.csv"
_KEY = ("row", "centre")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRow:
    """What was found of one row of a table.

    Attributes:
        row: its number, 0 for the first.
        digest: SHA-256 of the file; empty where it could not be read.
        error: why it could not be used; empty where it could.
        refused: as what the gate refuses it, e.g. "turned left"; empty where it accepts it.
        facts: name of `IMAGE_FACTS` -> value; empty where it could not be used.
        probabilities: one per finding; empty where it was not scored.
    """

    row: int
    digest: str
    error: str
    refused: str
    facts: Mapping[str, float]
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreRow:
    """What was found of one row at one simulated centre; attributes as in `StudyRow`."""

    row: int
    centre: str
    refused: str
    probabilities: tuple[float, ...]


def score_rows(
    predictor: Predictor,
    table: StudyTable,
    folder: Path,
    *,
    scored: bool,
    progress: Progress | None = None,
) -> tuple[StudyRow, ...]:
    """Read every radiograph of a table, ask the gate and, if wanted, the model.

    What was found stays in the folder's scores.csv, row by row, so that a study that was cut off
    goes on.

    Args:
        predictor: the model.
        table: of radiographs.
        folder: of the study.
        scored: whether the model is asked; else its scores come from elsewhere.
        progress: called with the rows done and to do.

    Raises:
        DataError: the folder holds what another model or table gave.
        StorageError: the folder cannot be written.
    """
    findings = predictor.manifest.findings if scored else ()
    heads = ("row", "digest", "error", "refused", *IMAGE_FACTS, *findings)
    kept = _Kept(folder / _ROWS, heads, _identity(predictor, table, scored=scored))
    todo = [row for row in range(len(table)) if (str(row), "") not in kept.found]

    def look(row: int) -> list[str]:
        try:
            image = read_image(table.path(row))
        except (DataError, ImageError) as error:
            return [str(row), "", str(error), "", *[""] * (len(heads) - 4)]
        verdict = shipped_gate().check(image)
        facts = image_facts(image.pixels)
        told = [f"{getattr(facts, name):.6g}" for name in IMAGE_FACTS]
        scores = _told(predictor, image) if scored else []
        refused = "" if verdict.accepted else str(verdict.kind)
        return [str(row), image.digest, "", refused, *told, *scores]

    _collect(kept, look, todo, len(table), progress)
    return tuple(_row_of(kept.found[str(row), ""], findings) for row in range(len(table)))


def score_centres(
    predictor: Predictor,
    table: StudyTable,
    rows: Sequence[int],
    folder: Path,
    *,
    centres: Sequence[str],
    seed: int,
    progress: Progress | None = None,
) -> tuple[CentreRow, ...]:
    """Score some radiographs as each simulated centre would have made them, and unchanged.

    Args:
        predictor: the model.
        table: of radiographs.
        rows: those to change; all of them can be read.
        folder: of the study; what was found stays in its centres.csv.
        centres: names of CENTRES.
        seed: of the noise; each row has its own.
        progress: called with the radiographs done and to do.

    Raises:
        DataError: there is no such centre, or the folder holds what another model or table gave.
        StorageError: the folder cannot be written.
    """
    known = [centre_named(name) for name in centres]
    findings = predictor.manifest.findings
    heads = ("row", "centre", "refused", *findings)
    identity = {**_identity(predictor, table, scored=True), "seed": seed}
    kept = _Kept(folder / _CENTRES, heads, identity)
    names = [UNCHANGED, *(one.name for one in known)]
    todo = [row for row in rows if any((str(row), name) not in kept.found for name in names)]

    def look(row: int) -> list[list[str]]:
        image = read_image(table.path(row))
        return [
            _at(predictor, image, row, centre, seed)
            for centre in (None, *known)
            if (str(row), centre.name if centre else UNCHANGED) not in kept.found
        ]

    with kept.opened() as write:
        for number, lines in enumerate(done_ahead(look, todo, _AHEAD), start=1):
            for line in lines:
                write(line)
            if progress is not None:
                progress(len(rows) - len(todo) + number, len(rows))
    return tuple(
        CentreRow(
            row=row,
            centre=name,
            refused=kept.found[str(row), name]["refused"],
            probabilities=_numbers(kept.found[str(row), name], findings),
        )
        for row in rows
        for name in names
    )


def _at(
    predictor: Predictor, image: CxrImage, row: int, centre: SimulatedCentre | None, seed: int
) -> list[str]:
    if centre is not None:
        image = replace(image, pixels=changed(centre, image.pixels, seed=seed + row))
    verdict = shipped_gate().check(image)
    name = centre.name if centre else UNCHANGED
    return [str(row), name, "" if verdict.accepted else str(verdict.kind), *_told(predictor, image)]


def _told(predictor: Predictor, image: CxrImage) -> list[str]:
    (values,) = predictor.predict_prepared([predictor.prepare(image)]).probabilities.tolist()
    return [f"{value:.8g}" for value in values]


def _identity(predictor: Predictor, table: StudyTable, *, scored: bool) -> dict[str, object]:
    return {
        "software": __version__,  # whose gate and reading of files it is
        "runtime": predictor.runtime,
        "model": predictor.manifest.identity,
        "files": dict(predictor.manifest.files),
        "folder": str(table.root.resolve()),  # other images may have the same names
        "table": hashlib.sha256(repr(table.image_paths).encode()).hexdigest(),
        "scored": scored,
    }


def _collect(
    kept: "_Kept",
    look: Callable[[int], list[str]],
    todo: Sequence[int],
    n_rows: int,
    progress: Progress | None,
) -> None:
    with kept.opened() as write:
        for number, line in enumerate(done_ahead(look, todo, _AHEAD), start=1):
            write(line)
            if progress is not None:
                progress(n_rows - len(todo) + number, n_rows)


class _Kept:
    """A file of rows that grows, and what of it was there before.

    Args:
        path: of the file; what it belongs to stands in a JSON file beside it.
        heads: of its columns.
        identity: what its rows were made of.
    """

    def __init__(self, path: Path, heads: Sequence[str], identity: Mapping[str, object]) -> None:
        self.path, self.heads = path, heads
        self.found: dict[tuple[str, str], dict[str, str]] = {}
        beside = path.with_suffix(".json")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if beside.is_file():
                if json.loads(beside.read_text(encoding="utf-8")) != json.loads(
                    json.dumps(identity)
                ):
                    raise DataError(
                        "{folder} holds a study of another model, runtime, table or kind; choose another "
                        "folder, or empty this one.",
                        folder=path.parent.name,
                    )
                self._read()
            else:
                path.unlink(missing_ok=True)
                write_json_atomically(beside, dict(identity))
                path.write_text(csv_line(heads).decode(), encoding="utf-8", newline="")
                path.chmod(0o600)
        except (OSError, ValueError) as error:
            raise StorageError(
                f"{path} cannot be used ({error}); choose another folder."
            ) from error

    def opened(self) -> "_Writing":
        """Open the file to append to it."""
        return _Writing(self)

    def add(self, line: Sequence[str]) -> str:
        """Remember a row and return it as text."""
        self._remember(dict(zip(self.heads, line, strict=True)))
        return csv_line(line).decode()

    def _read(self) -> None:
        text = self.path.read_text(encoding="utf-8") if self.path.is_file() else ""
        whole = text[: text.rfind("\n") + 1]  # a last line that was cut off is done again
        for row in csv.DictReader(io.StringIO(whole, newline="")):
            if len(row) == len(self.heads) and None not in row.values():
                self._remember({head: row[head] for head in self.heads})
        self.path.write_text(whole or csv_line(self.heads).decode(), encoding="utf-8", newline="")

    def _remember(self, row: dict[str, str]) -> None:
        self.found[row["row"], row.get("centre", "")] = row


class _Writing:
    """An opened file of rows; each row is on the disk before the next one is asked for."""

    def __init__(self, kept: _Kept) -> None:
        self._kept = kept

    def __enter__(self) -> Callable[[Sequence[str]], None]:
        try:
            self._file = self._kept.path.open("a", encoding="utf-8", newline="")
        except OSError as error:
            raise StorageError(f"{self._kept.path} cannot be written: {error.strerror}.") from error
        return self._write

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _write(self, line: Sequence[str]) -> None:
        try:
            self._file.write(self._kept.add(line))
            self._file.flush()
        except OSError as error:
            raise StorageError(f"{self._kept.path} cannot be written: {error.strerror}.") from error


def _row_of(found: Mapping[str, str], findings: Sequence[str]) -> StudyRow:
    usable = not found["error"]
    return StudyRow(
        row=int(found["row"]),
        digest=found["digest"],
        error=found["error"],
        refused=found["refused"],
        facts={name: float(found[name]) for name in IMAGE_FACTS} if usable else {},
        probabilities=_numbers(found, findings) if usable else (),
    )


def _numbers(found: Mapping[str, str], names: Sequence[str]) -> tuple[float, ...]:
    values = np.array([float(found[name]) for name in names])
    if not ((values >= 0) & (values <= 1)).all():
        raise DataError("A kept score is no probability; empty the study's folder.")
    return tuple(values.tolist())
