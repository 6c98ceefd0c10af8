"""A walk along an audit trail that compares every seal, wherever the events come from.

Where the key was rotated, an event says so, sealed under the key before; what follows, and the head, are
sealed under the new one. So whoever has learned an earlier key can change nothing unseen: an event
before the rotation, because its seal is sealed again after it; the end, because the newest key is
asked for there.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError
from medcxr.core.language import Sentence
from medcxr.security.audit_chain import START, head_seal, is_same_seal, seal
from medcxr.storage.audit_table import AuditHead, AuditRow

__all__ = ["MOST_PROBLEMS", "ROTATED_KEY", "NotedHead", "TrailWalk"]

ROTATED_KEY = "key audit"
"""Subject of the event that tells of another key; its detail `number` says which, 1 is the first."""

MOST_PROBLEMS = 20
"""As many are told; the rest follows from them."""

_NOTED = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedHead:
    """The last event of a trail as somebody noted it down elsewhere.

    Attributes:
        number: of the event.
        seal: its seal.
    """

    number: int
    seal: str

    @classmethod
    def read(cls, words: str) -> "NotedHead":
        """Read what a check told, "NUMBER:SEAL".

        Raises:
            DataError: it is nothing that a check tells.
        """
        match = _NOTED.fullmatch(words.strip())
        if match is None:
            raise DataError(
                "A head of the audit trail is a number, a colon and a seal of 64 hexadecimal "
                "digits, as `medcxr audit verify` tells it; copy the whole of it."
            )
        return cls(number=int(match[1]), seal=match[2])

    def __str__(self) -> str:
        """Return it as `read` takes it."""
        return f"{self.number}:{self.seal}"


class TrailWalk:
    """Compares event after event with its seal and the seal before it.

    Args:
        keys: of the workspace that sealed them, in the order of their rotation.
        noted: a head that must be on the chain; None asks for none.
    """

    def __init__(self, keys: Sequence[bytes], noted: NotedHead | None = None) -> None:
        self._keys = keys
        self._key_number = 1
        self._noted = noted
        self._number, self._before = 0, START
        self._problems: list[str] = []
        self._is_found = noted is None or (noted.number, noted.seal) == (0, START)

    @property
    def last(self) -> NotedHead:
        """The last event so far; number 0 and `START` before the first."""
        return NotedHead(number=self._number, seal=self._before)

    @property
    def key_number(self) -> int:
        """Which key seals what comes next; 1 is the first."""
        return self._key_number

    @property
    def problems(self) -> tuple[str, ...]:
        """What was found wrong so far, the first ones of it."""
        return tuple(self._problems[:MOST_PROBLEMS])

    def step(self, row: AuditRow) -> None:
        """Take the next event."""
        self._number += 1
        if row.number != self._number:
            self.complain(
                Sentence(
                    "event {number} is missing; {next} follows",
                    number=self._number,
                    next=row.number,
                )
            )
            self._number = row.number
        if not is_same_seal(seal(self._key, row.sealed_fields(), self._before), row.seal):
            self.complain(Sentence("event {number} is not what was sealed", number=row.number))
        elif (row.action, row.subject) == (AuditAction.KEY_ROTATED, ROTATED_KEY):
            self._take_key(row)
        self._before = row.seal
        if self._noted is not None and self._noted == self.last:
            self._is_found = True

    def end(self, head: AuditHead | None) -> None:
        """Compare the head with where the walk ended, and ask for the one that was noted."""
        if head is None:
            if self._number:
                self.complain(Sentence("the head of the trail is missing"))
        elif not is_same_seal(head_seal(self._key, head.number, head.seal), head.head_seal):
            self.complain(Sentence("the head of the trail is not what was sealed"))
        elif (head.number, head.seal) != (self._number, self._before):
            self.complain(
                Sentence(
                    "the trail ends with event {last}, and {told} were told",
                    last=self._number,
                    told=head.number,
                )
            )
        if self._noted is not None and not self._is_found:
            self.complain(
                Sentence(
                    "the head that was noted, event {number}, is not on this trail: events were "
                    "changed, or an older state was put in place",
                    number=self._noted.number,
                )
            )

    def complain(self, problem: str) -> None:
        """Add what is wrong."""
        self._problems.append(problem)

    @property
    def _key(self) -> bytes:
        return self._keys[self._key_number - 1]

    def _take_key(self, row: AuditRow) -> None:
        number = json.loads(row.details)["number"]
        if number <= len(self._keys):
            self._key_number = number
        else:
            self.complain(
                Sentence(
                    "what follows event {number} is sealed under key {key}, which this workspace "
                    "does not have",
                    number=row.number,
                    key=number,
                )
            )
