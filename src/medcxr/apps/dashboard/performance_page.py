"""The page "Performance Analytics": how well a model, a run or a table of scores was measured."""

from dataclasses import dataclass, field

import streamlit as st

from medcxr.apps.dashboard.drift_view import show_drift
from medcxr.apps.dashboard.frame import Opened
from medcxr.apps.dashboard.measured_view import show_measured, told
from medcxr.apps.dashboard.performance_sections import POINT_NAMES, show_sections
from medcxr.apps.dashboard.performance_words import INTRODUCTION, THRESHOLDS
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.score_source import Scores, choose_run, choose_upload
from medcxr.apps.dashboard.tables import html_table
from medcxr.core.errors import MedcxrError
from medcxr.core.findings import Finding
from medcxr.core.settings import Settings
from medcxr.evaluation.finding_sample import Drawn, draw_patients
from medcxr.evaluation.group_performance import auc_of
from medcxr.evaluation.performance import FindingPerformance
from medcxr.registry.manifest import Manifest
from medcxr.services.loaded_model import current_bundle
from medcxr.services.performance import (
    N_BOOTSTRAP,
    SEED,
    ThresholdsFrom,
    measure_finding,
    sample_of,
    thresholds_from,
)

__all__ = ["show_performance"]

_MANIFEST, _RUN, _TABLE = "The model's own measurement", "A run's held-out scores", "A table"
_KEY = "performance"
_NORMAL = "Normal against abnormal"


@dataclass(slots=True, kw_only=True)
class _Kept:
    """What was computed of one table in this tab; another table replaces it."""

    digest: str
    drawn: Drawn
    overview: dict[str, str] = field(default_factory=dict)
    figures: dict[tuple[str, ...], FindingPerformance] = field(default_factory=dict)


def show_performance(opened: Opened) -> None:
    """Show the page."""
    st.title("Performance Analytics")
    st.markdown(INTRODUCTION)
    sources = (_MANIFEST, _RUN, _TABLE)
    source = st.segmented_control("Measured", sources, default=_MANIFEST, required=True)
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
            _show_scores(scores, manifest)
    except MedcxrError as error:
        st.error(plain(str(error)))
        return
    st.header("Drift of incoming images", anchor=False)
    show_drift(opened, scores)


def _show_scores(scores: Scores, manifest: Manifest) -> None:
    table = scores.table
    kept = _kept(scores)
    left_out = ""
    if table.n_unlabeled or table.n_unscored:
        left_out = (
            f" {table.n_unlabeled:,} without labels and {table.n_unscored:,} without scores are "
            "left out."
        )
    st.markdown(
        plain(
            f"{scores.source}: {len(table):,} radiographs of {len(set(table.patients)):,} "
            f"patients.{left_out}"
        )
    )
    st.html(html_table(("Finding", "AUC (95% interval)"), list(_overview(scores, kept).items())))
    finding = st.segmented_control(
        "Finding",
        table.findings,
        default=table.findings[0],
        required=True,
        format_func=_told_finding,
        key=f"measured_{scores.digest}",
    )
    deciding = st.segmented_control(
        "Operating point of groups and centers",
        list(POINT_NAMES),
        default="youden",
        required=True,
        format_func=POINT_NAMES.__getitem__,
    )
    decided_by = _decided_by(scores, manifest)
    figures = _figures(scores, kept, finding, deciding, decided_by)
    origin = thresholds_from(table, decided_by)
    show_sections(
        figures,
        _source(scores, figures, origin, decided_by),
        THRESHOLDS[origin],
    )


def _decided_by(scores: Scores, manifest: Manifest) -> Manifest | None:
    """Return the model whose thresholds decide; None where the table's own do."""
    if thresholds_from(scores.table, manifest) is not ThresholdsFrom.MODEL:
        return None
    model, own = "Those of the model in use", "Chosen on this table"
    choice = st.segmented_control("Thresholds", (model, own), default=model, required=True)
    return manifest if choice == model else None


def _kept(scores: Scores) -> _Kept:
    known: _Kept | None = st.session_state.get(_KEY)
    if known is None or known.digest != scores.digest:
        drawn = draw_patients(scores.table.patients, n_bootstrap=N_BOOTSTRAP, seed=SEED)
        known = _Kept(digest=scores.digest, drawn=drawn)
        st.session_state[_KEY] = known
    return known


def _overview(scores: Scores, kept: _Kept) -> dict[str, str]:
    """Return the AUC of each finding, as it is told."""
    for finding in scores.table.findings:
        if finding not in kept.overview:
            sample, _ = sample_of(scores.table, finding, kept.drawn)
            kept.overview[finding] = (
                f"{told(auc_of(sample))}, {len(sample):,} radiographs, {sample.n_positive:,} with it"
            )
    return kept.overview


def _figures(
    scores: Scores, kept: _Kept, finding: str, deciding: str, manifest: Manifest | None
) -> FindingPerformance:
    key = (finding, deciding, manifest.identity if manifest else "")
    if key not in kept.figures:
        with st.spinner("Measuring"):
            kept.figures[key] = measure_finding(
                scores.table, finding, kept.drawn, manifest=manifest, deciding=deciding
            )
    return kept.figures[key]


def _source(
    scores: Scores, figures: FindingPerformance, origin: ThresholdsFrom, manifest: Manifest | None
) -> str:
    model = f", thresholds of {manifest.identity}" if manifest is not None else ""
    words = ["medcxr performance", *scores.files]
    if origin is ThresholdsFrom.TABLE:
        words.append("--own-thresholds")
    words.append(f"--operating-point {figures.deciding}")
    return plain(
        f"{scores.source}; {figures.finding}: {figures.n_images:,} radiographs of "
        f"{figures.n_patients:,} patients, {figures.n_positive:,} with it; "
        f"{figures.confidence:.0%} intervals of {figures.n_bootstrap:,} resamples of patients, "
        f"seed {SEED}{model}. Repeat: {' '.join(words)}"
    )


def _told_finding(finding: str) -> str:
    return _NORMAL if finding == Finding.NO_FINDING else finding
