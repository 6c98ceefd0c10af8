"""RSNA Pneumonia Detection Challenge: stage_2_detailed_class_info.csv and stage_2_train_images/.

Source: Shih et al. 2019, "Augmenting the NIH chest radiograph dataset with expert annotations of
possible pneumonia". The images are images of NIH ChestX-ray14 under other names. The class says
what stage_2_train_labels.csv says, whose Target is 1 for "Lung Opacity" alone, and more.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.datasets.archives.image import ArchiveImage, Omission
from medcxr.datasets.archives.labels import Labels
from medcxr.datasets.archives.paths import first_file, path_part
from medcxr.datasets.archives.subset import Subset
from medcxr.datasets.archives.tables import find_table, table_rows

__all__ = ["MAPPING_FILE", "read_rsna"]

MAPPING_FILE = "pneumonia-challenge-dataset-mappings_2018.json"


def read_rsna(folder: Path) -> Iterator[ArchiveImage | Omission]:
    """Yield every labeled image once, in the order of the table.

    Where the organizers' mapping to NIH ChestX-ray14 lies beside the table, each image has the
    NIH's patient and the name of its NIH original; without it each is a patient of its own.

    Raises:
        DataError: a file is missing or damaged, or a row is not understood.
    """
    table = find_table(folder, "stage_2_detailed_class_info.csv")
    originals = _originals(folder / MAPPING_FILE)
    seen = set()
    for row in table_rows(table, required=("patientId", "class")):
        name = path_part(row["patientId"], "patientId")
        if name not in seen:  # one row per box
            seen.add(name)
            yield _image(folder, name, row["class"], originals.get(name, ""))


_CLASSES = {
    "Lung Opacity": Labels(present=(Finding.PNEUMONIA.value,)),
    "Normal": Labels(present=(Finding.NO_FINDING.value,)),
    "No Lung Opacity / Not Normal": Labels(
        absent=(Finding.PNEUMONIA.value, Finding.NO_FINDING.value)
    ),
}
_NIH_NAME = re.compile(r"(\d{8})_\d{3}(?:\.png)?")


def _image(folder: Path, name: str, class_: str, original: str) -> ArchiveImage | Omission:
    if class_ not in _CLASSES:
        raise DataError(
            f"Image {name} has the class {class_!r}; it must be one of {', '.join(_CLASSES)}."
        )
    image_path = first_file(folder, (f"stage_2_train_images/{name}.dcm",))
    if image_path is None:
        return Omission.NO_FILE
    return ArchiveImage(
        image_path=image_path,
        labels=_CLASSES[class_],
        source="RSNA pneumonia challenge",
        patient_id=str(int(original.partition("_")[0])) if original else "",
        subset=Subset.TRAIN,
        nih_image=original,
    )


def _originals(path: Path) -> dict[str, str]:
    """Return the names of the NIH originals by the challenge's names."""
    if not path.is_file():
        return {}
    try:
        pairs = {
            str(entry["subset_img_id"]): str(entry["img_id"])
            for entry in json.loads(path.read_text(encoding="utf-8"))
        }
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"{path.name} cannot be read ({type(error).__name__}: {error}); get the file again."
        ) from error
    wrong = [name for name in pairs.values() if _NIH_NAME.fullmatch(name) is None]
    if wrong:
        raise DataError(
            f"{path.name} names {wrong[0][:80]!r}, which is no image of NIH ChestX-ray14; get "
            "the file again."
        )
    return pairs
