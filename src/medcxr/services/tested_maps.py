"""The maps of one radiograph that are tested against each other."""

from collections.abc import Mapping

from medcxr.core.arrays import FloatArray
from medcxr.explain.faithfulness import centered_ellipse, random_map
from medcxr.explain.report import EVIDENCE_MAP, OCCLUSION_MAP, RIVALS
from medcxr.inference.predictor import Predictor, Prepared
from medcxr.services.occlusion import falls_of

__all__ = ["rival_maps", "shown_maps"]


def shown_maps(
    predictor: Predictor, prepared: Prepared, column: int, *, beside_ordinary: bool = True
) -> Mapping[str, FloatArray]:
    """Return what readers may be shown: method -> (grid, grid), signed.

    Args:
        predictor: the model.
        prepared: the radiograph.
        column: of the finding.
        beside_ordinary: whether to lay the evidence beside that of ordinary radiographs. A graph
            with shuffled weights has others than the manifest holds.
    """
    maps = predictor.predict_prepared([prepared]).maps
    own = (predictor.beside_ordinary(maps) if beside_ordinary else maps)[0, column]
    grid = own.shape[0]
    falls = falls_of(predictor, prepared, grid=grid)
    return {EVIDENCE_MAP: own, OCCLUSION_MAP: falls[column]}


def rival_maps(grid: int, seed: int) -> Mapping[str, FloatArray]:
    """Return what knows nothing of the radiograph: rival -> (grid, grid)."""
    return dict(zip(RIVALS, (centered_ellipse(grid), random_map(grid, seed)), strict=True))
