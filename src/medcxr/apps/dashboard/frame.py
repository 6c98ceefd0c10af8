"""What stands around every signed-in page: files, worklist, model and account at the side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from medcxr.apps.dashboard.access import rerun_unattended
from medcxr.apps.dashboard.account_view import show_account
from medcxr.apps.dashboard.cases import (
    Case,
    active_findings,
    analyze_some,
    known_cases,
    redecided,
    synthetic_upload,
)
from medcxr.apps.dashboard.doors import show_sign_out
from medcxr.apps.dashboard.empty_state import is_synthetic_wanted, show_closing_button
from medcxr.apps.dashboard.file_choice import Upload, choose_files
from medcxr.apps.dashboard.findings_view import percent
from medcxr.apps.dashboard.kept import forget_others
from medcxr.apps.dashboard.model_view import show_model
from medcxr.apps.dashboard.operating_point import chosen_rule
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.preferences_view import show_preferences
from medcxr.apps.dashboard.viewed import forget_closed
from medcxr.core.access import Permission
from medcxr.core.language import say, say_if_sentence, say_number
from medcxr.services.accounts import SignedIn
from medcxr.services.model_facts import ModelFacts
from medcxr.services.workspace import Workspace

__all__ = ["Opened", "choose", "show_frame", "work_on"]

_CHOSEN = "worklist"

_AT_ONCE_S = 1.0  # before the page is shown
_AT_A_TIME_S = 4.0  # before it is shown anew with what was analyzed meanwhile
_PACE = "seconds_per_radiograph"
_LONG_LIST = 8  # entries, from which the worklist scrolls by itself
_LIST_HEIGHT = 480  # pixels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opened:
    """What a page is shown of.

    Attributes:
        workspace: whose model answers.
        cases: the radiographs open in this browser tab.
        case: the one chosen at the side; None if there is none.
        facts: what is known of the model; None if there is none.
        later: slow work for the page, to be done once it is shown; then it is shown anew.
    """

    workspace: Workspace
    cases: tuple[Case, ...]
    case: Case | None
    facts: ModelFacts | None
    later: list[Callable[[], None]]

    @property
    def has_quick_look(self) -> bool:
        """Tell whether a thorough map is another than the one by occlusion."""
        return self.facts is not None and self.facts.has_quick_look


def show_frame(workspace: Workspace, signed_in: SignedIn) -> Opened:
    """Show it and return what was chosen in it. It stays when the page changes, and so do files.

    Args:
        workspace: in the hands of whoever has signed in.
        signed_in: who that is.
    """
    with st.sidebar:
        st.html(
            '<p class="cxr-brand">medcxr</p>'
            f'<p class="cxr-quiet">{say("Chest X-ray decision support")}</p>'
        )
        uploads = _uploads() if workspace.actor.may(Permission.ANALYZE) else []
        progress = st.empty()
        place_of_list = st.container()
        facts = show_model(workspace)
        show_preferences()
        show_account(workspace, signed_in)
        show_sign_out(workspace)
    cases, waiting = known_cases(uploads)
    if waiting:
        told = _teller(progress, len(cases), len(waiting))
        analyze_some(workspace, waiting, patience_s=_AT_ONCE_S, told=told)
        progress.empty()
        cases, waiting = known_cases(uploads)
    digests = [case.digest for case in cases]
    forget_others(digests)
    forget_closed(digests)
    rule = chosen_rule(workspace, facts)
    if rule is not None:
        cases = [redecided(case, rule) for case in cases]
    case = None
    if cases:
        with place_of_list:
            case = _chosen(cases)
    return Opened(
        workspace=workspace,
        cases=tuple(cases),
        case=case,
        facts=facts,
        later=[_analysis_of(workspace, waiting, progress, len(cases))] if waiting else [],
    )


def choose(digest: str) -> None:
    """Choose the radiograph of a file at the side from the next run on; no matter if it is closed."""
    st.session_state[_CHOSEN] = digest


def work_on(opened: Opened) -> None:
    """Do what the page left for later, now that it is shown, and show it anew.

    A click ends this at the next step, and what was finished until then stays.
    """
    for work in reversed(opened.later):  # what is looked at goes before what is waiting
        work()
    if opened.later:
        rerun_unattended()


def _analysis_of(
    workspace: Workspace, waiting: Sequence[Upload], place: DeltaGenerator, n_done: int
) -> Callable[[], None]:
    told = _teller(place, n_done, len(waiting))
    return lambda: analyze_some(workspace, waiting, patience_s=_AT_A_TIME_S, told=told)


def _uploads() -> list[Upload]:
    uploads = choose_files()
    if is_synthetic_wanted():
        with st.spinner(say("Simulating a radiograph")):
            uploads.append(synthetic_upload())
        show_closing_button()
    return uploads


def _teller(
    place: DeltaGenerator, done_before: int, n_waiting: int
) -> Callable[[int, float], None]:
    """Return what shows how far the analyses are and how long the rest takes."""

    def tell(done: int, seconds: float) -> None:
        if done:
            st.session_state[_PACE] = seconds / done
        number, total = done_before + done + 1, done_before + n_waiting
        words = say("Analyzing {number} of {total}", number=number, total=total)
        pace = st.session_state.get(_PACE)
        if pace is not None and n_waiting > 1:
            words = f"{words}; {_time_left(pace * (n_waiting - done))}"
        place.progress((number - 1) / total, words)

    return tell


def _time_left(seconds: float) -> str:
    if seconds < 90:
        n = max(1, round(seconds))
        return say_number("about {number} second left", "about {number} seconds left", n)
    return say_number(
        "about {number} minute left", "about {number} minutes left", round(seconds / 60)
    )


def _chosen(cases: Sequence[Case]) -> Case:
    if len(cases) == 1:
        return cases[0]
    by_digest = {case.digest: case for case in cases}
    if st.session_state.get(_CHOSEN) not in by_digest:
        st.session_state[_CHOSEN] = cases[0].digest
    height: int | Literal["content"] = _LIST_HEIGHT if len(cases) > _LONG_LIST else "content"
    with st.container(height=height, border=False, key="worklist_place"):
        chosen = st.radio(
            say("Worklist"),
            list(by_digest),
            format_func=lambda digest: plain(say_if_sentence(by_digest[digest].label)),
            captions=[_in_short(case) for case in cases],
            key=_CHOSEN,
            persist_state="session",
        )
    return by_digest[chosen]


def _in_short(case: Case) -> str:
    if case.is_unrecorded:
        return say("Not shown, because it cannot be recorded")
    if case.reading is None:
        return say("Could not be analyzed")
    active = active_findings(case.reading.analysis)
    if not active:
        return say("No active finding")
    return ", ".join(plain(f"{say(f.finding)} {percent(f.probability)}") for f in active)
