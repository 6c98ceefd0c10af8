"""A radiograph under the map of one finding, as a picture file."""

from pathlib import Path

from rich.text import Text

from medcxr.apps.cli.pictures import write_picture
from medcxr.apps.cli.words import words
from medcxr.core.arrays import UInt8Array
from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.explain.label import NOT_SHOWN_TO_BE_TRUE, labeled
from medcxr.explain.overlay import overlay, shown_scale
from medcxr.explain.verdict import best_map, told_absence
from medcxr.services.analysis import AnalyzedImage
from medcxr.services.shown_map import ShownMap, maps_of, shown_map
from medcxr.services.workspace import Workspace

__all__ = ["draw_heat_map", "write_heat_map"]


def write_heat_map(
    workspace: Workspace,
    result: AnalyzedImage,
    path: Path,
    finding: str | None,
    kind: str | None,
) -> None:
    """Write a PNG at the radiograph's own resolution, and say what was measured of such maps.

    A map that was not shown to be true says so within the picture.

    Args:
        workspace: whose model answered.
        result: the analyzed radiograph.
        path: the file to write.
        finding: whose map to show; None takes the most probable finding ("No Finding" is none,
            unless the model knows nothing else).
        kind: of map; None takes one that was shown to be true of the finding.

    Raises:
        DataError: the model has no such finding, or no map was shown to be true of it.
        ModelError: the map asked for needs weights, and the model came without them.
        MissingExtra: the map asked for needs the training libraries.
        StorageError: the file cannot be written.
    """
    chosen = finding or _most_probable(result)
    if chosen not in result.maps:
        raise DataError(
            f"The model has no finding {chosen!r}; use one of {', '.join(result.maps)}."
        )
    method = kind or best_map(result.tests, chosen)
    if method is None:
        raise DataError(
            f"{told_absence(result.tests, chosen)} `--map evidence`, `--map occlusion`, "
            "`--map joint` or `--map thorough` draws one all the same, with this said in the picture."
        )
    shown = shown_map(
        result.tests, result, chosen, method, maps_of(workspace, result, method, chosen)
    )
    write_picture(draw_heat_map(result, shown), path)
    for sentence in (f"The picture is the {method} of {chosen}.", *shown.words):
        words().print(Text(sentence))


def draw_heat_map(result: AnalyzedImage, shown: ShownMap) -> UInt8Array:
    """Return the radiograph under a map, (rows, columns, 3), at its own resolution.

    A map that was not shown to be true says so within the picture.
    """
    picture = overlay(
        result.image.pixels,
        shown.evidence,
        result.geometry,
        full_scale=shown_scale(shown.evidence),
    )
    return picture if shown.is_true else labeled(picture, NOT_SHOWN_TO_BE_TRUE)


def _most_probable(result: AnalyzedImage) -> str:
    found = result.analysis.findings
    candidates = [f for f in found if f.finding != Finding.NO_FINDING] or found
    return max(candidates, key=lambda f: f.probability).finding
