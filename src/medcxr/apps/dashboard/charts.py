"""Charts as Vega-Lite specifications, which Streamlit draws without another library.

Names from models and files are values of data or titles, never expressions.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from medcxr.apps.dashboard.preferences import colors
from medcxr.core.language import say, say_if_sentence
from medcxr.core.results import Estimate
from medcxr.services.case_map import Placed
from medcxr.services.labeled_tables import FindingCounts

__all__ = ["Spec", "bars", "case_chart", "curves", "label_bars", "label_states"]

Spec: TypeAlias = dict[str, object]

_MARKS = ("circle", "diamond", "square", "triangle-up", "cross")


def case_chart(placed: Placed) -> Spec:
    """Return the chart of a case among others: logit across, what else varies up.

    Cases are points, the neighbors have rings, the case is a cross, and the threshold is a line.
    """
    finding = placed.found.finding
    ink, states = colors(), label_states(finding)
    near = set(placed.placement.neighbors)
    points = [
        {
            "x": x,
            "y": y,
            "state": states[label],
            "name": say_if_sentence(case.name),
            "near": index in near,
        }
        for index, ((x, y), label, case) in enumerate(
            zip(placed.found.cases, placed.labels, placed.cases, strict=True)
        )
    ]
    x_title = say("Logit of {finding}", finding=say(finding))
    y_title = say("What else varies, standard deviations")
    place = {
        "x": {"field": "x", "type": "quantitative", "title": x_title, "scale": {"zero": False}},
        "y": {"field": "y", "type": "quantitative", "title": y_title, "scale": {"zero": False}},
    }
    told = [
        {"field": "name", "title": say("Case")},
        {"field": "state", "title": say("Label")},
        {"field": "x", "title": x_title, "format": "+.2f"},
    ]
    hues = {"domain": list(states.values()), "range": [ink.second, ink.line, ink.quiet]}
    shapes = {"domain": list(states.values()), "range": ["circle", "diamond", "square"]}
    legend = {"title": None, "orient": "top"}
    layers: list[Spec] = [
        {
            "data": {"values": points},
            "params": [{"name": "zoom", "select": "interval", "bind": "scales"}],
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 0.9},
            "encoding": {
                **place,
                "color": {"field": "state", "type": "nominal", "scale": hues, "legend": legend},
                "shape": {"field": "state", "type": "nominal", "scale": shapes, "legend": legend},
                "tooltip": told,
            },
        },
        {
            "data": {"values": [one for one in points if one["near"]]},
            "mark": {"type": "point", "filled": False, "size": 260, "strokeWidth": 2},
            "encoding": {**place, "color": {"value": ink.mark}, "tooltip": told},
        },
        {
            "data": {"values": [_case_point(placed)]},
            "mark": {"type": "point", "filled": True, "size": 320, "shape": "cross"},
            "encoding": {**place, "color": {"value": ink.mark}, "tooltip": told},
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
    told: list[Spec] = [
        {"field": "name", "title": say("Name")},
        {"field": "value", "title": say("value"), "format": ".3f"},
        {"field": "low", "title": say("low"), "format": ".3f"},
        {"field": "high", "title": say("high"), "format": ".3f"},
    ]
    if shares:
        told.append({"field": "share", "title": say("share of the image"), "format": ".0%"})
    return {
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "bar", "color": colors().bar},
                "encoding": {
                    "y": y,
                    "x": {"field": "value", "type": "quantitative", "title": title},
                    "tooltip": told,
                },
            },
            {
                "mark": {"type": "rule", "color": colors().mark, "strokeWidth": 2},
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


def curves(
    series: Mapping[str, Mapping[int, float]], title: str, *, is_share: bool = False
) -> Spec:
    """Return a line for each series over the epochs, told apart by color and by shape.

    Args:
        series: name -> epoch -> value; five at most are told apart.
        title: of the axis.
        is_share: whether values lie in 0…1, and the axis shows all of it.
    """
    names = list(series)
    rows = [
        {"epoch": epoch, "value": value, "name": name}
        for name, values in series.items()
        for epoch, value in sorted(values.items())
    ]
    legend = {"title": None, "orient": "top", "columns": 2}
    scale: Spec = {"domain": [0, 1]} if is_share else {"zero": False}
    encoding: Spec = {
        "x": {
            "field": "epoch",
            "type": "quantitative",
            "title": say("Epoch"),
            "axis": {"tickMinStep": 1, "format": "d"},
            "scale": {"zero": False},
        },
        "y": {"field": "value", "type": "quantitative", "title": title, "scale": scale},
        "color": {
            "field": "name",
            "type": "nominal",
            "scale": {"domain": names, "range": _series()[: len(names)]},
            "legend": legend,
        },
    }
    shape = {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": names, "range": _MARKS[: len(names)]},
        "legend": legend,
    }
    told: list[Spec] = [
        {"field": "name", "title": say("Of")},
        {"field": "epoch", "title": say("Epoch")},
        {"field": "value", "title": title, "format": ".3f"},
    ]
    return {
        "data": {"values": rows},
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2}, "encoding": encoding},
            {
                "mark": {"type": "point", "filled": True, "size": 60},
                "encoding": {**encoding, "shape": shape, "tooltip": told},
            },
        ],
        "height": 260,
    }


def label_bars(counts: Sequence[FindingCounts]) -> Spec:
    """Return a bar for each finding: images with it, without it and unknown."""
    ink = colors()
    hues = {say("with it"): ink.second, say("without it"): ink.line, say("unknown"): ink.quiet}
    rows = [
        {"finding": say(one.finding), "label": label, "images": number, "order": order}
        for one in counts
        for order, (label, number) in enumerate(
            zip(hues, (one.positive, one.negative, one.unknown), strict=True)
        )
    ]
    order = [say(one.finding) for one in counts]
    return {
        "data": {"values": rows},
        "mark": {"type": "bar"},
        "encoding": {
            "y": {
                "field": "finding",
                "type": "nominal",
                "sort": order,
                "title": None,
                "axis": {"labelOverlap": False},
            },
            "x": {"field": "images", "type": "quantitative", "title": say("Radiographs")},
            "color": {
                "field": "label",
                "type": "nominal",
                "scale": {"domain": list(hues), "range": list(hues.values())},
                "legend": {"title": None, "orient": "top"},
            },
            "order": {"field": "order", "type": "quantitative"},
            "tooltip": [
                {"field": "finding", "title": say("Finding")},
                {"field": "label", "title": say("Label")},
                {"field": "images", "title": say("Radiographs"), "format": ","},
            ],
        },
        "height": 40 * len(order) + 90,  # with axis and legend
    }


def label_states(finding: str) -> dict[bool | None, str]:
    """Return what a case's label says of a finding, in the language in use."""
    return {
        True: say("with {finding}", finding=say(finding)),
        False: say("without {finding}", finding=say(finding)),
        None: say("unknown"),
    }


def _series() -> list[str]:
    ink = colors()
    return [ink.second, ink.line, ink.third, ink.fourth, ink.text]


def _case_point(placed: Placed) -> Spec:
    x, y = placed.found.case
    return {"x": x, "y": y, "state": say("not known"), "name": say("this radiograph")}


def _boundary(threshold: float, x: Mapping[str, object]) -> Sequence[Spec]:
    """Return the line at which the answer changes, with what each side means."""
    data = {"values": [{"x": threshold}]}
    text = {"type": "text", "color": colors().quiet, "fontSize": 13, "baseline": "top"}
    sides = ((say("absent"), "right", -6), (say("present"), "left", 6))
    return [
        {
            "data": data,
            "mark": {
                "type": "rule",
                "color": colors().quiet,
                "strokeDash": [6, 4],
                "strokeWidth": 2,
            },
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
