"""Remembered cases as a list to choose from, by urgency, with filters and export."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from html import escape

import streamlit as st

from medcxr.apps.dashboard.cases import active_findings
from medcxr.apps.dashboard.findings_view import percent
from medcxr.apps.dashboard.frame import choose
from medcxr.apps.dashboard.overview_words import LEVELS, URGENCY
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.refusal_view import why_not
from medcxr.core.access import Permission
from medcxr.core.case_record import CaseFilter, CaseRecord
from medcxr.core.findings import Finding
from medcxr.core.language import say, say_number, text
from medcxr.core.results import Analysis
from medcxr.core.sentences import local_time
from medcxr.core.urgency import UrgencyLevel
from medcxr.services.case_export import export_cases
from medcxr.services.case_records import case, cases, count_cases, recent_cases, view_case
from medcxr.services.model_facts import ModelFacts
from medcxr.services.workspace import Workspace

__all__ = [
    "case_to_show",
    "close_case",
    "open_case",
    "opened_case",
    "rows_of",
    "show_list",
    "show_recent",
]

_OPENED = "opened_case"
_VIEWED = "viewed_case"  # the one whose opening was told
_PAGE = "worklist_page"
_ON_A_PAGE = 20
_RECENT = 6
_WIDTHS = (1.1, 3, 8)  # of urgency, name, and the rest of a row
_READ = {
    text("All"): None,
    text("Unread"): False,
    text("Read"): True,
}


def opened_case() -> int | None:
    """Return the number of the case that was opened in this tab, None if the list is shown."""
    number = st.session_state.get(_OPENED)
    return number if isinstance(number, int) else None


def open_case(record: CaseRecord) -> None:
    """Open a case from now on, and choose its file at the side, if that is open."""
    st.session_state[_OPENED] = record.case_id
    st.session_state.pop(_VIEWED, None)
    choose(record.image_digest)


def case_to_show(workspace: Workspace) -> CaseRecord:
    """Return the case that was opened in this tab; to open it is told to the audit trail once.

    Raises:
        DataError: it was deleted meanwhile.
        StorageError: the database cannot be used.
    """
    number = opened_case() or 0
    if st.session_state.get(_VIEWED) == number:
        return case(workspace, number)
    record = view_case(workspace, number)
    st.session_state[_VIEWED] = number
    return record


def close_case() -> None:
    """Show the list again from now on."""
    st.session_state.pop(_OPENED, None)


def show_list(workspace: Workspace, facts: ModelFacts | None) -> None:
    """Show the cases that the filters let through, in the order in which a person should look."""
    st.header(say("Worklist"), anchor=False)
    st.caption(say(URGENCY))
    wanted = _asked(facts)
    n = count_cases(workspace, wanted)
    if n == 0:
        st.info(say("No remembered case fits these filters; change them to see others."))
        return
    first = _first_of_page(n)
    shown = cases(workspace, replace(wanted, skip=first, limit=_ON_A_PAGE))
    rows_of(shown, key="listed")
    told = say("{first:,} to {last:,} of {n:,}", first=first + 1, last=first + len(shown), n=n)
    _show_foot(workspace, wanted, told, n)


def show_recent(workspace: Workspace) -> None:
    """Show the cases that were analyzed last."""
    st.header(say("Analyzed last"), anchor=False)
    with st.container(key="cases_recent", gap="xxsmall"):
        for one in recent_cases(workspace, _RECENT):
            when, name = st.columns((1, 3), vertical_alignment="center")
            when.html(f'<p class="cxr-quiet">{escape(local_time(one.last_seen_at))}</p>')
            with name:
                _button(one, key="recent")


def rows_of(records: Sequence[CaseRecord], *, key: str) -> None:
    """Show a row for each case, whose name opens it.

    Args:
        records: in the order to show.
        key: which list this is.
    """
    with st.container(key=f"cases_{key}", gap="xxsmall"):
        for place, words in zip(st.columns(_WIDTHS), _heads(), strict=True):
            place.html(words)
        for one in records:
            urgency, name, rest = st.columns(_WIDTHS, vertical_alignment="center")
            urgency.html(_chip(one.urgency.level))
            with name:
                _button(one, key=key)
            rest.html(_rest(one))


def _button(record: CaseRecord, *, key: str) -> None:
    st.button(
        plain(record.label),
        key=f"{key}_{record.case_id}",
        type="tertiary",
        on_click=open_case,
        args=(record,),
    )


def _asked(facts: ModelFacts | None) -> CaseFilter:
    """Ask what to show."""
    levels, finding, read, label, dates = st.columns(
        (3.8, 1.5, 2.3, 1.4, 1.9), vertical_alignment="top"
    )
    chosen_levels = levels.pills(
        say("Urgency"),
        list(UrgencyLevel),
        selection_mode="multi",
        format_func=lambda level: say(LEVELS[level]),
        key="filter_levels",
        on_change=_to_the_first,
        persist_state="session",
    )
    names = [] if facts is None else [one.finding for one in facts.figures]
    chosen_finding = finding.selectbox(
        say("Finding present"),
        [name for name in names if name != Finding.NO_FINDING],
        index=None,
        format_func=say,
        placeholder=say("Any"),
        key="filter_finding",
        on_change=_to_the_first,
        persist_state="session",
    )
    chosen_read = read.segmented_control(
        say("Your verdict"),
        list(_READ),
        default=next(iter(_READ)),
        format_func=say,
        required=True,
        key="filter_read",
        on_change=_to_the_first,
        persist_state="session",
    )
    part = label.text_input(
        say("File name"),
        placeholder=say("Part of it"),
        key="filter_label",
        on_change=_to_the_first,
        persist_state="session",
    )
    chosen_dates = dates.date_input(
        say("Analyzed"),
        value=[],
        format="YYYY-MM-DD",
        key="filter_dates",
        on_change=_to_the_first,
        persist_state="session",
    )
    since, until = _span(chosen_dates)
    return CaseFilter(
        levels=frozenset(chosen_levels or ()),
        finding=chosen_finding,
        is_read=_READ[chosen_read] if chosen_read else None,
        label_part=(part or "").strip(),
        since=since,
        until=until,
    )


def _to_the_first() -> None:
    st.session_state[_PAGE] = 1


def _span(dates: object) -> tuple[datetime | None, datetime | None]:
    """Return the moments between which the chosen days lie; one day alone is where they begin."""
    days = [one for one in dates if isinstance(one, date)] if isinstance(dates, tuple) else []
    since = datetime.combine(days[0], time()).astimezone() if days else None
    until = None
    if len(days) == 2:
        until = datetime.combine(days[1] + timedelta(days=1), time()).astimezone()
    return since, until


def _first_of_page(n: int) -> int:
    """Return the number of the first case of the page that is shown."""
    last = max(1, -(-n // _ON_A_PAGE))
    page = min(max(1, int(st.session_state.get(_PAGE, 1))), last)
    st.session_state[_PAGE] = page
    return (page - 1) * _ON_A_PAGE


def _turn(by: int) -> None:
    st.session_state[_PAGE] = int(st.session_state.get(_PAGE, 1)) + by


def _show_foot(workspace: Workspace, wanted: CaseFilter, told: str, n: int) -> None:
    where, back, forth, export = st.columns((4, 1.2, 1.2, 2.4), vertical_alignment="center")
    where.caption(told)
    if n > _ON_A_PAGE:
        page = int(st.session_state.get(_PAGE, 1))
        back.button(
            say("Previous"),
            disabled=page == 1,
            on_click=_turn,
            args=(-1,),
            key="page_back",
            width="stretch",
        )
        forth.button(
            say("Next"),
            disabled=page * _ON_A_PAGE >= n,
            on_click=_turn,
            args=(1,),
            key="page_forth",
            width="stretch",
        )
    reason = why_not(workspace, Permission.EXPORT_CASES)
    export.download_button(
        say_number("Export {number} case (CSV)", "Export {number} cases (CSV)", n),
        data=lambda: export_cases(workspace, cases(workspace, wanted)),
        file_name="medcxr-cases.csv",
        mime="text/csv",
        on_click="ignore",
        width="stretch",
        disabled=reason is not None,
        help=reason,
    )


def _chip(level: UrgencyLevel) -> str:
    return f'<span class="cxr-state cxr-level cxr-level-{level.value}">{escape(say(LEVELS[level]))}</span>'


def _heads() -> tuple[str, str, str]:
    rest = (say("Present, by the model"), say("View"), say("First analyzed"), say("Reader"))
    quiet = '<p class="cxr-quiet">{}</p>'
    return (
        quiet.format(escape(say("Urgency"))),
        quiet.format(escape(say("File name"))),
        '<div class="cxr-row cxr-heads">'
        + "".join(f"<span>{escape(one)}</span>" for one in rest)
        + "</div>",
    )


def _rest(record: CaseRecord) -> str:
    cells = (
        _present(record.analysis),
        record.analysis.view if record.analysis.view != "unknown" else "",
        local_time(record.first_seen_at),
        say("Read") if record.is_read else say("Unread"),
    )
    return (
        '<div class="cxr-row">' + "".join(f"<span>{escape(one)}</span>" for one in cells) + "</div>"
    )


def _present(analysis: Analysis) -> str:
    active = active_findings(analysis)
    told = ", ".join(f"{say(one.finding)} {percent(one.probability)}" for one in active)
    return told or say("No active finding")
