"""Several people at once, and what each of them waited for."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ANALYSIS_LIMIT_S", "READING_PAGE", "Timing", "read_together"]

ANALYSIS_LIMIT_S = 120.0
READING_PAGE = "clinical-analysis"  # below the dashboard's address


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One upload.

    Attributes:
        shown_s: from the upload's begin until the findings were there.
        complete_s: until the page was complete, pictures included.
        error: what went wrong; empty if nothing did.
    """

    shown_s: float
    complete_s: float
    error: str


Person = Callable[[Sequence[Path], asyncio.Barrier], Awaitable[list[Timing]]]
"""Signs in and reads some files; waits at the barrier before each of them."""


async def read_together(
    person: Person, files: Sequence[Path], *, people: int, rounds: int
) -> list[Timing]:
    """Let people read at once, each in each round a file of its own.

    Args:
        person: what each of them does.
        files: people times rounds of them.
        people: how many.
        rounds: how many files each of them reads.

    Returns:
        The timings; a person that had to give up counts as an error for each file left.
    """
    barrier = asyncio.Barrier(people)

    async def whole(index: int) -> list[Timing]:
        own = files[index::people][:rounds]
        try:
            return await person(own, barrier)
        except Exception as error:  # noqa: BLE001 - whatever it was, it is counted
            await barrier.abort()
            told = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            return [Timing(shown_s=0.0, complete_s=0.0, error=told)] * rounds

    found = await asyncio.gather(*(whole(index) for index in range(people)))
    return [timing for timings in found for timing in timings]
