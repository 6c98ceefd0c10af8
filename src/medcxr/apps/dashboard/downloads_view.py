"""What can be kept of the page: the analysis, a report, and a table of all open radiographs."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import streamlit as st

from medcxr.apps.dashboard.access import while_signed_in
from medcxr.apps.dashboard.cases import Case, Reading
from medcxr.apps.dashboard.findings_csv import findings_csv
from medcxr.apps.dashboard.frame import Opened
from medcxr.apps.dashboard.map_view import known_maps
from medcxr.apps.dashboard.prior_view import Prior
from medcxr.apps.dashboard.words import DISCLAIMER, EXPLANATIONS
from medcxr.core.case_record import Opinion
from medcxr.core.errors import MedcxrError
from medcxr.core.guidance import considerations
from medcxr.core.language import language, say, say_if_sentence, speaking
from medcxr.core.results import Analysis
from medcxr.services import case_records
from medcxr.services.case_export import note_case_exported, note_cases_exported
from medcxr.services.pdf_report import Additions, pdf_report
from medcxr.services.true_maps import draw_true_maps

__all__ = ["show_downloads"]


def show_downloads(opened: Opened, prior: Prior | None) -> None:
    """Offer the files; they are made when they are asked for.

    Args:
        opened: what is open in this browser tab.
        prior: an earlier radiograph of the chosen one's patient; None without one.
    """
    case = opened.case
    with st.container(horizontal=True):
        if case is not None and case.reading is not None:
            _offer_report(opened, case, case.reading, prior)
            analysis = case.reading.analysis
            st.download_button(
                say("Download the analysis (JSON)"),
                data=while_signed_in(opened.workspace, lambda: _json(opened, case, analysis)),
                file_name=f"medcxr-{analysis.image_digest[:12]}.json",
                mime="application/json",
                on_click="ignore",
            )
        st.download_button(
            say("Download all findings (CSV)"),
            data=while_signed_in(opened.workspace, lambda: _csv(opened)),
            file_name="medcxr-findings.csv",
            mime="text/csv",
            on_click="ignore",
            help=say("One row for each open radiograph, with your verdicts."),
        )


def _offer_report(opened: Opened, case: Case, reading: Reading, prior: Prior | None) -> None:
    if opened.facts is None:
        return
    # What belongs to this browser tab is asked for here: files are made outside of it.
    known = known_maps(reading)
    additions, facts, code = _additions(opened, case, reading, prior), opened.facts, language()

    def make() -> bytes:
        note_case_exported(opened.workspace, case.case_id, "PDF")
        with speaking(code):
            return pdf_report(
                reading,
                reading.shown,
                draw_true_maps(opened.workspace, reading, known=known),
                model=facts,
                made=datetime.now(UTC),
                label=say_if_sentence(case.label),
                additions=additions,
            )

    st.download_button(
        say("Download the report (PDF)"),
        data=while_signed_in(opened.workspace, make),
        file_name=f"medcxr-{reading.analysis.image_digest[:12]}.pdf",
        mime="application/pdf",
        on_click="ignore",
        type="primary",
        help=say("To be printed, signed and filed; with the maps that were shown to be true."),
    )


def _additions(opened: Opened, case: Case, reading: Reading, prior: Prior | None) -> Additions:
    opinion = _opinion(opened, case)
    told = considerations(reading.analysis.findings)
    return Additions(
        next_steps=[(one.words, str(one.source)) for several in told.values() for one in several],
        verdicts={} if opinion is None else {f: v.value for f, v in opinion.verdicts.items()},
        comment="" if opinion is None else opinion.comment,
        prior=None if prior is None else prior.analysis,
        prior_label="" if prior is None else prior.title,
        explanations=EXPLANATIONS,
    )


def _json(opened: Opened, case: Case, analysis: Analysis) -> bytes:
    note_case_exported(opened.workspace, case.case_id, "JSON")
    return json.dumps({**asdict(analysis), "notice": DISCLAIMER}, indent=2).encode()


def _csv(opened: Opened) -> bytes:
    note_cases_exported(opened.workspace, len(opened.cases), "CSV")
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
