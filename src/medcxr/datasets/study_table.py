"""A table of radiographs with labels and patients, as training and validation read it.

| column       | meaning                                                                    |
|--------------|----------------------------------------------------------------------------|
| image_path   | file relative to the table's folder; the only column that must be there    |
| labels       | findings that are present, separated by "|"                                |
| absent       | findings that are known to be absent, separated by "|"; with this column   |
|              | the table says itself what is known, and every other finding is unknown    |
| patient_id   | empty: the image counts as a patient of its own                            |
| others       | kept as attributes, such as view, age, sex and source                      |
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medcxr.core.arrays import Statistics
from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.core.spreadsheet import LINE_END

__all__ = [
    "LabelPolicy",
    "StudyTable",
    "check_image_path",
    "read_rows",
    "row_labels",
    "rows_of",
    "unnamed_patient",
]

_NO_FINDING = Finding.NO_FINDING.value


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPolicy:
    """What the labels column of a table says about the findings that it does not name.

    Attributes:
        complete: the listed findings are all there are; others are absent. Where it is false,
            and in a table with a column absent, a finding named in neither column is unknown,
            except that "No Finding" rules all others out and any other finding rules
            "No Finding" out.
        cardiothoracic_threshold: where the table has a cardiothoracic_ratio column, a ratio
            above it labels Cardiomegaly present, one at or below it absent; None ignores it.
    """

    complete: bool = True
    cardiothoracic_threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyTable:
    """Rows of radiographs, in the order of the file.

    Attributes:
        root: folder to which image paths are relative.
        image_paths: one per row, as the manifest gives them.
        findings: names of the label columns.
        labels: (n_images, n_findings), float64: 1, 0 or NaN for unknown.
        patients: one per row; rows without one count as a patient of their own.
        attributes: further columns by name (view, sex, source), each one value per row.
    """

    root: Path
    image_paths: tuple[str, ...]
    findings: tuple[str, ...]
    labels: Statistics
    patients: tuple[str, ...]
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.image_paths)

    def path(self, index: int) -> Path:
        """Return where the image of a row lies.

        Raises:
            DataError: it lies outside the table's folder.
        """
        return check_image_path(self.root, self.image_paths[index])

    @classmethod
    def read_csv(
        cls, path: Path, findings: Sequence[str], *, policy: LabelPolicy | None = None
    ) -> "StudyTable":
        """Read a manifest with a header row and at least an image_path column.

        Args:
            path: CSV file; image paths are relative to its folder and must stay inside it.
            findings: label columns wanted, in this order.
            policy: meaning of what the labels do not say.

        Raises:
            DataError: the file is missing, is no table, or a row is not understood.
        """
        rows = read_rows(path, required=("image_path",))
        return cls.of_rows(rows, findings, root=path.parent, policy=policy)

    @classmethod
    def of_rows(
        cls,
        rows: Sequence[dict[str, str]],
        findings: Sequence[str],
        *,
        root: Path,
        policy: LabelPolicy | None = None,
    ) -> "StudyTable":
        """Make a table of rows, at least one, as `rows_of` gives them.

        Args:
            rows: column -> cell; image_path must be among the columns.
            findings: label columns wanted, in this order.
            root: folder to which image paths are relative.
            policy: meaning of what the labels do not say.

        Raises:
            DataError: a row is not understood.
        """
        policy = policy or LabelPolicy()
        labels = np.array([row_labels(row, findings, policy) for row in rows], dtype=np.float64)
        known = {"image_path", "labels", "absent", "patient_id"}
        columns = [name for name in rows[0] if name not in known]
        return cls(
            root=root,
            image_paths=tuple(row["image_path"] for row in rows),
            findings=tuple(findings),
            labels=labels.reshape(len(rows), len(findings)),
            patients=tuple(
                row.get("patient_id") or unnamed_patient(row["image_path"]) for row in rows
            ),
            attributes={name: tuple(row[name] for row in rows) for name in columns},
        )

    def select(self, indices: Sequence[int]) -> "StudyTable":
        """Return the rows of these indices, in this order."""
        return StudyTable(
            root=self.root,
            image_paths=tuple(self.image_paths[i] for i in indices),
            findings=self.findings,
            labels=self.labels[list(indices)],
            patients=tuple(self.patients[i] for i in indices),
            attributes={k: tuple(v[i] for i in indices) for k, v in self.attributes.items()},
        )

    def one_of_each_patient(self, rows: Iterable[int]) -> list[int]:
        """Return of these rows the first of each patient."""
        first: dict[str, int] = {}
        for row in rows:
            first.setdefault(self.patients[row], row)
        return list(first.values())

    def as_csv(self) -> bytes:
        """Return the table as a file that reads back with these labels, patients and attributes.

        It has the column absent, so it says itself what is known.
        """
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator=LINE_END)
        names = list(self.attributes)
        writer.writerow(["image_path", "labels", "absent", "patient_id", *names])
        for index, (path, patient) in enumerate(zip(self.image_paths, self.patients, strict=True)):
            named = [
                "|".join(
                    f
                    for f, label in zip(self.findings, self.labels[index], strict=True)
                    if label == value
                )
                for value in (1, 0)
            ]
            owner = "" if patient == unnamed_patient(path) else patient
            writer.writerow([path, *named, owner, *(self.attributes[n][index] for n in names)])
        return text.getvalue().encode()

    def fingerprint(self) -> str:
        """Return SHA-256 over paths, labels and patients: the same table gives the same text."""
        digest = hashlib.sha256(repr((self.findings, self.image_paths, self.patients)).encode())
        digest.update(np.nan_to_num(self.labels, nan=-1.0).astype(np.int8).tobytes())
        return digest.hexdigest()


def read_rows(path: Path, *, required: Sequence[str]) -> list[dict[str, str]]:
    """Read a CSV manifest as text and check its columns and image paths.

    Raises:
        DataError: the file is missing, empty, not UTF-8, lacks a column, or a path leaves it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path.name, error) from error
    return rows_of(data, path.name, required=required)


def rows_of(data: bytes, name: str, *, required: Sequence[str]) -> list[dict[str, str]]:
    """Read a CSV manifest from its bytes; arguments and errors as for `read_rows`.

    Args:
        data: the file's bytes.
        name: of the file, for messages.
        required: columns that must be there.
    """
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), restval="")
        missing = [column for column in required if column not in (reader.fieldnames or ())]
        if missing:
            raise DataError(
                "Table {name} lacks the column {missing!r}; add it to the header row.",
                name=name,
                missing=missing[0],
            )
        rows = [{k: v for k, v in row.items() if isinstance(k, str)} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(name, error) from error
    if not rows:
        raise DataError("Table {name} has no rows; add one line per image.", name=name)
    return rows


def _unreadable(name: str, error: Exception) -> DataError:
    return DataError(
        "Table {name} cannot be read ({kind}: {error}); give a UTF-8 CSV file with a header row.",
        name=name,
        kind=type(error).__name__,
        error=error,
    )


def row_labels(row: dict[str, str], findings: Sequence[str], policy: LabelPolicy) -> list[float]:
    """Return what a row says of each finding: 1 present, 0 absent, NaN unknown.

    Raises:
        DataError: the row contradicts itself, or its cardiothoracic ratio is no number.
    """
    listed, absent = _names(row.get("labels", "")), _names(row.get("absent", ""))
    _refuse_contradiction(row, listed, absent)
    complete = policy.complete and "absent" not in row
    unlisted = 0.0 if listed and (complete or _NO_FINDING in listed) else np.nan
    values = {name: 0.0 if name in absent else unlisted for name in findings}
    values |= {name: 1.0 for name in findings if name in listed}
    if listed and _NO_FINDING not in listed and _NO_FINDING in values:
        values[_NO_FINDING] = 0.0
    ratio = row.get("cardiothoracic_ratio", "")
    if ratio and policy.cardiothoracic_threshold is not None:
        enlarged = _number(ratio, row) > policy.cardiothoracic_threshold
        values[Finding.CARDIOMEGALY.value] = float(enlarged)
        if enlarged:
            values[_NO_FINDING] = 0.0
    return [values[name] for name in findings]


def unnamed_patient(image_path: str) -> str:
    """Return what stands for the patient of a row that names none."""
    return f"row:{image_path}"


def check_image_path(root: Path, image_path: str) -> Path:
    """Return the file of a manifest's row.

    Raises:
        DataError: the path is empty, absolute, or leaves the manifest's folder.
    """
    if not image_path.strip() or "\0" in image_path:
        raise DataError("The row names no image; fill in image_path.")
    path = root / image_path
    if Path(image_path).is_absolute() or not path.resolve().is_relative_to(root.resolve()):
        raise DataError("The image lies outside the manifest's folder; move it inside.")
    return path


def _names(cell: str) -> set[str]:
    return {name.strip() for name in cell.split("|") if name.strip()}


def _refuse_contradiction(row: dict[str, str], listed: set[str], absent: set[str]) -> None:
    if _NO_FINDING in listed and len(listed) > 1:
        raise DataError(
            "Row {image_path!r} is labeled {no_finding!r} together with "
            "{listed!r}; keep one of them.",
            image_path=row["image_path"],
            no_finding=_NO_FINDING,
            listed=sorted(listed - {_NO_FINDING})[0],
        )
    if listed & absent:
        raise DataError(
            "Row {image_path!r} names {listed!r} in both labels and absent; keep one of them.",
            image_path=row["image_path"],
            listed=sorted(listed & absent)[0],
        )


def _number(text: str, row: dict[str, str]) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise DataError(
            "Row {image_path!r} has the cardiothoracic ratio {text!r}; give a number.",
            image_path=row["image_path"],
            text=text,
        ) from error
