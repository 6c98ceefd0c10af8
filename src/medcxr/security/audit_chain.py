"""Seals that make a change, a gap or a missing end of an audit trail visible.

Each event is sealed together with the seal before it, so that none can be changed, left out,
moved or slipped in without the key (a hash chain, here of HMAC-SHA-256: RFC 2104). The head, which
names the last event, is sealed too: without it the end could be cut off unseen.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence

__all__ = ["KEY_BYTES", "START", "head_seal", "is_same_seal", "seal"]

KEY_BYTES = 32
START = "0" * 64
"""What stands in the place of the seal before the first event."""


def seal(key: bytes, fields: Sequence[str | int], before: str) -> str:
    """Return the seal of an event, 64 hexadecimal digits.

    Args:
        key: KEY_BYTES random bytes that stay on this computer.
        fields: all that is kept of the event, in a fixed order.
        before: the seal of the event before, START for the first.
    """
    return _mac(key, ["event", before, *fields])


def head_seal(key: bytes, number: int, last: str) -> str:
    """Return the seal of the head: how many events there are, and the last one's seal."""
    return _mac(key, ["head", number, last])


def is_same_seal(one: str, other: str) -> bool:
    """Compare two seals in a time that tells nothing of where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def _mac(key: bytes, fields: Sequence[str | int]) -> str:
    # JSON keeps the bounds between fields; joined text would not.
    return hmac.new(key, json.dumps(fields).encode(), hashlib.sha256).hexdigest()
