"""Charts of named things: cells of a confusion matrix, groups, bins. As in `performance_charts`."""

from collections.abc import Mapping, Sequence

from medcxr.apps.dashboard.chart_layers import (
    SHARES,
    by_name,
    layer,
    tooltips,
)
from medcxr.apps.dashboard.charts import Spec
from medcxr.apps.dashboard.preferences import colors
from medcxr.core.language import figure, say
from medcxr.core.results import Estimate
from medcxr.evaluation.decisions import DecisionFigures
from medcxr.evaluation.drift import DriftBin

__all__ = ["confusion_chart", "drift_chart", "forest_chart"]


def confusion_chart(decided: DecisionFigures) -> Spec:
    """Return the confusion matrix, each cell colored by its share of the row."""
    with_it, without = say("with it"), say("without it")
    present, absent = say("called present"), say("called absent")
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
        {"row": row, "column": column, "n": n, "share": n / of_row[row], "told": figure(n, ",")}
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
        "scale": {"domain": SHARES, "range": [colors().cell, colors().bar]},
        "legend": None,
    }
    told: list[Spec] = [
        {"field": "row", "title": say("Label")},
        {"field": "column", "title": say("Answer")},
        {"field": "n", "title": say("Radiographs"), "format": ","},
        {"field": "share", "title": say("Of those of the row"), "format": ".1%"},
    ]
    layers: list[Spec] = [
        layer(rows, {"type": "rect"}, x=x, y=y, told=told, further={"color": shade}),
        layer(
            rows, {"type": "text", "color": colors().mark, "fontSize": 18}, x=x, y=y, text="told"
        ),
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
        {"field": "name", "title": say("Group")},
        *tooltips(("value", title), ("low", say("from")), ("high", say("to"))),
    ]
    point = {"type": "point", "filled": True, "size": 80, "color": colors().mark, "opacity": 1}
    layers: list[Spec] = [
        layer(
            rows,
            {"type": "rule", "color": colors().line, "strokeWidth": 2},
            x={**x, "field": "low"},
            y=y,
            further={"x2": {"field": "high"}},
        ),
        layer(rows, point, x=x, y=y, told=told),
    ]
    if whole is not None:
        line = {"type": "rule", "color": colors().quiet, "strokeDash": [6, 4]}
        layers.append(layer([{"value": whole}], line, x=x))
    return {"layer": layers, "height": 26 * len(rows) + 80}


def drift_chart(bins: Sequence[DriftBin]) -> Spec:
    """Return how much of the reference and of the new images lies in each bin."""
    names = [say("reference"), say("new")]
    rows = [
        {"bin": say(one.name), "name": name, "share": value}
        for one in bins
        for name, value in zip(names, (one.reference, one.current), strict=True)
    ]
    x: Spec = {
        "field": "bin",
        "type": "nominal",
        "title": None,
        "sort": [say(one.name) for one in bins],
        "axis": {"labelAngle": -35},
    }
    y: Spec = {
        "field": "share",
        "type": "quantitative",
        "title": say("Share of the radiographs"),
        "axis": {"format": ".0%"},
    }
    told: list[Spec] = [
        {"field": "bin", "title": say("Bin")},
        {"field": "name", "title": say("Of")},
        {"field": "share", "title": say("Share"), "format": ".1%"},
    ]
    bar = layer(
        rows,
        {"type": "bar"},
        x=x,
        y=y,
        told=told,
        further={
            "color": by_name(names, [colors().line, colors().second], None),
            "xOffset": {"field": "name", "sort": names},
        },
    )
    return {**bar, "height": 220}
