"""Which map may be shown as the explanation of a finding, and why not the others."""

from medcxr.core.language import say, text
from medcxr.explain.report import (
    FURTHER_WORDS,
    RIVALS,
    TESTED,
    THOROUGH_MAP,
    CurveFigures,
    ExplanationReport,
    PlaceFigures,
)

__all__ = [
    "LEAST_IMAGES",
    "best_map",
    "curves_of",
    "is_true",
    "told_absence",
    "told_places",
    "told_sparing",
    "told_verdict",
]

LEAST_IMAGES = 20
"""Fewer images say nothing of others: a bootstrap of a handful is too sure of itself."""

_PLACES = {
    text("boxes"): text("{hits} of {n} radiographs with a reader's box"),
    text("simulated"): text("{hits} of {n} simulated lesions"),
}
_OTHER_PLACES = text("{hits} of {n} {where}")
_LOCATES = 0.9  # of the images: a map that hits more often may be located by


def best_map(report: ExplanationReport | None, finding: str) -> str | None:
    """Return the kind of map to show for a finding, among those that were shown to be true.

    It is the one that points best where the place of the finding is known, by the mean over the
    kinds of places of its share of hits; else, as of No Finding, the one with the most probability
    between insertion and deletion. The thorough map, for which a reader must wait, is the best only
    where no other is true.

    Args:
        report: of the model; None if nobody tested it.
        finding: which is to be explained.
    """
    true = {
        method: (_hits(report, finding, method), _gap(curves))
        for method in TESTED
        if (curves := curves_of(report, finding, method)) and is_true(report, finding, method)
    }
    if true:
        return max(true, key=lambda method: true[method])
    return THOROUGH_MAP if is_true(report, finding, THOROUGH_MAP) else None


def curves_of(report: ExplanationReport | None, finding: str, method: str) -> CurveFigures | None:
    """Return what deletion and insertion found of a kind of map; None if nobody tested it."""
    curves = () if report is None else report.curves
    return next((c for c in curves if (c.finding, c.method) == (finding, method)), None)


def is_true(report: ExplanationReport | None, finding: str, method: str) -> bool:
    """Say whether maps were better than every rival, by intervals that exclude no difference.

    On deletion and on insertion; and in the pointing game, wherever it was played on enough images.
    """
    curves = curves_of(report, finding, method)
    return curves is not None and _is_followed(curves) and not _strays(report, finding, method)


def _gap(curves: CurveFigures) -> float:
    return curves.insertion.value - curves.deletion.value


def _hits(report: ExplanationReport | None, finding: str, method: str) -> float:
    """Return the mean share of hits, 0 where no places are known on enough images."""
    played = [
        one.hits.value
        for one in _places_of(report, finding, method)
        if one.n_images >= LEAST_IMAGES
    ]
    return sum(played) / len(played) if played else 0.0


def _is_followed(curves: CurveFigures) -> bool:
    """Say whether the probability hangs more on the places of a map than on those of each rival."""
    beaten = {
        gain.rival for gain in curves.gains if min(gain.deletion.low, gain.insertion.low) > 0.0
    }
    return curves.n_images >= LEAST_IMAGES and beaten >= set(RIVALS)


def _strays(report: ExplanationReport | None, finding: str, method: str) -> bool:
    """Say whether a map points somewhere no surely better than a rival does."""
    return any(
        gain.hits.low <= 0.0
        for one in _places_of(report, finding, method)
        if one.n_images >= LEAST_IMAGES
        for gain in one.gains
    )


def _places_of(report: ExplanationReport | None, finding: str, method: str) -> list[PlaceFigures]:
    places = () if report is None else report.places
    return [one for one in places if (one.finding, one.method) == (finding, method)]


def told_verdict(report: ExplanationReport | None, finding: str, method: str) -> str:
    """Say in a sentence whether a kind of map was shown to be true of a finding."""
    curves = curves_of(report, finding, method)
    named = {"method": say(method), "finding": say(finding)}
    if curves is None or not curves.gains:
        return say(
            "The {method} of {finding} was not tested on this model, so it is not shown to be "
            "true; `{command}` tests it.",
            **named,
            command=f"medcxr explain-check --keep{_asked_for(method)}",
        )
    if is_true(report, finding, method):
        return say(
            "Tested on this model with {n} radiographs with {finding}: its "
            "probability hangs more on the places that this map names than on those of an ellipse "
            "in the middle or of chance.",
            n=curves.n_images,
            finding=say(finding),
        )
    if curves.n_images < LEAST_IMAGES:
        return say(
            "The {method} of {finding} was tested on only {n} radiographs, and "
            "{least} are needed, so it is not shown to be true.",
            **named,
            n=curves.n_images,
            least=LEAST_IMAGES,
        )
    if _is_followed(curves):
        return say(
            "The {method} of {finding} is not shown to be true: where the place of the finding is "
            "known, its strongest place did not surely lie there more often than that of an ellipse "
            "in the middle or of chance.",
            **named,
        )
    return say(
        "The {method} of {finding} is not shown to be true: on {n} radiographs it "
        "was not surely better than an ellipse in the middle and chance at naming the places that "
        "the probability hangs on.",
        **named,
        n=curves.n_images,
    )


def told_absence(report: ExplanationReport | None, finding: str) -> str:
    """Say in a sentence why no map explains a finding."""
    if all(curves_of(report, finding, method) is None for method in TESTED):
        return say(
            "No map is shown for {finding}, since none was tested on this model; "
            "`medcxr explain-check --keep` tests them.",
            finding=say(finding),
        )
    return say(
        "No map is shown for {finding}: in the test of this model none was surely better than an "
        "ellipse in the middle and chance at naming the places that the probability hangs on, and "
        "at pointing where the finding is known to be.",
        finding=say(finding),
    )


def told_sparing(finding: str) -> str:
    """Say in a sentence why the thorough map of a finding was not drawn."""
    return say(
        "No map is shown for {finding}, which was found absent: the one that was shown to be true of "
        "it asks the whole model about each place, and is drawn of findings that are present.",
        finding=say(finding),
    )


def told_places(report: ExplanationReport | None, finding: str, method: str) -> str:
    """Say in a sentence how often a map's strongest place lay in the finding; empty if unknown."""
    own = _places_of(report, finding, method)
    if not own:
        return ""
    told = say(" and in ").join(_told_place(one) for one in own)
    # by the lower end of the interval: three of three hits are no proof
    if all(one.hits.low >= _LOCATES for one in own):
        return say("Its strongest place lay in the finding in {places}.", places=told)
    return say(
        "Its strongest place lay in the finding in {places}: do not locate by it.", places=told
    )


def _asked_for(method: str) -> str:
    """Return the option by which a test takes in a kind of map that it leaves out unasked."""
    words = [word for word, kind in FURTHER_WORDS.items() if kind == method]
    return f" --method {words[0]}" if words else ""


def _told_place(figures: PlaceFigures) -> str:
    hits = round(figures.hits.value * figures.n_images)
    words = _PLACES.get(figures.places, _OTHER_PLACES)
    return say(words, hits=hits, n=figures.n_images, where=figures.places)
