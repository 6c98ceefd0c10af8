"""What the radiograph viewer is sent: pictures by address, lines and texts as values."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from medcxr.anatomy.contours import Line, outline_lines
from medcxr.anatomy.words import told_ratio
from medcxr.apps.dashboard.cases import Case, Reading
from medcxr.apps.dashboard.kept import keep
from medcxr.apps.dashboard.served import served
from medcxr.apps.dashboard.viewer_words import viewer_words
from medcxr.core.arrays import FloatArray, UInt8Array
from medcxr.core.language import RIGHT_TO_LEFT, language, say, text
from medcxr.core.results import Anatomy
from medcxr.explain.colors import AGAINST, FOR
from medcxr.explain.label import NOT_SHOWN_TO_BE_TRUE
from medcxr.explain.outline_drawing import OUTLINE_COLORS
from medcxr.explain.overlay import layer, shown_scale
from medcxr.services.display import DisplayImage, Window, window_of
from medcxr.services.shown_map import ShownMap

__all__ = ["Layout", "Pane", "viewer_data"]

_LAYER_SIDE = 512  # pixels; maps have far fewer places than that
_LUNGS = (text("right lung"), text("left lung"))
_HEART = text("heart")
_LUNG_WINDOW, _HEART_WINDOW = text("Lungs"), text("Heart")
_SMOOTHING = 1.0  # standard deviation in pixels of the model's input
_PLAIN_COLOR = (230, 230, 230)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pane:
    """One look at a radiograph.

    Attributes:
        case: the radiograph; it was analyzed.
        image: as the viewer is sent it.
        title: of the pane.
        map: laid over it; None for none.
        pending: what is still being made of it; empty for nothing.
        areas: lines around what would have to be hidden to change an answer.
    """

    case: Case
    image: DisplayImage
    title: str
    map: ShownMap | None = None
    pending: str = ""
    areas: Sequence[Line] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which panes are shown side by side, by their places in the list."""

    name: str
    panes: tuple[int, ...]


def viewer_data(
    panes: Sequence[Pane], layouts: Sequence[Layout], *, outlined: bool
) -> dict[str, Any]:
    """Return what the viewer is sent.

    Args:
        panes: those that may be shown.
        layouts: ways to show them; the first one with one pane and the first one with two are
            chosen by the room there is.
        outlined: whether outlines are drawn until somebody chooses.
    """
    pictures: dict[str, dict[str, Any]] = {}
    for pane in panes:
        areas = [*pictures.get(pane.case.digest, {}).get("areas", []), *pane.areas]
        pictures[pane.case.digest] = {**_picture(pane), "areas": areas}
    places = list(pictures)
    return {
        "key": " ".join(places),
        "locale": language(),
        "rightToLeft": language() in RIGHT_TO_LEFT,
        "words": viewer_words(),
        "pictures": list(pictures.values()),
        "panes": [
            {
                "picture": places.index(pane.case.digest),
                "title": pane.title,
                "description": _description(pane.case),
                "pending": pane.pending,
                "map": None if pane.map is None else _map(pane, pane.map, number),
            }
            for number, pane in enumerate(panes)
        ],
        "outlined": outlined,
        "layouts": [{"name": one.name, "panes": list(one.panes)} for one in layouts],
    }


def _picture(pane: Pane) -> dict[str, Any]:
    image, reading = pane.image, _reading(pane.case)
    rows, columns = image.samples.shape
    scale, anatomy = image.gray_scale, reading.analysis.anatomy
    samples = image.samples.astype("<u2", copy=False).tobytes()
    return {
        "key": image.digest,
        "url": served(samples, "application/octet-stream", f"viewer_{image.digest}"),
        "rows": rows,
        "columns": columns,
        "originalRows": image.original_shape[0],
        "originalColumns": image.original_shape[1],
        "least": image.least,
        "greatest": image.greatest,
        "atZero": None if scale is None else scale.at_zero,
        "atOne": None if scale is None else scale.at_one,
        "spacing": image.spacing_mm,
        "plane": image.spacing_plane,
        "presets": [
            {"name": name, "black": window.black, "white": window.white}
            for name, window in _presets(image, reading).items()
        ],
        "outlines": _outlines(reading),
        "spans": [] if anatomy is None else _spans(anatomy, image.original_shape),
        "ratio": "" if anatomy is None else f"{say('Cardiothoracic ratio')} {told_ratio(anatomy)}",
    }


def _presets(image: DisplayImage, reading: Reading) -> dict[str, Window]:
    """Return name -> window, the first one first; organs only where they were outlined."""
    is_stated = image.gray_scale is None or image.gray_scale.is_stated
    first = say("Window of the file") if is_stated else say("Full range")
    presets = {first: Window(black=0.0, white=1.0)}
    if image.least < 0 or image.greatest > 1:
        presets[say("Every gray level")] = Window(black=image.least, white=image.greatest)
    for name, window in keep(reading, "windows", lambda: _organ_windows(image, reading)).items():
        presets[say(name)] = window
    return presets


def _organ_windows(image: DisplayImage, reading: Reading) -> dict[str, Window]:
    outlines = reading.outlines
    lungs = [outlines[organ] for organ in _LUNGS if organ in outlines]
    shares: dict[str, FloatArray] = {}
    if lungs:
        shares[_LUNG_WINDOW] = lungs[0] if len(lungs) == 1 else lungs[0].clip(min=lungs[1])
    if _HEART in outlines:
        shares[_HEART_WINDOW] = outlines[_HEART]
    windows = {n: window_of(image, share, reading.geometry) for n, share in shares.items()}
    return {name: window for name, window in windows.items() if window is not None}


def _outlines(reading: Reading) -> list[dict[str, Any]]:
    def make() -> Mapping[str, list[Line]]:
        return {o: outline_lines(_smooth(s), reading.geometry) for o, s in reading.outlines.items()}

    return [
        {
            "name": say(organ),
            "color": _css(OUTLINE_COLORS.get(organ, _PLAIN_COLOR)),
            "lines": lines,
        }
        for organ, lines in keep(reading, "outline_lines", make).items()
        if lines
    ]


def _smooth(share: FloatArray) -> FloatArray:
    """Round the steps of the model's pixels off, which an enlarged picture would show."""
    return gaussian_filter(np.asarray(share, np.float32), _SMOOTHING)


def _spans(anatomy: Anatomy, shape: tuple[int, int]) -> list[dict[str, Any]]:
    named = {say("Thorax"): anatomy.thorax, say("Heart"): anatomy.heart}
    rows, columns = shape
    return [
        {
            "name": name,
            "row": span.row / rows,
            "start": span.start / columns,
            "stop": span.stop / columns,
        }
        for name, span in named.items()
        if span is not None
    ]


def _map(pane: Pane, shown: ShownMap, number: int) -> dict[str, Any]:
    reading = _reading(pane.case)
    name = f"layer_{shown.method}_{shown.finding}"
    png = keep(reading, name, lambda: _layer_png(reading, shown))
    finding = say(shown.finding)
    return {
        "url": served(png, "image/png", f"viewer_map_{number}"),
        "notice": "" if shown.is_true else say(NOT_SHOWN_TO_BE_TRUE),
        "against": say("against {finding}", finding=finding),
        "inFavor": say("for {finding}", finding=finding),
        "colors": [_css([round(255 * float(part)) for part in color]) for color in (AGAINST, FOR)],
    }


def _layer_png(reading: Reading, shown: ShownMap) -> bytes:
    rows, columns = reading.geometry.original_shape
    scale = min(1.0, _LAYER_SIDE / max(rows, columns))
    shape = (max(1, round(rows * scale)), max(1, round(columns * scale)))
    return _png(
        layer(shown.evidence, reading.geometry, shape, full_scale=shown_scale(shown.evidence))
    )


def _png(picture: UInt8Array) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _description(case: Case) -> str:
    """Return what a reader who does not see the picture should know of it."""
    reading = _reading(case)
    rows, columns = reading.analysis.image_shape
    return say(
        "View {view}, {columns} x {rows} pixels; the findings stand beside it.",
        view=say(reading.analysis.view),
        columns=columns,
        rows=rows,
    )


def _reading(case: Case) -> Reading:
    if case.reading is None:
        raise ValueError(case.error)  # a program's error: only analyzed radiographs are shown
    return case.reading


def _css(color: Sequence[int]) -> str:
    red, green, blue = color
    return f"rgb({red} {green} {blue})"
