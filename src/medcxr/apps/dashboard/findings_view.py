"""Findings as cards: name, state, probability and threshold, readable without color."""

from collections.abc import Mapping
from html import escape

import streamlit as st

from medcxr.apps.dashboard.words import PLAUSIBLE
from medcxr.core.findings import Finding
from medcxr.core.guidance import is_undecided
from medcxr.core.language import figure, say
from medcxr.core.results import Analysis, Estimate, FindingResult
from medcxr.explain.margin import told_margin
from medcxr.services.told_analysis import told_state

__all__ = ["card", "percent", "show_findings"]


def show_findings(analysis: Analysis, measured: Mapping[str, Estimate]) -> None:
    """Show every finding of an analysis in the order of the model's manifest.

    Args:
        analysis: the figures of this radiograph.
        measured: finding -> the model's cross-validated AUC; may be empty.
    """
    cards = "".join(card(finding, measured.get(finding.finding)) for finding in analysis.findings)
    st.html(f'<div class="cxr-findings">{cards}</div>')


def card(result: FindingResult, auc: Estimate | None) -> str:
    """Return one finding as HTML."""
    state = told_state(result)
    kind = "absent"
    if result.present:
        kind = "clear" if result.finding == Finding.NO_FINDING else "active"
    elif is_undecided(result):
        kind = "undecided"
    probability, threshold = percent(result.probability), figure(result.threshold, ".1%")
    bar = say("{probability}, threshold {threshold}", probability=probability, threshold=threshold)
    told = (
        say("Present from {threshold}", threshold=threshold),
        told_margin(result),
        *_plausible(result),
        _measured(auc),
    )
    return (
        f'<section class="cxr-card cxr-{kind}">'
        f'<div class="cxr-head"><h3>{escape(say(result.finding))}</h3>'
        f'<span class="cxr-state">{escape(state)}</span></div>'
        f'<p class="cxr-probability">{escape(probability)}</p>'
        f'<div class="cxr-bar" role="img" aria-label="{escape(bar)}">'
        f'<span class="cxr-fill" style="width:{100 * result.probability:.1f}%"></span>'
        f'<span class="cxr-mark" style="left:{100 * result.threshold:.1f}%"></span></div>'
        f'<p class="cxr-small">{"<br>".join(escape(one) for one in told)}</p>'
        "</section>"
    )


def percent(share: float) -> str:
    """Write a probability without claiming certainty at either end."""
    if share < 0.01:
        return say("<{share:.0%}", share=0.01)
    if share > 0.99:
        return say(">{share:.0%}", share=0.99)
    return figure(share, ".0%")


def _plausible(result: FindingResult) -> list[str]:
    words = PLAUSIBLE.get(result.prediction_set or "")
    return [say("Plausible: {answers}", answers=say(words))] if words else []


def _measured(auc: Estimate | None) -> str:
    if auc is None:
        return say("AUC not measured")
    return say("AUC {figure}", figure=auc.told())
