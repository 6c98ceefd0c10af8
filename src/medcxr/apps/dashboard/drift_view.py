"""Whether the radiographs open in this tab differ from those of a reference."""

from dataclasses import asdict

import numpy as np
import streamlit as st

from medcxr.apps.dashboard.cases import Reading
from medcxr.apps.dashboard.chart_view import show_chart
from medcxr.apps.dashboard.frame import Opened
from medcxr.apps.dashboard.named_charts import drift_chart
from medcxr.apps.dashboard.performance_words import DRIFT
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.progress import progress_bar
from medcxr.apps.dashboard.score_source import Scores
from medcxr.apps.dashboard.tables import html_table
from medcxr.core.errors import MedcxrError
from medcxr.core.language import Sentence, figure, say, say_all, text
from medcxr.core.settings import Settings
from medcxr.evaluation.drift import MINIMUM_FOR_DRIFT, DriftFigures, Patients
from medcxr.registry.manifest import Manifest
from medcxr.services.case_set import CaseSet, table_cases
from medcxr.services.incoming import Incoming, compare_incoming, image_facts
from medcxr.services.loaded_model import current_bundle

__all__ = ["show_drift"]

_KEY = "drift_reference"
_N_OF_TABLE = 100
_VIEW = "view"
_IMAGE_FACTS = {
    "brightness": text("Image brightness"),
    "contrast": text("Image contrast"),
    "clipped": text("Image clipped"),
    "aspect": text("Image aspect"),
}


def show_drift(opened: Opened, scores: Scores | None) -> None:
    """Compare the analyzed radiographs with the scores above and with the dashboard's table.

    Args:
        opened: the radiographs of this tab.
        scores: of the reference; None if no table is chosen.
    """
    st.markdown(say(DRIFT))
    readings = [case.reading for case in opened.cases if case.reading is not None]
    if len(readings) < MINIMUM_FOR_DRIFT:
        st.info(
            say(
                "{n} radiographs are open and analyzed; below {least} chance decides, so nothing is "
                "told. Add radiographs at the left.",
                n=len(readings),
                least=MINIMUM_FOR_DRIFT,
            )
        )
        return
    if scores is not None:
        st.subheader(say("Against the scores above"), anchor=False)
        reference = say("Reference: {source}", source=say(scores.source))
        _show(_against_scores(readings, scores), reference)
    table = Settings.from_environment().cases
    if table is None:
        st.info(
            say(
                "Facts of the pixels have no reference: start the dashboard with "
                "`medcxr dashboard --cases TABLE` to compare with the radiographs of a table."
            )
        )
        return
    st.subheader(say("Against the radiographs of this dashboard's table"), anchor=False)
    try:
        manifest = current_bundle(opened.workspace).manifest
        known: dict[str, CaseSet] = st.session_state.setdefault(_KEY, {})
        if manifest.identity not in known:
            if not st.button(say("Look at the radiographs of this table")):
                return
            with progress_bar(say("Looking at the radiographs")) as progress:
                known[manifest.identity] = table_cases(
                    opened.workspace, table, n_images=_N_OF_TABLE, progress=progress
                )
            st.rerun()  # without the button
        cases = known[manifest.identity]
        _show(
            _against_cases(readings, cases, manifest),
            say(
                "Reference: {n:,} radiographs drawn at random from {table}, as {model} sees them; "
                "where it learned from them, its scores are surer there",
                n=len(cases.cases),
                table=table.name,
                model=manifest.identity,
            ),
        )
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))


def _against_scores(readings: list[Reading], scores: Scores) -> Incoming:
    table, open_ = scores.table, _of_others(readings)
    numbers: dict[str, tuple[list[float], list[float]]] = {}
    whose: dict[str, Patients] = {}
    for column, finding in enumerate(table.findings):
        old = table.probabilities[~np.isnan(table.labels[:, column]), column].tolist()
        new = _probabilities(readings, finding)
        if new:
            known = ~np.isnan(table.labels[:, column])
            numbers[_probability_of(finding)] = (old, new)
            whose[_probability_of(finding)] = (np.asarray(table.patients)[known].tolist(), open_)
    names = {}
    if _VIEW in table.groups:
        views = [reading.analysis.view for reading in readings]
        names[text("View")] = (table.groups[_VIEW], views)
        whose[text("View")] = (table.patients, open_)
    return compare_incoming(numbers, names, patients=whose)


def _against_cases(readings: list[Reading], cases: CaseSet, manifest: Manifest) -> Incoming:
    numbers = {}
    for column, finding in enumerate(cases.findings):
        logits = [float(case.logits[column]) for case in cases.cases]
        old = manifest.calibrations[column].predict_proba(logits).tolist()
        numbers[_probability_of(finding)] = (old, _probabilities(readings, finding))
    old_facts = [asdict(image_facts(case.small)) for case in cases.cases]
    new_facts = [asdict(image_facts(reading.shown)) for reading in readings]
    for fact, name in _IMAGE_FACTS.items():
        numbers[name] = ([one[fact] for one in old_facts], [one[fact] for one in new_facts])
    of_table = [case.patient for case in cases.cases]
    whose = dict.fromkeys(numbers, (of_table, _of_others(readings)))
    return compare_incoming(numbers, {}, patients=whose)


def _of_others(readings: list[Reading]) -> list[str]:
    """Return a patient for each open radiograph: nothing that is open says whose it is."""
    return [f"open {number}" for number in range(len(readings))]


def _probability_of(finding: str) -> str:
    return Sentence("Probability of {finding}", finding=Sentence(finding))


def _probabilities(readings: list[Reading], finding: str) -> list[float]:
    return [
        found.probability
        for reading in readings
        for found in reading.analysis.findings
        if found.finding == finding
    ]


def _show(incoming: Incoming, source: str) -> None:
    heads = say_all(
        *("Fact", "Reference", "New", "PSI", "By chance below", "p", "KS", "p of KS", "Verdict")
    )
    st.html(html_table(heads, [_row(one) for one in incoming.figures]))
    for fact, reason in incoming.reasons.items():
        st.markdown(plain(f"{say(fact)}: {say(reason)}"))
    if incoming.figures:
        widest = max(incoming.figures, key=lambda one: one.psi - one.psi_by_chance)
        words = say(
            "{fact}: share of the radiographs in each bin of the reference.", fact=say(widest.fact)
        )
        show_chart(drift_chart(widest.bins), words)
        st.markdown(plain(words))
    st.caption(
        plain(
            say(
                "{source}. Each p is of one fact alone: of twenty facts, one is below 0.05 by "
                "chance. The open radiographs are no file, so no command repeats this; score them "
                "with medcxr predict to keep them.",
                source=source,
            )
        )
    )


def _drawn(n_patients: int, n_images: int) -> str:
    return say("{n:,} of {patients:,} patients", n=n_images, patients=n_patients)


def _row(one: DriftFigures) -> tuple[str, ...]:
    return (
        say(one.fact),
        _drawn(one.n_reference, one.n_reference_images),
        _drawn(one.n_current, one.n_current_images),
        figure(one.psi, ".3f"),
        figure(one.psi_by_chance, ".3f"),
        figure(one.p_psi, ".3f"),
        "" if one.ks is None else figure(one.ks, ".3f"),
        "" if one.p_ks is None else figure(one.p_ks, ".3f"),
        say("differs") if one.is_drifted else say("within chance"),
    )
