"""What a check of this computer or workspace found, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from medcxr.core.language import figure, say, text

__all__ = [
    "LITTLE_DISK",
    "Check",
    "Health",
    "Outcome",
    "attention",
    "broken",
    "good",
    "told_size",
    "worst",
]

LITTLE_DISK = 2_000_000_000
"""Bytes; with less, trainings, which keep checkpoints and bundles of some 100 MB, have no room soon."""

_SIZES = (
    text("{size} bytes"),
    text("{size} kB"),
    text("{size} MB"),
    text("{size} GB"),
    text("{size} TB"),
)


class Health(StrEnum):
    """How a thing is."""

    GOOD = "good"
    ATTENTION = "attention"  # it works, and somebody should look at it
    BROKEN = "broken"  # something does not work, or is open to others


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one check found, in the reader's language.

    Attributes:
        health: how it is.
        found: what was found.
        remedy: what to do; empty where there is nothing to do.
    """

    health: Health
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check that was made.

    Attributes:
        key: names it to programs, the same in every language and version.
        name: of what was looked at, in the reader's language.
        outcome: what was found.
    """

    key: str
    name: str
    outcome: Outcome


def good(found: str) -> Outcome:
    """Return the outcome where there is nothing to do."""
    return Outcome(health=Health.GOOD, found=found)


def attention(found: str, remedy: str) -> Outcome:
    """Return the outcome where somebody should look at something that works."""
    return Outcome(health=Health.ATTENTION, found=found, remedy=remedy)


def broken(found: str, remedy: str) -> Outcome:
    """Return the outcome where something does not work or is open to others."""
    return Outcome(health=Health.BROKEN, found=found, remedy=remedy)


def worst(checks: Iterable[Check]) -> Health:
    """Return how the worst of some checks is; good without any."""
    order = list(Health)
    return max((one.outcome.health for one in checks), key=order.index, default=Health.GOOD)


def told_size(n_bytes: float) -> str:
    """Return a size for readers, in powers of 1000 as disks are sold: "1.2 GB"."""
    value, told = float(n_bytes), _SIZES[0]
    for larger in _SIZES[1:]:
        if value < 999.5:
            break
        value, told = value / 1000, larger
    is_whole = told == _SIZES[0] or value >= 99.95
    return say(told, size=figure(value, ".0f" if is_whole else ".1f"))
