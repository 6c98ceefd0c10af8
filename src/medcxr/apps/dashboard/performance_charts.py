"""Charts of measured performance as Vega-Lite specifications, drawn like those of `charts`.

Names from models and files are values of data or titles, never expressions.
"""

from collections.abc import Mapping, Sequence

from medcxr.apps.dashboard.charts import Spec
from medcxr.core.results import Estimate
from medcxr.evaluation.bands import BandPoint
from medcxr.evaluation.decisions import DecisionFigures
from medcxr.evaluation.drift import DriftBin
from medcxr.evaluation.net_benefit import NetBenefitPoint
from medcxr.evaluation.prevalence import PrevalenceFigures
from medcxr.evaluation.reliability import ReliabilityFigure

__all__ = [
    "confusion_chart",
    "curve_chart",
    "decision_curve_chart",
    "drift_chart",
    "forest_chart",
    "prevalence_chart",
    "reliability_chart",
]

# On #0d1117: lines at least 4.5 : 1; pairs differ in lightness and in dashes or shape, too.
_LINE, _SECOND, _QUIET, _MARK = "#6ea8e0", "#f2b65a", "#a9b4c2", "#ffffff"
_BAND = {"type": "area", "opacity": 0.22}
_DASHED = {"type": "line", "color": _QUIET, "strokeDash": [6, 4], "strokeWidth": 1.5}
_HEIGHT = 340
_FAR_RIGHT = 0.75
_SHARES = [0.0, 1.0]


def curve_chart(
    points: Sequence[BandPoint],
    titles: tuple[str, str],
    *,
    chance: Sequence[tuple[float, float]],
    marks: Mapping[str, tuple[float, float]],
) -> Spec:
    """Return a curve of shares with its band, the line of chance and marks at operating points.

    Args:
        points: of the curve.
        titles: of the axis across and of the axis up.
        chance: the two ends of the line that guessing would give.
        marks: name of an operating point -> where it lies.
    """
    x, y = _axis("x", titles[0], _SHARES), _axis("y", titles[1], _SHARES)
    curve = [{"x": p.x, "y": p.value, "low": p.low, "high": p.high} for p in points]
    # Names of marks far to the right stand at their left, within the chart.
    places = [
        {"x": across, "y": up, "name": name, "right": across > _FAR_RIGHT}
        for name, (across, up) in marks.items()
    ]
    told = _told(("x", titles[0]), ("y", titles[1]), ("low", "from"), ("high", "to"))
    layers: list[Spec] = [
        _layer(
            curve, {**_BAND, "color": _LINE}, x=x, y=_axis("low", titles[1], _SHARES), y2="high"
        ),
        _layer([{"x": a, "y": b} for a, b in chance], _DASHED, x=x, y=y),
        _layer(curve, {"type": "line", "color": _LINE, "strokeWidth": 2.5}, x=x, y=y, told=told),
        _layer(
            places,
            {"type": "point", "filled": True, "size": 90, "color": _SECOND, "opacity": 1},
            x=x,
            y=y,
            told=[{"field": "name", "title": "Operating point"}, *told[:2]],
        ),
        *(
            _layer(
                [one for one in places if one["right"] == right],
                {"type": "text", "color": _SECOND, "align": align, "dx": shift, "dy": 11},
                x=x,
                y=y,
                text="name",
            )
            for right, align, shift in ((False, "left", 9), (True, "right", -9))
        ),
    ]
    return {"layer": layers, "height": _HEIGHT}


def reliability_chart(figures: Sequence[ReliabilityFigure]) -> Spec:
    """Return what was found against what was said, with the line on which both are equal."""
    rows = [
        {
            "x": one.mean_probability,
            "y": one.observed.value,
            "low": one.observed.low,
            "high": one.observed.high,
            "n": one.n_images,
        }
        for one in figures
        if one.observed is not None
    ]
    said, found = "Mean probability in the bin", "Share that has the finding"
    x, y = _axis("x", said, _SHARES), _axis("y", found, _SHARES)
    told: list[Spec] = [
        *_told(("x", said), ("y", found), ("low", "from"), ("high", "to")),
        {"field": "n", "title": "Radiographs", "format": ","},
    ]
    layers: list[Spec] = [
        _layer([{"x": 0, "y": 0}, {"x": 1, "y": 1}], _DASHED, x=x, y=y),
        _layer(
            rows,
            {"type": "rule", "color": _LINE, "strokeWidth": 2},
            x=x,
            y=_axis("low", found, _SHARES),
            y2="high",
            told=told,
        ),
        _layer(
            rows,
            {"type": "point", "filled": True, "size": 80, "color": _MARK, "opacity": 1},
            x=x,
            y=y,
            told=told,
        ),
    ]
    return {"layer": layers, "height": _HEIGHT}


def decision_curve_chart(points: Sequence[NetBenefitPoint]) -> Spec:
    """Return the net benefit of the model with its band, of treating everybody and nobody."""
    title, across = "Net benefit per radiograph", "Probability from which one would act"
    top = max([0.0, *(max(p.high, p.treat_all) for p in points)])
    domain = [-0.25 * top, 1.05 * top] if top > 0 else [-0.1, 0.1]
    model, everybody, nobody = "the model", "everybody", "nobody"
    lines = [
        {"x": p.threshold, "y": value, "name": name}
        for p in points
        for name, value in ((model, p.value), (everybody, p.treat_all), (nobody, 0.0))
    ]
    band = [{"x": p.threshold, "low": p.low, "high": p.high} for p in points]
    x = _axis("x", across, _SHARES)
    names = [model, everybody, nobody]
    color = _by_name(names, [_LINE, _SECOND, _QUIET], "Act on")
    dash: Spec = {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": names, "range": [[1, 0], [8, 4], [2, 3]]},
        "legend": {"title": "Act on", "orient": "top"},
    }
    line = _layer(
        lines,
        {"type": "line", "strokeWidth": 2.5, "clip": True},
        x=x,
        y=_axis("y", title, domain),
        told=[{"field": "name", "title": "Act on"}, *_told(("x", across), ("y", title))],
        further={"color": color, "strokeDash": dash},
    )
    area = _layer(
        band,
        {**_BAND, "color": _LINE, "clip": True},
        x=x,
        y=_axis("low", title, domain),
        y2="high",
    )
    return {"layer": [area, line], "height": _HEIGHT}


def confusion_chart(decided: DecisionFigures) -> Spec:
    """Return the confusion matrix, each cell colored by its share of the row."""
    with_it, without = "with it", "without it"
    present, absent = "called present", "called absent"
    cells = [
        (with_it, present, decided.true_positives),
        (with_it, absent, decided.false_negatives),
        (without, present, decided.false_positives),
        (without, absent, decided.true_negatives),
    ]
    of_row = {
        name: max(1, sum(n for row, _, n in cells if row == name)) for name in (with_it, without)
    }
    rows = [
        {"row": row, "column": column, "n": n, "share": n / of_row[row], "told": f"{n:,}"}
        for row, column, n in cells
    ]
    axis = {"labelAngle": 0, "domain": False, "ticks": False}
    x: Spec = {
        "field": "column",
        "type": "nominal",
        "title": None,
        "sort": [present, absent],
        "axis": {**axis, "orient": "top"},
    }
    y: Spec = {
        "field": "row",
        "type": "nominal",
        "title": None,
        "sort": [with_it, without],
        "axis": axis,
    }
    shade: Spec = {
        "field": "share",
        "type": "quantitative",
        "scale": {"domain": _SHARES, "range": ["#171d26", "#1f6cb0"]},  # white on it: 5.5 : 1
        "legend": None,
    }
    told: list[Spec] = [
        {"field": "row", "title": "Label"},
        {"field": "column", "title": "Answer"},
        {"field": "n", "title": "Radiographs", "format": ","},
        {"field": "share", "title": "Of those of the row", "format": ".1%"},
    ]
    layers: list[Spec] = [
        _layer(rows, {"type": "rect"}, x=x, y=y, told=told, further={"color": shade}),
        _layer(rows, {"type": "text", "color": _MARK, "fontSize": 18}, x=x, y=y, text="told"),
    ]
    return {"layer": layers, "height": 190}


def forest_chart(
    figures: Mapping[str, Estimate], title: str, *, whole: float | None = None
) -> Spec:
    """Return one figure of many groups with intervals, in the order given.

    Args:
        figures: name of a group -> figure.
        title: of the axis.
        whole: the figure of all images together, a dashed line; None leaves it out.
    """
    rows = [
        {"name": name, "value": one.value, "low": one.low, "high": one.high}
        for name, one in figures.items()
    ]
    y: Spec = {
        "field": "name",
        "type": "nominal",
        "sort": list(figures),
        "title": None,
        "axis": {"labelLimit": 320},
    }
    x: Spec = {
        "field": "value",
        "type": "quantitative",
        "title": title,
        "scale": {"zero": False},
    }
    told: list[Spec] = [
        {"field": "name", "title": "Group"},
        *_told(("value", title), ("low", "from"), ("high", "to")),
    ]
    layers: list[Spec] = [
        {
            "mark": {"type": "rule", "color": _LINE, "strokeWidth": 2},
            "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}},
        },
        {
            "mark": {
                "type": "point",
                "filled": True,
                "size": 80,
                "color": _MARK,
                "opacity": 1,
            },
            "encoding": {"y": y, "x": x, "tooltip": told},
        },
    ]
    if whole is not None:
        layers.append(
            {
                "data": {"values": [{"value": whole}]},
                "mark": {"type": "rule", "color": _QUIET, "strokeDash": [6, 4]},
                "encoding": {"x": x},
            }
        )
    return {"data": {"values": rows}, "layer": layers, "height": 26 * len(rows) + 80}


def prevalence_chart(figures: Sequence[PrevalenceFigures], measured: float) -> Spec:
    """Return PPV and NPV with their bands by prevalence; a dashed line marks the measured one."""
    names = ["PPV", "NPV"]
    rows = [
        {"x": one.prevalence, "name": name, "y": e.value, "low": e.low, "high": e.high}
        for one in figures
        for name, e in (("PPV", one.ppv), ("NPV", one.npv))
        if e is not None
    ]
    across, up = "Prevalence", "Predictive value"
    x, y = _axis("x", across, _SHARES), _axis("y", up, _SHARES)
    color = _by_name(names, [_SECOND, _LINE], None)
    dash: Spec = {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": names, "range": [[1, 0], [8, 4]]},
        "legend": {"title": None, "orient": "top"},
    }
    told: list[Spec] = [
        {"field": "name", "title": "Figure"},
        *_told(("x", across), ("y", up), ("low", "from"), ("high", "to")),
    ]
    layers: list[Spec] = [
        _layer(
            rows,
            dict(_BAND),
            x=x,
            y=_axis("low", up, _SHARES),
            y2="high",
            further={"color": color},
        ),
        _layer(
            rows,
            {"type": "line", "strokeWidth": 2.5, "point": True},
            x=x,
            y=y,
            told=told,
            further={"color": color, "strokeDash": dash},
        ),
        _layer(
            [{"x": measured}],
            {"type": "rule", "color": _QUIET, "strokeDash": [6, 4]},
            x=x,
        ),
    ]
    return {"layer": layers, "height": _HEIGHT}


def drift_chart(bins: Sequence[DriftBin]) -> Spec:
    """Return how much of the reference and of the new images lies in each bin."""
    names = ["reference", "new"]
    rows = [
        {"bin": one.name, "name": name, "share": value}
        for one in bins
        for name, value in (("reference", one.reference), ("new", one.current))
    ]
    x: Spec = {
        "field": "bin",
        "type": "nominal",
        "title": None,
        "sort": [one.name for one in bins],
        "axis": {"labelAngle": -35},
    }
    y: Spec = {
        "field": "share",
        "type": "quantitative",
        "title": "Share of the radiographs",
        "axis": {"format": ".0%"},
    }
    told: list[Spec] = [
        {"field": "bin", "title": "Bin"},
        {"field": "name", "title": "Of"},
        {"field": "share", "title": "Share", "format": ".1%"},
    ]
    bar = _layer(
        rows,
        {"type": "bar"},
        x=x,
        y=y,
        told=told,
        further={
            "color": _by_name(names, [_LINE, _SECOND], None),
            "xOffset": {"field": "name", "sort": names},
        },
    )
    return {**bar, "height": 220}


def _layer(
    rows: Sequence[Mapping[str, object]],
    mark: Mapping[str, object],
    *,
    x: Spec,
    y: Spec | None = None,
    y2: str = "",
    text: str = "",
    told: Sequence[Spec] = (),
    further: Mapping[str, object] | None = None,
) -> Spec:
    """Return one layer with data of its own."""
    encoding: Spec = {"x": x, **(further or {})}
    if y is not None:
        encoding["y"] = y
    if y2:
        encoding["y2"] = {"field": y2}
    if text:
        encoding["text"] = {"field": text}
    if told:
        encoding["tooltip"] = list(told)
    return {"data": {"values": list(rows)}, "mark": dict(mark), "encoding": encoding}


def _axis(field: str, title: str, domain: Sequence[float]) -> Spec:
    scale = {"domain": list(domain), "nice": False}
    return {"field": field, "type": "quantitative", "title": title, "scale": scale}


def _told(*fields: tuple[str, str]) -> list[Spec]:
    return [{"field": field, "title": title, "format": ".3f"} for field, title in fields]


def _by_name(names: Sequence[str], colors: Sequence[str], title: str | None) -> Spec:
    return {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": list(names), "range": list(colors)},
        "legend": {"title": title, "orient": "top"},
    }
