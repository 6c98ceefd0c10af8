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
from medcxr.apps.dashboard.plain import plain
from medcxr.core.language import say
from medcxr.services.model_facts import ModelFacts
from medcxr.services.workspace import Workspace

__all__ = ["CHOSEN", "Opened", "show_frame"]

CHOSEN = "worklist"
"""Where the tab remembers the digest of the radiograph that was chosen at the side."""


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
            '<p class="cxr-brand">medcxr</p><p class="cxr-quiet">Chest X-ray decision support</p>'
        )
        uploads = _uploads()
        place_of_list = st.container()
        facts = show_model(workspace)
        show_account(workspace)
    cases = open_cases(workspace, uploads)
    for problem in {case.memory_problem for case in cases} - {""}:
        st.warning(plain(say("Not remembered: {problem}", problem=problem)))
    forget_others([case.digest for case in cases])
    case = None
    if cases:
        with place_of_list:
            case = _chosen(cases)
    return Opened(workspace=workspace, cases=tuple(cases), case=case, facts=facts)


def _uploads() -> list[Upload]:
    files = st.file_uploader(
        "Radiographs (PNG, JPEG, TIFF or DICOM)",
        type=None,  # by content, not by name: DICOM files often have no extension
        accept_multiple_files=True,
        help=f"Up to {UPLOAD_LIMIT_MB} MB each. Files stay in this "
        "computer's memory and are forgotten when you sign out.",
    )
    uploads = [Upload(label=file.name, data=file.getvalue()) for file in files]
    if is_synthetic_wanted():
        uploads.append(synthetic_upload())
        show_closing_button()
    return uploads


def _chosen(cases: list[Case]) -> Case:
    if len(cases) == 1:
        return cases[0]
    by_digest = {case.digest: case for case in cases}
    if st.session_state.get(CHOSEN) not in by_digest:
        st.session_state[CHOSEN] = cases[0].digest
    chosen = st.radio(
        "Worklist",
        list(by_digest),
        format_func=lambda digest: by_digest[digest].label,
        captions=[_in_short(case) for case in cases],
        key=CHOSEN,
        persist_state="session",
    )
    return by_digest[chosen]


def _in_short(case: Case) -> str:
    if case.reading is None:
        return "Could not be analyzed"
    active = active_findings(case)
    if not active:
        return "No active finding"
    return ", ".join(f"{finding.finding} {percent(finding.probability)}" for finding in active)
