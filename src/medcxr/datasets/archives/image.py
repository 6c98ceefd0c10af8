"""What an archive says of one image, or why the study table leaves the image out."""

from dataclasses import dataclass
from enum import StrEnum

from medcxr.core.images import View
from medcxr.datasets.archives.labels import Labels
from medcxr.datasets.archives.subset import Subset

__all__ = ["ArchiveImage", "Omission"]


class Omission(StrEnum):
    """Why an image is left out, as the reader of the counts is told."""

    NOT_FRONTAL = "not a frontal view"
    NO_VIEW = "the view is not stated"
    NO_LABEL = "nothing is known of any finding"
    EXCLUDED = "excluded by the archive itself"
    OTHER_SUBSET = "of another subset"
    NO_FILE = "the file is not there"
    NO_IMAGE = "not an image file"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveImage:
    """One frontal radiograph.

    Attributes:
        image_path: relative to the archive's folder, with "/" between its parts.
        labels: findings that are present and findings that are absent.
        source: name of the archive.
        patient_id: empty where the archive names none.
        view: PA, AP, or UNKNOWN where only "frontal" is stated.
        age: in years, empty where it is not stated or impossible.
        sex: "F", "M", "O" or empty.
        subset: the part that the archive's authors put the image in.
        nih_image: name of the NIH ChestX-ray14 image of which this one is a copy.
    """

    image_path: str
    labels: Labels
    source: str
    patient_id: str = ""
    view: View = View.UNKNOWN
    age: str = ""
    sex: str = ""
    subset: Subset | None = None
    nih_image: str = ""
