"""The users of the workspace on the page "Administration": listed, added and changed."""

from collections.abc import Callable

import streamlit as st

from medcxr.apps.dashboard.audit_words import ROLES
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.tables import html_table
from medcxr.core.access import Permission, Role
from medcxr.core.errors import MedcxrError
from medcxr.core.language import Sentence, figure, say, text
from medcxr.core.sentences import local_time
from medcxr.services.users import (
    NewUser,
    User,
    add_user,
    change_role,
    end_user_sessions,
    remove_second_factor_of,
    reset_password,
    set_active,
    users,
)
from medcxr.services.workspace import Workspace

__all__ = ["show_users"]

_NOTICE, _PASSWORD = "users_notice", "users_password"
_INTRODUCTION = text(
    "Each reader signs in by a name of their own. Nobody is ever deleted, as what they did names "
    "them; whoever is not active cannot sign in. A change of the role, of the password or of the "
    "second factor ends the user's sign-ins. In the terminal: `medcxr users list`"
)
_ONCE = text(
    "The password of {name}, which is shown once: hand it on in a safe way. It must be changed at the "
    "next sign-in."
)


def show_users(workspace: Workspace) -> None:
    """Show the section to whoever may manage users."""
    if not workspace.actor.may(Permission.MANAGE_USERS):
        return
    st.header(say("Users"), anchor=False)
    st.markdown(say(_INTRODUCTION))
    _show_notice()
    try:
        found = users(workspace)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
        return
    st.html(html_table(_heads(), [_row(one) for one in found], caption=say("Users")))
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(say("Add a user"), anchor=False)
        _show_adding(workspace)
    with right:
        st.subheader(say("Change a user"), anchor=False)
        _show_changing(workspace, found)


def _show_notice() -> None:
    notice = st.session_state.pop(_NOTICE, None)
    if notice is not None:
        st.success(plain(say(notice)))
    made: NewUser | None = st.session_state.get(_PASSWORD)
    if made is None:
        return
    st.warning(plain(say(_ONCE, name=made.user.name)))
    with st.container(key="english_password", width=480):
        st.code(made.password, language=None)
    if st.button(say("I have handed it on")):
        st.session_state.pop(_PASSWORD, None)
        st.rerun()


def _heads() -> tuple[str, ...]:
    return (
        say("Name"),
        say("Role"),
        say("State"),
        say("Second factor"),
        say("Added"),
        say("Last signed in"),
        say("Sign-ins open"),
    )


def _row(user: User) -> tuple[str, ...]:
    state = say("active") if user.is_active else say("not active")
    if user.is_active and user.must_change:
        state = say("active, password to be changed")
    signed_in = user.last_signed_in_at
    return (
        user.name,
        say(ROLES[user.role]),
        state,
        say("yes") if user.has_second_factor else say("no"),
        local_time(user.created_at),
        say("never") if signed_in is None else local_time(signed_in),
        figure(user.n_sessions, ","),
    )


def _show_adding(workspace: Workspace) -> None:
    with st.form("add_user", clear_on_submit=True):
        name = st.text_input(say("Name"), autocomplete="off")
        role = _asked_role(Role.VIEWER, "role_of_new_user")
        if not st.form_submit_button(say("Add the user")):
            return
    try:
        st.session_state[_PASSWORD] = add_user(workspace, name, role)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
        return
    st.rerun()


def _show_changing(workspace: Workspace, found: list[User]) -> None:
    by_name = {one.name: one for one in found}
    name = st.selectbox(say("User"), list(by_name), key="changed_user")
    user = by_name[name]
    role = _asked_role(user.role, f"role_{user.id}_{user.role}")

    def give_role() -> None:
        change_role(workspace, name, role)

    def reset() -> None:
        st.session_state[_PASSWORD] = reset_password(workspace, name)

    def turn() -> None:
        set_active(workspace, name, active=not user.is_active)

    def take_away() -> None:
        remove_second_factor_of(workspace, name)

    def end() -> None:
        end_user_sessions(workspace, name)

    turning = say("Deactivate") if user.is_active else say("Activate")
    with st.container(horizontal=True):
        _offer(say("Give the role"), "give_role", give_role, disabled=role == user.role)
        _offer(turning, "turn_user", turn)
        _offer(say("Reset the password"), "reset_password", reset)
        _offer(
            say("Take the second factor away"),
            "take_factor_away",
            take_away,
            disabled=not user.has_second_factor,
        )
        _offer(say("End the sign-ins"), "end_sessions", end, disabled=user.n_sessions == 0)
    st.caption(say("What is done to your own account ends this sign-in too."))


def _asked_role(current: Role, key: str) -> Role:
    names = [role.value for role in Role]
    chosen = st.selectbox(
        say("Role"),
        names,
        index=names.index(current.value),
        format_func=lambda name: say(ROLES[Role(name)]),
        key=key,
    )
    return Role(chosen)


def _offer(label: str, key: str, do: Callable[[], None], *, disabled: bool = False) -> None:
    if not st.button(label, key=key, disabled=disabled):
        return
    try:
        do()
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
        return
    st.session_state[_NOTICE] = Sentence("The user was changed.")
    st.rerun()
