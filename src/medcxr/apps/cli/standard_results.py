"""Results as files for the hospital's systems: DICOM objects in a folder, FHIR as JSON."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medcxr.apps.cli.words import printable, words
from medcxr.core.errors import DataError, ImageError
from medcxr.services.analysis import AnalyzedImage
from medcxr.services.case_export import note_case_exported, note_cases_exported
from medcxr.services.standard_results import dicom_results, fhir_results
from medcxr.services.workspace import Workspace
from medcxr.storage.atomic import (
    write_bytes_atomically,
    write_folder_atomically,
    write_json_atomically,
)

__all__ = ["Objects", "open_objects", "write_fhir"]

_DIGEST_CHARACTERS = 12  # of SHA-256, before the name of each file
_LARGEST_JSON = 2**22  # bytes; a bundle has some ten thousand


class Objects:
    """A folder being filled with DICOM objects, one radiograph after the other.

    Args:
        folder: where files are written.
        workspace: whose model answers.
        language: code of the language of texts.
    """

    def __init__(self, folder: Path, workspace: Workspace, language: str) -> None:
        self._folder = folder
        self._workspace = workspace
        self._language = language
        self.n_radiographs = 0

    def add(self, path: Path, result: AnalyzedImage) -> None:
        """Write the objects of one radiograph, under names that tell nothing of the patient.

        Raises:
            ImageError: the radiograph is no DICOM file, or it changed since it was analyzed.
            MissingExtra: the libraries of the extra "hospital" are not installed.
            StorageError: a file cannot be written.
        """
        objects = dicom_results(self._workspace, _read_again(path), result, language=self._language)
        if not result.outlines:
            words().print(
                f"{printable(str(path))}: no segmentation, since model {result.analysis.model} "
                "outlines no organs.",
                markup=False,
            )
        prefix = result.analysis.image_digest[:_DIGEST_CHARACTERS]
        numbers: dict[str, int] = {}
        for one in objects:
            kind = one.kind.replace(" ", "-")
            numbers[kind] = numbers.get(kind, 0) + 1
            number = f"-{numbers[kind]}" if numbers[kind] > 1 else ""
            write_bytes_atomically(self._folder / f"{prefix}-{kind}{number}.dcm", one.data)
        self.n_radiographs += 1


@contextmanager
def open_objects(folder: Path, workspace: Workspace, language: str) -> Iterator[Objects]:
    """Yield a folder to fill; it appears at the end, or not at all if the block raises.

    Raises:
        DataError: something is in the folder already.
        StorageError: the folder cannot be written.
    """
    folder = folder.resolve()
    if folder == Path.cwd() or (
        folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))
    ):
        raise DataError(
            f"--dicom would write into {printable(str(folder))}, where something is already; "
            "name a new or empty folder."
        )
    with write_folder_atomically(folder) as part:
        objects = Objects(part, workspace, language)
        yield objects
        note_cases_exported(workspace, objects.n_radiographs, "DICOM")


def write_fhir(workspace: Workspace, path: Path, result: AnalyzedImage, file: Path) -> None:
    """Write the FHIR bundle of one radiograph; the file appears when it is whole.

    Args:
        workspace: whose model answered.
        path: the radiograph.
        result: what was found in it.
        file: the file to write; it may hold the same result already, and nothing else.

    Raises:
        DataError: something else is in the file.
        ImageError: the radiograph changed since it was analyzed.
        StorageError: the file cannot be written.
    """
    bundle = fhir_results(workspace, _read_again(path), result)
    if file.exists() and _identity(file) != bundle["id"]:
        raise DataError(
            f"--fhir would replace {printable(str(file))}, which holds something else than this "
            "result; name a new file."
        )
    note_case_exported(workspace, None, "FHIR")
    write_json_atomically(file, bundle)


def _identity(file: Path) -> object:
    """Return which bundle a file holds; None if it is none."""
    try:
        if file.stat().st_size > _LARGEST_JSON:
            return None
        told = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return told.get("id") if isinstance(told, dict) else None


def _read_again(path: Path) -> bytes:
    """Return a file that was analyzed; its digest is compared with that of what was analyzed."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageError(
            "The file cannot be opened ({reason}); check that it exists and may be read.",
            reason=error.strerror,
        ) from error
