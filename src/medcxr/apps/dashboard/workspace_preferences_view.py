"""What is preferred in a workspace: listed as `Preferences` defines it, changed by a button."""

from collections.abc import Mapping
from dataclasses import Field, asdict, fields
from typing import Any, get_type_hints

import streamlit as st

from medcxr.apps.dashboard.audit_words import ROLES
from medcxr.apps.dashboard.plain import plain
from medcxr.core.access import PROGRAM, Role
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say, say_number, text
from medcxr.services.case_records import forget_old_cases
from medcxr.services.health import told_size
from medcxr.services.housekeeping import Why, clean_by_itself, removable
from medcxr.services.preferences import (
    IDLE_MINUTES,
    SIGNED_IN_HOURS,
    Preferences,
    preferences,
    set_preferences,
)
from medcxr.services.workspace import Workspace

__all__ = ["show_preferences"]

_NOTICE = "preferences_notice"
_WORDS: Mapping[str, tuple[str, str]] = {
    "remember_cases": (
        text("Remember analyzed radiographs"),
        text(
            "Figures, the file's name and digest, and a key in the patient's place; never the "
            "pixels. Turned off, what is remembered already stays."
        ),
    ),
    "keep_days": (
        text("Days after which a case that was not seen again is deleted"),
        text("Empty keeps all. What is deleted cannot be brought back."),
    ),
    "idle_minutes": (
        text("Minutes without activity after which a sign-in ends"),
        text("A workstation that was left locks itself."),
    ),
    "signed_in_hours": (
        text("Hours after which a sign-in ends in any case"),
        text("Then the password is asked for again."),
    ),
    "second_factor_for": (
        text("Roles that need a second factor"),
        text(
            "Whoever has one of them and no second factor yet must add one before anything else is "
            "shown."
        ),
    ),
    "keep_checkpoint_days": (
        text("Days after which checkpoints of a finished training are deleted"),
        text("Empty keeps all. The model, its scores and the record of the training stay."),
    ),
    "keep_log_days": (
        text("Days after which what a finished training printed is deleted"),
        text("Empty keeps all. The recipe and the record of the training stay."),
    ),
}
"""Name of a preference -> its label, and what to know before it is changed."""
_BOUNDS = {"idle_minutes": IDLE_MINUTES, "signed_in_hours": SIGNED_IN_HOURS}


def show_preferences(workspace: Workspace) -> None:
    """Show every preference, and keep what is chosen when the button is pressed."""
    notice = st.session_state.pop(_NOTICE, "")
    if notice:
        st.success(plain(notice))
    try:
        current = preferences(workspace)
        chosen = {one.name: _chosen(one, getattr(current, one.name)) for one in fields(current)}
        _show_saving(workspace, current, chosen)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))


def _chosen(one: "Field[Any]", value: Any) -> Any:  # noqa: ANN401 - of the preference's own type
    """Ask for one preference in the way that its type needs."""
    label, told = _WORDS[one.name]
    kind = get_type_hints(Preferences)[one.name]
    # Named after the value that is kept: one that was changed elsewhere is shown anew.
    key = f"preference_{one.name}_{value}"
    if kind is bool:
        return st.toggle(say(label), value=value, help=say(told), key=key)
    if kind == int | None:
        # Not by `value`: a field with a value of its own could not be emptied.
        st.session_state.setdefault(key, value)
        with st.container(width=480):
            return st.number_input(
                say(label),
                value=None,
                min_value=1,
                step=1,
                placeholder=say("never"),
                help=say(told),
                key=key,
            )
    if kind is int:
        least, most = _BOUNDS[one.name]
        with st.container(width=480):
            return st.number_input(
                say(label), value=value, min_value=least, max_value=most, help=say(told), key=key
            )
    if kind == tuple[str, ...]:
        with st.container(width=480):
            chosen = st.multiselect(
                say(label),
                [role.value for role in Role],
                default=list(value),
                format_func=lambda name: say(ROLES[Role(name)]),
                placeholder=say("none"),
                help=say(told),
                key=key,
            )
        return tuple(role.value for role in Role if role.value in chosen)
    raise TypeError(one.name)  # a program's error: the page cannot ask for such a value


def _show_removable(workspace: Workspace, wanted: Preferences) -> None:
    """Say what of trainings would be deleted by these preferences now."""
    if wanted.keep_checkpoint_days is None and wanted.keep_log_days is None:
        return
    found = [
        one
        for one in removable(workspace.used_by(PROGRAM), wanted=wanted)
        if one.why is not Why.HALF_WRITTEN
    ]
    st.caption(
        say_number(
            "{number} file of finished trainings, {size}, is deleted by these preferences now; "
            "others follow daily. `medcxr clean --dry-run` lists them.",
            "{number} files of finished trainings, {size}, are deleted by these preferences now; "
            "others follow daily. `medcxr clean --dry-run` lists them.",
            len(found),
            size=told_size(sum(one.n_bytes for one in found)),
        )
    )


def _show_saving(workspace: Workspace, current: Preferences, chosen: Mapping[str, Any]) -> None:
    wanted = Preferences(**{**asdict(current), **chosen})
    days = wanted.keep_days
    shorter = days is not None and (current.keep_days is None or days < current.keep_days)
    sure = not shorter or st.checkbox(
        say_number(
            "Cases that were not seen for {number} day are to be deleted now.",
            "Cases that were not seen for {number} days are to be deleted now.",
            days or 0,
        ),
        key=f"preferences_sure_{days}",
    )
    _show_removable(workspace, wanted)
    if not st.button(say("Save the preferences"), disabled=wanted == current):
        return
    if not sure:
        st.warning(say("Nothing was changed: tick the box above first."))
        return
    set_preferences(workspace, wanted)
    n_deleted = forget_old_cases(workspace) if shorter else 0
    clean_by_itself(workspace)
    notice = say("The preferences were saved.")
    if n_deleted:
        notice += " " + say_number(
            "{number} case was deleted.", "{number} cases were deleted.", n_deleted
        )
    st.session_state[_NOTICE] = notice
    st.rerun()
