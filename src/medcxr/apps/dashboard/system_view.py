"""How model, database, disk and training stand, and how well the model was measured."""

from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from medcxr.apps.dashboard.chart_view import show_chart
from medcxr.apps.dashboard.measured_view import told
from medcxr.apps.dashboard.named_charts import forest_chart
from medcxr.apps.dashboard.overview_words import NO_MODEL
from medcxr.apps.dashboard.plain import plain
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say, say_number
from medcxr.registry.manifest import Manifest
from medcxr.services.health import LITTLE_DISK
from medcxr.services.loaded_model import current_bundle, current_predictor
from medcxr.services.model_facts import ModelFacts
from medcxr.services.system_state import SystemState
from medcxr.services.workspace import Workspace

__all__ = ["load_model", "show_measured_model", "show_system"]


def show_system(facts: ModelFacts | None, state: SystemState) -> DeltaGenerator:
    """Show a tile for each part; return the place of the model's."""
    columns = st.columns(4)
    place = columns[0].empty()
    place.html(_model(facts, say("is being loaded")))
    columns[1].html(_database(state))
    free = say("{free:.0f} GB free", free=state.free_bytes / 10**9)
    little = state.free_bytes < LITTLE_DISK
    columns[2].html(
        _tile(say("Disk"), free, say("little room left") if little else "", alarming=little)
    )
    columns[3].html(
        _tile(say("Training"), say("running") if state.training else say("none"), state.training)
    )
    return place


def load_model(workspace: Workspace, facts: ModelFacts | None, place: DeltaGenerator) -> None:
    """Load the model before a radiograph asks for it, and say whether it answers."""
    try:
        current_predictor(workspace)
    except MedcxrError as error:
        place.html(_tile(say("Model"), say("does not answer"), "", alarming=True))
        st.error(plain(say(error.sentence)))
        return
    place.html(_model(facts, say("loaded")))


def show_measured_model(workspace: Workspace) -> None:
    """Show the measured AUC of each finding with where it was measured."""
    st.header(say("Model in use"), anchor=False)
    try:
        manifest = current_bundle(workspace).manifest
    except MedcxrError:
        st.info(say(NO_MODEL))  # what is wrong is said at the side
        return
    measured = manifest.measurements[0] if manifest.measurements else None
    figures = measured.report.findings if measured is not None else ()
    aucs = {one.finding: one.auc for one in figures if one.auc is not None}
    if measured is None or not aucs:
        st.info(say("This model comes without measured figures; do not rely on its results."))
        return
    show_chart(
        forest_chart(
            {say(name): one for name, one in aucs.items()},
            say("Area under the ROC curve, 95% interval"),
        ),
        "; ".join(f"{say(name)}: {told(one)}" for name, one in aucs.items()),
    )
    st.caption(_source(manifest))
    # The model's own words, in the language that they were written in.
    st.html(f'<p class="cxr-small" lang="en" dir="ltr">{escape(measured.method)}</p>')


def _source(manifest: Manifest) -> str:
    report = manifest.measurements[0].report
    run = manifest.training.run if manifest.training is not None else say("unknown")
    return plain(
        say(
            "{model}, run {run}: measured on {n:,} radiographs of {patients:,} patients ({data}).",
            model=manifest.identity,
            run=run,
            n=report.n_images,
            patients=report.n_patients,
            data=", ".join(manifest.measurements[0].data),
        )
    )


def _model(facts: ModelFacts | None, state: str) -> str:
    if facts is None:
        return _tile(say("Model"), say("does not answer"), "", alarming=True)
    return _tile(say("Model"), state, f"{facts.name} {facts.version}")


def _database(state: SystemState) -> str:
    if state.n_cases is None:
        return _tile(
            say("Database"), say("cannot be used"), say(state.database_problem), alarming=True
        )
    n = say_number("{number:,} case", "{number:,} cases", state.n_cases)
    size = say("{size:.1f} MB", size=state.database_bytes / 10**6)
    return _tile(say("Database"), n, size)


def _tile(name: str, value: str, more: str, *, alarming: bool = False) -> str:
    kind = " cxr-alarming" if alarming else ""
    return (
        f'<section class="cxr-tile{kind}"><h2>{escape(name)}</h2>'
        f'<p class="cxr-value">{escape(value)}</p><p class="cxr-small">{escape(more)}</p></section>'
    )
