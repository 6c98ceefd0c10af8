"""What the reader says of a radiograph, beside what the model said."""

from collections.abc import Mapping
from html import escape

import streamlit as st

from medcxr.apps.dashboard.cases import Case, Reading
from medcxr.apps.dashboard.clinical_words import NOT_REMEMBERED, VERDICT, VERDICTS
from medcxr.apps.dashboard.plain import plain
from medcxr.core.case_record import CaseRecord, Opinion, Verdict
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say
from medcxr.core.results import Analysis
from medcxr.core.sentences import written_time
from medcxr.services import case_records
from medcxr.services.case_records import COMMENT_LENGTH
from medcxr.services.workspace import Workspace

__all__ = ["show_opinion", "show_opinion_form", "told_agreement"]


def show_opinion(workspace: Workspace, case: Case, reading: Reading) -> None:
    """Show what the reader said, and ask."""
    st.header(say("Your verdict"), anchor=False)
    if case.case_id is None:
        st.info(say(NOT_REMEMBERED))
        return
    try:
        record = case_records.case(workspace, case.case_id)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
        return
    show_opinion_form(workspace, record, reading.analysis)
    if record.opinion is not None:
        st.html(_told(record.opinion, reading.analysis))


def told_agreement(opinion: Opinion, analysis: Analysis) -> str:
    """Say where reader and model differ."""
    judged = {
        found.finding: (opinion.verdicts[found.finding], found.present)
        for found in analysis.findings
        if opinion.verdicts.get(found.finding) in (Verdict.PRESENT, Verdict.ABSENT)
    }
    if not judged:
        return ""
    differing = [
        say(finding)
        for finding, (verdict, present) in judged.items()
        if (verdict is Verdict.PRESENT) != present
    ]
    if not differing:
        return say("You and the model agree on what you have judged.")
    return say("You and the model differ on {findings}.", findings=", ".join(differing))


def show_opinion_form(workspace: Workspace, record: CaseRecord, analysis: Analysis) -> None:
    """Ask what the reader says of a remembered radiograph, beginning with what was said last.

    Args:
        workspace: that remembers it.
        record: the case.
        analysis: whose findings to ask for.
    """
    said: Mapping[str, Verdict] = record.opinion.verdicts if record.opinion else {}
    comment = record.opinion.comment if record.opinion else ""
    # Anew after each verdict, so that the fields show what is kept.
    key = f"{record.case_id} {len(record.opinions)}"
    with st.form(f"opinion {key}", border=True):
        place = st.container(horizontal=True)  # what does not fit beside the others stands below
        chosen = {
            found.finding: place.segmented_control(
                plain(say(found.finding)),
                [verdict.value for verdict in Verdict],
                format_func=lambda value: say(VERDICTS[value]),
                default=said.get(found.finding),
                key=f"verdict {key} {found.finding}",
                width="content",
            )
            for found in analysis.findings
        }
        words = st.text_area(
            say("Comment"), value=comment, max_chars=COMMENT_LENGTH, height=80, key=f"comment {key}"
        )
        st.caption(say(VERDICT))
        if not st.form_submit_button(say("Keep the verdict")):
            return
    verdicts = {finding: Verdict(value) for finding, value in chosen.items() if value}
    # What was said of findings that this model does not have stays said.
    others = {f: v for f, v in said.items() if f not in chosen}
    try:
        case_records.give_verdict(workspace, record.case_id, {**others, **verdicts}, words)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
        return
    st.toast(say("The verdict is kept."))
    st.rerun()


def _told(opinion: Opinion, analysis: Analysis) -> str:
    time = written_time(opinion.given_at)
    if opinion.given_by is None:
        kept = say("Kept at {time} UTC.", time=time)
    else:
        kept = say("Kept by {reader} at {time} UTC.", reader=opinion.given_by, time=time)
    agreement = told_agreement(opinion, analysis)
    return f'<p class="cxr-quiet">{escape(kept)} {escape(agreement)}</p>'
