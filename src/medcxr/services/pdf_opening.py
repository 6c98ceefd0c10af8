"""How a report begins: what it is, and which radiograph and model it is about."""

from datetime import UTC, datetime

from medcxr import __version__
from medcxr.core.language import say
from medcxr.core.results import Analysis
from medcxr.core.sentences import DISCLAIMER, NOT_A_DIAGNOSIS
from medcxr.documents.blocks import BOLD, QUIET, Block, Heading, Paragraph, Style
from medcxr.documents.frames import Box, Columns
from medcxr.documents.lines import cleaned
from medcxr.documents.table import Table
from medcxr.services.told_analysis import told_facts

__all__ = ["label_of", "opening_blocks", "warning_blocks"]

_LONGEST = 120  # characters of a label
_GROUND, _BAR = (0.995, 0.965, 0.905), (0.60, 0.35, 0.0)
_NAME = Style(color=QUIET)


def label_of(label: str, analysis: Analysis) -> str:
    """Return a label as it may be set, or the beginning of the file's digest if it has none."""
    words = cleaned(label)
    if len(words) > _LONGEST:
        words = f"{words[:_LONGEST]}…"
    return words or analysis.image_digest[:12]


def opening_blocks(analysis: Analysis, named: str, made: datetime) -> list[Block]:
    """Return the title, what the report is not, and what it is about."""
    told = told_facts(analysis)
    digest = told.popitem()
    facts = {
        **told,
        say("Model"): analysis.model,
        say("Program"): f"medcxr {__version__}",
        say("Analyzed in"): say("{seconds:.2f} s", seconds=analysis.seconds),
        say("Report made"): f"{made.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
    }
    rows = list(facts.items())
    middle = (len(rows) + 1) // 2
    return [
        Heading(say("Chest X-ray decision support"), level=1, opens=True),
        _notice(
            Paragraph(say(NOT_A_DIAGNOSIS), BOLD, after=1.0), Paragraph(say(DISCLAIMER), after=0.0)
        ),
        _facts([(say("Radiograph"), named), digest], (0.19, 0.81)),
        Columns(
            [[_facts(rows[:middle], (0.4, 0.6))], [_facts(rows[middle:], (0.4, 0.6))]],
            (1, 1),
            after=0.0,
        ),
    ]


def warning_blocks(analysis: Analysis) -> list[Block]:
    """Return the warnings for the reader, if there are any."""
    sentences = [Paragraph(say(warning), after=1.0) for warning in analysis.warnings]
    return [_notice(*sentences)] if sentences else []


def _notice(*blocks: Block) -> Box:
    return Box(blocks, ground=_GROUND, bar=_BAR)


def _facts(facts: list[tuple[str, str]], shares: tuple[float, float]) -> Table:
    rows = [(Paragraph(name, _NAME, after=0.0), value) for name, value in facts]
    return Table(rows, shares, after=0.0)
