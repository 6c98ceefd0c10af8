"""Tables on a terminal."""

from collections.abc import Sequence

__all__ = ["print_table"]


def print_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with its title; nothing where it has no rows."""
    from rich.console import Console  # noqa: PLC0415 - help must start fast
    from rich.table import Table  # noqa: PLC0415

    if not rows:
        return
    table = Table(*heads, title=title)
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, soft_wrap=True).print(table)
