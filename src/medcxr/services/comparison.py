"""Two score tables against the labels of a third."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.core.results import Estimate
from medcxr.datasets.study_table import StudyTable, read_rows
from medcxr.evaluation.comparison import PairedComparison, compare_auc, compare_mean_auc

__all__ = ["ScoreComparison", "compare_scores"]

_KEY = "image_path"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreComparison:
    """Two score tables on the same images.

    Attributes:
        findings: finding -> comparison, in the order of the findings; those without both classes
            are left out.
        mean_difference: first minus second in the mean AUC of these findings; None if there are
            fewer than two.
    """

    findings: dict[str, PairedComparison]
    mean_difference: Estimate | None


def compare_scores(first: Path, second: Path, labels: Path) -> ScoreComparison:
    """Compare the findings that both tables score, on the images that all three tables have.

    Args:
        first: CSV of image_path and one column per finding, e.g. of `medcxr predict` or a
            run's out_of_fold.csv.
        second: the same of another model or reader.
        labels: table with the labels and patients of the images.

    Raises:
        DataError: a table is wrong, or they have no image or no finding in common.
    """
    rows = {path: _by_image(path) for path in (first, second)}
    columns = [set(next(iter(table.values()))) for table in rows.values()]
    findings = [finding.value for finding in Finding if all(finding in each for each in columns)]
    if not findings:
        raise DataError(
            f"{first.name} and {second.name} have no column of the same finding; name the columns "
            f"as the findings: {', '.join(finding.value for finding in Finding)}."
        )
    table = StudyTable.read_csv(labels, findings)
    shared = [
        index
        for index, path in enumerate(table.image_paths)
        if all(path in scored for scored in rows.values())
    ]
    if not shared:
        raise DataError(
            f"{first.name}, {second.name} and {labels.name} have no image_path in common; score "
            "the same table with both."
        )
    chosen = table.select(shared)
    pair = np.stack(
        [
            np.stack([_scores(path, rows[path], chosen.image_paths, f) for f in findings], axis=1)
            for path in rows
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
    return ScoreComparison(findings=compared, mean_difference=mean)


def _by_image(path: Path) -> dict[str, dict[str, str]]:
    return {row[_KEY]: row for row in read_rows(path, required=(_KEY,))}


def _scores(
    path: Path, rows: dict[str, dict[str, str]], images: tuple[str, ...], finding: str
) -> np.ndarray:
    """Return a score per image, NaN where the cell is empty (an image that could not be used)."""
    try:
        return np.array([float(rows[image][finding] or "nan") for image in images])
    except ValueError as error:
        raise DataError(
            f"{path.name} has a score of {finding} that is not a number; correct the cell."
        ) from error
