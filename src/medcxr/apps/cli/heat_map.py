"""A radiograph under the evidence for one finding, as a picture file."""

from collections.abc import Mapping
from pathlib import Path

from medcxr.apps.cli.pictures import write_picture
from medcxr.core.arrays import FloatArray
from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.explain.overlay import overlay, shown_scale
from medcxr.services.analysis import AnalyzedImage

__all__ = ["write_heat_map"]


def write_heat_map(
    result: AnalyzedImage, path: Path, finding: str | None, maps: Mapping[str, FloatArray]
) -> None:
    """Write a PNG at the radiograph's own resolution.

    Args:
        result: the analyzed radiograph.
        path: the file to write.
        finding: whose evidence to show; None takes the most probable finding ("No Finding" is
            none, unless the model knows nothing else).
        maps: finding -> (grid, grid), signed.

    Raises:
        DataError: the model has no such finding.
        StorageError: the file cannot be written.
    """
    chosen = finding or _most_probable(result)
    if chosen not in maps:
        raise DataError(f"The model has no finding {chosen!r}; use one of {', '.join(maps)}.")
    evidence = maps[chosen]
    picture = overlay(
        result.image.pixels, evidence, result.geometry, full_scale=shown_scale(evidence)
    )
    write_picture(picture, path)


def _most_probable(result: AnalyzedImage) -> str:
    found = result.analysis.findings
    candidates = [f for f in found if f.finding != Finding.NO_FINDING] or found
    return max(candidates, key=lambda f: f.probability).finding
