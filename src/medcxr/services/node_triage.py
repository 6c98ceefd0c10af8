"""In which order received instances are read: the most urgent by their headers first.

Nothing waits for ever: what has waited is raised, until it stands before what comes now.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from medcxr.core.errors import DataError
from medcxr.core.instance_facts import InstanceFacts
from medcxr.services.node_tables import structured

__all__ = ["Priority", "TriageRules", "priority_of", "raised_priorities", "triage_rules"]


class Priority(IntEnum):
    """How soon an instance is read; the highest is read first."""

    LOW = -1
    ROUTINE = 0
    BEDSIDE = 1
    HIGH = 2
    STAT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageRules:
    """`[triage]` of node.toml: what is read first.

    Attributes:
        stat_words: of (0040,1003) Requested Procedure Priority or (0032,000C) Study Priority ID.
        high_words: likewise.
        low_words: likewise.
        bedside_words: a description of an AP radiograph contains one: the patient could not walk.
        patience_minutes: after so long an instance goes as one of a priority higher than routine,
            after twice as long of two, so that none waits for ever.
    """

    stat_words: tuple[str, ...] = ("STAT", "EMERGENCY")
    high_words: tuple[str, ...] = ("HIGH", "URGENT", "ASAP")
    low_words: tuple[str, ...] = ("LOW",)
    bedside_words: tuple[str, ...] = ("PORTABLE", "BEDSIDE", "MOBILE", "SUPINE")
    patience_minutes: float = 30.0


def triage_rules(plain: Mapping[str, object]) -> TriageRules:
    """Read `[triage]`; errors as for `reading_rules`."""
    rules: TriageRules = structured(plain, TriageRules, "triage")
    if not 0 < rules.patience_minutes <= _LONGEST_MINUTES:
        raise DataError(
            f"patience_minutes in [triage] is {rules.patience_minutes:g}; give more than 0 and at "
            f"most {_LONGEST_MINUTES}."
        )
    return rules


def priority_of(rules: TriageRules, facts: InstanceFacts) -> Priority:
    """Return how soon an instance is read by what its header says."""
    stated = set(facts.priorities)
    for priority, words in (
        (Priority.STAT, rules.stat_words),
        (Priority.HIGH, rules.high_words),
    ):
        if stated & _capitals(words):
            return priority
    bedside = _capitals(rules.bedside_words)
    if facts.view == "AP" and any(word in one for word in bedside for one in facts.descriptions):
        return Priority.BEDSIDE
    return Priority.LOW if stated & _capitals(rules.low_words) else Priority.ROUTINE


def raised_priorities(rules: TriageRules, now: datetime) -> dict[Priority, datetime]:
    """Return what priority instances have at least that were received at a moment or before it."""
    patience = timedelta(minutes=rules.patience_minutes)
    return {one: now - int(one) * patience for one in Priority if one > Priority.ROUTINE}


_LONGEST_MINUTES = 7 * 24 * 60


def _capitals(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word.strip().upper() for word in words)
