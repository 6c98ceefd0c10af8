"""The scores that the runs of a workspace gave to images that they had not learned from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medcxr.core.access import Permission
from medcxr.datasets.study_table import LabelPolicy
from medcxr.services.run_folders import facts_of_run, run_folders, unlistable
from medcxr.services.workspace import Workspace

__all__ = ["HeldOutScores", "held_out_scores", "policy_beside"]

_SCORES_FILE = "out_of_fold.csv"
_LABELS_FILE = "out_of_fold_labels.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutScores:
    """A cross-validated run whose scores are kept.

    Attributes:
        run: name of its folder.
        path: the file of scores.
        labels: the file of the labels that they were measured on; None of a run that kept none.
        tables: names of the tables that it was measured on, empty if unknown.
        policy: what the labels of these tables leave unsaid.
    """

    run: str
    path: Path
    labels: Path | None
    tables: tuple[str, ...]
    policy: LabelPolicy


def held_out_scores(workspace: Workspace) -> tuple[HeldOutScores, ...]:
    """Return the runs with kept scores, the newest first.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the folder of runs cannot be listed.
    """
    workspace.require(Permission.MEASURE_MODELS)
    found = run_folders(workspace, holding=_SCORES_FILE)
    try:
        found.sort(key=lambda folder: (folder / _SCORES_FILE).stat().st_mtime, reverse=True)
    except OSError as error:
        raise unlistable(workspace, error) from error
    return tuple(_scores_of(folder) for folder in found)


def policy_beside(scores: Path) -> LabelPolicy | None:
    """Return what the labels of a run leave unsaid, None beside a file that is of no run."""
    tables = _measured_tables(scores.parent) if scores.name == _SCORES_FILE else []
    return _policy(tables) if tables else None


def _scores_of(folder: Path) -> HeldOutScores:
    tables = _measured_tables(folder)
    labels = folder / _LABELS_FILE
    return HeldOutScores(
        run=folder.name,
        path=folder / _SCORES_FILE,
        labels=labels if labels.is_file() else None,
        tables=tuple(str(table.get("path", "")) for table in tables),
        policy=_policy(tables),
    )


def _policy(tables: Sequence[Mapping[str, object]]) -> LabelPolicy:
    """Return that of the first table: what a run is measured on is nearly always one table."""
    if not tables:
        return LabelPolicy()
    threshold = tables[0].get("cardiothoracic_threshold")
    return LabelPolicy(
        complete=tables[0].get("complete_labels") is not False,
        cardiothoracic_threshold=float(threshold) if isinstance(threshold, int | float) else None,
    )


def _measured_tables(folder: Path) -> list[Mapping[str, object]]:
    """Return the tables that were split into folds, nothing where the run does not say."""
    try:
        tables = facts_of_run(folder)["config"]["data"]["tables"]
        return [dict(table) for table in tables if table["role"] == "split"]
    except (ValueError, KeyError, TypeError):
        return []
