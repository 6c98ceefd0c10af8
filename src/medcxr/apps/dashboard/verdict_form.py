"""Where the reader says what is in a radiograph, finding by finding."""

import streamlit as st

from medcxr.apps.dashboard.overview_words import VERDICT, VERDICTS
from medcxr.apps.dashboard.plain import plain
from medcxr.core.case_record import CaseRecord, Verdict
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say
from medcxr.services.case_records import COMMENT_LENGTH, give_verdict
from medcxr.services.workspace import Workspace

__all__ = ["show_verdict_form"]


def show_verdict_form(workspace: Workspace, record: CaseRecord) -> None:
    """Ask for a verdict on each finding and a comment, beginning with what was said last."""
    said = {} if record.opinion is None else dict(record.opinion.verdicts)
    # Another form after each verdict, so that it begins with what is kept.
    key = f"{record.case_id}_{len(record.opinions)}"
    names = [one.finding for one in record.analysis.findings]
    with st.form(f"verdict_{key}"):
        chosen = {
            name: place.segmented_control(
                plain(say(name)),
                list(Verdict),
                format_func=lambda verdict: say(VERDICTS[verdict]),
                default=said.get(name),
                key=f"verdict_{key}_{name}",
            )
            for place, name in zip(st.columns(len(names) or 1), names, strict=False)
        }
        comment = st.text_area(
            say("Comment"),
            value="" if record.opinion is None else record.opinion.comment,
            max_chars=COMMENT_LENGTH,
            height=80,
            key=f"comment_{key}",
        )
        st.caption(say(VERDICT))
        if not st.form_submit_button(say("Keep the verdict"), type="primary"):
            return
    # What was said of findings that this model does not know stays said.
    said = {name: one for name, one in said.items() if name not in chosen}
    try:
        verdicts = said | {name: one for name, one in chosen.items() if one is not None}
        give_verdict(workspace, record.case_id, verdicts, comment)
    except MedcxrError as error:
        st.error(plain(say(str(error))))
        return
    st.toast(say("The verdict is kept."))
    st.rerun()
