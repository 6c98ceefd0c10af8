"""Findings as cards: name, state, probability and threshold, readable without color."""

from collections.abc import Mapping
from html import escape

import streamlit as st

from medcxr.apps.dashboard.words import PLAUSIBLE
from medcxr.core.findings import Finding
from medcxr.core.results import Analysis, Estimate, FindingResult
from medcxr.explain.margin import told_margin

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
    state = "Present" if result.present else "Absent"
    kind = "absent"
    if result.present:
        kind = "clear" if result.finding == Finding.NO_FINDING else "active"
    probability, threshold = escape(percent(result.probability)), _threshold(result.threshold)
    return (
        f'<section class="cxr-card cxr-{kind}">'
        f'<div class="cxr-head"><h3>{escape(result.finding)}</h3>'
        f'<span class="cxr-state">{state}</span></div>'
        f'<p class="cxr-probability">{probability}</p>'
        f'<div class="cxr-bar" role="img" aria-label="{probability}, threshold {threshold}">'
        f'<span class="cxr-fill" style="width:{100 * result.probability:.1f}%"></span>'
        f'<span class="cxr-mark" style="left:{100 * result.threshold:.1f}%"></span></div>'
        f'<p class="cxr-small">Present from {threshold}<br>{told_margin(result)}<br>'
        f"{_plausible(result)}{_measured(auc)}</p>"
        "</section>"
    )


def percent(share: float) -> str:
    """Write a probability without claiming certainty at either end."""
    if share < 0.01:
        return "<1%"
    if share > 0.99:
        return ">99%"
    return f"{share:.0%}"


def _threshold(value: float) -> str:
    return f"{value:.1%}"


def _plausible(result: FindingResult) -> str:
    words = PLAUSIBLE.get(result.prediction_set or "")
    return f"Plausible: {words}<br>" if words else ""


def _measured(auc: Estimate | None) -> str:
    if auc is None:
        return "AUC not measured"
    return f"AUC {auc.told()}"
