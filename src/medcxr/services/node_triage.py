"""In which order received instances are read: the most urgent by their headers first.

Nothing waits for ever: by `latest_turn`, patience counts as much as a sooner turn.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from medcxr.core.errors import DataError
from medcxr.core.instance_facts import InstanceFacts
from medcxr.services.node_tables import structured

__all__ = ["Turn", "TurnRules", "latest_turn", "turn_of", "turn_rules"]


class Turn(IntEnum):
    """How soon an instance is read; smaller comes first."""

    STAT = 0
    HIGH = 1
    BEDSIDE = 2
    ROUTINE = 3
    LOW = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRules:
    """`[triage]` of node.toml: what is read first.

    Attributes:
        stat_words: of (0040,1003) Requested Procedure Priority or (0032,000C) Study Priority ID.
        high_words: likewise.
        low_words: likewise.
        bedside_words: a description of an AP radiograph contains one: the patient could not walk.
        patience_minutes: an instance that has waited so long is read before those of the next
            sooner turn that come now, so that none waits for ever.
    """

    stat_words: tuple[str, ...] = ("STAT", "EMERGENCY")
    high_words: tuple[str, ...] = ("HIGH", "URGENT", "ASAP")
    low_words: tuple[str, ...] = ("LOW",)
    bedside_words: tuple[str, ...] = ("PORTABLE", "BEDSIDE", "MOBILE", "SUPINE")
    patience_minutes: float = 30.0


def turn_rules(plain: Mapping[str, object]) -> TurnRules:
    """Read `[triage]`; errors as for `reading_rules`."""
    rules: TurnRules = structured(plain, TurnRules, "triage")
    if not 0 < rules.patience_minutes <= _LONGEST_MINUTES:
        raise DataError(
            f"patience_minutes in [triage] is {rules.patience_minutes:g}; give more than 0 and at "
            f"most {_LONGEST_MINUTES}."
        )
    return rules


def turn_of(rules: TurnRules, facts: InstanceFacts) -> Turn:
    """Return how soon an instance is read by what its header says."""
    stated = set(facts.priorities)
    for turn, words in (
        (Turn.STAT, rules.stat_words),
        (Turn.HIGH, rules.high_words),
    ):
        if stated & _capitals(words):
            return turn
    bedside = _capitals(rules.bedside_words)
    if facts.view == "AP" and any(word in one for word in bedside for one in facts.descriptions):
        return Turn.BEDSIDE
    return Turn.LOW if stated & _capitals(rules.low_words) else Turn.ROUTINE


def latest_turn(rules: TurnRules, turn: Turn, received_at: datetime) -> datetime:
    """Return by what instances are ordered: the earlier moment is read first."""
    return received_at + timedelta(minutes=rules.patience_minutes * int(turn))


_LONGEST_MINUTES = 7 * 24 * 60


def _capitals(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word.strip().upper() for word in words)
