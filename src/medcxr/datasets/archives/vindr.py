"""VinDr-CXR: annotations/image_labels_*.csv above the folders train/ and test/ of DICOM files.

Source: Nguyen et al. 2022, "VinDr-CXR: an open dataset of chest X-rays with radiologist's
annotations". Three radiologists read each training image alone and are given a row each; the test
images have one row of consensus. All images are PA views, and no patient is named.
"""

from collections.abc import Iterator
from pathlib import Path

from medcxr.core.errors import DataError
from medcxr.core.images import View
from medcxr.datasets.archives.image import ArchiveImage, Omission
from medcxr.datasets.archives.labels import consistent_labels, nih_spelling
from medcxr.datasets.archives.paths import first_file, path_part
from medcxr.datasets.archives.subset import Subset
from medcxr.datasets.archives.tables import Row, find_table, has_table, table_rows

__all__ = ["read_vindr"]


def read_vindr(folder: Path) -> Iterator[ArchiveImage | Omission]:
    """Yield every image of the training and then of the test table with the majority's labels.

    Raises:
        DataError: both tables are missing, one is damaged, or a row is not understood.
    """
    tables = [name for name in _TABLES if has_table(folder, name)]
    for table in tables or list(_TABLES):
        for name, balance in _votes(find_table(folder, table)).items():
            yield _image(folder, _TABLES[table], name, balance)


_TABLES = {
    "annotations/image_labels_train.csv": Subset.TRAIN,
    "annotations/image_labels_test.csv": Subset.TEST,
}
_NOT_FINDINGS = {"image_id", "rad_id"}
_REQUIRED = ("image_id", "Pneumonia", "Pleural effusion", "Cardiomegaly", "No finding")
_RENAMED = {"Other disease": "Other diseases"}  # in the test table
_VOTES = {"1": 1, "1.0": 1, "0": -1, "0.0": -1, "": 0}


def _votes(table: Path) -> dict[str, dict[str, int]]:
    """Return by image and finding how many more radiologists see it than do not."""
    votes: dict[str, dict[str, int]] = {}
    for row in table_rows(table, required=_REQUIRED):
        name = path_part(row["image_id"], "image_id")
        ballot = _ballot(row, table.name)
        balance = votes.setdefault(name, dict.fromkeys(ballot, 0))
        for finding, vote in ballot.items():
            balance[finding] += vote
    return votes


def _ballot(row: Row, table: str) -> dict[str, int]:
    ballot = {}
    for column, cell in row.items():
        if column in _NOT_FINDINGS:
            continue
        if cell.strip() not in _VOTES:
            raise DataError(
                f"Table {table} holds {cell!r} in the column {column!r}; a label is 1 or 0."
            )
        ballot[nih_spelling(_RENAMED.get(column, column))] = _VOTES[cell.strip()]
    return ballot


def _image(
    folder: Path, place: Subset, name: str, balance: dict[str, int]
) -> ArchiveImage | Omission:
    image_path = first_file(folder, (f"{place}/{name}.dicom",))
    if image_path is None:
        return Omission.NO_FILE
    return ArchiveImage(
        image_path=image_path,
        labels=consistent_labels(
            present=(finding for finding, votes in balance.items() if votes > 0),
            absent=(finding for finding, votes in balance.items() if votes < 0),
        ),
        source="VinDr-CXR",
        view=View.PA,
        subset=place,
    )
