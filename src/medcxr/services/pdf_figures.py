"""The figures of a report: of this radiograph, of an earlier one, and how the model was measured."""

from medcxr.anatomy.words import told_ratio
from medcxr.core.findings import Finding
from medcxr.core.language import figure, say, say_all
from medcxr.core.results import Analysis, FindingResult
from medcxr.core.sentences import percent
from medcxr.documents.blocks import (
    BODY,
    QUIET,
    SMALL,
    Block,
    Heading,
    Paragraph,
    Style,
)
from medcxr.documents.drawings import Meter
from medcxr.documents.frames import Stack
from medcxr.documents.lines import cleaned
from medcxr.documents.page import Color
from medcxr.documents.table import Table
from medcxr.evaluation.report import FindingFigures
from medcxr.explain.margin import told_margin
from medcxr.services.model_facts import ModelFacts
from medcxr.services.told_analysis import told_plausible, told_state

__all__ = ["finding_blocks", "measured_blocks", "prior_blocks"]

_PRESENT: Color = (0.60, 0.33, 0.0)  # 6:1 on white, like the next
_CLEAR: Color = (0.05, 0.42, 0.30)


def finding_blocks(analysis: Analysis) -> list[Block]:
    """Return the findings with all that the model says of each."""
    heads = say_all("Finding", "Result", "Probability", "Present from", "Distance", "Plausible")
    rows = [
        (
            Paragraph(say(found.finding), Style(bold=found.present), after=0.0),
            Paragraph(told_state(found), Style(bold=found.present, color=_color(found)), after=0.0),
            _probability(found),
            figure(found.threshold, ".1%"),
            told_margin(found),
            told_plausible(found),
        )
        for found in analysis.findings
    ]
    return [
        Heading(say("Findings")),
        Table(rows, (1.2, 0.85, 1.2, 0.9, 2.0, 1.2), heads),
    ]


def prior_blocks(analysis: Analysis, prior: Analysis, label: str) -> list[Block]:
    """Return the figures beside those of an earlier radiograph."""
    heads = say_all("Finding", "Earlier", "Now", "Change")
    before = {found.finding: found for found in prior.findings}
    comparable = analysis.model == prior.model
    rows: list[tuple[str, ...]] = [
        (
            say(found.finding),
            _told(before[found.finding]),
            _told(found),
            _change(before[found.finding], found) if comparable else "",
        )
        for found in analysis.findings
        if found.finding in before
    ]
    if analysis.anatomy is not None and prior.anatomy is not None:
        ratios = told_ratio(prior.anatomy), told_ratio(analysis.anatomy)
        rows.append((say("Cardiothoracic ratio"), *ratios, ""))
    words = say("Compared with {label}.", label=cleaned(label) or prior.image_digest[:12])
    blocks: list[Block] = [Heading(say("Beside an earlier radiograph")), Paragraph(words)]
    if not comparable:
        other = say(
            "Another model answered then ({model}); its figures cannot be compared with these.",
            model=prior.model,
        )
        blocks.append(Paragraph(other))
    return [*blocks, Table(rows, (1.3, 1, 1, 1), heads)]


def measured_blocks(model: ModelFacts) -> list[Block]:
    """Return how well the model was measured and on how many radiographs, for a narrow column."""
    heading = Heading(say("How the model was measured"), level=3)
    if not model.figures:
        words = say("This model comes without measured figures; do not rely on its results.")
        return [heading, Paragraph(words)]
    heads = (
        say("Finding"),
        say("AUC ({confidence:.0%} interval)", confidence=model.confidence),
        say("With the finding"),
    )
    rows = [(say(one.finding), _auc(one), _counted(one)) for one in model.figures]
    table = Table(rows, (1.0, 1.35, 1.0), heads, style=Style(size=7.8))
    return [heading, Paragraph(_source(model), SMALL), table]


def _auc(one: FindingFigures) -> str:
    return say("not measured") if one.auc is None else one.auc.told()


def _counted(one: FindingFigures) -> str:
    return say("{n_positive:,} of {n_images:,}", n_positive=one.n_positive, n_images=one.n_images)


def _source(model: ModelFacts) -> str:
    words = say(
        "Model {model}, measured on {n_images:,} radiographs of {n_patients:,} patients ({tables}) "
        "that it had not learned from.",
        model=model.identity,
        n_images=model.n_images,
        n_patients=model.n_patients,
        tables=", ".join(model.tables),
    )
    if model.run is None:
        return words
    return say("{words} Training run {run}.", words=words, run=model.run)


def _probability(found: FindingResult) -> Block:
    words = Paragraph(percent(found.probability), BODY, after=0.0)
    return Stack([words, Meter(found.probability, found.threshold, _color(found))])


def _color(found: FindingResult) -> Color:
    if not found.present:
        return QUIET
    return _CLEAR if found.finding == Finding.NO_FINDING else _PRESENT


def _told(found: FindingResult) -> str:
    return say(
        "{state}, {probability}", state=told_state(found), probability=percent(found.probability)
    )


def _change(before: FindingResult, now: FindingResult) -> str:
    points = 100 * (now.probability - before.probability)
    return say("{points:+.1f} points", points=points)
