"""The figures of an analysis in words, as every report tells them."""

from medcxr.anatomy.words import told_angles, told_lungs, told_ratio
from medcxr.core.language import say
from medcxr.core.results import Analysis, FindingResult
from medcxr.core.sentences import NO_OUTLINES, PLAUSIBLE

__all__ = [
    "told_facts",
    "told_measures",
    "told_plausible",
    "told_shape",
    "told_spacing",
    "told_state",
]


def told_facts(analysis: Analysis) -> dict[str, str]:
    """Return what is known of the image and of how it was judged."""
    return {
        say("View"): say(analysis.view),
        say("Size"): told_shape(analysis),
        say("Pixel spacing"): told_spacing(analysis),
        say("Operating point"): say(analysis.operating_point),
        say("SHA-256 of the file"): analysis.image_digest,
    }


def told_measures(analysis: Analysis) -> dict[str, str]:
    """Return what the outlines measure, or that the model has none."""
    if analysis.anatomy is None:
        return {say("Lungs and heart"): say(NO_OUTLINES)}
    return {
        say("Cardiothoracic ratio"): told_ratio(analysis.anatomy),
        say("Lungs"): told_lungs(analysis.anatomy),
        say("Costophrenic angles"): told_angles(analysis.anatomy),
    }


def told_shape(analysis: Analysis) -> str:
    """Return how large the original is."""
    rows, columns = analysis.image_shape
    return say("{columns} x {rows} px", columns=columns, rows=rows)


def told_spacing(analysis: Analysis) -> str:
    """Return the size of a pixel as the file states it."""
    if analysis.spacing_mm is None:
        return say("not stated")
    down, across = analysis.spacing_mm
    return say("{down:.3g} x {across:.3g} mm", down=down, across=across)


def told_state(found: FindingResult) -> str:
    """Return on which side of its threshold a finding is."""
    return say("Present") if found.present else say("Absent")


def told_plausible(found: FindingResult) -> str:
    """Return which answers cannot be ruled out; empty where the model makes no promise."""
    return say(PLAUSIBLE.get(found.prediction_set or "", ""))
