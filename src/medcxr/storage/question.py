"""Many values in questions to the database, some at a time."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

__all__ = ["some_at_a_time"]

_AT_ONCE = 500  # values in one question; SQLite takes some thousand
_Value = TypeVar("_Value", str, int)


def some_at_a_time(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    """Yield all values in their order, in portions that one question takes."""
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
