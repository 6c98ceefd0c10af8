"""The report of the scores on the page, to keep: made when it is asked for."""

import streamlit as st

from medcxr.apps.dashboard.access import while_signed_in
from medcxr.apps.dashboard.score_source import Scores
from medcxr.core.language import say, text
from medcxr.registry.manifest import Manifest
from medcxr.services.performance import ThresholdsFrom, thresholds_from
from medcxr.services.scores_report import ScoresReport, report_scores
from medcxr.services.workspace import Workspace

__all__ = ["offer_scores_report", "performance_command"]

_WHAT = text(
    "All figures of this table with their intervals and sources, subgroups, limitations and "
    "checklists, in English. With `medcxr validate` a report also holds the flow of the radiographs "
    "and simulated centers."
)


def offer_scores_report(
    workspace: Workspace, scores: Scores, manifest: Manifest | None, deciding: str
) -> None:
    """Offer the report of the chosen scores as HTML and PDF.

    Args:
        workspace: in which the page is open.
        scores: the chosen ones.
        manifest: of the model whose thresholds decide; None where the table's own do.
        deciding: operating point of groups.
    """

    def made() -> ScoresReport:
        own = thresholds_from(scores.table, manifest) is ThresholdsFrom.TABLE
        return report_scores(
            workspace,
            scores.table,
            source=scores.table.source,
            command=performance_command(scores, deciding, own=own),
            manifest=manifest,
            deciding=deciding,
        )

    st.header(say("Report"), anchor=False)
    st.markdown(say(_WHAT))
    with st.container(horizontal=True):
        st.download_button(
            say("Download the report (HTML)"),
            data=while_signed_in(workspace, lambda: made().html),
            file_name="medcxr-scores.html",
            mime="text/html",
            on_click="ignore",
        )
        st.download_button(
            say("Download the report (PDF)"),
            data=while_signed_in(workspace, lambda: made().pdf),
            file_name="medcxr-scores.pdf",
            mime="application/pdf",
            on_click="ignore",
        )


def performance_command(scores: Scores, deciding: str, *, own: bool) -> str:
    """Return what measures the same scores on the command line."""
    words = ["medcxr performance", *scores.files]
    if own:
        words.append("--own-thresholds")
    return " ".join([*words, f"--operating-point {deciding}"])
