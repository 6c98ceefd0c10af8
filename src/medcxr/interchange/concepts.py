"""Codes and colors as highdicom takes them."""

from highdicom import AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.sr import CodedConcept

from medcxr.interchange.codes import ARTIFICIAL_INTELLIGENCE, Code
from medcxr.interchange.reported import MANUFACTURER, Reported

__all__ = ["algorithm", "concept", "organ_color"]

# of the outlines that the program draws, and of what it does not know
_COLORS = {"right lung": (94, 200, 235), "left lung": (150, 230, 160), "heart": (255, 160, 90)}
_OTHER = (230, 230, 230)


def concept(code: Code) -> CodedConcept:
    """Return a code."""
    return CodedConcept(value=code.value, scheme_designator=code.scheme, meaning=code.meaning)


def algorithm(reported: Reported) -> AlgorithmIdentificationSequence:
    """Return which model it was (PS3.3 10.16)."""
    return AlgorithmIdentificationSequence(
        name=reported.model_name[:64],
        family=concept(ARTIFICIAL_INTELLIGENCE),
        version=reported.model_version[:64],
        source=MANUFACTURER,
    )


def organ_color(organ: str) -> CIELabColor:
    """Return the color in which an organ is outlined everywhere."""
    red, green, blue = _COLORS.get(organ, _OTHER)
    return CIELabColor.from_rgb(red, green, blue)
