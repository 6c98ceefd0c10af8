"""Where a radiograph stands among those of a table, and how far from the other answer."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medcxr.core.access import Permission
from medcxr.core.arrays import UInt8Array
from medcxr.core.errors import DataError, ModelError
from medcxr.core.results import FindingResult
from medcxr.explain.case_drawing import draw_cases
from medcxr.explain.case_map import Placement, place_among
from medcxr.services.analysis import AnalyzedImage
from medcxr.services.case_set import CaseSet, Progress, SeenCase, table_cases
from medcxr.services.occlusion import predictor_of
from medcxr.services.shown_map import Analyzable
from medcxr.services.workspace import Workspace

__all__ = ["CaseMap", "Neighbor", "Placed", "case_map", "place_case"]

_LEAST_CASES = 10  # fewer have no directions in which they vary


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """A map of cases with what is needed to draw it.

    Attributes:
        found: the map.
        placement: of the same cases.
        labels: of each case: whether it has the finding; None where nobody knows.
        cases: compared with, in the placement's order.
    """

    found: CaseMap
    placement: Placement
    labels: tuple[bool | None, ...]
    cases: tuple[SeenCase, ...]


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
        AccessError: whoever asks may not.
        DataError: the table is wrong or too small, or the model has no such finding.
        ModelError: meanwhile another model is in use.
    """
    workspace.require(Permission.ANALYZE)
    _column(predictor_of(workspace, analyzed.analysis.model).manifest.findings, finding)
    cases = table_cases(workspace, labels, n_images=n_images, seed=seed, progress=progress)
    placed = place_case(
        workspace, analyzed, cases, finding, named=labels.name, n_neighbors=n_neighbors
    )
    picture = draw_cases(
        placed.placement, placed.labels, finding, placed.found.found.threshold_logit
    )
    return placed.found, picture


def place_case(
    workspace: Workspace,
    analyzed: Analyzable,
    compared: CaseSet,
    finding: str,
    *,
    named: str,
    n_neighbors: int = 5,
) -> Placed:
    """Compare a radiograph with cases that the model saw.

    Args:
        workspace: whose model analyzed it.
        analyzed: the radiograph; where it is among the cases too, it is left out there.
        compared: the cases.
        finding: whose boundary to show.
        named: what the cases are, for messages.
        n_neighbors: most similar cases to name.

    Raises:
        AccessError: whoever asks may not.
        DataError: there are too few cases, or the model has no such finding.
        ModelError: meanwhile another model is in use, or another one saw the cases.
    """
    workspace.require(Permission.ANALYZE)
    predictor = predictor_of(workspace, analyzed.analysis.model)
    if compared.model != predictor.manifest.identity:
        raise ModelError(
            "The cases were seen by {model}, and {current} is in use now; compare again.",
            model=compared.model,
            current=predictor.manifest.identity,
        )
    column = _column(compared.findings, finding)
    own_digest = analyzed.analysis.image_digest
    others = tuple(one for one in compared.cases if one.digest != own_digest)
    if len(others) < _LEAST_CASES:
        raise DataError(
            "{named} gives {n_others} usable radiographs and {least_cases} are needed; "
            "name a larger table.",
            named=named,
            n_others=len(others),
            least_cases=_LEAST_CASES,
        )
    own = predictor.predict_prepared([analyzed.prepared])
    placement = place_among(
        np.array([one.logits[column] for one in others], dtype=np.float32),
        np.stack([one.evidence for one in others]),
        float(own.logits[0, column]),
        own.maps[0].reshape(-1),
        n_neighbors=n_neighbors,
    )
    found = analyzed.analysis.findings[column]
    left_out = compared.unreadable + len(compared.cases) - len(others)
    return Placed(
        found=_case_map(found, placement, others, column, unreadable=left_out),
        placement=placement,
        labels=tuple(one.labels[column] for one in others),
        cases=others,
    )


def _column(findings: tuple[str, ...], finding: str) -> int:
    if finding not in findings:
        raise DataError(
            "The model has no finding {finding!r}; use one of {names}.",
            finding=finding,
            names=", ".join(findings),
        )
    return findings.index(finding)


def _case_map(
    found: FindingResult,
    placement: Placement,
    others: tuple[SeenCase, ...],
    column: int,
    *,
    unreadable: int,
) -> CaseMap:
    return CaseMap(
        finding=found.finding,
        found=found,
        n_cases=len(others),
        case=placement.case,
        spread_shown=placement.spread_shown,
        neighbors=tuple(
            Neighbor(
                image_path=others[index].name,
                distance=distance,
                logit=float(placement.across[index]),
                has_finding=others[index].labels[column],
            )
            for index, distance in zip(
                placement.neighbors, placement.distances.tolist(), strict=True
            )
        ),
        cases=tuple(zip(placement.across.tolist(), placement.up.tolist(), strict=True)),
        unreadable=unreadable,
    )
