"""Blocks that hold others: below each other, beside each other, on a ground."""

from collections.abc import Sequence
from dataclasses import dataclass

from medcxr.documents.blocks import Block, Piece, Place, draw_pieces, height_of
from medcxr.documents.page import Color, Page

__all__ = ["Box", "Columns", "Stack"]


@dataclass(frozen=True, slots=True)
class Stack:
    """Blocks one below the other, where one is asked for."""

    blocks: Sequence[Block]

    def pieces(self, place: Place) -> list[Piece]:
        """Lay the blocks out."""
        return [piece for block in self.blocks for piece in block.pieces(place)]


@dataclass(frozen=True, slots=True)
class Box:
    """Blocks on a tinted ground, with a bar at their side.

    Attributes:
        blocks: one below the other.
        ground: color of the ground.
        bar: color of the bar.
        after: space below, in points.
    """

    blocks: Sequence[Block]
    ground: Color
    bar: Color
    after: float = 6.0

    def pieces(self, place: Place) -> list[Piece]:
        """Lay the block out as one piece."""
        side, edge = 10.0, 6.0
        inner = place.within(place.tag.add("Div"), place.width - 2 * side)
        pieces = [piece for block in self.blocks for piece in block.pieces(inner)]
        height = height_of(pieces) + 2 * edge

        def draw(page: Page, start: float, top: float) -> None:
            with page.decoration():
                page.bar(start, top, place.width, height, self.ground)
                page.bar(start, top, 3.0, height, self.bar)
            draw_pieces(pieces, page, start + side, top + edge)

        return [Piece(height=height + self.after, draw=draw)]


@dataclass(frozen=True, slots=True)
class Columns:
    """Blocks beside each other.

    Attributes:
        columns: the blocks of each.
        shares: of the width, one for each column.
        gap: between two, in points.
        after: space below, in points.
    """

    columns: Sequence[Sequence[Block]]
    shares: Sequence[float]
    gap: float = 14.0
    after: float = 4.0

    def pieces(self, place: Place) -> list[Piece]:
        """Lay the block out as one piece."""
        available = place.width - self.gap * (len(self.columns) - 1)
        parts, offset = [], 0.0
        for blocks, share in zip(self.columns, self.shares, strict=True):
            width = available * share / sum(self.shares)
            inner = place.within(place.tag.add("Div"), width)
            parts.append((offset, [piece for block in blocks for piece in block.pieces(inner)]))
            offset += width + self.gap

        def draw(page: Page, start: float, top: float) -> None:
            for beside, pieces in parts:
                draw_pieces(pieces, page, start + beside, top)

        height = max(height_of(pieces) for _, pieces in parts)
        return [Piece(height=height + self.after, draw=draw)]
