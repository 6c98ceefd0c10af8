"""A radiograph under the evidence for one finding, as a picture file."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.explain.overlay import overlay
from medcxr.services.analysis import AnalyzedImage
from medcxr.storage.atomic import write_bytes_atomically

__all__ = ["write_heat_map"]


def write_heat_map(result: AnalyzedImage, path: Path, finding: str | None) -> None:
    """Write a PNG at the radiograph's own resolution.

    Args:
        result: the analyzed radiograph.
        path: the file to write.
        finding: whose evidence to show; None takes the most probable finding ("No Finding" is
            none, unless the model knows nothing else).

    Raises:
        DataError: the model has no such finding.
        StorageError: the file cannot be written.
    """
    chosen = finding or _most_probable(result)
    if chosen not in result.maps:
        raise DataError(
            f"The model has no finding {chosen!r}; use one of {', '.join(result.maps)}."
        )
    # One scale for all findings, so that their maps can be compared, as on the dashboard.
    strongest = max(float(np.abs(evidence).max()) for evidence in result.maps.values())
    picture = overlay(
        result.image.pixels, result.maps[chosen], result.geometry, full_scale=strongest
    )
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=3)
    write_bytes_atomically(path, file.getvalue())


def _most_probable(result: AnalyzedImage) -> str:
    found = result.analysis.findings
    candidates = [f for f in found if f.finding != Finding.NO_FINDING] or found
    return max(candidates, key=lambda f: f.probability).finding
