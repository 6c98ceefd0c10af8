"""The page "Models": which there are, what is known of each, and which one answers."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from medcxr.apps.dashboard.card_view import show_card
from medcxr.apps.dashboard.cases import forget_cases
from medcxr.apps.dashboard.frame import Opened
from medcxr.apps.dashboard.measured_view import told
from medcxr.apps.dashboard.models_comparison import show_comparison
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.refusal_view import why_not
from medcxr.apps.dashboard.tables import html_table
from medcxr.core.access import Permission
from medcxr.core.errors import MedcxrError
from medcxr.core.language import ENGLISH, Sentence, language, say, say_all, speaking, text
from medcxr.registry.model_card import model_card
from medcxr.registry.registry import ModelEntry, ModelRegistry
from medcxr.registry.shipped import SHIPPED_MODELS
from medcxr.services.model_choice import choose_model, roll_back_model
from medcxr.services.workspace import Workspace

__all__ = ["show_models"]

_KEY = "model_entries"
_NOTICE = "models_notice"
_UNSURE = text("Nothing was changed: tick the box above first.")
_MAX_CHOICES = 10  # of the history that are shown
_LIST = text(
    "AUC is the area under the ROC curve with its 95% interval, as each model was measured when it "
    "was made; models measured on different tables cannot be ranked by it. In the terminal: "
    "medcxr models list"
)


def show_models(opened: Opened) -> None:
    """Show the page."""
    st.title(say("Models"))
    notice = st.session_state.pop(_NOTICE, "")
    if notice:
        st.success(plain(say(notice)))
    registry = ModelRegistry(opened.workspace.models)
    try:
        entries = _entries(registry, opened.workspace.models)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
        return
    _show_list(entries)
    whole = [entry for entry in entries if not entry.problem]
    if not whole:
        st.info(say("No model can be used; train one, or reinstall the shipped one."))
        return
    st.header(say("Card"), anchor=False)
    _show_card_of(registry, whole)
    st.header(say("Compare two models"), anchor=False)
    show_comparison(opened.workspace, registry, whole)
    st.header(say("Which one answers"), anchor=False)
    reason = why_not(opened.workspace, Permission.CHOOSE_MODELS)
    if reason is not None:
        st.caption(reason)
        return
    _show_choice(opened.workspace, registry, whole)


def _entries(registry: ModelRegistry, folder: Path) -> Sequence[ModelEntry]:
    """Return all models; their files are verified when one of them has changed."""
    state = _state(folder)
    known = st.session_state.get(_KEY)
    if known is None or known[0] != state:
        with st.spinner(say("Verifying the models' files")):
            known = (state, registry.list())
        st.session_state[_KEY] = known
    entries: Sequence[ModelEntry] = known[1]
    return entries


def _state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what changes when somebody replaces a file of a model or chooses another one."""
    paths = sorted(path for place in (folder, SHIPPED_MODELS) for path in place.rglob("*"))
    state = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError:  # a model that is just being moved
            continue
        state.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(state)


def _show_list(entries: Sequence[ModelEntry]) -> None:
    findings = list(dict.fromkeys(name for entry in entries for name in entry.aucs))
    heads = (
        *say_all("Answers", "Model", "Created", "Size", "From"),
        *(say("AUC, {finding}", finding=say(name)) for name in findings),
        *say_all("Mean AUC", "State"),
    )
    rows = [
        (
            say("yes") if entry.is_current else "",
            entry.identity,
            entry.created[:10],
            say("{size:,.1f} MB", size=entry.n_bytes / 1e6),
            say("package") if entry.is_shipped else say("workspace"),
            *(told(entry.aucs[name]) if name in entry.aucs else "" for name in findings),
            told(entry.mean_auc),
            say("damaged") if entry.problem else say("whole"),
        )
        for entry in entries
    ]
    st.html(html_table(heads, rows, caption=say("Models of this workspace and of the package")))
    st.caption(plain(say(_LIST)))
    for entry in entries:
        if entry.problem:
            st.error(plain(f"{entry.identity}: {say(entry.problem)}"))


def _show_card_of(registry: ModelRegistry, entries: Sequence[ModelEntry]) -> None:
    first = next((i for i, entry in enumerate(entries) if entry.is_current), 0)
    number = st.selectbox(
        say("Model"),
        range(len(entries)),
        index=first,
        format_func=lambda i: entries[i].identity,
    )
    try:
        manifest = registry.get(entries[number].identity).manifest
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
        return
    with st.expander(plain(say("Card of {model}", model=manifest.identity))):
        if language() != ENGLISH:
            st.caption(say("The card is a document that travels with the model, in English."))
        with speaking(ENGLISH):
            card = model_card(manifest)
        with st.container(key="english_card"):
            show_card(card)
    command = f"medcxr models show {manifest.name} {manifest.version}"
    st.caption(plain(say("Repeat: {command}", command=command)))


def _show_choice(
    workspace: Workspace, registry: ModelRegistry, entries: Sequence[ModelEntry]
) -> None:
    st.markdown(
        say(
            "The choice holds for everybody who uses this workspace, on this page and in the "
            "terminal. Radiographs that are open here are analyzed anew."
        )
    )
    use, back = st.columns(2)
    with use:
        st.subheader(say("Put a model in use"), anchor=False)
        _show_use(workspace, [entry for entry in entries if not entry.is_current])
    with back:
        st.subheader(say("Take the last choice back"), anchor=False)
        _show_roll_back(workspace, registry)


def _show_use(workspace: Workspace, others: Sequence[ModelEntry]) -> None:
    if not others:
        st.info(say("There is no other model that could be used."))
        return
    number = st.selectbox(
        say("Model to put in use"),
        range(len(others)),
        format_func=lambda i: others[i].identity,
    )
    chosen = others[number].identity
    # Named after the model: a tick for one is none for another.
    sure = st.checkbox(
        plain(say("I have read its card; {model} is to answer from now on.", model=chosen)),
        key=f"sure_{chosen}",
    )
    if not st.button(say("Put in use")):
        return
    if not sure:
        st.warning(say(_UNSURE))
        return
    try:
        bundle = choose_model(workspace, chosen)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
        return
    _chosen(Sentence("{model} answers now.", model=bundle.manifest.identity))


def _show_roll_back(workspace: Workspace, registry: ModelRegistry) -> None:
    try:
        history = registry.history()
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
        return
    if not history:
        st.info(say("No choice was made in this workspace: the package's default model answers."))
        return
    st.html(
        html_table(
            say_all("Time", "What", "Answered from then on"),
            [(one.time, say(one.action), one.model) for one in history[:_MAX_CHOICES]],
        )
    )
    sure = st.checkbox(
        say("The model that answered before is to answer again."), key=f"back_{len(history)}"
    )
    if not st.button(say("Roll back")):
        return
    if not sure:
        st.warning(say(_UNSURE))
        return
    try:
        bundle = roll_back_model(workspace)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
        return
    _chosen(Sentence("{model} answers again.", model=bundle.manifest.identity))


def _chosen(notice: str) -> None:
    forget_cases()
    st.session_state[_NOTICE] = notice
    st.rerun()
