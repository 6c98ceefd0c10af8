"""Charts as Vega-Lite specifications, which Streamlit draws without another library.

Names from models and files are values of data or titles, never expressions.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from medcxr.core.results import Estimate
from medcxr.services.case_map import Placed

__all__ = ["Spec", "bars", "case_chart"]

Spec: TypeAlias = dict[str, object]

# On #0d1117: at least 4.5 : 1, apart in lightness and in shape for readers who see few colors.
_BAR = "#1f6cb0"  # dark enough for the white interval on it
_WITH, _WITHOUT, _UNKNOWN, _CASE, _QUIET = "#f2b65a", "#6ea8e0", "#a9b4c2", "#ffffff", "#a9b4c2"


def case_chart(placed: Placed) -> Spec:
    """Return the chart of a case among others: logit across, what else varies up.

    Cases are points, the neighbors have rings, the case is a cross, and the threshold is a line.
    """
    finding = placed.found.finding
    states = {True: f"with {finding}", False: f"without {finding}", None: "unknown"}
    near = set(placed.placement.neighbors)
    points = [
        {"x": x, "y": y, "state": states[label], "name": case.name, "near": index in near}
        for index, ((x, y), label, case) in enumerate(
            zip(placed.found.cases, placed.labels, placed.cases, strict=True)
        )
    ]
    x_title, y_title = f"Logit of {finding}", "What else varies, standard deviations"
    place = {
        "x": {"field": "x", "type": "quantitative", "title": x_title, "scale": {"zero": False}},
        "y": {"field": "y", "type": "quantitative", "title": y_title, "scale": {"zero": False}},
    }
    told = [
        {"field": "name", "title": "Case"},
        {"field": "state", "title": "Label"},
        {"field": "x", "title": x_title, "format": "+.2f"},
    ]
    colors = {"domain": list(states.values()), "range": [_WITH, _WITHOUT, _UNKNOWN]}
    shapes = {"domain": list(states.values()), "range": ["circle", "diamond", "square"]}
    legend = {"title": None, "orient": "top"}
    layers: list[Spec] = [
        {
            "data": {"values": points},
            "params": [{"name": "zoom", "select": "interval", "bind": "scales"}],
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 0.9},
            "encoding": {
                **place,
                "color": {"field": "state", "type": "nominal", "scale": colors, "legend": legend},
                "shape": {"field": "state", "type": "nominal", "scale": shapes, "legend": legend},
                "tooltip": told,
            },
        },
        {
            "data": {"values": [one for one in points if one["near"]]},
            "mark": {"type": "point", "filled": False, "size": 260, "strokeWidth": 2},
            "encoding": {**place, "color": {"value": _CASE}, "tooltip": told},
        },
        {
            "data": {"values": [_case_point(placed)]},
            "mark": {"type": "point", "filled": True, "size": 320, "shape": "cross"},
            "encoding": {**place, "color": {"value": _CASE}, "tooltip": told},
        },
    ]
    threshold = placed.found.found.threshold_logit
    if threshold is not None:
        layers += _boundary(threshold, place["x"])
    return {"layer": layers, "height": 420}


def bars(
    figures: Mapping[str, Estimate], title: str, *, shares: Mapping[str, float] | None = None
) -> Spec:
    """Return horizontal bars with their intervals, the longest first.

    Args:
        figures: name -> figure.
        title: of the axis.
        shares: name -> share of the image, shown on pointing; None if there are none.
    """
    order = sorted(figures, key=lambda name: -figures[name].value)
    rows = [
        {
            "name": name,
            "value": figures[name].value,
            "low": figures[name].low,
            "high": figures[name].high,
            **({"share": shares[name]} if shares else {}),
        }
        for name in order
    ]
    y: Spec = {
        "field": "name",
        "type": "nominal",
        "sort": order,
        "title": None,
        "axis": {"labelLimit": 300},
    }
    told: list[Spec] = [{"field": "name", "title": "Name"}]
    told += [{"field": one, "title": one, "format": ".3f"} for one in ("value", "low", "high")]
    if shares:
        told.append({"field": "share", "title": "share of the image", "format": ".0%"})
    return {
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "bar", "color": _BAR},
                "encoding": {
                    "y": y,
                    "x": {"field": "value", "type": "quantitative", "title": title},
                    "tooltip": told,
                },
            },
            {
                "mark": {"type": "rule", "color": _CASE, "strokeWidth": 2},
                "encoding": {
                    "y": y,
                    "x": {"field": "low", "type": "quantitative"},
                    "x2": {"field": "high"},
                    "tooltip": told,
                },
            },
        ],
        "height": 26 * len(rows) + 60,  # with the axis
    }


def _case_point(placed: Placed) -> Spec:
    x, y = placed.found.case
    return {"x": x, "y": y, "state": "not known", "name": "this radiograph"}


def _boundary(threshold: float, x: Mapping[str, object]) -> Sequence[Spec]:
    """Return the line at which the answer changes, with what each side means."""
    data = {"values": [{"x": threshold}]}
    text = {"type": "text", "color": _QUIET, "fontSize": 13, "baseline": "top"}
    sides = (("absent", "right", -6), ("present", "left", 6))
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": _QUIET, "strokeDash": [6, 4], "strokeWidth": 2},
            "encoding": {"x": x},
        },
        *(
            {
                "data": data,
                "mark": {**text, "text": word, "align": align, "dx": shift},
                "encoding": {"x": x, "y": {"value": 4}},
            }
            for word, align, shift in sides
        ),
    ]
