"""The page "Train Model": start a training, watch it, and decide on what it made."""

import streamlit as st

from medcxr.apps.dashboard.frame import Opened
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.train_form import show_new_training
from medcxr.apps.dashboard.train_live import show_live
from medcxr.apps.dashboard.train_result import show_trained
from medcxr.apps.dashboard.words import TRAIN
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say
from medcxr.core.settings import Settings
from medcxr.services.training_jobs import (
    JobState,
    TrainingJob,
    list_jobs,
    resume_training,
    stop_training,
)
from medcxr.services.workspace import Workspace

__all__ = ["show_training"]


def show_training(opened: Opened) -> None:
    """Show the page: the trainings of this workspace, and what starts another one."""
    workspace, facts = opened.workspace, opened.facts
    in_use = f"{facts.name} {facts.version}" if facts is not None else ""
    st.title(say("Train Model"))
    st.markdown(say(TRAIN))
    try:
        jobs = list_jobs(workspace)
        if jobs:
            st.header(say("Trainings"), anchor=False)
            _show_training(workspace, _chosen(jobs), in_use)
        st.header(say("New training"), anchor=False)
        running = next((job for job in jobs if job.state.is_alive), None)
        show_new_training(workspace, Settings.from_environment().data, running)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))


def _chosen(jobs: tuple[TrainingJob, ...]) -> TrainingJob:
    """Return the one to show: the running one, else the newest, unless another is chosen."""
    if len(jobs) == 1:
        return jobs[0]
    first = next((index for index, job in enumerate(jobs) if job.state.is_alive), 0)
    known = {job.identity: job for job in jobs}
    identity = st.selectbox(
        say("Training"),
        list(known),
        index=first,
        format_func=lambda one: f"{known[one].name}, {known[one].created[:16]} ({one[-8:]})",
    )
    return known[identity]


def _show_training(workspace: Workspace, job: TrainingJob, in_use: str) -> None:
    # Beside what refreshes itself, so that a click runs the page, which asks for the sign-in.
    if job.state.is_alive:
        show_live(workspace, job)
        if st.button(say("Stop the training"), key=f"stop_{job.identity}"):
            with st.spinner(say("Waiting for the process to end")):
                stop_training(workspace, job.identity)
            st.rerun()
        return
    show_live(workspace, job)
    if job.state is JobState.FINISHED:
        show_trained(workspace, job, in_use)
    elif st.button(say("Resume the training"), key=f"resume_{job.identity}"):
        resume_training(workspace, job.identity)
        st.rerun()
