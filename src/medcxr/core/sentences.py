"""What stands in everything a reader gets, on a screen, on paper and in a terminal."""

from datetime import datetime

from medcxr.core.language import figure, say, text

__all__ = [
    "DISCLAIMER",
    "NOT_A_DIAGNOSIS",
    "NO_OUTLINES",
    "PLAUSIBLE",
    "local_time",
    "one_line",
    "percent",
    "written_time",
]

_LEAST = 0.001

DISCLAIMER = text(
    "Decision support for trained professionals. Not for emergency use. Every result requires "
    "clinical correlation and a reader's own look at the radiograph. Research software, not a "
    "certified medical device."
)

NOT_A_DIAGNOSIS = text("Decision support, not a diagnosis; research software.")

NO_OUTLINES = text("This model outlines no organs, so lungs and heart are not measured.")

PLAUSIBLE = {  # by prediction set
    "present": text("present"),
    "absent": text("absent"),
    "uncertain": text("either, undecided"),
    "atypical": text("neither, unusual image"),
}


def local_time(moment: datetime) -> str:
    """Write a moment to the minute, by this computer's clock."""
    return written_time(moment.astimezone())


def written_time(moment: datetime) -> str:
    """Write a moment to the minute, by the clock that it is told by."""
    return f"{moment:%Y-%m-%d %H:%M}"


def percent(share: float) -> str:
    """Write a probability without claiming certainty at either end."""
    if share < _LEAST:
        return say("<{share:.1%}", share=_LEAST)
    if share > 1 - _LEAST:
        return say(">{share:.1%}", share=1 - _LEAST)
    return figure(share, ".1%")


def one_line(name: str) -> str:
    """Return a name that somebody gave, without what could steer a screen or a table."""
    return "".join(c if c.isprintable() else " " for c in name).strip()
