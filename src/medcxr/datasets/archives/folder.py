"""A folder of one's own: one subfolder per finding, named after it.

An image is labeled with the finding of its subfolder and with nothing else: other findings are
unknown, except that "No Finding" (or "Normal") rules all out and any finding rules it out.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from medcxr.core.errors import DataError
from medcxr.datasets.archives.image import ArchiveImage, Omission
from medcxr.datasets.archives.labels import Labels, nih_spelling
from medcxr.datasets.archives.paths import files_below, subfolders

__all__ = ["read_folder"]


def read_folder(
    folder: Path, *, patient_pattern: str | None = None
) -> Iterator[ArchiveImage | Omission]:
    """Yield the images of each subfolder, in the order of their names.

    All images must be frontal: nothing in a folder says it. Subfolders of a finding's folder
    are part of it.

    Args:
        folder: the folder of subfolders.
        patient_pattern: regular expression found in each file's name, with one group, the
            patient. None makes every image a patient of its own, which is only right where no
            patient has two images.

    Raises:
        DataError: there is no subfolder, or the pattern is wrong or does not fit a file.
    """
    pattern = _compiled(patient_pattern) if patient_pattern is not None else None
    findings = subfolders(folder)
    if not findings:
        raise DataError(
            f"Folder {folder.name} has no subfolders; make one per finding, named after it."
        )
    for finding in findings:
        for path in files_below(folder, finding):
            file = PurePosixPath(path)
            if file.suffix.lower() not in _IMAGES:
                yield Omission.NO_IMAGE
                continue
            yield ArchiveImage(
                image_path=path,
                labels=Labels(present=(nih_spelling(finding),)),
                source=folder.resolve().name,
                patient_id=_patient(pattern, file.name) if pattern else "",
            )


_IMAGES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm", ".dicom"}


def _compiled(text: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise DataError(
            f"The pattern {text!r} is no regular expression ({error}); correct it."
        ) from error
    if pattern.groups != 1:
        raise DataError(
            f"The pattern {text!r} has {pattern.groups} groups; put one pair of parentheses "
            "around the patient, as in '^(p[0-9]+)_'."
        )
    return pattern


def _patient(pattern: re.Pattern[str], name: str) -> str:
    match = pattern.search(name)
    if match is None or not match[1]:
        raise DataError(
            f"The pattern {pattern.pattern!r} finds no patient in the name {name!r}; give one that "
            "fits every file."
        )
    return match[1]
