"""What the model says of a radiograph as a table in a terminal."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from medcxr.anatomy.words import told_angles, told_lungs, told_ratio
from medcxr.apps.cli.words import printable
from medcxr.core.sentences import percent
from medcxr.explain.margin import told_margin
from medcxr.explain.zones import main_zone
from medcxr.services.analysis import AnalyzedImage

__all__ = ["print_table"]


def print_table(path: Path, result: AnalyzedImage) -> None:
    """Print the findings, measures and warnings of one radiograph."""
    analysis = result.analysis
    table = Table(
        "Finding", "Probability", "Present from", "Distance", "", title=Text(printable(str(path)))
    )
    for found in analysis.findings:
        state = Text("Present", style="bold") if found.present else Text("Absent")
        cells = (percent(found.probability), f"{found.threshold:.1%}", told_margin(found))
        table.add_row(Text(found.finding), *cells, state)
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    console.print(
        Text(
            f"Model {analysis.model}, operating point {analysis.operating_point}, "
            f"view {analysis.view}, {analysis.seconds:.2f} s"
        )
    )
    if analysis.anatomy is not None:
        console.print(Text(f"Cardiothoracic ratio: {told_ratio(analysis.anatomy)}"))
        console.print(Text(f"Lungs: {told_lungs(analysis.anatomy)}"))
        console.print(Text(f"Costophrenic angles: {told_angles(analysis.anatomy)}"))
    for found in analysis.findings:
        if found.present and found.evidence_zones:
            console.print(Text(main_zone(found.finding, found.evidence_zones)))
    for warning in analysis.warnings:
        console.print(Text(f"Warning: {warning}"))
