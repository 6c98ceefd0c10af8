"""How many radiographs were analyzed, and how fast."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import streamlit as st

from medcxr.apps.dashboard.chart_layers import layer
from medcxr.apps.dashboard.chart_view import show_chart
from medcxr.apps.dashboard.charts import Spec
from medcxr.apps.dashboard.preferences import colors
from medcxr.core.language import say, text
from medcxr.services.throughput import Period, throughput
from medcxr.services.workspace import Workspace

__all__ = ["show_throughput", "throughput_chart"]

_SPANS = {
    text("Last 24 hours"): (Period.HOUR, timedelta(hours=24)),
    text("Last 30 days"): (Period.DAY, timedelta(days=30)),
}


def show_throughput(workspace: Workspace) -> None:
    """Show radiographs by hour or day, and the times that most of them took."""
    st.header(say("Throughput"), anchor=False)
    names = list(_SPANS)
    chosen = st.segmented_control(
        say("Span"),
        names,
        default=names[0],
        format_func=say,
        required=True,
        key="throughput_span",
        label_visibility="collapsed",
        persist_state="session",
    )
    period, span = _SPANS[chosen or names[0]]
    found = throughput(workspace, period=period, since=datetime.now(UTC) - span)
    words = say("{n:,} analyzed", n=found.n)
    if found.median_seconds is not None and found.p95_seconds is not None:
        words += "; " + say(
            "half of them within {median:.2f} s, 95 in 100 within {p95:.2f} s",
            median=found.median_seconds,
            p95=found.p95_seconds,
        )
    show_chart(throughput_chart(found.counts, by_hour=period is Period.HOUR), words)
    st.caption(f"{words}. " + say("From the decoded pixels to the result, on this computer."))


def throughput_chart(counts: Mapping[datetime, int], *, by_hour: bool) -> Spec:
    """Return a bar for each hour or day.

    Args:
        counts: start by this computer's clock -> radiographs.
        by_hour: whether they are hours.
    """
    rows = [{"start": f"{start:%Y-%m-%dT%H:%M}", "n": n} for start, n in counts.items()]
    x: Spec = {
        "field": "start",
        "type": "temporal",
        "timeUnit": "yearmonthdatehours" if by_hour else "yearmonthdate",
        "title": None,
        "axis": {"format": "%H:%M" if by_hour else "%d.%m.", "labelOverlap": True},
    }
    y: Spec = {
        "field": "n",
        "type": "quantitative",
        "title": say("Radiographs"),
        "axis": {"tickMinStep": 1, "format": "d"},
    }
    told: list[Spec] = [
        {"field": "start", "title": say("From"), "type": "temporal", "format": "%Y-%m-%d %H:%M"},
        {"field": "n", "title": say("Radiographs"), "format": ","},
    ]
    return {
        **layer(rows, {"type": "bar", "color": colors().line}, x=x, y=y, told=told),
        "height": 220,
    }
