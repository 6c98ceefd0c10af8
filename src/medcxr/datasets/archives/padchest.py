"""PadChest: PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv above the folders 0/ to 54/.

Source: Bustos et al. 2020, "PadChest: a large chest x-ray image dataset with multi-label annotated
reports". Labels say what the whole report says, a quarter of them by physicians, the others by a
network; a finding that the report does not mention counts as absent, as the archive's own figures
count it. Findings without a name in NIH ChestX-ray14 keep the archive's, in small letters.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from medcxr.core.errors import DataError
from medcxr.core.images import View
from medcxr.datasets.archives.image import ArchiveImage, Omission
from medcxr.datasets.archives.labels import (
    NIH_FINDINGS,
    Labels,
    complete_labels,
    consistent_labels,
    nih_spelling,
)
from medcxr.datasets.archives.paths import first_file, path_part
from medcxr.datasets.archives.tables import Row, find_table, table_rows
from medcxr.datasets.archives.values import age_years, sex

__all__ = ["read_padchest"]


def read_padchest(folder: Path) -> Iterator[ArchiveImage | Omission]:
    """Yield every row of the table, in its order.

    Images lie in the folder that ImageDir names, in images/, or in that folder inside images/.

    Raises:
        DataError: the table is missing or damaged, or a row is not understood.
    """
    table = find_table(folder, "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv")
    for row in table_rows(table, required=_COLUMNS):
        yield _image(folder, row)


_COLUMNS = (
    "ImageID",
    "ImageDir",
    "StudyDate_DICOM",
    "PatientID",
    "PatientBirth",
    "PatientSex_DICOM",
    "Projection",
    "Labels",
)
# AP_horizontal is the patient lying. COSTAL shows the ribs, EXCLUDE and UNK something else.
_VIEWS = {"PA": View.PA, "AP": View.AP, "AP_horizontal": View.AP}

# The finding of NIH ChestX-ray14 that each label means or, in the archive's own tree of labels, is
# a kind of. Consolidation stands below infiltrates there; NIH keeps them apart, and so does this.
_MEANINGS = {
    "Atelectasis": (
        "atelectasis basal",
        "laminar atelectasis",
        "lobar atelectasis",
        "round atelectasis",
        "segmental atelectasis",
        "total atelectasis",
    ),
    "Consolidation": ("air bronchogram",),
    "Edema": ("pulmonary edema",),
    "Effusion": (
        "empyema",
        "hemothorax",
        "hydropneumothorax",
        "loculated fissural effusion",
        "loculated pleural effusion",
    ),
    "Fibrosis": ("asbestosis signs", "post radiotherapy changes"),
    "Hernia": ("hiatal hernia",),
    "Infiltration": (
        "alveolar pattern",
        "ground glass pattern",
        "infiltrates",
        "interstitial pattern",
        "miliary opacities",
        "reticular interstitial pattern",
        "reticulonodular interstitial pattern",
    ),
    "Mass": (
        "breast mass",
        "mediastinal mass",
        "pleural mass",
        "pulmonary mass",
        "soft tissue mass",
    ),
    "Nodule": ("multiple nodules",),
    "Pleural_Thickening": ("apical pleural thickening", "calcified pleural thickening"),
    "Pneumonia": ("atypical pneumonia",),
    "Pneumothorax": ("hydropneumothorax",),
}
# Devices, traces of surgery and what is no finding: an image with nothing else is not "normal", but
# neither is anything found in it.
_NO_FINDINGS = {
    "abnormal foreign body",
    "aortic endoprosthesis",
    "artificial aortic heart valve",
    "artificial heart valve",
    "artificial mitral heart valve",
    "bone cement",
    "catheter",
    "central venous catheter",
    "central venous catheter via jugular vein",
    "central venous catheter via subclavian vein",
    "central venous catheter via umbilical vein",
    "chest drain tube",
    "dai",
    "double j stent",
    "dual chamber device",
    "electrical device",
    "endoprosthesis",
    "endotracheal tube",
    "external foreign body",
    "gastrostomy tube",
    "humeral prosthesis",
    "mammary prosthesis",
    "metal",
    "nephrostomy tube",
    "nsg tube",
    "osteosynthesis material",
    "pacemaker",
    "prosthesis",
    "reservoir central venous catheter",
    "single chamber device",
    "sternotomy",
    "surgery",
    "surgery breast",
    "surgery heart",
    "surgery humeral",
    "surgery lung",
    "surgery neck",
    "suture material",
    "tracheostomy tube",
    "ventriculoperitoneal drain tube",
}
_EXCLUDED = "exclude"
# The report says less than the image shows: what it does not mention is unknown.
_PARTIAL = {"unchanged", "suboptimal study"}

_BLANK = {"", "nan"}
_QUOTED = r"'[^']*'|\"[^\"]*\""
_LIST = re.compile(rf"\[\s*(?:(?:{_QUOTED})\s*(?:,\s*(?:{_QUOTED})\s*)*)?\]")


def _image(folder: Path, row: Row) -> ArchiveImage | Omission:
    if row["Projection"] not in _VIEWS:
        return Omission.NOT_FRONTAL
    stated = _stated(row)
    if _EXCLUDED in stated:
        return Omission.EXCLUDED
    labels = _labels(stated)
    if not labels:
        return Omission.NO_LABEL
    name, place = path_part(row["ImageID"], "ImageID"), path_part(row["ImageDir"], "ImageDir")
    candidates = (f"{place}/{name}", f"images/{name}", f"images/{place}/{name}")
    image_path = first_file(folder, candidates)
    if image_path is None:
        return Omission.NO_FILE
    return ArchiveImage(
        image_path=image_path,
        labels=labels,
        source="PadChest",
        patient_id=row["PatientID"].strip(),
        view=_VIEWS[row["Projection"]],
        age=_age(row),
        sex=sex(row["PatientSex_DICOM"]),
    )


def _stated(row: Row) -> list[str]:
    """Return the labels of a row, written as a list of Python's, in small letters."""
    text = row["Labels"].strip()
    if text in _BLANK:
        return []
    if _LIST.fullmatch(text) is None:
        raise DataError(
            f"Image {row['ImageID']} has the labels {text[:80]!r}; they must be a list of "
            "quoted names."
        )
    names = (name[1:-1].strip().lower() for name in re.findall(_QUOTED, text))
    return [name for name in names if name not in _BLANK]


def _labels(stated: list[str]) -> Labels:
    present = [
        finding
        for name in stated
        if name not in _NO_FINDINGS | _PARTIAL
        for finding in _findings(name)
    ]
    if not stated or not _PARTIAL.isdisjoint(stated):
        return consistent_labels(present)
    return complete_labels(present)


def _findings(name: str) -> list[str]:
    kinds = [finding for finding in NIH_FINDINGS if name in _MEANINGS.get(finding, ())]
    return kinds or [nih_spelling(name)]


def _age(row: Row) -> str:
    """Return the year of the study minus the year of birth, which is all that is stated."""
    study = re.match(r"\d{4}", row["StudyDate_DICOM"])
    birth = re.match(r"\d{4}", row["PatientBirth"])
    return age_years(str(max(0, int(study[0]) - int(birth[0])))) if study and birth else ""
