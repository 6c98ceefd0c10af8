"""Ages and sexes as archives state them."""

import re

__all__ = ["age_years", "sex"]


def age_years(text: str) -> str:
    """Return an age in years, from "58", "058Y", "006M" or "012D"; empty if impossible."""
    match = re.fullmatch(r"(\d{1,3})(?:\.0)?([DWMY]?)", text.strip())
    if match is None:
        return ""
    years = int(match[1]) / _PER_YEAR[match[2]]
    return f"{years:.3g}" if 0 < years <= _OLDEST_YEARS else ""


def sex(text: str) -> str:
    """Return "F", "M" or "O", empty if it is not stated."""
    return _SEXES.get(text.strip().lower(), "")


_PER_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12, "Y": 1, "": 1}
_OLDEST_YEARS = 120  # NIH ChestX-ray14 holds ages up to 414, which are mistakes
_SEXES = {"f": "F", "female": "F", "m": "M", "male": "M", "o": "O"}
