"""How soon a person should look at an analyzed radiograph. It orders a list and hides nothing."""

import math
from dataclasses import dataclass
from enum import StrEnum

from medcxr.core.findings import Finding
from medcxr.core.results import Analysis, FindingResult

__all__ = ["ACUTE", "Urgency", "UrgencyLevel", "urgency_of"]

ACUTE = frozenset({Finding.PNEUMONIA, Finding.EFFUSION})
"""Findings whose treatment may not be able to wait."""


class UrgencyLevel(StrEnum):
    """In the order in which a person should look."""

    URGENT = "urgent"
    UNDECIDED = "undecided"
    SOON = "soon"
    ROUTINE = "routine"

    @property
    def rank(self) -> int:
        """Return the place in that order, 0 first."""
        return list(UrgencyLevel).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Urgency:
    """How soon a person should look.

    Attributes:
        level: which of the four.
        margin: by how much the finding that stands out most exceeds its threshold, in log odds;
            negative where it stays below. Within a level, the larger comes first.
    """

    level: UrgencyLevel
    margin: float


def urgency_of(analysis: Analysis) -> Urgency:
    """Tell from the model's answers alone how soon a person should look.

    - urgent: an acute finding is present, and the model does not abstain from it;
    - undecided: the model abstains from an acute finding that it calls present, finds an image
      unlike those that it was measured on, or its answers contradict each other: No Finding beside
      a finding, or neither of them. Nobody but a reader can tell, so these come second;
    - soon: another finding is present;
    - routine: none of these. It does not mean that the radiograph is normal.

    A probability cannot lower the level of another finding.
    """
    found = [one for one in analysis.findings if one.finding != Finding.NO_FINDING]
    return Urgency(level=_level(analysis, found), margin=max(map(_margin, found), default=0.0))


def _level(analysis: Analysis, found: list[FindingResult]) -> UrgencyLevel:
    present = [one for one in found if one.present]
    acute = [one for one in present if one.finding in ACUTE]
    if any(one.prediction_set in (None, "present") for one in acute):
        return UrgencyLevel.URGENT
    if acute or _is_contradictory(analysis, found) or _is_atypical(analysis):
        return UrgencyLevel.UNDECIDED
    return UrgencyLevel.SOON if present else UrgencyLevel.ROUTINE


def _is_contradictory(analysis: Analysis, found: list[FindingResult]) -> bool:
    normal = [one.present for one in analysis.findings if one.finding == Finding.NO_FINDING]
    return bool(normal) and normal[0] == any(one.present for one in found)


def _is_atypical(analysis: Analysis) -> bool:
    return any(one.prediction_set == "atypical" for one in analysis.findings)


_SMALLEST = 1e-6  # a probability of 0 or 1 has no finite log odds


def _margin(result: FindingResult) -> float:
    return _log_odds(result.probability) - _log_odds(result.threshold)


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, _SMALLEST), 1 - _SMALLEST)
    return math.log(bounded / (1 - bounded))
