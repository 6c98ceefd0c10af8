"""Charts of named things: cells of a confusion matrix, groups, bins. As in `performance_charts`."""

from collections.abc import Mapping, Sequence

from medcxr.apps.dashboard.chart_layers import (
    LINE,
    MARK,
    QUIET,
    SECOND,
    SHARES,
    by_name,
    layer,
    tooltips,
)
from medcxr.apps.dashboard.charts import Spec
from medcxr.core.results import Estimate
from medcxr.evaluation.decisions import DecisionFigures
from medcxr.evaluation.drift import DriftBin

__all__ = ["confusion_chart", "drift_chart", "forest_chart"]

_CELL_COLORS = ("#171d26", "#1f6cb0")  # white on the second has 5.5 : 1


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
        "scale": {"domain": SHARES, "range": _CELL_COLORS},
        "legend": None,
    }
    told: list[Spec] = [
        {"field": "row", "title": "Label"},
        {"field": "column", "title": "Answer"},
        {"field": "n", "title": "Radiographs", "format": ","},
        {"field": "share", "title": "Of those of the row", "format": ".1%"},
    ]
    layers: list[Spec] = [
        layer(rows, {"type": "rect"}, x=x, y=y, told=told, further={"color": shade}),
        layer(rows, {"type": "text", "color": MARK, "fontSize": 18}, x=x, y=y, text="told"),
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
        *tooltips(("value", title), ("low", "from"), ("high", "to")),
    ]
    point = {"type": "point", "filled": True, "size": 80, "color": MARK, "opacity": 1}
    layers: list[Spec] = [
        layer(
            rows,
            {"type": "rule", "color": LINE, "strokeWidth": 2},
            x={**x, "field": "low"},
            y=y,
            further={"x2": {"field": "high"}},
        ),
        layer(rows, point, x=x, y=y, told=told),
    ]
    if whole is not None:
        line = {"type": "rule", "color": QUIET, "strokeDash": [6, 4]}
        layers.append(layer([{"value": whole}], line, x=x))
    return {"layer": layers, "height": 26 * len(rows) + 80}


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
    bar = layer(
        rows,
        {"type": "bar"},
        x=x,
        y=y,
        told=told,
        further={
            "color": by_name(names, [LINE, SECOND], None),
            "xOffset": {"field": "name", "sort": names},
        },
    )
    return {**bar, "height": 220}
