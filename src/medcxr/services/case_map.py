"""Where a radiograph stands among those of a table, and how far from the other answer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medcxr.core.arrays import FloatArray, UInt8Array
from medcxr.core.errors import DataError, ImageError
from medcxr.core.results import FindingResult
from medcxr.datasets.study_table import StudyTable
from medcxr.explain.case_drawing import draw_cases
from medcxr.explain.case_map import Placement, place_among
from medcxr.imaging.reading import read_image
from medcxr.inference.predictor import Predictor
from medcxr.services.analysis import AnalyzedImage
from medcxr.services.occlusion import predictor_of
from medcxr.services.workspace import Workspace

__all__ = ["CaseMap", "Neighbor", "case_map"]

_LEAST_CASES = 10  # fewer have no directions in which they vary
_BATCH = 2  # radiographs at a time

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbor:
    """A case that is like the one at hand.

    Attributes:
        image_path: as the table names it.
        distance: 1 is usual between two cases.
        logit: of the finding.
        has_finding: by its label; None where nobody knows.
    """

    image_path: str
    distance: float
    logit: float
    has_finding: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMap:
    """A case among the cases of a table.

    Attributes:
        finding: whose boundary is shown.
        found: the answer to the case, with its distance to the threshold.
        n_cases: compared with.
        case: (logit, position beside it in standard deviations).
        spread_shown: share of what else varies that the second number shows, 0…1.
        neighbors: the most similar cases, the nearest first.
        cases: (logit, position) of each case.
        unreadable: images of the table that could not be used.
    """

    finding: str
    found: FindingResult
    n_cases: int
    case: tuple[float, float]
    spread_shown: float
    neighbors: tuple[Neighbor, ...]
    cases: tuple[tuple[float, float], ...]
    unreadable: int


def case_map(
    workspace: Workspace,
    analyzed: AnalyzedImage,
    labels: Path,
    finding: str,
    *,
    n_images: int = 200,
    n_neighbors: int = 5,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[CaseMap, UInt8Array]:
    """Compare a radiograph with those of a table.

    Args:
        workspace: whose model analyzed it.
        analyzed: the radiograph; where the table holds it too, it is left out there.
        labels: table with labels.
        finding: whose boundary to show.
        n_images: of the table, drawn at random.
        n_neighbors: most similar cases to name.
        seed: of the drawing.
        progress: called with the images done and to do.

    Returns:
        The map, and its picture (rows, columns, 3).

    Raises:
        DataError: the table is wrong or too small, or the model has no such finding.
        ModelError: meanwhile another model is in use.
    """
    predictor = predictor_of(workspace, analyzed.analysis.model)
    names = predictor.manifest.findings
    if finding not in names:
        raise DataError(f"The model has no finding {finding!r}; use one of {', '.join(names)}.")
    column = names.index(finding)
    table = StudyTable.read_csv(labels, names)
    rows = np.random.default_rng(seed).permutation(len(table))[:n_images].tolist()
    seen = list(_see(predictor, table, rows, analyzed.analysis.image_digest, progress))
    if len(seen) < _LEAST_CASES:
        raise DataError(
            f"{labels.name} gives {len(seen)} usable radiographs and {_LEAST_CASES} are needed; "
            "name a larger table."
        )
    own = predictor.predict_prepared([analyzed.prepared])
    placement = place_among(
        np.array([one.logits[column] for one in seen], dtype=np.float32),
        np.stack([one.evidence for one in seen]),
        float(own.logits[0, column]),
        own.maps[0].reshape(-1),
        n_neighbors=n_neighbors,
    )
    found = analyzed.analysis.findings[column]
    has = [_label(table, one.row, column) for one in seen]
    return (
        _result(found, placement, seen, table, has, unreadable=len(rows) - len(seen)),
        draw_cases(placement, has, finding, found.threshold_logit),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seen:
    """A radiograph of the table as the model saw it: logits (findings,), evidence (numbers,)."""

    row: int
    logits: FloatArray
    evidence: FloatArray


def _see(
    predictor: Predictor,
    table: StudyTable,
    rows: Sequence[int],
    own_digest: str,
    progress: Progress | None,
) -> Iterator[_Seen]:
    for start in range(0, len(rows), _BATCH):
        if progress is not None:
            progress(start, len(rows))
        usable, inputs = [], []
        for row in rows[start : start + _BATCH]:
            try:
                image = read_image(table.path(row))
            except ImageError:
                continue
            if image.digest != own_digest:
                usable.append(row)
                inputs.append(predictor.prepare(image))
        if not inputs:
            continue
        predictions = predictor.predict_prepared(inputs)
        for index, row in enumerate(usable):
            yield _Seen(
                row=row,
                logits=predictions.logits[index],
                evidence=predictions.maps[index].reshape(-1),
            )


def _label(table: StudyTable, row: int, column: int) -> bool | None:
    label = table.labels[row, column]
    return None if np.isnan(label) else bool(label == 1)


def _result(
    found: FindingResult,
    placement: Placement,
    seen: Sequence[_Seen],
    table: StudyTable,
    has: Sequence[bool | None],
    *,
    unreadable: int,
) -> CaseMap:
    return CaseMap(
        finding=found.finding,
        found=found,
        n_cases=len(seen),
        case=placement.case,
        spread_shown=placement.spread_shown,
        neighbors=tuple(
            Neighbor(
                image_path=table.image_paths[seen[index].row],
                distance=distance,
                logit=float(placement.across[index]),
                has_finding=has[index],
            )
            for index, distance in zip(
                placement.neighbors, placement.distances.tolist(), strict=True
            )
        ),
        cases=tuple(zip(placement.across.tolist(), placement.up.tolist(), strict=True)),
        unreadable=unreadable,
    )
