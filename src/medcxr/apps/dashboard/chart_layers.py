"""Layers, axes and colors that the charts of measured performance share."""

from collections.abc import Mapping, Sequence

from medcxr.apps.dashboard.charts import Spec

__all__ = ["SHARES", "axis", "by_name", "layer", "tooltips"]

SHARES = (0.0, 1.0)


def layer(
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
    """Return one layer with data of its own.

    Args:
        rows: the data.
        mark: how it is drawn.
        x: the axis across.
        y: the axis up; None for lines over the whole height.
        y2: field of the other end of bars and bands, up.
        text: field of the words that are written.
        told: what pointing tells.
        further: more of the encoding.
    """
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


def axis(field: str, title: str, domain: Sequence[float]) -> Spec:
    """Return an axis of numbers from one end of the domain to the other."""
    scale = {"domain": list(domain), "nice": False}
    return {"field": field, "type": "quantitative", "title": title, "scale": scale}


def tooltips(*fields: tuple[str, str]) -> list[Spec]:
    """Return what pointing tells: field and title of each number."""
    return [{"field": field, "title": title, "format": ".3f"} for field, title in fields]


def by_name(names: Sequence[str], colors: Sequence[str], title: str | None) -> Spec:
    """Return colors by the field name, with a legend above the chart."""
    return {
        "field": "name",
        "type": "nominal",
        "scale": {"domain": list(names), "range": list(colors)},
        "legend": {"title": title, "orient": "top"},
    }
