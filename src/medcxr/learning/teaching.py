"""What a network learns from instead of the bare labels: other readers' words, and probabilities."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from medcxr.core.arrays import FloatArray, Statistics
from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.datasets.study_table import StudyTable, read_rows
from medcxr.evaluation.calibration import MINIMUM_PER_CLASS, fit_platt

__all__ = ["read_soft_labels", "reread", "soften"]

_CLEAR, _OPACITY, _OTHER = "Normal", "Lung Opacity", "No Lung Opacity / Not Normal"
_FARTHEST = 12.0  # of a log odds; scores of exactly 0 or 1 are no more certain than that


def reread(table: StudyTable, column: str) -> Statistics:
    """Return the labels as radiologists who have seen the image again would have given them.

    A label of the report stands where they say nothing of it. Where all call the image normal, or
    none sees an opacity, there is no pneumonia; where one sees an opacity or anything else, the
    image is not without findings; and an opacity that the report does not call pneumonia may be
    one.

    Args:
        table: with its labels.
        column: of its attributes: the readings of one image, joined by "|", in the words of the
            source; empty where nobody has read it again.

    Returns:
        (n_images, n_findings), 1, 0 or NaN for unknown.

    Source: Shih et al. 2019, Augmenting the NIH chest radiograph dataset with expert annotations
    of possible pneumonia, Radiology: Artificial Intelligence 1(1), on the three classes.
    """
    labels = table.labels.copy()
    for row, cell in enumerate(table.attributes[column]):
        seen = {word.strip() for word in cell.split("|") if word.strip()}
        unknown = seen - {_CLEAR, _OPACITY, _OTHER}
        if unknown:
            raise DataError(
                f"Row {table.image_paths[row]!r} has {sorted(unknown)[0]!r} in {column}; known are "
                f"{_CLEAR!r}, {_OPACITY!r} and {_OTHER!r}."
            )
        if not seen:
            continue
        for name, value in _readings(seen).items():
            if name not in table.findings:
                continue
            place = table.findings.index(name)
            if np.isnan(value) and labels[row, place] == 1:
                continue
            labels[row, place] = value
    return labels


def _readings(seen: set[str]) -> dict[str, float]:
    """Return what readings say of findings; NaN where they make an absence doubtful."""
    if _OPACITY in seen:
        return {Finding.PNEUMONIA.value: np.nan, Finding.NO_FINDING.value: 0.0}
    if seen == {_CLEAR}:
        return {Finding.PNEUMONIA.value: 0.0}
    return {Finding.PNEUMONIA.value: 0.0, Finding.NO_FINDING.value: 0.0}


def read_soft_labels(path: Path, tables: Sequence[StudyTable]) -> Statistics:
    """Return the log odds that another reader gave the images of tables, one after the other.

    No Finding, where the reader does not score it, is the absence of all that it scores.

    The reader must not have learned from these images' patients. What networks of a
    cross-validation gave them (a table with the column fold) is refused: each score was learned
    from labels that are held out elsewhere, and a configuration's `teacher` does it without that.

    Args:
        path: CSV file with image_path, relative to the file, and a column for each finding.
        tables: of whose images and findings, the same in all, scores are wanted.

    Returns:
        (n_images, n_findings), NaN where nothing is said.

    Raises:
        DataError: the file is wrong, or a score is no probability.
    """
    rows = read_rows(path, required=("image_path",))
    if "fold" in rows[0]:
        raise DataError(
            f"{path.name} holds scores by fold: each has seen labels that other folds hold out. Name "
            "the recipe as the teacher instead."
        )
    columns = [name for name in rows[0] if name != "image_path"]
    scores = {
        (path.parent / row["image_path"]).resolve(): {
            name: _probability(row[name], path.name) for name in columns if row[name]
        }
        for row in rows
    }
    images = [table.path(index).resolve() for table in tables for index in range(len(table))]
    findings = tables[0].findings
    found = np.full((len(images), len(findings)), np.nan)
    for index, image in enumerate(images):
        given = scores.get(image, {})
        for column, name in enumerate(findings):
            if name in given:
                found[index, column] = given[name]
            elif name == Finding.NO_FINDING and given:
                found[index, column] = np.prod([1 - value for value in given.values()])
    with np.errstate(divide="ignore"):
        odds = np.log(found) - np.log1p(-found)
    return np.asarray(np.clip(odds, -_FARTHEST, _FARTHEST), dtype=np.float64)


def _probability(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not 0 <= value <= 1:
        raise DataError(f"{name} has the score {text!r}, which is no probability; give 0…1.")
    return value


def soften(
    labels: Statistics, odds: Statistics | FloatArray, rows: Sequence[int], *, share: float
) -> Statistics:
    """Return labels with probabilities mixed in.

    Another reader's probabilities follow how common findings were where it learned; on the rows
    to learn from they are first fitted to the labels there (Platt 1999).

    Args:
        labels: (n_images, n_labels), 1, 0 or NaN for unknown.
        odds: (n_images, at most n_labels), log odds, NaN where nothing is said.
        rows: the images to learn from; no others are looked at or changed.
        share: of the probabilities.

    Returns:
        (n_images, n_labels), 0…1 or NaN. An unknown label becomes the probability itself.
    """
    softened = labels.copy()
    chosen = np.asarray(rows, dtype=np.intp)
    for column in range(odds.shape[1]):
        given = odds[chosen, column].astype(np.float64)
        own = labels[chosen, column]
        both = ~np.isnan(given) & ~np.isnan(own)
        counts = [int((own[both] == value).sum()) for value in (0, 1)]
        if min(counts) < MINIMUM_PER_CLASS or np.ptp(given[both]) == 0:
            continue  # nothing to fit by
        said = ~np.isnan(given)
        probabilities = fit_platt(given[both], own[both]).predict_proba(given[said])
        known = own[said]
        softened[chosen[said], column] = np.where(
            np.isnan(known), probabilities, (1 - share) * known + share * probabilities
        )
    return softened
