"""A model's card on the screen: its text stays text, whatever somebody wrote into a manifest."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import streamlit as st

from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.tables import html_table

__all__ = ["Block", "Kind", "card_blocks", "show_card"]

_CELL_END = re.compile(r"(?<!\\)\|")


class Kind(StrEnum):
    """What a block of a card is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of a card.

    Attributes:
        kind: what it is.
        lines: its text, without the marks of Markdown; of a table its rows, still divided by "|".
    """

    kind: Kind
    lines: tuple[str, ...]


def show_card(card: str) -> None:
    """Show a card that `model_card` wrote."""
    for block in card_blocks(card):
        match block.kind:
            case Kind.HEADING:
                st.subheader(plain(block.lines[0]), anchor=False)
            case Kind.TABLE:
                head, *rows = [_cells(line) for line in block.lines]
                st.html(html_table(head, rows))
            case Kind.CODE:
                st.code("\n".join(block.lines), language=None)
            case Kind.LIST:
                st.markdown("\n".join(f"- {plain(line)}" for line in block.lines))
            case Kind.PARAGRAPH:
                st.markdown(plain(" ".join(block.lines)))


def card_blocks(card: str) -> list[Block]:
    """Divide a card into its blocks; of Markdown only what `model_card` writes is known.

    Args:
        card: the card, Markdown with headings, lists, tables and fenced code.
    """
    return [_block(part) for part in _parts(card)]


def _parts(card: str) -> Iterator[list[str]]:
    """Yield the lines between blank ones; fenced code is one part."""
    part: list[str] = []
    fenced = False
    for line in card.splitlines():
        if line.startswith("```"):
            fenced = not fenced
            part.append(line)
            if not fenced:
                yield part
                part = []
        elif line.strip() or fenced:
            part.append(line)
        elif part:
            yield part
            part = []
    if part:
        yield part


def _block(lines: Sequence[str]) -> Block:
    first = lines[0]
    if first.startswith("```"):
        return Block(kind=Kind.CODE, lines=tuple(one for one in lines if one[:3] != "```"))
    if first.startswith("#"):
        return Block(kind=Kind.HEADING, lines=(" ".join(lines).lstrip("#").strip(),))
    if all(line.startswith("|") for line in lines) and len(lines) > 1:
        return Block(kind=Kind.TABLE, lines=(first, *lines[2:]))  # without the line of dashes
    if all(line.startswith("- ") for line in lines):
        return Block(kind=Kind.LIST, lines=tuple(line[2:] for line in lines))
    return Block(kind=Kind.PARAGRAPH, lines=tuple(lines))


def _cells(line: str) -> list[str]:
    inner = _CELL_END.split(line.strip())[1:-1]
    return [cell.strip().replace("\\|", "|") for cell in inner]
