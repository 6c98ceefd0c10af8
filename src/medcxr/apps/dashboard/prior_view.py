"""An earlier radiograph of the same patient beside this one."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from medcxr.apps.dashboard.cases import Case, Reading
from medcxr.apps.dashboard.clinical_words import COMPARED, NO_PRIOR
from medcxr.apps.dashboard.findings_view import percent
from medcxr.apps.dashboard.frame import Opened
from medcxr.apps.dashboard.operating_point import chosen_rule
from medcxr.apps.dashboard.patient_form import ask_patient
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.tables import html_table
from medcxr.core.case_record import CaseRecord
from medcxr.core.errors import DataError, StorageError
from medcxr.core.language import say
from medcxr.core.results import Analysis, FindingResult
from medcxr.core.sentences import written_time
from medcxr.inference.deciding import decided
from medcxr.services import case_records
from medcxr.services.told_analysis import told_state
from medcxr.services.workspace import Workspace

__all__ = ["Prior", "change_rows", "find_prior", "show_prior"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prior:
    """An earlier radiograph of the patient.

    Attributes:
        record: what is remembered of it.
        analysis: its figures, by the same model where that has seen it, at the same operating point.
        case: its picture, where its file is open in this browser tab too.
        title: of its pane.
        earlier: all of them, the newest first.
    """

    record: CaseRecord
    analysis: Analysis
    case: Case | None
    title: str
    earlier: tuple[CaseRecord, ...]


def find_prior(opened: Opened, case: Case) -> Prior | None:
    """Return the earlier radiograph that was chosen, the newest one at first; None without any."""
    earlier = _earlier(opened.workspace, case)
    if not earlier or case.reading is None:
        return None
    by_number = {record.case_id: record for record in earlier}
    chosen = st.session_state.get(_key(case))
    record = earlier[0] if chosen is None else by_number.get(chosen, earlier[0])
    open_cases = {one.digest: one for one in opened.cases if one.reading is not None}
    return Prior(
        record=record,
        analysis=_analysis(opened, record, case.reading),
        case=open_cases.get(record.image_digest),
        title=say("Earlier: {time}", time=_time(record)),
        earlier=tuple(earlier),
    )


def show_prior(opened: Opened, case: Case, reading: Reading, prior: Prior | None) -> None:
    """Show the figures of both with their changes, or how radiographs are brought together."""
    if case.case_id is None:
        return
    if prior is None:
        with st.expander(say("Earlier radiographs of this patient")):
            st.markdown(say(NO_PRIOR))
            ask_patient(opened.workspace, case.case_id)
        return
    st.header(say("Beside an earlier radiograph"), anchor=False)
    if len(prior.earlier) > 1:
        earlier = {one.case_id: one for one in prior.earlier}
        st.selectbox(
            say("Earlier radiograph"),
            list(earlier),
            format_func=lambda number: f"{_time(earlier[number])} · {earlier[number].label}",
            key=_key(case),
        )
    heads = (say("Finding"), _time(prior.record), say("This radiograph"), say("Change"))
    st.html(html_table(heads, change_rows(prior.analysis, reading.analysis)))
    if prior.analysis.model != reading.analysis.model:
        st.warning(
            say(
                "The earlier figures are those of another model, {model}.",
                model=plain(prior.analysis.model),
            )
        )
    if prior.case is None:
        st.caption(
            say(
                "Open its file too ({label}) to see both pictures side by side.",
                label=plain(prior.record.label),
            )
        )
    st.caption(say(COMPARED))


def change_rows(before: Analysis, now: Analysis) -> list[tuple[str, str, str, str]]:
    """Return finding, both figures and the change; a finding that only one has is not compared."""
    earlier = {found.finding: found for found in before.findings}
    rows = [
        (
            say(found.finding),
            _answer(old),
            _answer(found),
            say("{points:+.0f} points", points=100 * (found.probability - old.probability)),
        )
        for found in now.findings
        if (old := earlier.get(found.finding)) is not None
    ]
    ratios = [
        None if one.anatomy is None or one.anatomy.doubts else one.anatomy.cardiothoracic_ratio
        for one in (before, now)
    ]
    if ratios[0] is not None and ratios[1] is not None:
        then, today = ratios[0], ratios[1]
        rows.append(
            (
                say("Cardiothoracic ratio"),
                say("{ratio:.2f}", ratio=then),
                say("{ratio:.2f}", ratio=today),
                say("{change:+.2f}", change=today - then),
            )
        )
    return rows


def _answer(found: FindingResult) -> str:
    return f"{percent(found.probability)} · {told_state(found)}"


def _earlier(workspace: Workspace, case: Case) -> Sequence[CaseRecord]:
    if case.case_id is None:
        return ()
    try:
        return case_records.earlier_cases(workspace, case_records.case(workspace, case.case_id))
    except (DataError, StorageError):  # deleted meanwhile, or said where the verdict is
        return ()


def _analysis(opened: Opened, record: CaseRecord, reading: Reading) -> Analysis:
    by_model = {one.analysis.model: one.analysis for one in record.readings}
    analysis = by_model.get(reading.analysis.model, record.analysis)
    rule = chosen_rule(opened.workspace, opened.facts)
    # Of the patient's age at that time nothing is kept, and no warning is shown here.
    return analysis if rule is None else decided(analysis, rule, age_years=None)


def _time(record: CaseRecord) -> str:
    return "" if record.taken_at is None else written_time(record.taken_at)


def _key(case: Case) -> str:
    return f"prior_{case.digest}"
