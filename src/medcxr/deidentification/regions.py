"""Where in an image nothing may stay."""

import re
from dataclasses import dataclass

from medcxr.core.errors import DataError

__all__ = ["Blanking", "Region"]

_WORDS = re.compile(r"(\d{1,6}),(\d{1,6}),(\d{1,6}),(\d{1,6})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A rectangle of pixels.

    Attributes:
        x: of its left column, from 0.
        y: of its upper row, from 0.
        width: columns.
        height: rows.
    """

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def read(cls, words: str) -> "Region":
        """Read "X,Y,WIDTH,HEIGHT" in pixels.

        Raises:
            DataError: it is no rectangle.
        """
        match = _WORDS.fullmatch(words.replace(" ", ""))
        if match is None or "0" in (match[3].strip("0") or "0", match[4].strip("0") or "0"):
            raise DataError(
                "{words} is no region: write X,Y,WIDTH,HEIGHT in pixels from the upper left corner, "
                "e.g. 0,0,400,60.",
                words=words,
            )
        x, y, width, height = map(int, match.groups())
        return cls(x=x, y=y, width=width, height=height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blanking:
    """What to blank.

    Attributes:
        regions: of each image.
        only_burned_in: only of images that say that they have burned-in annotation.
    """

    regions: tuple[Region, ...] = ()
    only_burned_in: bool = False
