"""A radiograph with the outlines of lungs and heart, as a picture file."""

import io
from pathlib import Path

from PIL import Image

from medcxr.core.errors import ModelError
from medcxr.explain.outline_drawing import draw_outlines
from medcxr.services.analysis import AnalyzedImage
from medcxr.storage.atomic import write_bytes_atomically

__all__ = ["write_outlines"]


def write_outlines(result: AnalyzedImage, path: Path) -> None:
    """Write a PNG at the radiograph's own resolution, with the widths that were measured.

    Raises:
        ModelError: the model outlines nothing.
        StorageError: the file cannot be written.
    """
    anatomy = result.analysis.anatomy
    if anatomy is None:
        raise ModelError(
            f"Model {result.analysis.model} outlines no organs; use another one: "
            "medcxr models list."
        )
    spans = [span for span in (anatomy.thorax, anatomy.heart) if span is not None]
    picture = draw_outlines(result.image.pixels, result.outlines, result.geometry, spans)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=3)
    write_bytes_atomically(path, file.getvalue())
