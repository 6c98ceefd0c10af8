"""The page of a report: one HTML file without a script, beside the pictures that it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from medcxr import __version__
from medcxr.apps.dashboard.words import EXPLANATIONS
from medcxr.core.results import Analysis, Estimate
from medcxr.core.sentences import DISCLAIMER, percent
from medcxr.explain.margin import told_margin
from medcxr.services.shown_map import ShownMap
from medcxr.services.told_analysis import (
    told_facts,
    told_measures,
    told_plausible,
    told_state,
)

__all__ = ["Section", "report_page"]

_EXPLAINED = (
    "Probability",
    "Present / Absent",
    "Plausible",
    "AUC",
    "Evidence map",
    "Occlusion map",
    "Joint map",
    "Thorough map",
    "Cardiothoracic ratio",
    "Lungs",
    "Costophrenic angles",
)
_STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b2430; background: #fff; }
h2 { overflow-wrap: anywhere; margin-top: 2.5rem; }
table { border-collapse: collapse; margin-bottom: 1.2rem; }
th, td { text-align: left; padding: 0.3rem 1.2rem 0.3rem 0; border-bottom: 1px solid #c8d0da;
  vertical-align: top; font-variant-numeric: tabular-nums; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem; }
figure { margin: 1rem 0 0; }
img { width: 100%; background: #000; }
.notice { border-left: 4px solid #9a5b00; background: #fdf4e3; padding: 0.6rem 1rem; }
.quiet { color: #4d5a6a; overflow-wrap: anywhere; }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One radiograph and the files beside the page.

    Attributes:
        file: name of the radiograph's file.
        analysis: the figures.
        figures: name of the file with the whole analysis.
        outlines: name of the picture with outlines and widths; None of a model without them.
        maps: name of a picture -> the map of a finding in it.
        unexplained: why no map is shown, a sentence for each finding without one.
        pdf: name of the file with the report to print; None if there is none.
    """

    file: str
    analysis: Analysis
    figures: str
    outlines: str | None
    maps: Mapping[str, ShownMap]
    unexplained: Sequence[str] = ()
    pdf: str | None = None


def report_page(
    sections: Sequence[Section],
    refused: Sequence[tuple[str, str]],
    measured: Mapping[str, Estimate],
) -> str:
    """Return the page as HTML.

    Args:
        sections: what was analyzed.
        refused: name and reason of each file that could not be used.
        measured: finding -> the model's cross-validated AUC; may be empty.
    """
    models = ", ".join(dict.fromkeys(section.analysis.model for section in sections))
    explained = "".join(
        f"<dt><b>{escape(name)}</b></dt><dd>{escape(EXPLANATIONS[name])}</dd>"
        for name in _EXPLAINED
    )
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Chest X-ray report</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            "<h1>Chest X-ray decision support</h1>",
            f'<p class="notice"><b>Not a diagnosis.</b> {escape(DISCLAIMER)}</p>',
            f'<p class="quiet">Model {escape(models)}; medcxr {escape(__version__)}.</p>',
            *(_section(section, measured) for section in sections),
            _refused(refused),
            f"<h2>What the figures mean</h2>\n<dl>{explained}</dl>",
            "</body>\n</html>\n",
        ]
    )


def _section(section: Section, measured: Mapping[str, Estimate]) -> str:
    analysis = section.analysis
    warnings = "".join(f'<p class="notice">{escape(text)}</p>' for text in analysis.warnings)
    return "\n".join(
        [
            f"<section>\n<h2>{escape(section.file)}</h2>",
            warnings,
            _findings(analysis, measured),
            _facts(section),
            f'<div class="pictures">{_pictures(section)}</div>',
            *(f'<p class="quiet">{escape(sentence)}</p>' for sentence in section.unexplained),
            "</section>",
        ]
    )


def _findings(analysis: Analysis, measured: Mapping[str, Estimate]) -> str:
    heads = ("Finding", "Probability", "Present from", "Distance", "", "Plausible", "AUC")
    rows = [
        (
            found.finding,
            percent(found.probability),
            f"{found.threshold:.1%}",
            told_margin(found),
            told_state(found),
            told_plausible(found),
            _told_auc(measured.get(found.finding)),
        )
        for found in analysis.findings
    ]
    return _table([_row("th", heads), *(_row("td", row) for row in rows)])


def _facts(section: Section) -> str:
    facts = {**told_measures(section.analysis), **told_facts(section.analysis)}
    files = {section.figures: "The whole analysis (JSON)"}
    if section.pdf is not None:
        files[section.pdf] = "The report to print (PDF)"
    links = "".join(f'<p><a href="{escape(name)}">{words}</a></p>' for name, words in files.items())
    lines = [_row("td", fact) for fact in facts.items()]
    return f'<div class="quiet">{_table(lines)}{links}</div>'


def _pictures(section: Section) -> str:
    pictures = []
    if section.outlines is not None:
        words = "Lungs and heart as outlined, with the two widths of the cardiothoracic ratio."
        pictures.append(_picture(section.outlines, "Outlines", words))
    for name, shown in section.maps.items():
        pictures.append(_picture(name, f"{shown.finding}: {shown.method}", " ".join(shown.words)))
    return "".join(pictures)


def _picture(name: str, title: str, words: str) -> str:
    return (
        f'<figure><a href="{escape(name)}"><img src="{escape(name)}" alt="{escape(title)}"></a>'
        f"<figcaption><b>{escape(title)}.</b> {escape(words)}</figcaption></figure>"
    )


def _refused(refused: Sequence[tuple[str, str]]) -> str:
    if not refused:
        return ""
    lines = [_row("td", one) for one in refused]
    return f"<h2>Files that could not be used</h2>\n{_table(lines)}"


def _told_auc(auc: Estimate | None) -> str:
    return "not measured" if auc is None else auc.told()


def _table(rows: Sequence[str]) -> str:
    return f"<table>{''.join(rows)}</table>"


def _row(cell: str, texts: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{cell}>{escape(text)}</{cell}>" for text in texts) + "</tr>"
