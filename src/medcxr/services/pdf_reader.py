"""What the reader says in a report, and where to sign it."""

from collections.abc import Mapping

from medcxr.core.language import say, say_all, text
from medcxr.core.results import Analysis
from medcxr.documents.blocks import BOLD, Block, Heading, Paragraph
from medcxr.documents.drawings import Blank
from medcxr.documents.frames import Columns
from medcxr.documents.lines import cleaned
from medcxr.documents.table import Table
from medcxr.services.told_analysis import told_state

__all__ = ["reader_blocks"]

_LONGEST = 4000  # characters of a comment
_VERDICTS = {"present": text("Present"), "absent": text("Absent"), "unsure": text("Unsure")}


def reader_blocks(analysis: Analysis, verdicts: Mapping[str, str], comment: str) -> list[Block]:
    """Return the reader's verdicts and comment, or room for them, and lines to sign on."""
    blocks: list[Block] = [Heading(say("Reader"))]
    if verdicts:
        heads = say_all("Finding", "Model", "Reader")
        rows = [
            (
                say(found.finding),
                told_state(found),
                Paragraph(_verdict(verdicts.get(found.finding)), BOLD, after=0.0),
            )
            for found in analysis.findings
        ]
        blocks.append(Table(rows, (1, 1, 1), heads))
    lines = [cleaned(line) for line in comment[:_LONGEST].splitlines()]
    blocks += [Paragraph(line, after=2.0) for line in lines if line]
    if not verdicts and not any(lines):
        blocks.append(Blank(say("Findings and comment")))
    places = say_all("Name", "Date and time", "Signature")
    blocks.append(Columns([[Blank(place)] for place in places], (1.2, 0.9, 1.2)))
    return blocks


def _verdict(word: str | None) -> str:
    return say("Not judged") if word is None else say(_VERDICTS.get(word, cleaned(word)))
