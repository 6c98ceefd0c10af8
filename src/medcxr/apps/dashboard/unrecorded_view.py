"""What stands in the place of a radiograph that was analyzed and could not be recorded."""

from collections.abc import Sequence

import streamlit as st

from medcxr.apps.dashboard.cases import Case, forget_unrecorded
from medcxr.apps.dashboard.plain import plain
from medcxr.core.language import say

__all__ = ["show_unrecorded"]


def show_unrecorded(cases: Sequence[Case]) -> None:
    """Say that nothing is shown of some radiographs until it can be recorded, and offer that."""
    problems = {say(case.error) for case in cases if case.is_unrecorded}
    if not problems:
        return
    st.error(
        plain(
            say(
                "Results are shown only when it was recorded who saw them, and that cannot be done "
                "now, so nothing is shown: {problem}",
                problem=" ".join(sorted(problems)),
            )
        )
    )
    st.button(say("Try again"), key="try_unrecorded", on_click=forget_unrecorded)
