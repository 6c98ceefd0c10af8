"""The page "Performance Analytics": how well a model, a run or a table of scores was measured."""

from dataclasses import dataclass, field

import streamlit as st

from medcxr.apps.dashboard.drift_view import show_drift
from medcxr.apps.dashboard.frame import Opened
from medcxr.apps.dashboard.measured_view import show_measured, told
from medcxr.apps.dashboard.performance_sections import POINT_NAMES, show_sections
from medcxr.apps.dashboard.performance_words import INTRODUCTION, THRESHOLDS
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.refusal_view import why_not
from medcxr.apps.dashboard.score_source import Scores, choose_run, choose_upload
from medcxr.apps.dashboard.scores_report_view import offer_scores_report, performance_command
from medcxr.apps.dashboard.tables import html_table
from medcxr.core.access import Permission
from medcxr.core.errors import MedcxrError
from medcxr.core.findings import Finding
from medcxr.core.language import say, say_all, text
from medcxr.core.results import Estimate
from medcxr.core.settings import Settings
from medcxr.evaluation.finding_sample import Drawn, draw_patients
from medcxr.evaluation.group_performance import auc_of
from medcxr.evaluation.performance import FindingPerformance
from medcxr.registry.manifest import Manifest
from medcxr.services.loaded_model import current_bundle
from medcxr.services.measuring_trail import note_scores_measured
from medcxr.services.performance import (
    N_BOOTSTRAP,
    SEED,
    ThresholdsFrom,
    measure_finding,
    sample_of,
    thresholds_from,
)
from medcxr.services.workspace import Workspace

__all__ = ["show_performance"]

_MANIFEST = text("The model's own measurement")
_RUN, _TABLE = text("A run's held-out scores"), text("A table")
_OF_MODEL, _OF_TABLE = text("Those of the model in use"), text("Chosen on this table")
_KEY = "performance"
_NORMAL = text("Normal against abnormal")
_SOURCE = text(
    "{source}; {finding}: {images:,} radiographs of {patients:,} patients, {positive:,} with it; "
    "{confidence:.0%} intervals of {resamples:,} resamples of patients, seed {seed}. Repeat: "
    "{command}"
)
_SOURCE_BY_MODEL = text(
    "{source}; {finding}: {images:,} radiographs of {patients:,} patients, {positive:,} with it; "
    "{confidence:.0%} intervals of {resamples:,} resamples of patients, seed {seed}, thresholds of "
    "{model}. Repeat: {command}"
)


@dataclass(slots=True, kw_only=True)
class _Kept:
    """What was computed of one table in this tab; another table replaces it."""

    digest: str
    drawn: Drawn
    overview: dict[str, tuple[Estimate | None, int, int]] = field(default_factory=dict)
    figures: dict[tuple[str, ...], FindingPerformance] = field(default_factory=dict)


def show_performance(opened: Opened) -> None:
    """Show the page."""
    st.title(say("Performance Analytics"))
    st.markdown(say(INTRODUCTION))
    reason = why_not(opened.workspace, Permission.MEASURE_MODELS)
    sources = (_MANIFEST, _RUN, _TABLE) if reason is None else (_MANIFEST,)
    source = st.segmented_control(
        say("Measured"),
        sources,
        default=_MANIFEST,
        required=True,
        format_func=say,
        key="measured_source",
    )
    scores: Scores | None = None
    try:
        manifest = current_bundle(opened.workspace).manifest
        if source == _MANIFEST:
            show_measured(manifest)
        elif source == _RUN:
            run = manifest.training.run if manifest.training else None
            scores = choose_run(opened.workspace, Settings.from_environment().cases, run)
        else:
            scores = choose_upload()
        if scores is not None:
            _show_scores(opened.workspace, scores, manifest)
    except MedcxrError as error:
        st.error(plain(say(error.sentence)))
        return
    if reason is not None:
        st.caption(reason)
        return
    st.header(say("Drift of incoming images"), anchor=False)
    show_drift(opened, scores)


def _show_scores(workspace: Workspace, scores: Scores, manifest: Manifest) -> None:
    table = scores.table
    kept = _kept(workspace, scores)
    counted = say(
        "{source}: {images:,} radiographs of {patients:,} patients.",
        source=say(scores.source),
        images=len(table),
        patients=len(set(table.patients)),
    )
    if table.n_unlabeled or table.n_unscored:
        left_out = say(
            "{unlabeled:,} without labels and {unscored:,} without scores are left out.",
            unlabeled=table.n_unlabeled,
            unscored=table.n_unscored,
        )
        counted = f"{counted} {left_out}"
    st.markdown(plain(counted))
    st.html(html_table(say_all("Finding", "AUC (95% interval)"), _overview(scores, kept)))
    finding = st.segmented_control(
        say("Finding"),
        table.findings,
        default=table.findings[0],
        required=True,
        format_func=_told_finding,
        key=f"measured_{scores.digest}",
    )
    deciding = st.segmented_control(
        say("Operating point of groups and centers"),
        list(POINT_NAMES),
        default="youden",
        required=True,
        format_func=lambda point: say(POINT_NAMES[point]),
        key="deciding_point",
    )
    decided_by = _decided_by(scores, manifest)
    figures = _figures(scores, kept, finding, deciding, decided_by)
    origin = thresholds_from(table, decided_by)
    show_sections(
        figures,
        _source(scores, figures, origin, decided_by),
        say(THRESHOLDS[origin]),
    )
    offer_scores_report(workspace, scores, decided_by, deciding)


def _decided_by(scores: Scores, manifest: Manifest) -> Manifest | None:
    """Return the model whose thresholds decide; None where the table's own do."""
    if thresholds_from(scores.table, manifest) is not ThresholdsFrom.MODEL:
        return None
    choice = st.segmented_control(
        say("Thresholds"),
        (_OF_MODEL, _OF_TABLE),
        default=_OF_MODEL,
        required=True,
        format_func=say,
        key="thresholds_of",
    )
    return manifest if choice == _OF_MODEL else None


def _kept(workspace: Workspace, scores: Scores) -> _Kept:
    known: _Kept | None = st.session_state.get(_KEY)
    if known is None or known.digest != scores.digest:
        drawn = draw_patients(scores.table.patients, n_bootstrap=N_BOOTSTRAP, seed=SEED)
        known = _Kept(digest=scores.digest, drawn=drawn)
        note_scores_measured(workspace, len(scores.table))
        st.session_state[_KEY] = known
    return known


def _overview(scores: Scores, kept: _Kept) -> list[tuple[str, str]]:
    """Return each finding with its AUC, as they are told."""
    for finding in scores.table.findings:
        if finding not in kept.overview:
            sample, _ = sample_of(scores.table, finding, kept.drawn)
            kept.overview[finding] = (auc_of(sample), len(sample), sample.n_positive)
    return [
        (
            say(finding),
            say(
                "{auc}, {images:,} radiographs, {positive:,} with it",
                auc=told(auc),
                images=n_images,
                positive=n_positive,
            ),
        )
        for finding, (auc, n_images, n_positive) in kept.overview.items()
    ]


def _figures(
    scores: Scores, kept: _Kept, finding: str, deciding: str, manifest: Manifest | None
) -> FindingPerformance:
    key = (finding, deciding, manifest.identity if manifest else "")
    if key not in kept.figures:
        with st.spinner(say("Measuring")):
            kept.figures[key] = measure_finding(
                scores.table, finding, kept.drawn, manifest=manifest, deciding=deciding
            )
    return kept.figures[key]


def _source(
    scores: Scores, figures: FindingPerformance, origin: ThresholdsFrom, manifest: Manifest | None
) -> str:
    command = performance_command(scores, figures.deciding, own=origin is ThresholdsFrom.TABLE)
    return plain(
        say(
            _SOURCE if manifest is None else _SOURCE_BY_MODEL,
            source=say(scores.source),
            finding=say(figures.finding),
            images=figures.n_images,
            patients=figures.n_patients,
            positive=figures.n_positive,
            confidence=figures.confidence,
            resamples=figures.n_bootstrap,
            seed=SEED,
            model="" if manifest is None else manifest.identity,
            command=command,
        )
    )


def _told_finding(finding: str) -> str:
    return say(_NORMAL if finding == Finding.NO_FINDING else finding)
