"""What can be kept of the page: the analysis, a table of all open radiographs."""

import json
from dataclasses import asdict

import streamlit as st

from medcxr.apps.dashboard.cases import Case
from medcxr.apps.dashboard.findings_csv import findings_csv
from medcxr.apps.dashboard.frame import Opened
from medcxr.apps.dashboard.words import DISCLAIMER
from medcxr.core.case_record import Opinion
from medcxr.core.errors import MedcxrError
from medcxr.core.language import say
from medcxr.core.results import Analysis
from medcxr.services import case_records

__all__ = ["show_downloads"]


def show_downloads(opened: Opened) -> None:
    """Offer the files; they are made when they are asked for."""
    with st.container(horizontal=True):
        if opened.case is not None and opened.case.reading is not None:
            analysis = opened.case.reading.analysis
            st.download_button(
                say("Download the analysis (JSON)"),
                data=lambda: _json(analysis),
                file_name=f"medcxr-{analysis.image_digest[:12]}.json",
                mime="application/json",
                on_click="ignore",
            )
        st.download_button(
            say("Download all findings (CSV)"),
            data=lambda: _csv(opened),
            file_name="medcxr-findings.csv",
            mime="text/csv",
            on_click="ignore",
            help=say("One row for each open radiograph, with your verdicts."),
        )


def _json(analysis: Analysis) -> bytes:
    return json.dumps({**asdict(analysis), "notice": DISCLAIMER}, indent=2).encode()


def _csv(opened: Opened) -> bytes:
    opinions = {
        case.digest: opinion
        for case in opened.cases
        if (opinion := _opinion(opened, case)) is not None
    }
    # With its mark, or a spreadsheet takes the letters for those of another alphabet.
    return findings_csv(opened.cases, opinions).encode("utf-8-sig")


def _opinion(opened: Opened, case: Case) -> Opinion | None:
    if case.case_id is None:
        return None
    try:
        return case_records.case(opened.workspace, case.case_id).opinion
    except MedcxrError:  # deleted meanwhile, or a database that the page already complains of
        return None
