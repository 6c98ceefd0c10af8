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
            negative where it stays below. Of acute findings where they decide the level. Within a
            level, the larger comes first.
    """

    level: UrgencyLevel
    margin: float


def urgency_of(analysis: Analysis) -> Urgency:
    """Tell from the model's answers alone how soon a person should look.

    - urgent: an acute finding is present, and the model does not abstain from it;
    - undecided: the model abstains from an acute finding, meets an image unlike those that it was
      measured on, or contradicts itself: No Finding beside a finding, or neither of them. Only a
      reader can tell, so these come second;
    - soon: another finding is present;
    - routine: none of these. It does not mean that the radiograph is normal.

    No answer about one finding lowers what another one asks for.
    """
    found = [one for one in analysis.findings if one.finding != Finding.NO_FINDING]
    acute = [one for one in found if one.finding in ACUTE]
    level = _level(analysis, found, acute)
    decisive = acute if level in (UrgencyLevel.URGENT, UrgencyLevel.UNDECIDED) else found
    return Urgency(level=level, margin=max(map(_margin, decisive or found), default=0.0))


def _level(
    analysis: Analysis, found: list[FindingResult], acute: list[FindingResult]
) -> UrgencyLevel:
    if any(one.present and one.prediction_set in _DECIDED for one in acute):
        return UrgencyLevel.URGENT
    if any(one.prediction_set == "uncertain" for one in acute) or _is_unlike(analysis):
        return UrgencyLevel.UNDECIDED
    if _is_contradictory(analysis, found):
        return UrgencyLevel.UNDECIDED
    return UrgencyLevel.SOON if any(one.present for one in found) else UrgencyLevel.ROUTINE


_DECIDED = (None, "present")  # None: the model promises nothing, so its answer counts as it is


def _is_contradictory(analysis: Analysis, found: list[FindingResult]) -> bool:
    normal = [one.present for one in analysis.findings if one.finding == Finding.NO_FINDING]
    return bool(normal) and normal[0] == any(one.present for one in found)


def _is_unlike(analysis: Analysis) -> bool:
    return any(one.prediction_set == "atypical" for one in analysis.findings)


_SMALLEST = 1e-6  # a probability of 0 or 1 has no finite log odds


def _margin(result: FindingResult) -> float:
    return _log_odds(result.probability) - _log_odds(result.threshold)


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, _SMALLEST), 1 - _SMALLEST)
    return math.log(bounded / (1 - bounded))
