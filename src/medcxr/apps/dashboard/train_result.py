"""A trained model beside the one in use, and the choice that only a person makes."""

import streamlit as st

from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.refusal_view import why_not
from medcxr.apps.dashboard.tables import html_table
from medcxr.apps.dashboard.words import TRAIN_BESIDE, TRAIN_NO_PAIR, TRAIN_PAIRED, TRAIN_USE
from medcxr.core.access import Permission
from medcxr.core.errors import MedcxrError
from medcxr.core.language import figure, say, say_all, text
from medcxr.registry.manifest import Manifest
from medcxr.services.comparison import ScoreComparison
from medcxr.services.trained_model import BesideCurrent, beside_current, put_in_use
from medcxr.services.training_jobs import TrainingJob
from medcxr.services.workspace import Workspace

__all__ = ["show_trained"]

_KEY = "beside_current"
_NEW, _IN_USE = text("New: {model}"), text("In use: {model}")


def show_trained(workspace: Workspace, job: TrainingJob, in_use: str) -> None:
    """Show what a finished training made, beside the model in use, and offer to put it in use.

    Args:
        workspace: where the models are kept.
        job: the finished training.
        in_use: name and version of the model in use.

    Raises:
        MedcxrError: a model is missing or damaged, or the choice cannot be written.
    """
    try:
        beside = _kept(workspace, job, in_use)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
        return
    if beside.is_in_use:
        st.success(plain(say("{model} is the model in use.", model=beside.trained.identity)))
        st.html(_figures(beside.trained))
        return
    st.subheader(say("The new model beside the one in use"), anchor=False)
    for column, model, title in zip(
        st.columns(2), (beside.trained, beside.current), (_NEW, _IN_USE), strict=True
    ):
        column.markdown(plain(say(title, model=model.identity)))
        column.html(_figures(model))
    st.caption(say(TRAIN_BESIDE))
    if beside.paired is None:
        st.info(f"{plain(say(beside.why_not))} {say(TRAIN_NO_PAIR)}")
    else:
        st.html(_paired(beside.paired))
        st.caption(say(TRAIN_PAIRED))
    _offer(workspace, job, beside)


def _offer(workspace: Workspace, job: TrainingJob, beside: BesideCurrent) -> None:
    reason = why_not(workspace, Permission.CHOOSE_MODELS)
    if reason is not None:
        st.caption(reason)
        return
    confirmed = st.checkbox(say(TRAIN_USE), key=f"use_{job.identity}")
    if st.button(say("Put the new model in use"), disabled=not confirmed) and confirmed:
        put_in_use(workspace, job)
        st.toast(plain(say("{model} answers now.", model=beside.trained.identity)))
        st.rerun()


def _kept(workspace: Workspace, job: TrainingJob, in_use: str) -> BesideCurrent:
    """Compare once for each model in use: the tests draw many samples of patients."""
    known: dict[tuple[str, str], BesideCurrent] = st.session_state.setdefault(_KEY, {})
    key = (job.identity, in_use)
    if key not in known:
        with st.spinner(say("Comparing with the model in use")):
            known[key] = beside_current(workspace, job)
    return known[key]


def _figures(model: Manifest) -> str:
    """Return a model's measured AUC of each finding as an HTML table."""
    if not model.measurements:
        return html_table(say_all("Finding", "AUC"), [say_all("none", "not measured")])
    report = model.measurements[0].report
    return html_table(
        say_all("Finding", "AUC (95%)", "Radiographs", "With it"),
        [
            (
                say(one.finding),
                say("not determined") if one.auc is None else one.auc.told(3),
                figure(one.n_images, ","),
                figure(one.n_positive, ","),
            )
            for one in report.findings
        ],
    )


def _paired(compared: ScoreComparison) -> str:
    rows = [
        (
            say(finding),
            figure(one.first, ".3f"),
            figure(one.second, ".3f"),
            one.difference.told_signed(),
            figure(one.p_bootstrap, ".3f"),
            figure(one.p_delong, ".3f"),
            figure(one.n_images, ","),
            figure(one.n_positive, ","),
        )
        for finding, one in compared.findings.items()
    ]
    if compared.mean_difference is not None:
        rows.append((say("Mean"), "", "", compared.mean_difference.told_signed(), "", "", "", ""))
    heads = say_all(
        *("Finding", "AUC, new", "AUC, in use", "Difference (95%)", "p", "p, DeLong"),
        *("Radiographs", "With it"),
    )
    return html_table(heads, rows)
