"""Text that is safe to open in a spreadsheet."""

__all__ = ["safe_cell"]

# As OWASP, "CSV Injection": also the full-width signs, which some spreadsheets take for the others.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(text: str) -> str:
    """Put an apostrophe before text that begins as a formula does, which a spreadsheet would run."""
    return f"'{text}" if text.startswith(_FORMULA) else text
