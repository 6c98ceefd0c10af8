"""MIMIC-CXR-JPG: three tables mimic-cxr-2.0.0-*.csv.gz above the folder files/.

Source: Johnson et al. 2019, "MIMIC-CXR-JPG", and the archive's README. Labels belong to a study and
are mined from its report; age and sex are not in this archive.
"""

from collections.abc import Iterator
from pathlib import Path

from medcxr.core.errors import DataError
from medcxr.core.images import View
from medcxr.datasets.archives.image import ArchiveImage, Omission
from medcxr.datasets.archives.labels import (
    CHEXPERT_COLUMNS,
    Labels,
    Uncertain,
    chexpert_labels,
)
from medcxr.datasets.archives.paths import first_file, path_part
from medcxr.datasets.archives.subset import Subset
from medcxr.datasets.archives.tables import Row, find_table, has_table, table_rows

__all__ = ["read_mimic"]


def read_mimic(
    folder: Path, *, uncertain: Uncertain = Uncertain.UNKNOWN
) -> Iterator[ArchiveImage | Omission]:
    """Yield every row of the table of images, in its order.

    Raises:
        DataError: a table is missing or damaged, or a row is not understood.
    """
    images = find_table(folder, "mimic-cxr-2.0.0-metadata.csv")
    labels = _labels(folder, uncertain)
    subsets = _subsets(folder)
    for row in table_rows(images, required=_COLUMNS):
        yield _image(folder, row, labels.get(row["study_id"], Labels()), subsets)


_COLUMNS = ("dicom_id", "subject_id", "study_id", "ViewPosition")
_VIEWS = {"PA": View.PA, "AP": View.AP}
_SPLIT = "mimic-cxr-2.0.0-split.csv"
_SUBSETS = {"train": Subset.TRAIN, "validate": Subset.VALIDATION, "test": Subset.TEST}


def _labels(folder: Path, uncertain: Uncertain) -> dict[str, Labels]:
    """Return the labels by study; equal ones are one object, for there are 227,827 studies."""
    table = find_table(folder, "mimic-cxr-2.0.0-chexpert.csv")
    kept: dict[Labels, Labels] = {}
    by_study = {}
    for row in table_rows(table, required=("study_id", *CHEXPERT_COLUMNS)):
        labels = chexpert_labels(row, uncertain)
        by_study[row["study_id"]] = kept.setdefault(labels, labels)
    return by_study


def _subsets(folder: Path) -> dict[str, Subset]:
    """Return the subsets by image, none where the table is not there."""
    if not has_table(folder, _SPLIT):
        return {}
    subsets = {}
    for row in table_rows(find_table(folder, _SPLIT), required=("dicom_id", "split")):
        if row["split"] not in _SUBSETS:
            raise DataError(
                f"Table {_SPLIT} holds the split {row['split']!r}; it must be train, validate "
                "or test."
            )
        subsets[row["dicom_id"]] = _SUBSETS[row["split"]]
    return subsets


def _image(
    folder: Path, row: Row, labels: Labels, subsets: dict[str, Subset]
) -> ArchiveImage | Omission:
    view = row["ViewPosition"].strip()
    if not view:
        return Omission.NO_VIEW
    if view not in _VIEWS:
        return Omission.NOT_FRONTAL
    if not labels:
        return Omission.NO_LABEL
    image, subject, study = (path_part(row[name], name) for name in _COLUMNS[:3])
    image_path = first_file(folder, (f"files/p{subject[:2]}/p{subject}/s{study}/{image}.jpg",))
    if image_path is None:
        return Omission.NO_FILE
    return ArchiveImage(
        image_path=image_path,
        labels=labels,
        source="MIMIC-CXR-JPG",
        patient_id=subject,
        view=_VIEWS[view],
        subset=subsets.get(image),
    )
