"""What the model says of a radiograph as a table in a terminal."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from medcxr.apps.cli.words import printable
from medcxr.core.sentences import percent
from medcxr.explain.margin import told_margin
from medcxr.explain.zones import main_zone
from medcxr.services.analysis import AnalyzedImage
from medcxr.services.told_analysis import told_measures

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
    for name, measure in told_measures(analysis).items():
        console.print(Text(f"{name}: {measure}"))
    for found in analysis.findings:
        if found.present and found.evidence_zones:
            console.print(Text(main_zone(found.finding, found.evidence_zones)))
    for warning in analysis.warnings:
        console.print(Text(f"Warning: {warning}"))
