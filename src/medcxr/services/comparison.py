"""Two score tables against the labels of a third."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.core.results import Estimate
from medcxr.datasets.study_table import LabelPolicy, StudyTable, rows_of
from medcxr.evaluation.comparison import PairedComparison, compare_auc, compare_mean_auc
from medcxr.evaluation.paired_shares import PairedShares, compare_decisions
from medcxr.services.scored_table import CsvFile, read_csv_file

__all__ = ["ScoreComparison", "compare_files", "compare_scores"]

_KEY = "image_path"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreComparison:
    """Two score tables on the same images.

    Attributes:
        findings: finding -> comparison, in the order of the findings; those without both classes
            are left out.
        mean_difference: first minus second in the mean AUC of these findings; None if there are
            fewer than two.
        decisions: finding -> sensitivity and specificity at the thresholds that were given; empty
            without thresholds.
    """

    findings: dict[str, PairedComparison]
    mean_difference: Estimate | None
    decisions: dict[str, tuple[PairedShares, PairedShares]]


def compare_scores(
    first: Path, second: Path, labels: Path, *, thresholds: tuple[float, float] | None = None
) -> ScoreComparison:
    """Compare the findings that both tables score, on the images that all three tables have.

    Args:
        first: CSV of image_path and one column per finding, e.g. of `medcxr predict` or a
            run's out_of_fold.csv.
        second: the same of another model or reader.
        labels: table with the labels and patients of the images.
        thresholds: scores from which the first, and the second, call a finding present; None compares
            no decisions.

    Raises:
        DataError: a table is wrong, or they have no image or no finding in common.
    """
    files = (read_csv_file(path) for path in (first, second, labels))
    return compare_files(*files, thresholds=thresholds)


def compare_files(
    first: CsvFile,
    second: CsvFile,
    labels: CsvFile,
    *,
    policy: LabelPolicy | None = None,
    thresholds: tuple[float, float] | None = None,
) -> ScoreComparison:
    """Compare tables by their bytes; arguments and errors as for `compare_scores`.

    Args:
        first: scores.
        second: scores of another model or reader.
        labels: labels and patients.
        policy: meaning of what the labels do not say.
        thresholds: as for `compare_scores`.
    """
    files = (first, second)
    rows = [_by_image(file) for file in files]
    columns = [set(next(iter(table.values()))) for table in rows]
    findings = [finding.value for finding in Finding if all(finding in each for each in columns)]
    if not findings:
        raise DataError(
            "{first} and {second} have no column of the same finding; name the columns "
            "as the findings: {names}.",
            first=first.name,
            second=second.name,
            names=", ".join(finding.value for finding in Finding),
        )
    named = rows_of(labels.data, labels.name, required=(_KEY,))
    table = StudyTable.of_rows(named, findings, root=Path(), policy=policy)
    shared = [
        index
        for index, path in enumerate(table.image_paths)
        if all(path in scored for scored in rows)
    ]
    if not shared:
        raise DataError(
            "{first}, {second} and {labels} have no image_path in common; score "
            "the same table with both.",
            first=first.name,
            second=second.name,
            labels=labels.name,
        )
    chosen = table.select(shared)
    pair = np.stack(
        [
            np.stack([_scores(file, scored, chosen.image_paths, f) for f in findings], axis=1)
            for file, scored in zip(files, rows, strict=True)
        ]
    )  # (2, n_images, n_findings)
    truth = np.where(np.isnan(pair).any(axis=0), np.nan, chosen.labels)
    pair = np.nan_to_num(pair)
    both = [c for c in range(len(findings)) if {0.0, 1.0} <= set(truth[:, c])]
    compared = {
        findings[c]: compare_auc(truth[:, c], *pair[:, :, c], patients=chosen.patients)
        for c in both
    }
    mean = None
    if len(both) > 1:
        mean = compare_mean_auc(truth[:, both], *pair[:, :, both], patients=chosen.patients)
    decisions = (
        {
            findings[c]: compare_decisions(
                truth[:, c],
                *(pair[reader, :, c] >= limit for reader, limit in enumerate(thresholds)),
                patients=chosen.patients,
            )
            for c in both
        }
        if thresholds
        else {}
    )
    return ScoreComparison(findings=compared, mean_difference=mean, decisions=decisions)


def _by_image(file: CsvFile) -> dict[str, dict[str, str]]:
    return {row[_KEY]: row for row in rows_of(file.data, file.name, required=(_KEY,))}


def _scores(
    file: CsvFile, rows: dict[str, dict[str, str]], images: tuple[str, ...], finding: str
) -> np.ndarray:
    """Return a score per image, NaN where the cell is empty (an image that could not be used)."""
    try:
        return np.array([float(rows[image][finding] or "nan") for image in images])
    except ValueError as error:
        raise DataError(
            "{file} has a score of {finding} that is not a number; correct the cell.",
            file=file.name,
            finding=finding,
        ) from error
