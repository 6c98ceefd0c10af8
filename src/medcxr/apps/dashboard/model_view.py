"""Which model answers, and how well it has been measured to do so."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from medcxr.apps.dashboard.words import EXPLANATIONS
from medcxr.core.errors import MedcxrError
from medcxr.core.language import figure, say, say_all
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
        st.error(say(error.sentence))
        return None
    st.html(
        f'<p class="cxr-quiet">{escape(say("Model"))}</p>'
        f'<p>{escape(facts.name)} <span class="cxr-quiet">{escape(facts.version)}</span></p>'
    )
    return facts


def show_model_figures(facts: ModelFacts) -> None:
    """Show the model's measured figures and what every figure on the page means."""
    with st.expander(say("Measured performance and what the figures mean")):
        if facts.figures:
            st.html(figures_table(facts.figures))
        else:
            st.info(say("This model comes without measured figures; do not rely on its results."))
        for name, sentence in EXPLANATIONS.items():
            st.markdown(f"**{say(name)}.** {say(sentence)}")


def figures_table(figures: Sequence[FindingFigures]) -> str:
    """Return the measured figures as an HTML table, one row per finding."""
    rows = "".join(_row(one) for one in figures)
    heads = "".join(
        f"<th>{escape(head)}</th>"
        for head in say_all("Finding", "AUC, cross-validated", "95% interval", "Measured on")
    )
    return f'<table class="cxr-table"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _row(figures: FindingFigures) -> str:
    value, interval = say("not measured"), ""
    if figures.auc is not None:
        value = figure(figures.auc.value, ".3f")
        interval = say("{low:.3f} to {high:.3f}", low=figures.auc.low, high=figures.auc.high)
    measured_on = say(
        "{images:,} radiographs of {patients:,} patients, {positive:,} with the finding",
        images=figures.n_images,
        patients=figures.n_patients,
        positive=figures.n_positive,
    )
    cells = (say(figures.finding), value, interval, measured_on)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
