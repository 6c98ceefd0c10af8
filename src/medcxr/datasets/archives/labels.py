"""Findings as archives label them, spelled as NIH ChestX-ray14 spells them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding

__all__ = [
    "CHEXPERT_COLUMNS",
    "NIH_FINDINGS",
    "Labels",
    "Uncertain",
    "chexpert_labels",
    "complete_labels",
    "consistent_labels",
    "nih_spelling",
]

# Wang et al. 2017 (ChestX-ray8) with the update to 14 findings.
NIH_FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Effusion",
    "Emphysema",
    "Fibrosis",
    "Hernia",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pleural_Thickening",
    "Pneumonia",
    "Pneumothorax",
)
# Irvin et al. 2019, table 1, without Support Devices: a device is no finding, and the labeler
# calls an image with nothing else "No Finding".
CHEXPERT_COLUMNS = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
)


class Uncertain(StrEnum):
    """What becomes of a finding that a report calls possible."""

    UNKNOWN = "unknown"
    PRESENT = "present"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Findings of one image; those in neither list are unknown, as the study table reads it."""

    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.present or self.absent)


def nih_spelling(name: str) -> str:
    """Return a finding's name as NIH ChestX-ray14 spells it, or as it is where NIH has none."""
    return _SPELLINGS.get(name.strip().lower(), name.strip())


def consistent_labels(present: Iterable[str], absent: Iterable[str] = ()) -> Labels:
    """Return the labels, each once; "No Finding" beside another finding is dropped."""
    names = tuple(dict.fromkeys(present))
    if len(names) > 1:
        names = tuple(name for name in names if name != Finding.NO_FINDING.value)
    return Labels(present=names, absent=tuple(dict.fromkeys(absent)))


def complete_labels(present: Iterable[str]) -> Labels:
    """Label an image whose listed findings are all there are of the NIH findings."""
    names = consistent_labels(present).present
    return Labels(present=names, absent=tuple(n for n in NIH_FINDINGS if n not in names))


def chexpert_labels(row: Mapping[str, str], uncertain: Uncertain) -> Labels:
    """Read the labels that the CheXpert labeler gives: 1, 0, -1 for uncertain, or blank.

    A blank cell is a finding that the report does not mention: unknown, unless No Finding is 1.

    Raises:
        DataError: a cell holds something else.
    """
    states = {nih_spelling(name): _state(row[name], name, uncertain) for name in CHEXPERT_COLUMNS}
    return consistent_labels(
        present=(name for name, state in states.items() if state is Uncertain.PRESENT),
        absent=(name for name, state in states.items() if state is Uncertain.ABSENT),
    )


_SPELLINGS = {name.lower(): name for name in (*NIH_FINDINGS, Finding.NO_FINDING.value)} | {
    "normal": Finding.NO_FINDING.value,
    "pleural effusion": "Effusion",
    "pleural thickening": "Pleural_Thickening",
    "pulmonary fibrosis": "Fibrosis",
}


def _state(cell: str, column: str, uncertain: Uncertain) -> Uncertain:
    match cell.strip():
        case "1.0" | "1":
            return Uncertain.PRESENT
        case "0.0" | "0":
            return Uncertain.ABSENT
        case "-1.0" | "-1":
            return uncertain
        case "":
            return Uncertain.UNKNOWN
        case other:
            raise DataError(
                f"Column {column!r} holds {other!r}; a label is 1, 0, -1 (uncertain) or blank."
            )
