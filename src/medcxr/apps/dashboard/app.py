"""The dashboard's pages. Streamlit runs this file anew for every click, whatever the address.

What is shown after the sign-in is imported inside functions: the password can be typed a second
sooner, and `warm_up` imports the rest meanwhile.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from medcxr.apps.dashboard import access
from medcxr.apps.dashboard.appearance import show_appearance
from medcxr.apps.dashboard.doors import show_sign_in
from medcxr.apps.dashboard.preferences import language_in_use
from medcxr.apps.dashboard.uploads import (
    keep_uploads_in_memory,
    lose_no_answer,
    refuse_strangers_uploads,
)
from medcxr.apps.dashboard.warm_up import warm_up
from medcxr.core.access import Permission
from medcxr.core.errors import AccessError, MedcxrError
from medcxr.core.language import say, use_source
from medcxr.core.sentences import DISCLAIMER
from medcxr.services.safe_address import require_safe_address
from medcxr.services.workspace import Workspace

if TYPE_CHECKING:
    from medcxr.apps.dashboard.frame import Opened

_DEFAULT = "dashboard"
_READING = "clinical-analysis"
_PATHS = (
    "",
    "clinical-analysis",
    "explainable-ai",
    "train-model",
    "performance",
    "models",
    "administration",
    "help",
)


def main() -> None:
    """Show the sign-in page, or the page of the address to whoever has signed in."""
    keep_uploads_in_memory()
    refuse_strangers_uploads()
    lose_no_answer()
    st.set_page_config(page_title="medcxr", layout="wide")
    use_source(language_in_use)
    show_appearance(_PATHS)
    try:
        workspace = Workspace.open_default()
        # Again here: somebody may start this file without the launcher.
        require_safe_address(workspace, st.get_option("server.address") or "")
    except MedcxrError as error:
        st.error(say(error.sentence))
        return
    try:
        signed_in = access.require_access(workspace)
    except AccessError as error:
        # The addresses are known, or Streamlit would call them missing; none is run.
        _navigation(None, position="hidden")
        show_sign_in(workspace, say(error.sentence))
        warm_up(workspace)
        return
    except MedcxrError as error:
        st.error(say(error.sentence))
        return
    workspace = workspace.used_by(signed_in.actor)
    from medcxr.apps.dashboard.account_forms import has_codes_to_note  # noqa: PLC0415 - see above
    from medcxr.apps.dashboard.duty_view import show_duty  # noqa: PLC0415 - see above

    if signed_in.duty is not None or has_codes_to_note():
        _navigation(None, position="hidden")
        show_duty(workspace, signed_in)
        return
    from medcxr.apps.dashboard.backup_clock import backup_clock  # noqa: PLC0415 - see above
    from medcxr.apps.dashboard.frame import show_frame, work_on  # noqa: PLC0415
    from medcxr.apps.dashboard.retention import forget_old_cases_daily  # noqa: PLC0415

    forget_old_cases_daily(workspace)
    backup_clock(workspace)
    _lock_when_idle(workspace)
    opened = show_frame(workspace, signed_in)
    _navigation(opened, position="sidebar").run()
    st.html(f'<p class="cxr-disclaimer">{say(DISCLAIMER)}</p>')
    work_on(opened)


def _navigation(
    opened: "Opened | None", *, position: Literal["hidden", "sidebar"]
) -> StreamlitPage:
    """Return the page of the address; without something opened, pages show nothing."""

    def may(permission: Permission) -> bool:
        return opened is None or opened.workspace.actor.may(permission)

    def refused(permission: Permission) -> Callable[[], None]:
        return _refused(opened, permission)

    def overview() -> None:
        if opened is not None:
            from medcxr.apps.dashboard.overview_page import show_overview  # noqa: PLC0415

            show_overview(opened, pages[_READING])

    def clinical_analysis() -> None:
        if opened is not None:
            from medcxr.apps.dashboard.clinical_page import show_clinical_analysis  # noqa: PLC0415

            show_clinical_analysis(opened)

    def explanations() -> None:
        if opened is not None:
            from medcxr.apps.dashboard.explain_view import show_explanations  # noqa: PLC0415

            show_explanations(opened)

    def training() -> None:
        if opened is not None:
            from medcxr.apps.dashboard.train_view import show_training  # noqa: PLC0415

            show_training(opened)

    def performance() -> None:
        if opened is not None:
            from medcxr.apps.dashboard.performance_page import show_performance  # noqa: PLC0415

            show_performance(opened)

    def models() -> None:
        if opened is not None:
            from medcxr.apps.dashboard.models_page import show_models  # noqa: PLC0415

            show_models(opened)

    def administration() -> None:
        if opened is not None:
            from medcxr.apps.dashboard.administration_page import show_administration  # noqa: PLC0415

            show_administration(opened)

    def explained_figures() -> None:
        if opened is not None:
            from medcxr.apps.dashboard.help_page import show_help  # noqa: PLC0415

            show_help({page.url_path: page for page in pages.values()})

    pages = {
        path: st.Page(
            show if may(permission) else refused(permission),
            title=title,
            url_path=path,
            default=path == _DEFAULT,
            visibility="visible" if may(permission) else "hidden",
        )
        for path, (show, title, permission) in {
            _DEFAULT: (overview, say("Dashboard"), Permission.VIEW_CASES),
            _READING: (clinical_analysis, say("Clinical Analysis"), Permission.ANALYZE),
            "explainable-ai": (explanations, say("Explainable AI"), Permission.ANALYZE),
            "train-model": (training, say("Train Model"), Permission.TRAIN_MODELS),
            "performance": (performance, say("Performance Analytics"), Permission.VIEW_MODELS),
            "models": (models, say("Models"), Permission.VIEW_MODELS),
            "administration": (administration, say("Administration"), Permission.CHANGE_SETTINGS),
            "help": (explained_figures, say("Help"), Permission.VIEW_CASES),
        }.items()
    }
    return st.navigation(list(pages.values()), position=position)


def _refused(opened: "Opened | None", permission: Permission) -> Callable[[], None]:
    """Return a page in the place of one that the role may not use."""

    def refused() -> None:
        if opened is not None:
            from medcxr.apps.dashboard.refusal_view import show_refusal  # noqa: PLC0415

            show_refusal(opened.workspace, permission)

    refused.__name__ = f"refused_{permission.name.lower()}"  # Streamlit tells pages apart by it
    return refused


@st.fragment(run_every=20)
def _lock_when_idle(workspace: Workspace) -> None:
    """Look after the clock even if nobody clicks, so that an abandoned screen locks itself."""
    if access.has_ended(workspace):
        st.rerun()


if __name__ == "__main__":
    main()
