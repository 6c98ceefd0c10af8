"""A radiograph with the outlines of lungs and heart, as a picture file."""

from pathlib import Path

from medcxr.apps.cli.pictures import write_picture
from medcxr.core.errors import ModelError
from medcxr.explain.outline_drawing import draw_outlines
from medcxr.services.analysis import AnalyzedImage

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
    picture = draw_outlines(result.image.pixels, result.outlines, result.geometry, anatomy.spans)
    write_picture(picture, path)
