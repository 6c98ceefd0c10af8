"""Charts as plain shapes, which a page and an SVG picture draw alike."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

__all__ = [
    "Bars",
    "Boxes",
    "Curve",
    "Drawing",
    "Label",
    "Line",
    "Tone",
    "area_chart",
    "box_chart",
    "interval_chart",
    "svg",
]

Tone = Literal["ink", "quiet", "rule", "first", "second", "third", "band"]
"""What a shape stands for; whoever draws it knows the colors."""

Point = tuple[float, float]
_WIDTH, _HEIGHT = 340.0, 235.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 10.0, 20.0, 56.0
_LETTER = 4.6  # mean width of a letter at size 9, in points


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Straight lines through points; closed ones are filled.

    Attributes:
        points: (right, down), in points of the drawing.
        tone: which color.
        thick: of the line, in points.
        dashed: whether it is.
        filled: whether the area within is filled instead.
    """

    points: tuple[Point, ...]
    tone: Tone = "ink"
    thick: float = 0.8
    dashed: bool = False
    filled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A word beside the shapes.

    Attributes:
        text: what it says.
        at: (right, down) of its baseline.
        anchor: which part of it stands there.
        tone: which color.
        size: of the letters, in points.
    """

    text: str
    at: Point
    anchor: Literal["start", "middle", "end"] = "start"
    tone: Tone = "ink"
    size: float = 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Shapes on a ground of a size.

    Attributes:
        width: in points.
        height: in points.
        lines: drawn in this order.
        labels: drawn over them.
        spoken: what is read aloud in its place.
    """

    width: float
    height: float
    lines: tuple[Line, ...]
    labels: tuple[Label, ...]
    spoken: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line of a chart, maybe with a band around it or intervals at its points.

    Attributes:
        name: for the legend; none without one.
        points: (across, up), in the chart's units.
        tone: which color.
        band: (across, low, high); empty without one.
        dashed: whether the line is.
        dots: draw points with their band as intervals, and no line.
    """

    name: str
    points: Sequence[Point]
    tone: Tone = "first"
    band: Sequence[tuple[float, float, float]] = ()
    dashed: bool = False
    dots: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """One row of a chart of intervals.

    Attributes:
        name: at its side.
        value: where the mark stands; None where it is not determined.
        low: where its interval begins.
        high: where it ends.
        told: the same in words, at the other side.
    """

    name: str
    value: float | None
    low: float
    high: float
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """One step of a flow diagram.

    Attributes:
        text: what goes on.
        aside: what leaves here, one line each; empty where nothing does.
    """

    text: str
    aside: tuple[str, ...] = ()


def area_chart(
    curves: Sequence[Curve],
    *,
    axes: tuple[str, str],
    across: tuple[float, float] = (0.0, 1.0),
    up: tuple[float, float] = (0.0, 1.0),
    spoken: str,
) -> Drawing:
    """Draw curves over two axes.

    Args:
        curves: the first is drawn first.
        axes: what stands across and what stands up.
        across: least and greatest value shown across.
        up: least and greatest value shown up; what lies beyond is cut off.
        spoken: what is read aloud in place of the chart.
    """
    inner = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(x: float, y: float) -> Point:
        right = (x - across[0]) / (across[1] - across[0])
        height = (min(max(y, up[0]), up[1]) - up[0]) / (up[1] - up[0])
        return _LEFT + right * inner[0], _TOP + (1 - height) * inner[1]

    lines, labels = _axes(axes, across, up, place)
    for curve in curves:
        lines += _drawn(curve, place)
    named = [curve for curve in curves if curve.name]
    offset = _LEFT
    for curve in named:
        low = _HEIGHT - 8
        lines.append(Line(points=((offset, low - 3), (offset + 14, low - 3)), tone=curve.tone,
                          thick=1.8, dashed=curve.dashed))  # fmt: skip
        labels.append(Label(text=curve.name, at=(offset + 18, low), tone="quiet", size=8.5))
        offset += 26 + _LETTER * len(curve.name)
    return Drawing(
        width=_WIDTH, height=_HEIGHT, lines=tuple(lines), labels=tuple(labels), spoken=spoken
    )


def interval_chart(
    rows: Sequence[Bars], *, axis: str, mark: float | None = None, spoken: str
) -> Drawing:
    """Draw a mark with its interval in each row.

    Args:
        rows: from top to bottom; those without a value have words alone.
        axis: what stands across.
        mark: where a line runs from top to bottom, e.g. at no difference.
        spoken: what is read aloud in place of the chart.
    """
    step, width = 15.0, 500.0
    left, right, top = 165.0, 125.0, 6.0
    low, high = _range([(one.low, one.high) for one in rows if one.value is not None], mark)
    bottom = top + step * len(rows)

    def place(x: float) -> float:
        return left + (x - low) / (high - low) * (width - left - right)

    lines, labels = [], []
    for tick in _ticks(low, high):
        at = place(tick)
        lines.append(Line(points=((at, top), (at, bottom)), tone="rule", thick=0.5))
        labels.append(Label(text=f"{tick:g}", at=(at, bottom + 11), anchor="middle", tone="quiet",
                            size=8.0))  # fmt: skip
    if mark is not None:
        lines.append(Line(points=((place(mark), top), (place(mark), bottom)), tone="quiet",
                          thick=0.9, dashed=True))  # fmt: skip
    for number, row in enumerate(rows):
        middle = top + step * (number + 0.5)
        name = row.name if len(row.name) <= 36 else row.name[:35] + "…"
        labels.append(Label(text=name, at=(left - 8, middle + 3), anchor="end", size=8.5))
        labels.append(Label(text=row.told, at=(width - right + 8, middle + 3), tone="quiet",
                            size=8.0))  # fmt: skip
        if row.value is not None:
            lines.append(Line(points=((place(row.low), middle), (place(row.high), middle)),
                              tone="first", thick=1.4))  # fmt: skip
            lines.append(_dot((place(row.value), middle), "first"))
    labels.append(Label(text=axis, at=((left + width - right) / 2, bottom + 24), anchor="middle",
                        tone="quiet", size=8.5))  # fmt: skip
    return Drawing(
        width=width, height=bottom + 30, lines=tuple(lines), labels=tuple(labels), spoken=spoken
    )


def box_chart(steps: Sequence[Boxes], *, spoken: str) -> Drawing:
    """Draw a flow from top to bottom, with what leaves it at the side."""
    width, box, aside_left = 500.0, 240.0, 280.0
    lines, labels = [], []
    top = 4.0
    for number, step in enumerate(steps):
        height = 30.0
        lines += _frame(4.0, top, box, height)
        labels.append(Label(text=step.text, at=(4.0 + box / 2, top + 18.5), anchor="middle"))
        last = number == len(steps) - 1
        gap = max(18.0, 12.0 * len(step.aside) + 14.0) if step.aside else 18.0
        if step.aside:
            middle = top + height + gap / 2
            tall = 12.0 * len(step.aside) + 6.0
            lines += _frame(aside_left, middle - tall / 2, width - aside_left - 4, tall)
            lines.append(Line(points=((4.0 + box / 2, middle), (aside_left, middle)), tone="quiet"))
            for row, text in enumerate(step.aside):
                labels.append(Label(text=text, at=(aside_left + 8, middle - tall / 2 + 12 + 12 * row),
                                    tone="quiet", size=8.5))  # fmt: skip
        if not last:
            foot = top + height + gap
            center = 4.0 + box / 2
            lines.append(Line(points=((center, top + height), (center, foot)), tone="quiet"))
            lines.append(Line(points=((center - 3, foot - 5), (center, foot), (center + 3, foot - 5)),
                              tone="quiet", filled=True))  # fmt: skip
        top += height + gap
    return Drawing(
        width=width,
        height=top - gap + 4.0,
        lines=tuple(lines),
        labels=tuple(labels),
        spoken=spoken,
    )


def svg(drawing: Drawing) -> str:
    """Return a drawing as an SVG element whose colors are those of the page's style sheet."""
    box, spoken = f"0 0 {drawing.width:g} {drawing.height:g}", escape(drawing.spoken)
    widest = f"max-width:{drawing.width * 1.35:g}px"
    parts = [f'<svg viewBox="{box}" role="img" aria-label="{spoken}" style="{widest}">']
    for line in drawing.lines:
        points = " ".join(f"{x:.2f},{y:.2f}" for x, y in line.points)
        if line.filled:
            parts.append(f'<polygon class="fill-{line.tone}" points="{points}"/>')
        else:
            dash = ' stroke-dasharray="4 3"' if line.dashed else ""
            parts.append(
                f'<polyline class="line-{line.tone}" stroke-width="{line.thick:g}"{dash} '
                f'points="{points}"/>'
            )
    parts += [
        f'<text class="fill-{label.tone}" x="{label.at[0]:.2f}" y="{label.at[1]:.2f}" '
        f'text-anchor="{label.anchor}" font-size="{label.size:g}">{escape(label.text)}</text>'
        for label in drawing.labels
    ]
    return "".join([*parts, "</svg>"])


def _axes(
    axes: tuple[str, str],
    across: tuple[float, float],
    up: tuple[float, float],
    place: Callable[[float, float], Point],
) -> tuple[list[Line], list[Label]]:
    lines, labels = [], []
    for tick in _ticks(*across):
        x, foot = place(tick, up[0])
        lines.append(Line(points=((x, foot), place(tick, up[1])), tone="rule", thick=0.5))
        labels.append(Label(text=f"{tick:g}", at=(x, foot + 12), anchor="middle", tone="quiet",
                            size=8.0))  # fmt: skip
    for tick in _ticks(*up):
        x, y = place(across[0], tick)
        lines.append(Line(points=((x, y), place(across[1], tick)), tone="rule", thick=0.5))
        labels.append(Label(text=f"{tick:g}", at=(x - 5, y + 3), anchor="end", tone="quiet",
                            size=8.0))  # fmt: skip
    labels.append(Label(text=axes[0], at=((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - _BOTTOM + 27),
                        anchor="middle", size=8.5))  # fmt: skip
    labels.append(Label(text=axes[1], at=(4, _TOP - 8), size=8.5))
    return lines, labels


def _drawn(curve: Curve, place: Callable[[float, float], Point]) -> list[Line]:
    lines = []
    if curve.dots:
        for x, low, high in curve.band:
            lines.append(Line(points=(place(x, low), place(x, high)), tone=curve.tone, thick=1.0))
        return [*lines, *(_dot(place(x, y), curve.tone) for x, y in curve.points)]
    if curve.band:
        over = [place(x, high) for x, _, high in curve.band]
        under = [place(x, low) for x, low, _ in reversed(curve.band)]
        lines.append(Line(points=(*over, *under), tone="band", filled=True))
    points = tuple(place(x, y) for x, y in curve.points)
    lines.append(Line(points=points, tone=curve.tone, thick=1.3, dashed=curve.dashed))
    return lines


def _dot(at: Point, tone: Tone) -> Line:
    x, y = at
    corners = ((x - 2.4, y), (x, y - 2.4), (x + 2.4, y), (x, y + 2.4))
    return Line(points=corners, tone=tone, filled=True)


def _frame(left: float, top: float, width: float, height: float) -> list[Line]:
    right, low = left + width, top + height
    corners = ((left, top), (right, top), (right, low), (left, low), (left, top))
    return [Line(points=corners, tone="quiet", thick=0.8)]


def _range(spans: Sequence[tuple[float, float]], mark: float | None) -> tuple[float, float]:
    """Return round bounds that hold all spans and the mark."""
    values = [bound for span in spans for bound in span] + ([] if mark is None else [mark])
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    step = _step(max(high - low, 1e-6))
    return math.floor(low / step) * step, math.ceil(high / step + 1e-9) * step


def _step(span: float) -> float:
    """Return the distance of some five ticks over a span."""
    rough = 10.0 ** math.floor(math.log10(span))
    return next((rough * f for f in (0.1, 0.2, 0.5, 1.0) if span / (rough * f) <= 6), 2 * rough)


def _ticks(low: float, high: float) -> Iterator[float]:
    step = _step(high - low)
    for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        yield round(number * step, 10)
