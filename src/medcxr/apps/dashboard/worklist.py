"""The signed-in page: files at the side, the chosen radiograph in the middle."""

from html import escape

import streamlit as st

from medcxr.apps.dashboard.cases import Case, Upload, active_findings, open_cases, synthetic_upload
from medcxr.apps.dashboard.doors import show_account, show_initial_password_notice
from medcxr.apps.dashboard.findings_view import percent
from medcxr.apps.dashboard.limits import UPLOAD_LIMIT_MB
from medcxr.apps.dashboard.model_view import show_model, show_model_figures
from medcxr.apps.dashboard.reading_view import show_reading
from medcxr.apps.dashboard.words import DISCLAIMER
from medcxr.services.model_facts import ModelFacts
from medcxr.services.workspace import Workspace

__all__ = ["show_worklist"]

_SYNTHETIC_WANTED = "synthetic_wanted"


def show_worklist(workspace: Workspace) -> None:
    """Show the whole page."""
    show_initial_password_notice(workspace)
    with st.sidebar:
        st.html(
            '<p class="cxr-brand">medcxr</p><p class="cxr-quiet">Chest X-ray decision support</p>'
        )
        uploads = _uploads()
        place_of_list = st.container()
        facts = show_model(workspace)
        show_account(workspace)
    if uploads:
        cases = open_cases(workspace, uploads)
        with place_of_list:
            case = _chosen(cases)
        _show(workspace, case, facts)
        if facts is not None:
            show_model_figures(facts)
    else:
        _show_empty_state()
    st.html(f'<p class="cxr-disclaimer">{DISCLAIMER}</p>')


def _uploads() -> list[Upload]:
    files = st.file_uploader(
        "Radiographs (PNG, JPEG, TIFF or DICOM)",
        type=None,  # by content, not by name: DICOM files often have no extension
        accept_multiple_files=True,
        help=f"Up to {UPLOAD_LIMIT_MB} MB each. Files stay in this "
        "computer's memory and are forgotten when you sign out.",
    )
    uploads = [Upload(label=file.name, data=file.getvalue()) for file in files]
    if st.session_state.get(_SYNTHETIC_WANTED):
        uploads.append(synthetic_upload())
        st.button("Close the synthetic radiograph", on_click=_want_synthetic, args=(False,))
    return uploads


def _chosen(cases: list[Case]) -> Case:
    if len(cases) == 1:
        return cases[0]
    number = st.radio(
        "Worklist",
        range(len(cases)),
        format_func=lambda index: cases[index].label,
        captions=[_in_short(case) for case in cases],
    )
    return cases[number]


def _in_short(case: Case) -> str:
    if case.reading is None:
        return "Could not be analyzed"
    active = active_findings(case)
    if not active:
        return "No active finding"
    return ", ".join(f"{finding.finding} {percent(finding.probability)}" for finding in active)


def _show(workspace: Workspace, case: Case, facts: ModelFacts | None) -> None:
    if case.reading is None:
        st.html(f'<p class="cxr-title">{escape(case.label)}</p>')
        st.error(case.error)
    else:
        show_reading(workspace, case, case.reading, facts.aucs if facts is not None else {})


def _show_empty_state() -> None:
    with st.container(border=True, key="empty"):
        st.subheader("Open a frontal chest radiograph")
        st.markdown(
            "Add one or more files at the left: PNG, JPEG, TIFF or DICOM. Each is analyzed on this "
            "computer and shown with its findings, their calibrated probabilities and a map of "
            "the evidence. Nothing is sent anywhere or written to the disk."
        )
        st.button("Try a synthetic radiograph", on_click=_want_synthetic, args=(True,))


def _want_synthetic(wanted: bool) -> None:  # noqa: FBT001 - a callback's argument
    st.session_state[_SYNTHETIC_WANTED] = wanted
