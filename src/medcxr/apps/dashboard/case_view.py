"""One remembered case: what models and the reader said of it."""

from collections.abc import Sequence
from html import escape

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from medcxr.apps.dashboard.case_list import case_to_show, close_case, rows_of
from medcxr.apps.dashboard.clinical_words import VERDICTS
from medcxr.apps.dashboard.findings_view import percent, show_findings
from medcxr.apps.dashboard.frame import Opened, choose
from medcxr.apps.dashboard.opinion_view import show_opinion_form
from medcxr.apps.dashboard.overview_words import DELETE, LEVELS, REASONS
from medcxr.apps.dashboard.patient_form import ask_patient
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.refusal_view import why_not
from medcxr.apps.dashboard.tables import html_facts, html_table
from medcxr.core.access import Permission
from medcxr.core.case_record import CaseReading, CaseRecord
from medcxr.core.errors import DataError
from medcxr.core.language import say
from medcxr.core.results import Analysis
from medcxr.core.sentences import local_time, written_time
from medcxr.services.case_records import delete_case, earlier_cases
from medcxr.services.told_analysis import told_measures, told_shape, told_state
from medcxr.services.workspace import Workspace

__all__ = ["show_case"]


def show_case(opened: Opened, reading: StreamlitPage) -> None:
    """Show the case that was opened in this tab.

    Args:
        opened: what is open in this browser tab.
        reading: the page on which an open radiograph is read.
    """
    workspace = opened.workspace
    try:
        record = case_to_show(workspace)
    except DataError:  # deleted meanwhile, in another tab
        close_case()
        st.rerun()
    _show_top(opened, record, reading)
    analysis = record.analysis
    st.html(_heading(record))
    for warning in analysis.warnings:
        st.warning(plain(say(warning)))
    facts = opened.facts
    is_in_use = facts is not None and analysis.model == f"{facts.name} {facts.version}"
    show_findings(analysis, facts.aucs if facts is not None and is_in_use else {})
    if workspace.actor.may(Permission.JUDGE_CASES):
        st.header(say("Your verdict"), anchor=False)
        show_opinion_form(workspace, record, analysis)
    if record.opinions:
        st.html(_opinions(record))
    _show_further(record.readings[1:])
    _show_earlier(workspace, record)


def _show_top(opened: Opened, record: CaseRecord, reading: StreamlitPage) -> None:
    back, show, _, delete = st.columns((2, 4, 1, 2), vertical_alignment="center")
    back.button(say("Back to the worklist"), on_click=close_case, width="stretch")
    with show:
        _lead_to_file(opened, record, reading)
    reason = why_not(opened.workspace, Permission.DELETE_CASES)
    with delete.popover(
        say("Delete the case"), width="stretch", disabled=reason is not None, help=reason
    ):
        st.markdown(say(DELETE))
        if reason is None and st.button(say("Delete"), key="delete_case"):
            delete_case(opened.workspace, record.case_id)
            close_case()
            st.rerun()


def _lead_to_file(opened: Opened, record: CaseRecord, reading: StreamlitPage) -> None:
    """Lead to the radiograph where its file is open in this tab.

    By a link, since to switch pages by program would close the files.
    """
    digest = record.image_digest
    if not any(one.digest == digest and one.reading for one in opened.cases):
        st.caption(say("Open the file again to see the radiograph."))
    elif opened.case is not None and opened.case.digest == digest:
        with st.container(key="to_reading_case"):
            st.page_link(reading, label=say("Show the radiograph"), icon=":material/radiology:")
    else:
        st.button(say("Choose this radiograph"), on_click=choose, args=(digest,))


def _heading(record: CaseRecord) -> str:
    level = record.urgency.level
    return (
        f'<p class="cxr-title">{escape(record.label)}</p>'
        f'<p class="cxr-summary"><span class="cxr-state cxr-level cxr-level-{level.value}">'
        f"{escape(say(LEVELS[level]))}</span> {escape(say(REASONS[level]))}</p>"
        f"{html_facts(_facts(record))}"
    )


def _facts(record: CaseRecord) -> dict[str, str]:
    analysis = record.analysis
    taken = say("not stated") if record.taken_at is None else written_time(record.taken_at)
    return {
        say("Case"): str(record.case_id),
        say("Taken"): taken,
        say("View"): say(analysis.view),
        say("Size"): told_shape(analysis),
        **told_measures(analysis),
        say("Model"): analysis.model,
        say("Operating point"): say(analysis.operating_point),
        say("First analyzed"): local_time(record.first_seen_at),
        say("Last seen"): local_time(record.last_seen_at),
        say("Analyzed in"): say("{seconds:.2f} s", seconds=analysis.seconds),
        "SHA-256": record.image_digest[:12],
    }


def _opinions(record: CaseRecord) -> str:
    names = list(dict.fromkeys(name for one in record.opinions for name in one.verdicts))
    heads = (say("Given"), say("Reader"), *(say(name) for name in names), say("Comment"))
    rows = [
        (
            local_time(one.given_at),
            one.given_by or "",
            *(say(VERDICTS[one.verdicts[name]]) if name in one.verdicts else "" for name in names),
            one.comment,
        )
        for one in record.opinions
    ]
    return html_table(
        heads, rows, caption=say("What readers said, the last one first, which counts")
    )


def _show_further(readings: Sequence[CaseReading]) -> None:
    if not readings:
        return
    st.header(say("Answers of other models"), anchor=False)
    names = list(dict.fromkeys(f.finding for one in readings for f in one.analysis.findings))
    rows = [
        (
            one.analysis.model,
            say(LEVELS[one.urgency.level]),
            *_answers(one.analysis, names),
            local_time(one.analyzed_at),
        )
        for one in readings
    ]
    heads = (say("Model"), say("Urgency"), *(say(name) for name in names), say("First analyzed"))
    st.html(html_table(heads, rows))


def _answers(analysis: Analysis, names: Sequence[str]) -> list[str]:
    told = {
        one.finding: f"{percent(one.probability)} ({told_state(one)})" for one in analysis.findings
    }
    return [told.get(name, "") for name in names]


def _show_earlier(workspace: Workspace, record: CaseRecord) -> None:
    st.header(say("Earlier radiographs of this patient"), anchor=False)
    if record.patient_key is None:
        reason = why_not(workspace, Permission.JUDGE_CASES)
        if reason is not None:
            st.caption(reason)
            return
        ask_patient(workspace, record.case_id, taken_at=record.taken_at)
        return
    earlier = earlier_cases(workspace, record)
    if earlier:
        rows_of(earlier, key="earlier")
    else:
        st.caption(say("None is remembered that was taken before this one."))
