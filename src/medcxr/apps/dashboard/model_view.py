"""Which model answers, and how well it has been measured to do so."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from medcxr.apps.dashboard.words import EXPLANATIONS
from medcxr.core.errors import MedcxrError
from medcxr.evaluation.report import FindingFigures
from medcxr.services.analysis import current_model
from medcxr.services.model_facts import ModelFacts
from medcxr.services.workspace import Workspace

__all__ = ["figures_table", "show_model", "show_model_figures"]


def show_model(workspace: Workspace) -> ModelFacts | None:
    """Name the model and return what is known of it, or say why there is none."""
    try:
        facts = current_model(workspace)
    except MedcxrError as error:
        st.error(str(error))
        return None
    st.html(
        '<p class="cxr-quiet">Model</p>'
        f'<p>{escape(facts.name)} <span class="cxr-quiet">{escape(facts.version)}</span></p>'
    )
    return facts


def show_model_figures(facts: ModelFacts) -> None:
    """Show the model's measured figures and what every figure on the page means."""
    with st.expander("Measured performance and what the figures mean"):
        if facts.figures:
            st.html(figures_table(facts.figures))
        else:
            st.info("This model comes without measured figures; do not rely on its results.")
        for name, sentence in EXPLANATIONS.items():
            st.markdown(f"**{name}.** {sentence}")


def figures_table(figures: Sequence[FindingFigures]) -> str:
    """Return the measured figures as an HTML table, one row per finding."""
    rows = "".join(_row(figure) for figure in figures)
    heads = "".join(
        f"<th>{head}</th>"
        for head in ("Finding", "AUC, cross-validated", "95% interval", "Measured on")
    )
    return f'<table class="cxr-table"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _row(figures: FindingFigures) -> str:
    value, interval = "not measured", ""
    if figures.auc is not None:
        value = f"{figures.auc.value:.3f}"
        interval = f"{figures.auc.low:.3f} to {figures.auc.high:.3f}"
    measured_on = (
        f"{figures.n_images:,} radiographs of {figures.n_patients:,} patients, "
        f"{figures.n_positive:,} with the finding"
    )
    cells = (figures.finding, value, interval, measured_on)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
