"""The backups of the workspace: listed, made, verified, taken along, restored, and made by the clock."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import streamlit as st

from medcxr.apps.dashboard.access import while_signed_in
from medcxr.apps.dashboard.backup_clock import backup_clock
from medcxr.apps.dashboard.done_notice import show_done
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.tables import html_table
from medcxr.core.access import Permission
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say, text
from medcxr.services.backup_files import (
    Backup,
    backup_folder,
    backups,
    passphrase_from_file,
)
from medcxr.services.backup_restoring import (
    EarlierState,
    earlier_states,
    forget_state,
    go_back,
    restore_backup,
)
from medcxr.services.backup_schedule import (
    BackupSchedule,
    backup_schedule,
    set_backup_schedule,
)
from medcxr.services.backups import delete_backup, make_backup, take_backup, verify_backup
from medcxr.services.health import told_size
from medcxr.services.workspace import Workspace

__all__ = ["show_backups"]

_NOTICE = "backups_notice"
_CHOSEN = "backups_action"
_WORD = "RESTORE"  # the same in every language; nobody types it by accident
_MOST_DOWNLOADED_BYTES = 2**29  # the server holds what it hands out in memory
_PASSPHRASE_FILE = "MEDCXR_BACKUP_PASSPHRASE_FILE"  # noqa: S105 - a name  # nosec B105
_READABLE = text(
    "A backup that is not encrypted holds the workspace's keys and password hashes, and the results that "
    "wait for other systems, which name patients. Keep it as closely as the workspace."
)


class _Action(StrEnum):
    MAKE = text("Make a backup")
    VERIFY = text("Verify a backup")
    DOWNLOAD = text("Download a backup")
    RESTORE = text("Restore a backup")
    GO_BACK = text("Return to the state before a restore")
    FORGET = text("Delete the state before a restore")
    DELETE = text("Delete a backup")
    SCHEDULE = text("Make backups by the clock")


def show_backups(workspace: Workspace) -> None:
    """Show the backups, and what can be done with them; nothing to whoever may not."""
    if not workspace.actor.may(Permission.MANAGE_BACKUPS):
        return
    st.header(say("Backups"), anchor=False)
    problem = backup_clock(workspace).problem
    if problem is not None:
        st.error(
            plain(say("The backup that was due could not be made: {reason}", reason=say(problem)))
        )
    notice = st.session_state.pop(_NOTICE, "")
    if notice:
        st.success(plain(notice))
    try:
        found = backups(backup_folder(workspace))
        _show_list(workspace, found)
        _show_actions(workspace, found)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))


def _show_list(workspace: Workspace, found: Sequence[Backup]) -> None:
    folder = backup_folder(workspace)
    if not found:
        st.caption(plain(say("No backup was made yet. They will lie in {folder}.", folder=folder)))
        return
    rows = [
        (
            one.name,
            told_size(one.n_bytes),
            say("yes") if one.is_sealed else say("no"),
            say("by the clock") if one.is_scheduled else say("by hand"),
            say("not since it was changed")
            if one.verified_at is None
            else f"{one.verified_at:%Y-%m-%d %H:%M}",
        )
        for one in found
    ]
    heads = (
        say("Backup (time in UTC)"),
        say("Size"),
        say("Encrypted"),
        say("Made"),
        say("Read back and whole (UTC)"),
    )
    st.html(html_table(heads, rows, caption=say("Backups in {folder}", folder=folder)))


def _show_actions(workspace: Workspace, found: Sequence[Backup]) -> None:
    possible = [action for action in _Action if _is_possible(action, workspace, found)]
    action = st.selectbox(
        say("What to do with backups"),
        possible,
        index=None,
        format_func=lambda one: say(one.value),
        placeholder=say("Choose"),
        key=_CHOSEN,
    )
    if action is not None:
        with st.container(border=True):
            _SHOWN[action](workspace, found)


def _is_possible(action: _Action, workspace: Workspace, found: Sequence[Backup]) -> bool:
    if action is _Action.GO_BACK:
        return any(state.can_return for state in earlier_states(workspace))
    if action is _Action.FORGET:
        return bool(earlier_states(workspace))
    return bool(found) or action in {_Action.MAKE, _Action.SCHEDULE}


def _show_making(workspace: Workspace, _found: Sequence[Backup]) -> None:
    known = passphrase_from_file()  # whoever named it wants no readable one by a slip
    if known is None:
        label = say("Passphrase; empty makes a backup that anybody can read")
    else:
        label = say("Passphrase; empty takes the one of {variable}", variable=_PASSPHRASE_FILE)
    passphrase = _ask_passphrase(label) or known
    st.caption(
        say("It has at least 12 characters and is kept nowhere: without it the backup is lost.")
    )
    runs = st.toggle(say("Runs and trainings too"), value=True, key="backups_runs")
    if not passphrase:
        st.caption(say(_READABLE))
    if st.button(say("Make the backup"), type="primary"):
        with st.spinner(say("Making and reading back")):
            made = make_backup(workspace, passphrase=passphrase, runs=runs)
        show_done("backups", say("{name} was made and read back.", name=made.backup.name))


def _show_verifying(_workspace: Workspace, found: Sequence[Backup]) -> None:
    chosen = _choose(found)
    passphrase = _ask_passphrase(say("Passphrase of the backup")) if chosen.is_sealed else ""
    if st.button(say("Verify"), type="primary"):
        with st.spinner(say("Reading")):
            verify_backup(chosen.path, passphrase or None)
        show_done("backups", say("{name} is whole.", name=chosen.name))


def _show_download(workspace: Workspace, found: Sequence[Backup]) -> None:
    chosen = _choose(found)
    if chosen.n_bytes > _MOST_DOWNLOADED_BYTES:
        st.info(plain(say("It is too large for a browser; copy {path}.", path=chosen.path)))
        return
    if not chosen.is_sealed:
        st.warning(say(_READABLE))
        if not st.checkbox(
            say("I keep it as closely as the workspace."), key=f"backups_closely_{chosen.name}"
        ):
            return
    st.download_button(
        say("Download"),
        data=while_signed_in(workspace, lambda: take_backup(workspace, chosen.name)),
        file_name=chosen.name,
        mime="application/octet-stream",
        on_click="ignore",
        type="primary",
    )


def _show_restoring(workspace: Workspace, found: Sequence[Backup]) -> None:
    chosen = _choose(found)
    st.warning(
        say(
            "Everything that the workspace holds is replaced by what the backup holds; the state before "
            "is kept and can be gone back to. Everybody has to sign in again."
        )
    )
    passphrase = _ask_passphrase(say("Passphrase of the backup")) if chosen.is_sealed else ""
    if _is_sure() and st.button(say("Restore"), type="primary"):
        with st.spinner(say("Restoring")):
            restore_backup(workspace, chosen.path, passphrase=passphrase or None)
        show_done("backups", say("The backup was restored."))


def _show_going_back(workspace: Workspace, _found: Sequence[Backup]) -> None:
    states = [state for state in earlier_states(workspace) if state.can_return]
    chosen = _choose_state(states)
    if _is_sure() and st.button(say("Return to it"), type="primary"):
        with st.spinner(say("Restoring")):
            go_back(workspace, chosen.name)
        show_done("backups", say("The earlier state is back."))


def _show_forgetting(workspace: Workspace, _found: Sequence[Backup]) -> None:
    chosen = _choose_state(earlier_states(workspace))
    sure = st.checkbox(
        say("Delete it; it cannot be brought back."), key=f"backups_forget_{chosen.name}"
    )
    if st.button(say("Delete"), disabled=not sure):
        forget_state(workspace, chosen.name)
        show_done("backups", say("The earlier state was deleted."))


def _show_deleting(workspace: Workspace, found: Sequence[Backup]) -> None:
    chosen = _choose(found)
    sure = st.checkbox(
        say("Delete it; it cannot be brought back."), key=f"backups_delete_{chosen.name}"
    )
    if st.button(say("Delete"), disabled=not sure):
        delete_backup(workspace, chosen.name)
        show_done("backups", say("{name} was deleted.", name=chosen.name))


def _show_schedule(workspace: Workspace, _found: Sequence[Backup]) -> None:
    current = backup_schedule(workspace)
    if passphrase_from_file() is None:
        st.caption(
            say(
                "These backups are not encrypted, because {variable} names no file with a passphrase.",
                variable=_PASSPHRASE_FILE,
            )
        )
    with st.form("backups_schedule", border=False):
        is_on = st.toggle(say("Make backups by the clock"), value=current.every_hours is not None)
        hours = _number(say("Hours from one backup to the next"), current.every_hours or 24, 1)
        keep = _number(say("As many of the newest are kept"), current.keep, 1)
        days = _number(say("The newest of each day, for so many days"), current.days, 0)
        weeks = _number(say("The newest of each week, for so many weeks"), current.weeks, 0)
        months = _number(say("The newest of each month, for so many months"), current.months, 0)
        runs = st.toggle(say("Runs and trainings too"), value=current.runs)
        if st.form_submit_button(say("Save the schedule"), type="primary"):
            schedule = BackupSchedule(
                every_hours=hours if is_on else None,
                keep=keep,
                days=days,
                weeks=weeks,
                months=months,
                runs=runs,
            )
            set_backup_schedule(workspace, schedule)
            show_done("backups", say("The schedule was saved."))
    st.caption(say("Backups made by hand are never deleted by it."))


_SHOWN: Mapping[_Action, Callable[[Workspace, Sequence[Backup]], None]] = {
    _Action.MAKE: _show_making,
    _Action.VERIFY: _show_verifying,
    _Action.DOWNLOAD: _show_download,
    _Action.RESTORE: _show_restoring,
    _Action.GO_BACK: _show_going_back,
    _Action.FORGET: _show_forgetting,
    _Action.DELETE: _show_deleting,
    _Action.SCHEDULE: _show_schedule,
}


def _choose_state(states: Sequence[EarlierState]) -> EarlierState:
    return st.selectbox(
        say("State, by when it was replaced (UTC)"),
        states,
        format_func=lambda state: f"{state.replaced_at:%Y-%m-%d %H:%M:%S}",
        key="backups_state",
    )


def _choose(found: Sequence[Backup]) -> Backup:
    return st.selectbox(
        say("Backup (time in UTC)"), found, format_func=lambda one: one.name, key="backups_chosen"
    )


def _ask_passphrase(label: str) -> str:
    return st.text_input(label, type="password", autocomplete="off", key=f"backups_{label}")


def _is_sure() -> bool:
    typed = st.text_input(say("Type {word} to go on", word=_WORD), key="backups_word")
    return typed.strip() == _WORD


def _number(label: str, value: int, least: int) -> int:
    return st.number_input(label, min_value=least, max_value=1000, value=value, step=1)
