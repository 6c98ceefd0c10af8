"""What a study report is made of, before anybody decides how it looks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from medcxr.core.results import Estimate
from medcxr.documents.plots import Drawing

__all__ = [
    "LEAST_LISTED",
    "Block",
    "Cell",
    "Command",
    "Figure",
    "Grid",
    "Listing",
    "Pair",
    "Part",
    "Picture",
    "Source",
    "StudyPage",
    "Words",
    "figures_of",
]

LEAST_LISTED = 5
"""Radiographs, below which a value is not listed by itself: it could tell of a person."""

Tone = Literal["plain", "quiet", "warning", "good"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a figure comes from.

    Attributes:
        run: what was computed, e.g. "hybrid 1.0 on nih/manifest.csv".
        data: which images of it.
        interval: how the interval was found.
    """

    run: str
    data: str
    interval: str

    def told(self) -> str:
        """Return it as a sentence."""
        return f"Source: {self.run}; {self.data}. Intervals: {self.interval}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured figure with how sure it is and on how many it rests.

    Attributes:
        value: with its interval; None where the data do not determine it.
        n_images: that it rests on.
        n_patients: whose they are.
        digits: shown.
        signed: whether the sign is always shown, as of differences.
        interval: how its interval was found, where not as its table says.
    """

    value: Estimate | None
    n_images: int
    n_patients: int
    digits: int = 3
    signed: bool = False
    interval: str = ""

    def told(self) -> str:
        """Return the figure with its interval in words."""
        if self.value is None:
            return "not determined"
        form = f"{'+' if self.signed else ''}.{self.digits}f"
        value, low, high = (
            f"{round(number, self.digits) + 0.0:{form}}"  # + 0.0: no figure is -0
            for number in (self.value.value, self.value.low, self.value.high)
        )
        return f"{value} ({low} to {high})"


Cell: TypeAlias = str | Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table; the first cell of each row names it.

    Attributes:
        caption: what it shows.
        heads: of the columns.
        rows: cells.
        source: of its figures; None of a table that holds none.
        shares: of the width, one for each column; None divides by what the columns hold.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    source: Source | None = None
    shares: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph.

    Attributes:
        text: what it says.
        tone: how loudly.
    """

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed to have something computed again."""

    text: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A chart.

    Attributes:
        caption: what it shows.
        drawing: the shapes; what is read aloud is in it.
        source: of what is drawn.
        wide: whether it takes the whole width.
    """

    caption: str
    drawing: Drawing
    source: Source
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Two charts beside each other."""

    pictures: tuple[Picture, ...]


Block: TypeAlias = Words | Command | Listing | Grid | Picture | Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A section.

    Attributes:
        title: its heading.
        blocks: one below the other.
        level: 2 of a section, 3 of a part of one.
    """

    title: str
    blocks: tuple[Block, ...]
    level: int = 2

    @property
    def anchor(self) -> str:
        """Return the name by which a link finds the section."""
        kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in self.title.lower())
        return "-".join(word for word in kept.split("-") if word)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPage:
    """A whole report.

    Attributes:
        title: of the report.
        subtitle: which model on which data, and when.
        parts: its sections.
    """

    title: str
    subtitle: str
    parts: tuple[Part, ...]


def figures_of(page: StudyPage) -> Iterator[tuple[Part, Grid, Sequence[Cell], str, Figure]]:
    """Yield every figure with its section, table, row and the head of its column."""
    for part in page.parts:
        for block in part.blocks:
            if not isinstance(block, Grid):
                continue
            for row in block.rows:
                for head, cell in zip(block.heads, row, strict=True):
                    if isinstance(cell, Figure):
                        yield part, block, row, head, cell
