"""Which received instances the DICOM node reads.

The header alone is asked, before anything is decoded. What a rule lets pass is still refused by the
reader and the gate where it is no upright frontal chest radiograph.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from medcxr.core.errors import DataError
from medcxr.core.instance_facts import InstanceFacts
from medcxr.services.node_tables import structured

__all__ = [
    "OWN_MAKER",
    "ReadingRules",
    "SkipReason",
    "reading_rules",
    "reasons_to_skip",
]

OWN_MAKER = "MEDCXR"
"""What (0008,0070) Manufacturer or its model name says of this program's own results."""


class SkipReason(StrEnum):
    """Why an instance is not read; it quotes no header."""

    OWN_RESULT = "made by this program"
    MODALITY = "of a modality that is not read"
    BODY_PART = "of a part of the body that is not read"
    VIEW = "of a view that is not read"
    STATION = "of a station that is not read"
    SENDER = "sent by a device that is not read"
    DESCRIPTION = "of a study description that is not read"
    AGE = "of a patient whose age is not read"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRules:
    """`[rules]` of node.toml. An empty list asks for nothing; texts are compared in capitals.

    Attributes:
        modalities: (0008,0060) Modality must be one of them.
        body_parts: (0018,0015) Body Part Examined must contain one of them.
        views: (0018,5101) View Position must be one of them.
        read_unstated: whether to read what states no body part, view, age or description; the gate
            looks at the picture itself.
        stations: (0008,1010) Station Name must match one; * stands for any characters, ? for one.
        senders: the sender's AE title must match one, likewise.
        study_descriptions: (0008,1030) Study Description must match one, likewise.
        except_study_descriptions: and none of these.
        least_age_years: younger patients are not read; None: of any age.
        most_age_years: older patients are not read; None: of any age.
    """

    modalities: tuple[str, ...] = ("CR", "DX", "DR", "RG")
    body_parts: tuple[str, ...] = (
        "CHEST",
        "THORAX",
        "TORAX",
        "TORACE",
        "LUNG",
        "POITRINE",
        "BRUSTKORB",
    )
    views: tuple[str, ...] = ("PA", "AP")
    read_unstated: bool = True
    stations: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()
    study_descriptions: tuple[str, ...] = ()
    except_study_descriptions: tuple[str, ...] = ()
    least_age_years: float | None = None
    most_age_years: float | None = None


def reading_rules(plain: Mapping[str, object]) -> ReadingRules:
    """Read `[rules]`; what it leaves out keeps its default.

    Raises:
        DataError: a key is unknown or a value wrong.
    """
    rules: ReadingRules = structured(plain, ReadingRules, "rules")
    for name in ("least_age_years", "most_age_years"):
        age = getattr(rules, name)
        if age is not None and not 0 <= age <= _OLDEST_YEARS:
            raise DataError(f"{name} in [rules] is {age:g}; give 0 to {_OLDEST_YEARS} years.")
    least, most = rules.least_age_years, rules.most_age_years
    if least is not None and most is not None and least > most:
        raise DataError(
            "least_age_years in [rules] exceeds most_age_years, so that nobody is read; "
            "correct one of them."
        )
    return rules


def reasons_to_skip(
    rules: ReadingRules, facts: InstanceFacts, *, sender: str
) -> tuple[SkipReason, ...]:
    """Return why an instance is not read; empty if it is.

    Args:
        rules: of the node.
        facts: what its header says.
        sender: AE title that it was sent by; empty where it came another way.
    """
    listed = _Listed(read_unstated=rules.read_unstated)
    parts = [f"*{part}*" for part in rules.body_parts]
    described = facts.study_description
    passes = {
        # Results that an archive sends back would otherwise be read for ever.
        SkipReason.OWN_RESULT: OWN_MAKER not in facts.maker,
        SkipReason.MODALITY: listed.among(facts.modality, rules.modalities),
        SkipReason.BODY_PART: listed.among(facts.body_part, parts) or _says_nothing(facts, rules),
        SkipReason.VIEW: listed.among(facts.view, rules.views),
        SkipReason.STATION: listed.among(facts.station, rules.stations),
        SkipReason.SENDER: _matches(sender, rules.senders),
        SkipReason.DESCRIPTION: listed.among(described, rules.study_descriptions)
        and not (described and _matches_any(described, rules.except_study_descriptions)),
        SkipReason.AGE: _is_of_age(rules, facts.age_years),
    }
    return tuple(reason for reason, is_passed in passes.items() if not is_passed)


_OLDEST_YEARS = 150
_NO_BODY_PART = frozenset({"UNKNOWN", "UNSPECIFIED", "OTHER", "NONE", "DEFAULT", "NA", "N/A"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """Whether what is stated is among what is asked for."""

    read_unstated: bool

    def among(self, stated: str, patterns: Iterable[str]) -> bool:
        patterns = tuple(patterns)
        if not stated:
            return not patterns or self.read_unstated
        return _matches(stated, patterns)


def _matches(stated: str, patterns: Iterable[str]) -> bool:
    patterns = tuple(patterns)
    return not patterns or _matches_any(stated, patterns)


def _matches_any(stated: str, patterns: Iterable[str]) -> bool:
    folded = stated.strip().upper()
    return any(
        fnmatchcase(folded, pattern.strip().upper().replace("[", "[[]")) for pattern in patterns
    )


def _says_nothing(facts: InstanceFacts, rules: ReadingRules) -> bool:
    return rules.read_unstated and facts.body_part in _NO_BODY_PART


def _is_of_age(rules: ReadingRules, age_years: float | None) -> bool:
    least, most = rules.least_age_years, rules.most_age_years
    if least is None and most is None:
        return True
    if age_years is None:
        return rules.read_unstated
    return (least or 0.0) <= age_years <= (math.inf if most is None else most)
