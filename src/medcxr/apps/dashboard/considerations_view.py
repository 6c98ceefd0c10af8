"""What a trained professional may consider next, with sources."""

from html import escape

import streamlit as st

from medcxr.core.guidance import NOTICE, Consideration, considerations
from medcxr.core.language import say
from medcxr.core.results import Analysis

__all__ = ["considerations_html", "show_considerations"]


def show_considerations(analysis: Analysis) -> None:
    """Show what may be considered for findings that are present or undecided; else nothing."""
    told = considerations_html(analysis)
    if told:
        st.html(told)


def considerations_html(analysis: Analysis) -> str:
    """Return it as HTML; empty if there is nothing to consider."""
    sections = [
        f"<h4>{escape(say(finding))}</h4><ul>{''.join(map(_item, several))}</ul>"
        for finding, several in considerations(analysis.findings).items()
    ]
    if not sections:
        return ""
    return (
        f'<section class="cxr-consider"><h3>{escape(say("For consideration"))}</h3>'
        f"{''.join(sections)}"
        f'<p class="cxr-small">{escape(say(NOTICE))}</p></section>'
    )


def _item(one: Consideration) -> str:
    return (
        f"<li>{escape(say(one.words))} "
        f'<cite lang="en" dir="ltr">{escape(str(one.source))}</cite></li>'
    )
