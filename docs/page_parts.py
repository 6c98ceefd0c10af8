"""What the scripts that write pages share."""

__all__ = ["interval", "table"]


def interval(estimate: dict[str, float] | None, *, digits: int = 2) -> str:
    """Return a figure with its interval; nothing for an unknown one.

    Args:
        estimate: value, low and high.
        digits: of the figure; the bounds have two.
    """
    if estimate is None:
        return ""
    bounds = f"{estimate['low']:.2f} to {estimate['high']:.2f}"
    return f"{estimate['value']:.{digits}f} ({bounds})"


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
