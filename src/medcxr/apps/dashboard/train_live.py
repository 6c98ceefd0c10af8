"""A training as it goes on: state, time left and curves, refreshed by itself."""

import time
from collections.abc import Callable, Sequence
from html import escape

import streamlit as st

from medcxr.apps.dashboard import access
from medcxr.apps.dashboard.chart_view import show_chart
from medcxr.apps.dashboard.charts import curves
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.tables import html_facts
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say
from medcxr.services.training_jobs import JobState, TrainingJob, find_job, log_tail
from medcxr.services.training_progress import EpochFigures, TrainingProgress, told_left
from medcxr.services.training_watch import watch_training
from medcxr.services.workspace import Workspace

__all__ = ["show_live"]

_EVERY_S = 2.0
_STYLES = {
    JobState.WAITING: "cxr-begun",
    JobState.RUNNING: "cxr-begun",
    JobState.STOPPED: "cxr-halted",
    JobState.FAILED: "cxr-halted",
    JobState.FINISHED: "cxr-done",
}


def show_live(workspace: Workspace, job: TrainingJob) -> None:
    """Show where a training stands, and go on showing it while its process lives."""
    alive = job.state.is_alive
    panel: Callable[[Workspace, str, bool], None] = st.fragment(
        _show, run_every=_EVERY_S if alive else None
    )
    panel(workspace, job.identity, alive)


def _show(workspace: Workspace, identity: str, alive: bool) -> None:  # noqa: FBT001 - of a fragment
    if access.has_ended(workspace):  # nobody is signed in any more
        st.rerun()
    try:
        job = find_job(workspace, identity)
        if job.state.is_alive != alive:  # the rest of the page has something else to offer
            access.rerun_unattended()
        progress = watch_training(workspace, job, now=time.time())
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
        return
    st.html(_head(job))
    if job.reason:
        (st.error if job.state is JobState.FAILED else st.warning)(plain(say(job.reason)))
    if job.state.is_alive:
        st.progress(progress.share, plain(_doing(job, progress)))
    st.html(_facts(job, progress))
    if progress.figures:
        _show_curves(progress.figures)
    elif job.state.is_alive:
        st.caption(say("The curves begin after the first epoch."))
    if job.state in (JobState.FAILED, JobState.STOPPED):
        tail = log_tail(job)
        if tail:
            with st.expander(say("The end of its output"), expanded=job.state is JobState.FAILED):
                st.code(tail, language=None, wrap_lines=True)


def _head(job: TrainingJob) -> str:
    started = say(
        "Started {time} UTC on {table}", time=job.created[:16].replace("T", " "), table=job.table
    )
    return (
        f'<div class="cxr-training {_STYLES[job.state]}"><p class="cxr-title">{escape(job.name)} '
        f'<span class="cxr-state">{escape(say(job.state.value))}</span></p>'
        f'<p class="cxr-quiet">{escape(started)}</p></div>'
    )


def _doing(job: TrainingJob, progress: TrainingProgress) -> str:
    if job.state is JobState.WAITING:
        if job.read is None:
            return say("Loading the libraries")
        done, total = job.read
        if done < total:
            return say("Reading images: {done:,} of {total:,}", done=done, total=total)
        return say("Preparing")
    return say(progress.doing)


def _facts(job: TrainingJob, progress: TrainingProgress) -> str:
    facts: dict[str, str] = {}
    if progress.part:
        facts[say("Part")] = say(
            "{part} ({number} of {n})",
            part=progress.part,
            number=progress.part_number,
            n=progress.n_parts,
        )
        facts[say("Epoch")] = say("{number} of {n}", number=progress.epoch, n=progress.epochs)
    if job.state.is_alive:
        if progress.steps:
            facts[say("Step")] = say("{number:,} of {n:,}", number=progress.step, n=progress.steps)
        left = told_left(progress.seconds_left)
        if progress.may_stop and progress.seconds_left is not None:
            left = say("{time}, less if it stops early", time=left)
        facts[say("Time left")] = left
    if job.model is not None:
        facts[say("Model")] = job.model
    return html_facts(facts)


def _show_curves(figures: Sequence[EpochFigures]) -> None:
    parts = list(dict.fromkeys(one.part for one in figures))
    part = parts[0]
    if len(parts) > 1:
        part = st.selectbox(
            say("Curves of the part"),
            parts,
            index=len(parts) - 1,
        )
    shown = [one for one in figures if one.part == part]
    loss: dict[str, dict[int, float]] = {say("training"): {one.epoch: one.loss for one in shown}}
    held_out = {one.epoch: one.val_loss for one in shown if one.val_loss is not None}
    if held_out:
        loss[say("held out")] = held_out
    precision = {one.epoch: one.mean_precision for one in shown if one.mean_precision is not None}
    aucs: dict[str, dict[int, float]] = {}
    for one in shown:
        for finding, area in one.aucs.items():
            aucs.setdefault(say(finding), {})[one.epoch] = area
    columns = st.columns(3)
    charts = (
        (say("Loss"), loss, False),
        (say("mAP on held-out patients"), {say("mAP"): precision} if precision else {}, True),
        (say("AUC on held-out patients"), aucs, True),
    )
    for column, (title, series, is_share) in zip(columns, charts, strict=True):
        if series:
            show_chart(
                curves(series, title, is_share=is_share),
                say("{figure} of {part} over {n} epochs", figure=title, part=part, n=len(shown)),
                column,
            )
