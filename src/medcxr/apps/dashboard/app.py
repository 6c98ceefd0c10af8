"""The dashboard's pages. Streamlit runs this file anew for every click, whatever the address.

What is shown after the sign-in is imported inside functions: the password can be typed a second
sooner, and `warm_up` imports the rest meanwhile.
"""

from typing import TYPE_CHECKING, Literal

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from medcxr.apps.dashboard import access
from medcxr.apps.dashboard.appearance import show_appearance
from medcxr.apps.dashboard.doors import show_sign_in
from medcxr.apps.dashboard.icon import icon
from medcxr.apps.dashboard.preferences import language_in_use
from medcxr.apps.dashboard.uploads import keep_uploads_in_memory
from medcxr.apps.dashboard.warm_up import warm_up
from medcxr.apps.dashboard.words import DISCLAIMER
from medcxr.core.errors import AccessError, MedcxrError
from medcxr.core.language import say, use_source
from medcxr.services.accounts import require_safe_address
from medcxr.services.workspace import Workspace

if TYPE_CHECKING:
    from medcxr.apps.dashboard.frame import Opened

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
    st.set_page_config(page_title="medcxr", page_icon=icon(), layout="wide")
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
        access.require_access(workspace)
    except AccessError as error:
        # The addresses are known, or Streamlit would call them missing; none is run.
        _navigation(None, position="hidden")
        show_sign_in(workspace, say(error.sentence))
        warm_up(workspace)
        return
    except MedcxrError as error:
        st.error(say(error.sentence))
        return
    from medcxr.apps.dashboard.backup_clock import backup_clock  # noqa: PLC0415 - see above
    from medcxr.apps.dashboard.frame import show_frame, work_on  # noqa: PLC0415
    from medcxr.apps.dashboard.retention import forget_old_cases_daily  # noqa: PLC0415

    forget_old_cases_daily(workspace)
    backup_clock(workspace)
    _lock_when_idle()
    opened = show_frame(workspace)
    _navigation(opened, position="sidebar").run()
    st.html(f'<p class="cxr-disclaimer">{say(DISCLAIMER)}</p>')
    work_on(opened)


def _navigation(
    opened: "Opened | None", *, position: Literal["hidden", "sidebar"]
) -> StreamlitPage:
    """Return the page of the address; without something opened, pages show nothing."""

    def overview() -> None:
        if opened is not None:
            from medcxr.apps.dashboard.overview_page import show_overview  # noqa: PLC0415

            show_overview(opened, clinical_page)

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

            show_help({page.url_path: page for page in pages})

    clinical_page = st.Page(
        clinical_analysis, title=say("Clinical Analysis"), url_path="clinical-analysis"
    )
    pages = [
        st.Page(overview, title=say("Dashboard"), url_path="dashboard", default=True),
        clinical_page,
        st.Page(explanations, title=say("Explainable AI"), url_path="explainable-ai"),
        st.Page(training, title=say("Train Model"), url_path="train-model"),
        st.Page(performance, title=say("Performance Analytics"), url_path="performance"),
        st.Page(models, title=say("Models"), url_path="models"),
        st.Page(administration, title=say("Administration"), url_path="administration"),
        st.Page(explained_figures, title=say("Help"), url_path="help"),
    ]
    return st.navigation(pages, position=position)


@st.fragment(run_every=20)
def _lock_when_idle() -> None:
    """Look after the clock even if nobody clicks, so that an abandoned screen locks itself."""
    if access.has_ended():
        st.rerun()


if __name__ == "__main__":
    main()
