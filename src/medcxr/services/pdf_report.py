"""The report of one analyzed radiograph as a PDF document, to be printed, signed and filed."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

from medcxr import __version__
from medcxr.core.arrays import Pixels
from medcxr.core.language import RIGHT_TO_LEFT, language, say, text
from medcxr.core.results import Analysis
from medcxr.core.sentences import NOT_A_DIAGNOSIS
from medcxr.documents.blocks import SMALL, Block, Heading, Items, Paragraph
from medcxr.documents.document import About, Document
from medcxr.documents.flow import Flow
from medcxr.documents.table import Table
from medcxr.services.model_facts import ModelFacts
from medcxr.services.pdf_figures import finding_blocks, measured_blocks, prior_blocks
from medcxr.services.pdf_opening import label_of, opening_blocks, warning_blocks
from medcxr.services.pdf_pictures import map_blocks, radiograph_blocks
from medcxr.services.pdf_reader import reader_blocks
from medcxr.services.told_analysis import told_measures
from medcxr.services.true_maps import Explained, TrueMaps

__all__ = ["Additions", "pdf_report", "pdf_report_of_record"]

_FIGURES = ("Probability", "Plausible", "AUC", "Cardiothoracic ratio")


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """What may stand in a report beside what the model says.

    Attributes:
        next_steps: sentences with their sources; a source may be empty.
        verdicts: finding -> "present", "absent" or "unsure", as the reader says; empty where no
            reader has said anything.
        comment: of the reader.
        prior: what was said of an earlier radiograph of the same patient.
        prior_label: which that is, e.g. its date.
        explanations: name of a figure or a kind of map -> what it means; those of what stands in
            the report are told at the end.
    """

    next_steps: Sequence[tuple[str, str]] = ()
    verdicts: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""
    prior: Analysis | None = None
    prior_label: str = ""
    explanations: Mapping[str, str] = field(default_factory=dict)


def pdf_report(
    analyzed: Explained,
    pixels: Pixels,
    maps: TrueMaps,
    *,
    model: ModelFacts,
    made: datetime,
    label: str = "",
    additions: Additions | None = None,
) -> bytes:
    """Return a report of a radiograph on A4 pages, in the language in use.

    The same arguments make the same bytes. Of the patient it holds the picture and the label.

    Args:
        analyzed: the radiograph with its figures.
        pixels: (rows, columns), 0…1: the radiograph, or a smaller copy of it.
        maps: those that were shown to be true, from `draw_true_maps`.
        model: which answered.
        made: when the report is made, with its time zone.
        label: by which the reader knows the radiograph; what could steer how a page is set is
            taken out.
        additions: what the reader and others say.
    """
    analysis, extra = analyzed.analysis, additions or Additions()
    named = label_of(label, analysis)
    document = _document(named, made)
    flow = Flow(document)
    flow.add(opening_blocks(analysis, named, made))
    flow.add(finding_blocks(analysis))
    flow.add(warning_blocks(analysis))
    flow.add(radiograph_blocks(document, analyzed, pixels, measured_blocks(model)))
    flow.add(_next_steps(extra.next_steps))
    flow.add(map_blocks(document, analyzed, pixels, maps))
    if extra.prior is not None:
        flow.add(prior_blocks(analysis, extra.prior, extra.prior_label))
    flow.add(reader_blocks(analysis, extra.verdicts, extra.comment))
    kinds = {kind.capitalize() for kind in maps.kinds.values() if kind is not None}
    flow.add(_explained(extra.explanations, kinds))
    _write_footers(flow, analysis)
    return document.to_bytes()


def pdf_report_of_record(
    analysis: Analysis,
    *,
    model: ModelFacts | None,
    made: datetime,
    label: str = "",
    additions: Additions | None = None,
) -> bytes:
    """Return a report of a radiograph of which only the figures were kept; no picture is in it.

    Args:
        analysis: the figures.
        model: which answered; None where it is not on this computer any more.
        made: as for `pdf_report`, like the rest.
        label: as there.
        additions: as there.
    """
    extra = additions or Additions()
    named = label_of(label, analysis)
    document = _document(named, made)
    flow = Flow(document)
    flow.add(opening_blocks(analysis, named, made))
    flow.add([Paragraph(say(_NO_PICTURES))])
    flow.add(finding_blocks(analysis))
    flow.add(warning_blocks(analysis))
    measures = list(told_measures(analysis).items())
    flow.add([Heading(say("Measures")), Table(measures, (0.3, 0.7))])
    if model is not None:
        flow.add(measured_blocks(model))
    flow.add(_next_steps(extra.next_steps))
    flow.add(reader_blocks(analysis, extra.verdicts, extra.comment))
    flow.add(_explained(extra.explanations, frozenset()))
    _write_footers(flow, analysis)
    return document.to_bytes()


_NO_PICTURES = text(
    "This report is made from remembered figures: no pixels are kept, so the radiograph and its maps "
    "are not in it. Analyze the file again for a report with them."
)


def _document(named: str, made: datetime) -> Document:
    return Document(
        About(
            title=say("Chest X-ray decision support: {label}", label=named),
            subject=say(NOT_A_DIAGNOSIS),
            language=language(),
            right_to_left=language() in RIGHT_TO_LEFT,
            producer=f"medcxr {__version__}",
            made=made,
        )
    )


def _next_steps(steps: Sequence[tuple[str, str]]) -> list[Block]:
    if not steps:
        return []
    sentences = [
        say("{sentence} Source: {source}", sentence=say(sentence), source=say(source))
        if source
        else say(sentence)
        for sentence, source in steps
    ]
    return [Heading(say("Cautious next steps")), Items(sentences)]


def _explained(explanations: Mapping[str, str], kinds: Set[str]) -> list[Block]:
    shown = {*kinds, *_FIGURES}
    told = {name: words for name, words in explanations.items() if name in shown}
    if not told:
        return []
    return [
        Heading(say("What the figures mean")),
        *(
            Paragraph(say("{name}: {words}", name=say(name), words=say(words)), SMALL, after=2.0)
            for name, words in told.items()
        ),
    ]


def _write_footers(flow: Flow, analysis: Analysis) -> None:
    notice, digest = say(NOT_A_DIAGNOSIS), analysis.image_digest[:12]
    flow.write_footers(
        lambda page, pages: (
            say("{notice} File {digest}.", notice=notice, digest=digest),
            say("Page {page} of {pages}", page=page, pages=pages),
        )
    )
