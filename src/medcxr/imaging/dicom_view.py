"""The projection that a DICOM header states, and how the patient lies in the image."""

from pydicom.dataset import Dataset

from medcxr.core.errors import ImageError
from medcxr.core.images import View
from medcxr.core.language import Sentence
from medcxr.core.language import text as marked
from medcxr.imaging.dicom_attributes import text

__all__ = ["frontal_view", "orientation_warnings", "stated_view"]


def frontal_view(dataset: Dataset) -> View:
    """Return the stated view, UNKNOWN if the header states none of the known ones.

    Raises:
        ImageError: the header states a view that is not frontal.
    """
    position = stated_view(dataset)
    if position in _OTHER_VIEWS:
        raise ImageError(
            "(0018,5101) View Position is {view}; send the frontal view (PA or AP).",
            view=Sentence(_OTHER_VIEWS[position]),
        )
    if _directions(dataset)[0].startswith(("A", "P")):
        raise ImageError(
            "(0020,0020) Patient Orientation says that the rows run from front to back, as in a "
            "lateral view; send the frontal view (PA or AP)."
        )
    return _VIEWS.get(position or "", View.UNKNOWN)


def stated_view(dataset: Dataset) -> str | None:
    """Return the view as (0018,5101) View Position or (0054,0220) View Code Sequence states it."""
    position = text(dataset, "ViewPosition")
    codes = dataset.get("ViewCodeSequence")
    if position is None and codes:
        return _VIEW_CODES.get(str(codes[0].get("CodeValue", "")))
    return position


def orientation_warnings(dataset: Dataset) -> tuple[str, ...]:
    """Warn of an image that the header says is mirrored or upside down."""
    row, column = _directions(dataset)
    if row.startswith("R") or column.startswith("H"):
        return (_TURNED_WARNING,)
    return ()


_TURNED_WARNING = marked(
    "(0020,0020) Patient Orientation says that the image is mirrored or upside down; make sure "
    "that the patient's left is on the right side."
)

# (0018,5101) View Position: PS3.3 C.8.1.1 and C.8.11.5, and spellings in use.
_VIEWS = {"AP": View.AP, "PA": View.PA}
_OTHER_VIEWS = {
    "LL": marked("left lateral"),
    "RL": marked("right lateral"),
    "L": marked("lateral"),
    "R": marked("lateral"),
    "LAT": marked("lateral"),
    "LATERAL": marked("lateral"),
    "LLAT": marked("left lateral"),
    "RLAT": marked("right lateral"),
    "LEFT LATERAL": marked("left lateral"),
    "RIGHT LATERAL": marked("right lateral"),
    "LLD": marked("left lateral decubitus"),
    "RLD": marked("right lateral decubitus"),
    "LLO": marked("left lateral oblique"),
    "RLO": marked("right lateral oblique"),
    "LAO": marked("left anterior oblique"),
    "RAO": marked("right anterior oblique"),
    "LPO": marked("left posterior oblique"),
    "RPO": marked("right posterior oblique"),
}
# (0054,0220) View Code Sequence, PS3.16 CID 4010: SNOMED CT and the older SNOMED-RT codes.
_VIEW_CODES = {
    "399348003": "AP",
    "R-10206": "AP",
    "272479007": "PA",
    "R-40888": "PA",
    "R-10214": "PA",
    "399067008": "LATERAL",
    "R-102CD": "LATERAL",
    "399173006": "LL",
    "R-10236": "LL",
    "399198007": "RL",
    "R-10232": "RL",
    "399352003": "LATERAL",
    "399260004": "LATERAL",
}


def _directions(dataset: Dataset) -> tuple[str, str]:
    """Return where rows and columns run: A, P, R, L, H or F first (PS3.3 C.7.6.1.1.1)."""
    directions = dataset.get("PatientOrientation")
    if directions is None or isinstance(directions, str) or len(directions) != 2:
        return "", ""
    return str(directions[0]), str(directions[1])
