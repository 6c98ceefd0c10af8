"""CheXpert: train.csv and valid.csv above the folders train/ and valid/.

Source: Irvin et al. 2019, "CheXpert", and the archive's README. The labels of train.csv are mined
from reports, those of valid.csv are radiologists'.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from medcxr.core.errors import DataError
from medcxr.core.images import View
from medcxr.datasets.archives.image import ArchiveImage, Omission
from medcxr.datasets.archives.labels import CHEXPERT_COLUMNS, Uncertain, chexpert_labels
from medcxr.datasets.archives.paths import first_file
from medcxr.datasets.archives.subset import Subset
from medcxr.datasets.archives.tables import Row, find_table, has_table, table_rows
from medcxr.datasets.archives.values import age_years, sex

__all__ = ["read_chexpert"]


def read_chexpert(
    folder: Path, *, uncertain: Uncertain = Uncertain.UNKNOWN
) -> Iterator[ArchiveImage | Omission]:
    """Yield every row of train.csv and then of valid.csv.

    The small archive is one folder. The large one is handed out in four batches, whose folders
    are then expected side by side under the names that they are handed out with.

    Raises:
        DataError: both tables are missing, one is damaged, or a row is not understood.
    """
    home = folder if _tables(folder) or not _tables(folder / _CSV_BATCH) else folder / _CSV_BATCH
    for name in _tables(home) or ("train.csv",):
        for row in table_rows(find_table(home, name), required=(*_COLUMNS, *CHEXPERT_COLUMNS)):
            yield _image(folder, row, uncertain)


_CSV_BATCH = "CheXpert-v1.0 batch 1 (validate & csv)"
_PLACES = {
    "train": (
        "train",
        "CheXpert-v1.0 batch 2 (train 1)",
        "CheXpert-v1.0 batch 3 (train 2)",
        "CheXpert-v1.0 batch 4 (train 3)",
    ),
    "valid": ("valid", f"{_CSV_BATCH}/valid"),
}
_SUBSETS = {"train": Subset.TRAIN, "valid": Subset.VALIDATION}
_COLUMNS = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA")
_VIEWS = {"PA": View.PA, "AP": View.AP, "": View.UNKNOWN}
_PATH = re.compile(
    r"(?:CheXpert-v1\.0[\w-]*/)?(?P<subset>train|valid)"
    r"/(?P<rest>(?P<patient>patient\d+)/study\d+/view\d+_(?:frontal|lateral)\.jpg)"
)


def _tables(folder: Path) -> tuple[str, ...]:
    return tuple(name for name in ("train.csv", "valid.csv") if has_table(folder, name))


def _image(folder: Path, row: Row, uncertain: Uncertain) -> ArchiveImage | Omission:
    path = _PATH.fullmatch(row["Path"])
    if path is None:
        raise DataError(
            f"Path holds {row['Path'][:80]!r}, which is no image of CheXpert; take the table as "
            "the archive publishes it."
        )
    # A few frontal rows are decubitus views, which AP/PA calls LL or RL.
    if row["Frontal/Lateral"] != "Frontal" or row["AP/PA"] not in _VIEWS:
        return Omission.NOT_FRONTAL
    labels = chexpert_labels(row, uncertain)
    if not labels:
        return Omission.NO_LABEL
    image_path = first_file(folder, (f"{p}/{path['rest']}" for p in _PLACES[path["subset"]]))
    if image_path is None:
        return Omission.NO_FILE
    return ArchiveImage(
        image_path=image_path,
        labels=labels,
        source="CheXpert",
        patient_id=path["patient"],
        view=_VIEWS[row["AP/PA"]],
        age=age_years(row["Age"]),
        sex=sex(row["Sex"]),
        subset=_SUBSETS[path["subset"]],
    )
