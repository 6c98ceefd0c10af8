"""Tables and named facts as HTML: text from models and files stays text."""

from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["html_facts", "html_table"]


def html_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = "") -> str:
    """Return a table; empty without rows.

    Args:
        heads: of the columns.
        rows: cells of each row.
        caption: what the table shows, for readers who hear it.
    """
    if not rows:
        return ""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<table class="cxr-table">{title}<thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def html_facts(facts: Mapping[str, str]) -> str:
    """Return facts beside each other, each under its name."""
    told = "".join(
        f"<span><b>{escape(name)}</b>{escape(value)}</span>" for name, value in facts.items()
    )
    return f'<div class="cxr-facts">{told}</div>'
