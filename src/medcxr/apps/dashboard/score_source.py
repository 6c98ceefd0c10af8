"""Which scores the page measures: those that a run kept, or a table that the person uploads."""

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from medcxr.apps.dashboard.performance_words import NO_LABELS, NO_RUNS, SCORES_HELP
from medcxr.core.errors import DataError
from medcxr.core.language import Sentence, say, text
from medcxr.datasets.study_table import LabelPolicy
from medcxr.services.held_out import HeldOutScores, held_out_scores
from medcxr.services.scored_table import CsvFile, ScoredTable, join_scores, read_csv_file
from medcxr.services.workspace import Workspace

__all__ = ["Scores", "choose_run", "choose_upload", "uploaded_csv"]

_LIMIT_MB = 16  # some hundred thousand rows
_KEY = "scored_table"
_RUN = (
    text("Cross-validated run {run}, labels of {labels}"),
    text("Cross-validated run {run}, its own labels"),
)
_RUN_ON = (
    text("Cross-validated run {run} on {tables}, labels of {labels}"),
    text("Cross-validated run {run} on {tables}, its own labels"),
)
_TABLE = (text("Table {table}, labels of {labels}"), text("Table {table}, its own labels"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """A table to measure.

    Attributes:
        digest: SHA-256 of everything that went into it, hexadecimal.
        source: what it is, for captions; a sentence, as the language may change.
        files: the words that name it on the command line.
        table: scores joined with labels.
    """

    digest: str
    source: Sentence
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
        st.info(say(NO_RUNS))
        return None
    names = [run.run for run in runs]
    run = runs[
        st.selectbox(
            say("Run"),
            range(len(runs)),
            index=names.index(first) if first in names else 0,
            format_func=names.__getitem__,
        )
    ]
    uploaded = uploaded_csv(
        say("Labels of the run's table (CSV, may be left out)"), "labels_of_run"
    )
    labels = uploaded or _labels_of(run, labels_table)
    if labels is None:
        st.info(say(NO_LABELS))
        return None
    folder = f"WORKSPACE/runs/{run.run}"
    kept = uploaded is None and run.labels is not None
    return _joined(
        read_csv_file(run.path),
        labels,
        run.policy,
        source=_RUN_ON if run.tables else _RUN,
        named={"run": run.run, "tables": ", ".join(run.tables)},
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
    st.caption(say(SCORES_HELP))
    first, second = st.columns(2)
    with first:
        scores = uploaded_csv(say("Scores (CSV)"), "uploaded_scores")
    with second:
        labels = uploaded_csv(say("Labels (CSV, may be left out)"), "uploaded_labels")
    if scores is None:
        return None
    words = (scores.name, *(("--labels", labels.name) if labels else ()))
    return _joined(
        scores, labels, LabelPolicy(), source=_TABLE, named={"table": scores.name}, words=words
    )


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
    source: tuple[str, str],
    named: Mapping[str, str],
    words: Sequence[str],
) -> Scores:
    """Join the tables, once for each pair of files; the last pair is kept in this tab.

    Args:
        scores: of each image.
        labels: of each image; None where the scores have them.
        policy: meaning of what the labels do not say.
        source: what the scores are, with labels of their own and with other ones.
        named: its values.
        words: that name the files on the command line.
    """
    by_others, by_own = source
    if labels is None:
        told = Sentence(by_own, **named)
    else:
        told = Sentence(by_others, **named, labels=labels.name)
    names = [scores.name, *([labels.name] if labels else [])]
    parts = [scores.data, labels.data if labels else b""]
    hashed = [hashlib.sha256(part).hexdigest() for part in parts]
    digest = hashlib.sha256(repr((names, hashed, policy, told)).encode()).hexdigest()
    known: Scores | None = st.session_state.get(_KEY)
    if known is None or known.digest != digest:
        table = join_scores(scores, labels, policy=policy)
        known = Scores(
            digest=digest,
            source=told,
            files=tuple(shlex.quote(word) for word in words),
            table=table,
        )
        st.session_state[_KEY] = known
    return known


def _shown_name(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)
