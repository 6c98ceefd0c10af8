"""Ages in the bands by which figures are divided."""

from medcxr.core.language import text as marked

__all__ = ["age_band"]

_OLDEST = 120  # years; NIH's tables hold ages of 400, which are no ages
_BANDS = (
    (18, marked("under 18")),
    (40, marked("18 to 39")),
    (60, marked("40 to 59")),
    (_OLDEST + 1, marked("60 and over")),
)


def age_band(text: str) -> str:
    """Return the band of an age in years, "unknown" where the text is none.

    Args:
        text: as a table gives it: "57", or as DICOM writes it: "057Y" (PS3.5, section 6.2, AS),
            where ages in days, weeks or months are those of small children.
    """
    digits, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "Y")
    if not (digits.isascii() and digits.isdigit()) or unit not in "DWMY":
        return "unknown"
    per_year = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}[unit]
    years = float(digits) / per_year  # a row of thousands of digits is infinitely old
    return next((name for end, name in _BANDS if years < end), "unknown")
