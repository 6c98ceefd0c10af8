"""NIH ChestX-ray14: Data_Entry_2017*.csv beside the folders of images.

Source: Wang et al. 2017, "ChestX-ray8", and the archive's README. The findings are mined from
reports; those that a row does not list are absent. All images are frontal.
"""

from collections.abc import Iterator
from pathlib import Path

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.core.images import View
from medcxr.datasets.archives.image import ArchiveImage, Omission
from medcxr.datasets.archives.labels import NIH_FINDINGS, Labels, complete_labels
from medcxr.datasets.archives.paths import files_below, path_part, subfolders
from medcxr.datasets.archives.subset import Subset
from medcxr.datasets.archives.tables import Row, find_table, has_table, read_lines, table_rows
from medcxr.datasets.archives.values import age_years, sex

__all__ = ["read_nih"]


def read_nih(folder: Path) -> Iterator[ArchiveImage | Omission]:
    """Yield every row of the table, in its order.

    Images lie anywhere in images/ or in images_001/ and the like. The lists train_val_list.txt
    and test_list.txt name the subset where they are there.

    Raises:
        DataError: the table is missing or damaged, or a row is not understood.
    """
    table = find_table(folder, *_TABLES)
    files, subsets = _files(folder), _subsets(folder)
    for row in table_rows(table, required=_COLUMNS):
        name = path_part(row["Image Index"], "Image Index")
        if row["View Position"] not in _VIEWS:
            yield Omission.NO_VIEW
        elif name not in files:
            yield Omission.NO_FILE
        else:
            yield ArchiveImage(
                image_path=files[name],
                labels=_labels(row),
                source="NIH ChestX-ray14",
                patient_id=row["Patient ID"].strip(),
                view=_VIEWS[row["View Position"]],
                age=age_years(row["Patient Age"]),
                sex=sex(row.get("Patient Sex") or row.get("Patient Gender", "")),
                subset=subsets.get(name),
            )


_TABLES = ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv")
_COLUMNS = ("Image Index", "Finding Labels", "Patient ID", "Patient Age", "View Position")
_LISTS = {"train_val_list.txt": Subset.TRAIN, "test_list.txt": Subset.TEST}
_VIEWS = {"PA": View.PA, "AP": View.AP}


def _files(folder: Path) -> dict[str, str]:
    """Return the path of each image by its name."""
    return {
        Path(path).name: path
        for place in subfolders(folder)
        if place == "images" or place.startswith("images_")
        for path in files_below(folder, place)
    }


def _subsets(folder: Path) -> dict[str, Subset]:
    return {
        name: subset
        for list_name, subset in _LISTS.items()
        if has_table(folder, list_name)
        for name in read_lines(find_table(folder, list_name))
    }


def _labels(row: Row) -> Labels:
    names = [name.strip() for name in row["Finding Labels"].split("|") if name.strip()]
    unknown = [name for name in names if name not in {*NIH_FINDINGS, Finding.NO_FINDING.value}]
    if unknown or not names:
        raise DataError(
            f"Image {row['Image Index']} has the labels {row['Finding Labels']!r}; the table "
            "must have the 14 findings of NIH ChestX-ray14 or 'No Finding'."
        )
    return complete_labels(names)
