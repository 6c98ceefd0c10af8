"""What stands in everything a reader gets, on a screen, on paper and in a terminal."""

from medcxr.core.language import text

__all__ = ["DISCLAIMER", "NOT_A_DIAGNOSIS", "PLAUSIBLE", "percent"]

DISCLAIMER = text(
    "Decision support for trained professionals. Not for emergency use. Every result requires "
    "clinical correlation and a reader's own look at the radiograph. Research software, not a "
    "certified medical device."
)

NOT_A_DIAGNOSIS = text("Decision support, not a diagnosis; research software.")

PLAUSIBLE = {  # by prediction set
    "present": text("present"),
    "absent": text("absent"),
    "uncertain": text("either, undecided"),
    "atypical": text("neither, unusual image"),
}


def percent(share: float) -> str:
    """Write a probability without claiming certainty at either end."""
    if share < 0.001:
        return "<0.1%"
    return ">99.9%" if share > 0.999 else f"{share:.1%}"
