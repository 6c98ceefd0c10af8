"""A study report as one HTML file: no script, nothing loaded from elsewhere."""

from html import escape

from medcxr import __version__
from medcxr.core.sentences import DISCLAIMER
from medcxr.documents.plots import svg
from medcxr.services.study_page import (
    Block,
    Cell,
    Command,
    Figure,
    Grid,
    Listing,
    Pair,
    Part,
    Picture,
    StudyPage,
    Words,
)

__all__ = ["study_html"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = (
    """
:root { color-scheme: light dark; --ink: #17202c; --quiet: #465365; --ground: #ffffff;
  --raised: #f4f6f9; --rule: #d3dae3; --first: #0d5c9e; --second: #b85400; --third: #0d6b4d;
  --band: #d1e3f2; --warn: #9a5b00; --warn-ground: #fdf4e3; --good: #0d6b4d; --good-ground: #e8f5ef; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf2; --quiet: #a9b5c4; --ground: #12171e;
  --raised: #1b222c; --rule: #37424f; --first: #6cb4f0; --second: #f0a05a; --third: #63c7a3;
  --band: #24415a; --warn: #f0b45a; --warn-ground: #33270f; --good: #63c7a3;
  --good-ground: #12302a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 1rem 0 0.25rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 0.75rem; padding-top: 0.75rem;
  border-top: 1px solid var(--rule); overflow-wrap: anywhere; }
h3 { font-size: 1.08rem; margin: 1.8rem 0 0.5rem; overflow-wrap: anywhere; }
p, ul { max-width: 46rem; margin: 0.5rem 0; }
p, li, figcaption, h1 { overflow-wrap: anywhere; }
a { color: var(--first); }
.quiet, figcaption, caption { color: var(--quiet); }
.notice { border-left: 4px solid var(--warn); background: var(--warn-ground);
  padding: 0.6rem 1rem; max-width: none; }
.good { border-left: 4px solid var(--good); background: var(--good-ground);
  padding: 0.6rem 1rem; max-width: none; }
nav ol { columns: 2 20rem; padding-left: 1.4rem; }
nav li { break-inside: avoid; margin: 0.15rem 0; }
.table { overflow-x: auto; margin: 1rem 0 0.3rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.875rem; }
caption { text-align: left; font-weight: 600; color: var(--ink); padding-bottom: 0.4rem; }
th, td { text-align: left; vertical-align: top; padding: 0.32rem 1rem 0.32rem 0;
  border-bottom: 1px solid var(--rule); font-variant-numeric: tabular-nums; }
thead th { color: var(--quiet); font-weight: 600; border-bottom: 2px solid var(--quiet);
  vertical-align: bottom; }
tbody th { font-weight: 500; }
td.figure { white-space: nowrap; }
td .interval { color: var(--quiet); }
.source { font-size: 0.8rem; color: var(--quiet); margin: 0 0 1.2rem; max-width: none; }
figure { margin: 1rem 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr));
  gap: 1rem 2rem; align-items: start; }
svg { width: 100%; height: auto; display: block; font-family: inherit; }
figcaption { font-size: 0.85rem; }
figcaption b { color: var(--ink); }
pre { background: var(--raised); border: 1px solid var(--rule); border-radius: 6px; margin: 0.6rem 0;
  padding: 0.7rem 0.9rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.85rem; }
"""
    + "\n".join(
        f".line-{tone} {{ fill: none; stroke: var(--{tone}); stroke-linejoin: round; }} "
        f".fill-{tone} {{ fill: var(--{tone}); }}"
        for tone in ("ink", "quiet", "rule", "first", "second", "third", "band")
    )
    + """
@media print { :root { color-scheme: light; } main { max-width: none; padding: 0; }
  body { font-size: 10pt; } h2, h3 { break-after: avoid; } figure, tr { break-inside: avoid; }
  thead { display: table-header-group; } nav { display: none; } .table { overflow: visible; } }
"""
)


def study_html(page: StudyPage) -> str:
    """Return a report as HTML; whatever comes from a table is escaped."""
    links = "".join(
        f'<li><a href="#{part.anchor}">{escape(part.title)}</a></li>'
        for part in page.parts
        if part.level == 2
    )
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>{escape(page.title)}: {escape(page.subtitle)}</title>",
            f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
            f'<h1>{escape(page.title)}</h1>\n<p class="quiet">{escape(page.subtitle)}</p>',
            f'<p class="notice"><b>Not a diagnosis.</b> {escape(DISCLAIMER)}</p>',
            f'<nav aria-label="Contents">\n<h2>Contents</h2>\n<ol>{links}</ol>\n</nav>',
            *(_part(part) for part in page.parts),
            f'<p class="source">Written by medcxr {escape(__version__)}.</p>',
            "</main>\n</body>\n</html>\n",
        ]
    )


def _part(part: Part) -> str:
    heading = f'<h{part.level} id="{part.anchor}">{escape(part.title)}</h{part.level}>'
    return "\n".join(
        ["<section>", heading, *(_block(block) for block in part.blocks), "</section>"]
    )


def _block(block: Block) -> str:
    match block:
        case Words():
            return _words(block)
        case Command():
            return f"<pre>{escape(block.text)}</pre>"
        case Listing():
            return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in block.items) + "</ul>"
        case Grid():
            return _grid(block)
        case Picture():
            return _picture(block)
        case Pair():
            return f'<div class="pair">{"".join(_picture(one) for one in block.pictures)}</div>'


def _words(words: Words) -> str:
    kind = {"plain": "", "quiet": ' class="quiet"', "warning": ' class="notice" role="note"',
            "good": ' class="good"'}[words.tone]  # fmt: skip
    return f"<p{kind}>{escape(words.text)}</p>"


def _grid(grid: Grid) -> str:
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in grid.heads)
    rows = "".join(
        f'<tr><th scope="row">{escape(_plain(row[0]))}</th>{"".join(map(_cell, row[1:]))}</tr>'
        for row in grid.rows
    )
    source = "" if grid.source is None else f'<p class="source">{escape(grid.source.told())}</p>'
    return (
        f'<div class="table" tabindex="0" role="group" aria-label="{escape(grid.caption)}">'
        f"<table><caption>{escape(grid.caption)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>{source}"
    )


def _cell(cell: Cell) -> str:
    if not isinstance(cell, Figure):
        return f"<td>{escape(cell)}</td>"
    rests = f"{cell.n_images:,} radiographs of {cell.n_patients:,} patients"
    if cell.interval:
        rests += f"; interval: {cell.interval}"
    value, bracket, interval = cell.told().partition(" (")
    told = f'{value} <span class="interval">({interval}</span>' if interval else cell.told()
    return f'<td class="figure" title="{escape(rests)}">{told if bracket else escape(cell.told())}</td>'


def _plain(cell: Cell) -> str:
    return cell.told() if isinstance(cell, Figure) else cell


def _picture(picture: Picture) -> str:
    return (
        f"<figure>{svg(picture.drawing)}<figcaption><b>{escape(picture.caption)}</b> "
        f"{escape(picture.source.told())}</figcaption></figure>"
    )
