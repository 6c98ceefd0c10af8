"""Curves of measured performance as Vega-Lite specifications, drawn like those of `charts`.

Names from models and files are values of data or titles, never expressions.
"""

from collections.abc import Mapping, Sequence

from medcxr.apps.dashboard.chart_layers import (
    SHARES,
    axis,
    by_name,
    layer,
    tooltips,
)
from medcxr.apps.dashboard.charts import Spec
from medcxr.apps.dashboard.preferences import colors
from medcxr.core.language import say
from medcxr.evaluation.bands import BandPoint
from medcxr.evaluation.net_benefit import NetBenefitPoint
from medcxr.evaluation.prevalence import PrevalenceFigures
from medcxr.evaluation.reliability import ReliabilityFigure

__all__ = [
    "curve_chart",
    "decision_curve_chart",
    "prevalence_chart",
    "reliability_chart",
]

_BAND = {"type": "area", "opacity": 0.22}
_HEIGHT = 340
_FAR_RIGHT = 0.75


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
    x, y = axis("x", titles[0], SHARES), axis("y", titles[1], SHARES)
    curve = [{"x": p.x, "y": p.value, "low": p.low, "high": p.high} for p in points]
    # Names of marks far to the right stand at their left, within the chart.
    places = [
        {"x": across, "y": up, "name": name, "right": across > _FAR_RIGHT}
        for name, (across, up) in marks.items()
    ]
    told = tooltips(("x", titles[0]), ("y", titles[1]), ("low", say("from")), ("high", say("to")))
    layers: list[Spec] = [
        layer(
            curve,
            {**_BAND, "color": colors().line},
            x=x,
            y=axis("low", titles[1], SHARES),
            y2="high",
        ),
        layer([{"x": a, "y": b} for a, b in chance], _dashed(), x=x, y=y),
        layer(
            curve, {"type": "line", "color": colors().line, "strokeWidth": 2.5}, x=x, y=y, told=told
        ),
        layer(
            places,
            {"type": "point", "filled": True, "size": 90, "color": colors().second, "opacity": 1},
            x=x,
            y=y,
            told=[{"field": "name", "title": say("Operating point")}, *told[:2]],
        ),
        *(
            layer(
                [one for one in places if one["right"] == right],
                {"type": "text", "color": colors().second, "align": align, "dx": shift, "dy": 11},
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
    said, found = say("Mean probability in the bin"), say("Share that has the finding")
    x, y = axis("x", said, SHARES), axis("y", found, SHARES)
    told: list[Spec] = [
        *tooltips(("x", said), ("y", found), ("low", say("from")), ("high", say("to"))),
        {"field": "n", "title": say("Radiographs"), "format": ","},
    ]
    layers: list[Spec] = [
        layer([{"x": 0, "y": 0}, {"x": 1, "y": 1}], _dashed(), x=x, y=y),
        layer(
            rows,
            {"type": "rule", "color": colors().line, "strokeWidth": 2},
            x=x,
            y=axis("low", found, SHARES),
            y2="high",
            told=told,
        ),
        layer(
            rows,
            {"type": "point", "filled": True, "size": 80, "color": colors().mark, "opacity": 1},
            x=x,
            y=y,
            told=told,
        ),
    ]
    return {"layer": layers, "height": _HEIGHT}


def decision_curve_chart(points: Sequence[NetBenefitPoint]) -> Spec:
    """Return the net benefit of the model with its band, of treating everybody and nobody."""
    title = say("Net benefit per radiograph")
    across = say("Probability from which one would act")
    top = max([0.0, *(max(p.high, p.treat_all) for p in points)])
    domain = [-0.25 * top, 1.05 * top] if top > 0 else [-0.1, 0.1]
    model, everybody, nobody = say("the model"), say("everybody"), say("nobody")
    lines = [
        {"x": p.threshold, "y": value, "name": name}
        for p in points
        for name, value in ((model, p.value), (everybody, p.treat_all), (nobody, 0.0))
    ]
    band = [{"x": p.threshold, "low": p.low, "high": p.high} for p in points]
    x = axis("x", across, SHARES)
    names = [model, everybody, nobody]
    color = by_name(names, [colors().line, colors().second, colors().quiet], say("Act on"))
    dash: Spec = {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": names, "range": [[1, 0], [8, 4], [2, 3]]},
        "legend": {"title": say("Act on"), "orient": "top"},
    }
    line = layer(
        lines,
        {"type": "line", "strokeWidth": 2.5, "clip": True},
        x=x,
        y=axis("y", title, domain),
        told=[
            {"field": "name", "title": say("Act on")},
            *tooltips(("x", across), ("y", title)),
        ],
        further={"color": color, "strokeDash": dash},
    )
    area = layer(
        band,
        {**_BAND, "color": colors().line, "clip": True},
        x=x,
        y=axis("low", title, domain),
        y2="high",
    )
    return {"layer": [area, line], "height": _HEIGHT}


def prevalence_chart(figures: Sequence[PrevalenceFigures], measured: float) -> Spec:
    """Return PPV and NPV with their bands by prevalence; a dashed line marks the measured one."""
    names = [say("PPV"), say("NPV")]
    rows = [
        {"x": one.prevalence, "name": name, "y": e.value, "low": e.low, "high": e.high}
        for one in figures
        for name, e in zip(names, (one.ppv, one.npv), strict=True)
        if e is not None
    ]
    across, up = say("Prevalence"), say("Predictive value")
    x, y = axis("x", across, SHARES), axis("y", up, SHARES)
    color = by_name(names, [colors().second, colors().line], None)
    dash: Spec = {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": names, "range": [[1, 0], [8, 4]]},
        "legend": {"title": None, "orient": "top"},
    }
    told: list[Spec] = [
        {"field": "name", "title": say("Figure")},
        *tooltips(("x", across), ("y", up), ("low", say("from")), ("high", say("to"))),
    ]
    layers: list[Spec] = [
        layer(
            rows,
            dict(_BAND),
            x=x,
            y=axis("low", up, SHARES),
            y2="high",
            further={"color": color},
        ),
        layer(
            rows,
            {"type": "line", "strokeWidth": 2.5, "point": True},
            x=x,
            y=y,
            told=told,
            further={"color": color, "strokeDash": dash},
        ),
        layer(
            [{"x": measured}],
            {"type": "rule", "color": colors().quiet, "strokeDash": [6, 4]},
            x=x,
        ),
    ]
    return {"layer": layers, "height": _HEIGHT}


def _dashed() -> Spec:
    return {"type": "line", "color": colors().quiet, "strokeDash": [6, 4], "strokeWidth": 1.5}
