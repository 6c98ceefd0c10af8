"""What stands around every signed-in page: files, worklist, model and account at the side."""

from dataclasses import dataclass

import streamlit as st

from medcxr.apps.dashboard.cases import Case, Upload, active_findings, open_cases, synthetic_upload
from medcxr.apps.dashboard.doors import show_account, show_initial_password_notice
from medcxr.apps.dashboard.empty_state import is_synthetic_wanted, show_closing_button
from medcxr.apps.dashboard.findings_view import percent
from medcxr.apps.dashboard.kept import forget_others
from medcxr.apps.dashboard.limits import UPLOAD_LIMIT_MB
from medcxr.apps.dashboard.model_view import show_model
from medcxr.apps.dashboard.preferences_view import show_preferences
from medcxr.core.language import say, say_if_sentence
from medcxr.services.model_facts import ModelFacts
from medcxr.services.workspace import Workspace

__all__ = ["Opened", "show_frame"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opened:
    """What a page is shown of.

    Attributes:
        workspace: whose model answers.
        cases: the radiographs open in this browser tab.
        case: the one chosen at the side; None if there is none.
        facts: what is known of the model; None if there is none.
    """

    workspace: Workspace
    cases: tuple[Case, ...]
    case: Case | None
    facts: ModelFacts | None


def show_frame(workspace: Workspace) -> Opened:
    """Show it and return what was chosen in it. It stays when the page changes, and so do files."""
    show_initial_password_notice(workspace)
    with st.sidebar:
        st.html(
            '<p class="cxr-brand">medcxr</p>'
            f'<p class="cxr-quiet">{say("Chest X-ray decision support")}</p>'
        )
        uploads = _uploads()
        place_of_list = st.container()
        facts = show_model(workspace)
        show_preferences()
        show_account(workspace)
    cases = open_cases(workspace, uploads)
    forget_others([case.digest for case in cases])
    case = None
    if cases:
        with place_of_list:
            case = _chosen(cases)
    return Opened(workspace=workspace, cases=tuple(cases), case=case, facts=facts)


def _uploads() -> list[Upload]:
    files = st.file_uploader(
        say("Radiographs (PNG, JPEG, TIFF or DICOM)"),
        key="radiographs",  # so that files stay when the language changes
        type=None,  # by content, not by name: DICOM files often have no extension
        accept_multiple_files=True,
        help=say(
            "Up to {limit} MB each. Files stay in this computer's memory and are forgotten when you "
            "sign out.",
            limit=UPLOAD_LIMIT_MB,
        ),
    )
    uploads = [Upload(label=file.name, data=file.getvalue()) for file in files]
    if is_synthetic_wanted():
        with st.spinner(say("Simulating a radiograph")):
            uploads.append(synthetic_upload())
        show_closing_button()
    return uploads


def _chosen(cases: list[Case]) -> Case:
    if len(cases) == 1:
        return cases[0]
    number = st.radio(
        say("Worklist"),
        range(len(cases)),
        format_func=lambda index: say_if_sentence(cases[index].label),
        captions=[_in_short(case) for case in cases],
    )
    return cases[number]


def _in_short(case: Case) -> str:
    if case.reading is None:
        return say("Could not be analyzed")
    active = active_findings(case)
    if not active:
        return say("No active finding")
    return ", ".join(f"{say(one.finding)} {percent(one.probability)}" for one in active)
