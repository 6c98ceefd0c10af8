"""What the radiograph viewer says, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from medcxr.core.language import say

__all__ = ["viewer_keys", "viewer_words"]


def viewer_words() -> Mapping[str, Any]:
    """Return every text of the viewer; names in braces are filled in by the viewer."""
    return {**_states(), **_tools(), "keys": viewer_keys()}


def _states() -> dict[str, str]:
    return {
        "viewer": say("Radiograph viewer"),
        "radiograph": say("radiograph"),
        "loading": say("Loading the radiograph"),
        "failed": say("The picture could not be loaded; reload the page."),
        "how": say(
            "Drag to move, turn the wheel or pinch to enlarge, and drag with the right button or "
            "with Shift to change the window. With the keyboard, use the arrows, plus and minus; "
            "the question mark lists all keys."
        ),
        "zoom": say("Zoom {percent}%"),
        "window": say("Window {width}, level {level}"),
        "windowPercent": say("Window {width}%, level {level}%"),
        "ownWindow": say("Own window"),
        "inverted": say("inverted"),
        "notInverted": say("not inverted"),
        "reduced": say("{shown} of {whole} columns"),
        "value": say("x {x}, y {y}: {value}"),
        "valuePercent": say("x {x}, y {y}: {value}%"),
        "pixels": say("{value} px"),
        "detector": say("{value} mm at the detector"),
        "patient": say("{value} mm"),
        "unstated": say("{value} mm, plane not stated"),
        "cleared": say("Measurements removed"),
        "linked": say("The pictures move together"),
        "unlinked": say("The pictures move apart"),
        "wasReset": say("Position and window reset"),
    }


def _tools() -> dict[str, str]:
    return {
        "tools": say("Tools of the viewer"),
        "panTool": say("Move (P)"),
        "windowTool": say("Window: drag across for width, up and down for level (W)"),
        "rulerTool": say("Ruler: click two points (D)"),
        "smaller": say("Smaller (-)"),
        "larger": say("Larger (+)"),
        "fit": say("Fit (0)"),
        "original": say("One to one (1)"),
        "presets": say("Window"),
        "invert": say("Invert black and white (I)"),
        "reset": say("Reset position and window (R)"),
        "outlines": say("Outlines of lungs and heart, with their widths (O)"),
        "map": say("Map over the radiograph (M)"),
        "opacity": say("Opacity of the map"),
        "clear": say("Remove measurements (Delete)"),
        "layouts": say("Layout"),
        "link": say("Move the pictures together (L)"),
        "full": say("Full screen (F)"),
        "help": say("Keys of the viewer (?)"),
        "close": say("Close"),
    }


def viewer_keys() -> list[tuple[str, str]]:
    """Return the keys of the viewer and what each does."""
    return [
        ("+  -", say("larger, smaller")),
        ("0  1", say("fit, one to one")),
        ("← ↑ → ↓", say("move; with the ruler, its cross")),
        ("⇧ ← →", say("window narrower, wider")),
        ("⇧ ↑ ↓", say("brighter, darker")),
        ("P  W  D", say("move, window, ruler")),
        ("Enter", say("set an end of the ruler")),
        ("Delete", say("remove measurements")),
        ("I", say("invert")),
        ("R", say("reset")),
        ("O", say("outlines")),
        ("M  [  ]", say("map, less or more opaque")),
        ("L", say("move together or apart")),
        ("F", say("full screen")),
        ("Esc", say("give up a measurement")),
    ]
