"""A chart on the page, its numbers and words as the reader's language writes them."""

import re

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from medcxr.apps.dashboard.charts import Spec
from medcxr.apps.dashboard.preferences import colors
from medcxr.core.language import ENGLISH, RIGHT_TO_LEFT, figure, language

__all__ = ["localized", "show_chart"]

_FROM_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff]")  # Hebrew, Arabic and their extensions
_OF_TEXT, _END = "\u2067", "\u2069"  # a right-to-left isolate (Unicode UAX 9, 2.4)


def show_chart(spec: Spec, words: str, place: DeltaGenerator | None = None) -> None:
    """Show a chart.

    Args:
        spec: of the chart.
        words: what it shows, for readers who hear it.
        place: where; None for where the page is.
    """
    chart = st.vega_lite_chart if place is None else place.vega_lite_chart
    chart(localized(spec), width="stretch", alt=words)


def localized(spec: Spec) -> Spec:
    """Return a chart in the language in use.

    A chart itself runs from left to right in every language, and each of its words as its letters do.
    """
    numbers = {
        "decimal": _sign(figure(0.5)),
        "thousands": _sign(figure(1000, ",")),
        "grouping": [3],
        "currency": ["", ""],
    }
    text = {"labelColor": colors().quiet, "titleColor": colors().text}
    config: dict[str, object] = {"locale": {"number": numbers}, "axis": text, "legend": text}
    if language() != ENGLISH:
        # What Vega tells those who hear a chart is English; the chart's own words say it all.
        hidden = {"aria": False}
        config |= {"mark": hidden, "axis": text | hidden, "legend": text | hidden} | hidden
    told = {**spec, "config": config}
    return {key: _isolated(value) for key, value in told.items()} if _turns() else told


def _sign(number: str) -> str:
    """Return what stands between the digits of a number."""
    return re.sub("[\\d\u2066\u2069]", "", number)


def _turns() -> bool:
    return language() in RIGHT_TO_LEFT


def _isolated(value: object) -> object:
    if isinstance(value, str):
        turned = _FROM_RIGHT_TO_LEFT.search(value)
        return f"{_OF_TEXT}{value}{_END}" if turned else value
    if isinstance(value, dict):
        return {key: _isolated(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_isolated(one) for one in value]
    return value
