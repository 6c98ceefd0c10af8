"""When the measured heart and the finding say different things."""

from medcxr.core.images import View
from medcxr.core.language import Sentence
from medcxr.core.results import Anatomy

__all__ = ["disagreement"]

_ENLARGED = {View.PA: 0.55}  # well above the textbook's 0.5, which measurement error could cross
_ENLARGED_ELSEWHERE = 0.60  # AP views and unknown ones magnify the heart
_SMALL = 0.45
_ADULT = 18


def disagreement(
    anatomy: Anatomy, view: View, *, cardiomegaly: bool, age_years: float | None = None
) -> str | None:
    """Return a sentence for the reader where ratio and finding clearly disagree, else None.

    Args:
        anatomy: as measured; outlines that are not to be trusted disagree with nothing.
        view: of the radiograph.
        cardiomegaly: whether the model counts it as present.
        age_years: of the patient, None if unknown; the hearts of children are wider.
    """
    ratio = anatomy.cardiothoracic_ratio
    if ratio is None or anatomy.doubts or view is View.LATERAL:
        return None
    if age_years is not None and age_years < _ADULT:
        return None
    if ratio >= _ENLARGED.get(view, _ENLARGED_ELSEWHERE) and not cardiomegaly:
        return Sentence(
            "The cardiothoracic ratio measures {ratio:.2f}, yet Cardiomegaly counts as absent; "
            "judge the heart yourself.",
            ratio=ratio,
        )
    if ratio <= _SMALL and cardiomegaly:
        return Sentence(
            "The cardiothoracic ratio measures only {ratio:.2f}, yet Cardiomegaly counts as "
            "present; judge the heart yourself.",
            ratio=ratio,
        )
    return None
