"""Write the study table of a published archive, so that training reads it like any other."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeAlias

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.core.spreadsheet import LINE_END
from medcxr.datasets.archives.chexpert import read_chexpert
from medcxr.datasets.archives.folder import read_folder
from medcxr.datasets.archives.image import ArchiveImage, Omission
from medcxr.datasets.archives.labels import Uncertain
from medcxr.datasets.archives.mimic import read_mimic
from medcxr.datasets.archives.nih import read_nih
from medcxr.datasets.archives.padchest import read_padchest
from medcxr.datasets.archives.rsna import read_rsna
from medcxr.datasets.archives.subset import Subset
from medcxr.datasets.archives.vindr import read_vindr
from medcxr.datasets.study_table import LabelPolicy, check_image_path, row_labels
from medcxr.storage.atomic import open_atomically

__all__ = [
    "COLUMNS",
    "Archive",
    "ArchiveOptions",
    "FindingCount",
    "TableSummary",
    "write_archive_table",
]

_Entries: TypeAlias = Iterator[ArchiveImage | Omission]

COLUMNS = (
    "image_path",
    "labels",
    "absent",
    "patient_id",
    "view",
    "age",
    "sex",
    "source",
    "subset",
    "nih_image",
)


class Archive(StrEnum):
    """The layouts that can be read."""

    NIH = "nih"
    CHEXPERT = "chexpert"
    MIMIC = "mimic"
    RSNA = "rsna"
    VINDR = "vindr"
    PADCHEST = "padchest"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveOptions:
    """What can be chosen.

    Attributes:
        subset: keep this part only; None keeps all.
        uncertain: what becomes of possible findings, in CheXpert and MIMIC-CXR-JPG.
        patient_pattern: finds the patient in a file's name, in a folder of one's own.
    """

    subset: Subset | None = None
    uncertain: Uncertain = Uncertain.UNKNOWN
    patient_pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCount:
    """Images in which a finding is present, and in which it is absent."""

    present: int
    absent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSummary:
    """What was written.

    Attributes:
        table: the file.
        n_images: its rows.
        n_patients: patients that are named.
        n_unnamed: rows without a patient, each of which counts as a patient of its own.
        left_out: images that are no rows, by reason.
        findings: counts of the project's findings, as the study table reads them.
    """

    table: Path
    n_images: int
    n_patients: int
    n_unnamed: int
    left_out: dict[Omission, int]
    findings: dict[str, FindingCount]


def write_archive_table(
    archive: Archive,
    folder: Path,
    *,
    out: Path | None = None,
    options: ArchiveOptions | None = None,
) -> TableSummary:
    """Write the study table of an archive's frontal radiographs.

    Args:
        archive: the layout.
        folder: where the archive was unpacked.
        out: CSV file to write, in the folder or in one above it, since image paths may not leave
            the table's folder; None is medcxr_<archive>.csv in the folder.
        options: what to keep and how to read it.

    Raises:
        DataError: the layout or a table is wrong, no image is left, or `out` may not be there.
        StorageError: the table cannot be written.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; give the one that the archive was unpacked into.")
    options = options or ArchiveOptions()
    out = out or folder / f"medcxr_{archive}.csv"
    prefix = _prefix(folder, out)
    _refuse_other_file(out)
    tally = _Tally()
    with open_atomically(out, mode=0o644) as file:
        _write_row(file, COLUMNS)
        for entry in _kept(_entries(archive, folder, options), options.subset):
            if isinstance(entry, ArchiveImage):
                row = _row(entry, prefix)
                _verify_inside(out.parent, row["image_path"])
                tally.add(row)
                _write_row(file, list(row.values()))
            else:
                tally.left_out[entry] += 1
        if not tally.n_images:
            raise DataError(f"No image of {folder.name} is left: {_reasons(tally.left_out)}.")
    return tally.summary(out)


def _entries(archive: Archive, folder: Path, options: ArchiveOptions) -> _Entries:
    readers: dict[Archive, Callable[[Path], _Entries]] = {
        Archive.NIH: read_nih,
        Archive.CHEXPERT: partial(read_chexpert, uncertain=options.uncertain),
        Archive.MIMIC: partial(read_mimic, uncertain=options.uncertain),
        Archive.RSNA: read_rsna,
        Archive.VINDR: read_vindr,
        Archive.PADCHEST: read_padchest,
        Archive.FOLDER: partial(read_folder, patient_pattern=options.patient_pattern),
    }
    return readers[archive](folder)


def _kept(entries: _Entries, subset: Subset | None) -> _Entries:
    for entry in entries:
        other = subset is not None and isinstance(entry, ArchiveImage) and entry.subset != subset
        yield Omission.OTHER_SUBSET if other else entry


def _prefix(folder: Path, out: Path) -> Path:
    """Return the archive's folder relative to the table's."""
    home = out.parent.resolve()
    if not folder.resolve().is_relative_to(home):
        raise DataError(
            f"The table {out} would lie outside {folder} and the folders above it, but image "
            "paths may not leave the table's folder; write it into one of them."
        )
    return folder.resolve().relative_to(home)


def _refuse_other_file(out: Path) -> None:
    """Let a table be written anew, but never over a file of the archive."""
    header = ",".join(COLUMNS).encode()
    try:
        with out.open("rb") as file:
            ours = file.read(len(header)) == header
    except FileNotFoundError:
        return
    except OSError:  # a folder, or not readable
        ours = False
    if not ours:
        raise DataError(
            f"{out} is there already and is no table of this command; name another file."
        )


def _row(image: ArchiveImage, prefix: Path) -> dict[str, str]:
    names = (*image.labels.present, *image.labels.absent)
    wrong = [name for name in names if "|" in name or not name.strip()]
    if wrong:
        raise DataError(f"The finding {wrong[0]!r} cannot stand in a table; rename it without '|'.")
    row = {
        "image_path": (prefix / image.image_path).as_posix(),
        "labels": "|".join(image.labels.present),
        "absent": "|".join(image.labels.absent),
        "patient_id": image.patient_id,
        "view": str(image.view),
        "age": image.age,
        "sex": image.sex,
        "source": image.source,
        "subset": str(image.subset or ""),
        "nih_image": image.nih_image,
    }
    for column, cell in row.items():
        if not cell.isprintable():
            raise DataError(
                f"Image {image.image_path!r} has control characters in its {column}; rename it "
                "or correct the archive's table."
            )
    return row


def _verify_inside(root: Path, image_path: str) -> None:
    try:
        check_image_path(root, image_path)
    except DataError as error:
        raise DataError(
            f"{image_path} is a link that leads out of the table's folder, where training would "
            "refuse it; copy the images, or write the table above both."
        ) from error


def _write_row(file: BinaryIO, cells: Sequence[str]) -> None:
    line = io.StringIO()
    csv.writer(line, lineterminator=LINE_END).writerow(cells)
    file.write(line.getvalue().encode())


def _reasons(left_out: Counter[Omission]) -> str:
    counted = (f"{number} {reason}" for reason, number in left_out.most_common())
    return ", ".join(counted) or "its tables have no rows"


@dataclass(slots=True)
class _Tally:
    """Counts rows while they are written."""

    n_images: int = 0
    n_unnamed: int = 0
    patients: set[str] = field(default_factory=set)
    left_out: Counter[Omission] = field(default_factory=Counter)
    labels: Counter[tuple[str, float]] = field(default_factory=Counter)

    def add(self, row: dict[str, str]) -> None:
        findings = [finding.value for finding in Finding]
        self.n_images += 1
        self.labels.update(zip(findings, row_labels(row, findings, LabelPolicy()), strict=True))
        if row["patient_id"]:
            self.patients.add(row["patient_id"])
        else:
            self.n_unnamed += 1

    def summary(self, table: Path) -> TableSummary:
        return TableSummary(
            table=table,
            n_images=self.n_images,
            n_patients=len(self.patients),
            n_unnamed=self.n_unnamed,
            left_out=dict(self.left_out.most_common()),
            findings={
                finding.value: FindingCount(
                    present=self.labels[finding.value, 1.0],
                    absent=self.labels[finding.value, 0.0],
                )
                for finding in Finding
            },
        )
