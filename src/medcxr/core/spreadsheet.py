"""Text that is safe to open in a spreadsheet."""

__all__ = ["LINE_END", "safe_cell"]

LINE_END = "\r\n"
"""Of rows (RFC 4180). Python before 3.13 puts quotes around a line break in a cell only if it is part
of this: with a line feed alone, a carriage return in a file's name would begin a row."""

# As OWASP, "CSV Injection": also the full-width signs, which some spreadsheets take for the others.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(text: str) -> str:
    """Put an apostrophe before text that begins as a formula does, which a spreadsheet would run."""
    return f"'{text}" if text.startswith(_FORMULA) else text
