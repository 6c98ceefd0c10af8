"""Which scores the page measures: those that a run kept, or a table that the person uploads."""

import hashlib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from medcxr.apps.dashboard.performance_words import NO_LABELS, NO_RUNS, SCORES_HELP
from medcxr.core.errors import DataError
from medcxr.datasets.study_table import LabelPolicy
from medcxr.services.held_out import HeldOutScores, held_out_scores
from medcxr.services.scored_table import CsvFile, ScoredTable, join_scores, read_csv_file
from medcxr.services.workspace import Workspace

__all__ = ["Scores", "choose_run", "choose_upload", "uploaded_csv"]

_LIMIT_MB = 16  # some hundred thousand rows
_KEY = "scored_table"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """A table to measure.

    Attributes:
        digest: SHA-256 of everything that went into it, hexadecimal.
        source: what it is, for captions.
        files: the words that name it on the command line.
        table: scores joined with labels.
    """

    digest: str
    source: str
    files: tuple[str, ...]
    table: ScoredTable


def choose_run(workspace: Workspace, labels_table: Path | None, first: str | None) -> Scores | None:
    """Ask for a run, and for the labels where neither it nor the dashboard has them.

    Args:
        workspace: whose runs.
        labels_table: that whoever runs the dashboard chose; None if nobody did.
        first: name of the run to begin with, e.g. of the model in use; None for the newest.

    Raises:
        DataError: scores and labels do not belong together.
        StorageError: the runs cannot be listed.
    """
    runs = held_out_scores(workspace)
    if not runs:
        st.info(NO_RUNS)
        return None
    names = [run.run for run in runs]
    run = runs[
        st.selectbox(
            "Run",
            range(len(runs)),
            index=names.index(first) if first in names else 0,
            format_func=names.__getitem__,
        )
    ]
    uploaded = uploaded_csv("Labels of the run's table (CSV, may be left out)", "labels_of_run")
    labels = uploaded or _labels_of(run, labels_table)
    if labels is None:
        st.info(NO_LABELS)
        return None
    measured = f" on {', '.join(run.tables)}" if run.tables else ""
    folder = f"WORKSPACE/runs/{run.run}"
    kept = uploaded is None and run.labels is not None
    return _joined(
        read_csv_file(run.path),
        labels,
        run.policy,
        source=f"Cross-validated run {run.run}{measured}",
        words=(
            f"{folder}/{run.path.name}",
            "--labels",
            f"{folder}/{labels.name}" if kept else labels.name,
        ),
    )


def choose_upload() -> Scores | None:
    """Ask for a table of scores and, maybe, one of labels.

    Raises:
        DataError: a file is none of the known ones.
    """
    st.caption(SCORES_HELP)
    first, second = st.columns(2)
    with first:
        scores = uploaded_csv("Scores (CSV)", "uploaded_scores")
    with second:
        labels = uploaded_csv("Labels (CSV, may be left out)", "uploaded_labels")
    if scores is None:
        return None
    words = (scores.name, *(("--labels", labels.name) if labels else ()))
    return _joined(scores, labels, LabelPolicy(), source=f"Table {scores.name}", words=words)


def uploaded_csv(label: str, key: str) -> CsvFile | None:
    """Return a table that the person gave, None without one. Its name is only shown.

    Raises:
        DataError: it is too large.
    """
    file = st.file_uploader(label, type="csv", key=key)
    if file is None:
        return None
    if file.size > _LIMIT_MB * 2**20:
        raise DataError(
            "Table {file} is larger than {limit_mb} MiB; measure it with `medcxr performance`.",
            file=file.name,
            limit_mb=_LIMIT_MB,
        )
    return CsvFile(name=_shown_name(file.name), data=file.getvalue())


def _labels_of(run: HeldOutScores, labels_table: Path | None) -> CsvFile | None:
    path = run.labels or labels_table
    return read_csv_file(path) if path is not None else None


def _joined(
    scores: CsvFile,
    labels: CsvFile | None,
    policy: LabelPolicy,
    *,
    source: str,
    words: Sequence[str],
) -> Scores:
    """Join the tables, once for each pair of files; the last pair is kept in this tab."""
    names = [scores.name, *([labels.name] if labels else [])]
    parts = [scores.data, labels.data if labels else b""]
    hashed = [hashlib.sha256(part).hexdigest() for part in parts]
    digest = hashlib.sha256(repr((names, hashed, policy, source)).encode()).hexdigest()
    known: Scores | None = st.session_state.get(_KEY)
    if known is None or known.digest != digest:
        table = join_scores(scores, labels, policy=policy)
        named = f"labels of {labels.name}" if labels else "its own labels"
        known = Scores(
            digest=digest,
            source=f"{source}, {named}",
            files=tuple(shlex.quote(word) for word in words),
            table=table,
        )
        st.session_state[_KEY] = known
    return known


def _shown_name(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)
