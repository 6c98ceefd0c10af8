"""Write a folder of simulated radiographs with manifest, masks and boxes, as a data set."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medcxr.core.errors import DataError, StorageError
from medcxr.core.findings import Finding
from medcxr.core.images import View
from medcxr.storage.atomic import write_bytes_atomically
from medcxr.synthetic.dicom import write_dicom
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.pictures import write_masks, write_png
from medcxr.synthetic.radiograph import SyntheticRadiograph, simulate
from medcxr.synthetic.sampling import sample_parameters, sample_visit

__all__ = ["LESION_COLUMNS", "MANIFEST_COLUMNS", "write_sample_data"]

MANIFEST_COLUMNS = (
    "image_path",
    "labels",
    "patient_id",
    "view",
    "age",
    "sex",
    "source",
    "mask_path",
    "cardiothoracic_ratio",
)
LESION_COLUMNS = ("image_path", "finding", "x", "y", "width", "height")

_SOURCE = "medcxr simulator"
_SECOND_IMAGE = 0.25  # share of patients with two images
_COMBINATIONS: tuple[tuple[Finding, ...], ...] = (
    (Finding.NO_FINDING,),
    (Finding.PNEUMONIA,),
    (Finding.EFFUSION,),
    (Finding.CARDIOMEGALY,),
    (Finding.NO_FINDING,),
    (Finding.CARDIOMEGALY, Finding.EFFUSION),
    (Finding.PNEUMONIA, Finding.EFFUSION),
    (Finding.PNEUMONIA, Finding.CARDIOMEGALY),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """One image to be made."""

    index: int
    patient: int
    parameters: ThoraxParameters
    seed: int


def write_sample_data(
    folder: Path,
    *,
    n_images: int,
    size: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write images, masks, lesions.csv and, last, manifest.csv.

    Most images are 8-bit PNG; a few are 16-bit PNG or DICOM (MONOCHROME2 and MONOCHROME1). The
    same arguments write the same images. A folder without manifest.csv is not complete.

    Args:
        folder: a new or empty folder.
        n_images: how many images.
        size: of their sides in pixels.
        seed: of patients and texture.
        progress: called with (images written, n_images) after each image.

    Returns:
        The path of manifest.csv.

    Raises:
        DataError: the folder holds something already, or no image is asked for.
        StorageError: the folder cannot be written.
    """
    if n_images < 1:
        raise DataError(f"{n_images} images were asked for; ask for at least one.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError("The folder for sample data is not empty; choose a new or empty folder.")
    try:
        return _write(folder, n_images=n_images, size=size, seed=seed, progress=progress)
    except OSError as error:
        raise StorageError(
            f"The sample data cannot be written ({error.strerror}); free space or choose another"
            " folder."
        ) from error


def _write(
    folder: Path,
    *,
    n_images: int,
    size: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> Path:
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, str]] = []
    lesions: list[dict[str, str]] = []
    for visit in _visits(n_images, seed):
        radiograph = simulate(visit.parameters, size=size, seed=visit.seed)
        image_path = _write_image(folder, radiograph, visit)
        mask_path = f"masks/{Path(image_path).stem}.png"
        write_masks(radiograph, folder / mask_path)
        rows.append(_manifest_row(radiograph, visit, image_path, mask_path))
        lesions.extend(_lesion_rows(radiograph, image_path))
        if progress is not None:
            progress(visit.index + 1, n_images)
    _write_table(folder / "lesions.csv", LESION_COLUMNS, lesions)
    manifest = folder / "manifest.csv"
    _write_table(manifest, MANIFEST_COLUMNS, rows)
    return manifest


def _visits(n_images: int, seed: int) -> Iterator[_Visit]:
    """Plan the images: findings go round the combinations, some patients come twice."""
    index, patient = 0, 0
    while index < n_images:
        rng = np.random.default_rng([seed, patient])
        view = View.PA if rng.random() < 0.75 else View.AP
        findings = _COMBINATIONS[patient % len(_COMBINATIONS)]
        parameters = sample_parameters(rng, findings=findings, view=view)
        n_visits = 2 if rng.random() < _SECOND_IMAGE else 1
        for _ in range(min(n_visits, n_images - index)):
            texture = int(rng.integers(2**31))
            yield _Visit(index=index, patient=patient + 1, parameters=parameters, seed=texture)
            parameters = sample_visit(parameters, rng)
            index += 1
        patient += 1


def _write_image(folder: Path, radiograph: SyntheticRadiograph, visit: _Visit) -> str:
    """Write the image in the format whose turn it is and return its path in the folder."""
    stem = f"images/synthetic_{visit.index:05d}"
    turn = visit.index % 20
    if turn in (5, 15):
        path = folder / f"{stem}.dcm"
        write_dicom(radiograph, path, patient=visit.patient, inverted=turn == 15)
        return f"{stem}.dcm"
    write_png(radiograph, folder / f"{stem}.png", deep=turn in (3, 12))
    return f"{stem}.png"


def _manifest_row(
    radiograph: SyntheticRadiograph, visit: _Visit, image_path: str, mask_path: str
) -> dict[str, str]:
    return {
        "image_path": image_path,
        "labels": "|".join(sorted(radiograph.findings)),
        "patient_id": f"SYNTHETIC-{visit.patient:04d}",
        "view": str(radiograph.view),
        "age": str(visit.parameters.age_years),
        "sex": visit.parameters.sex,
        "source": _SOURCE,
        "mask_path": mask_path,
        "cardiothoracic_ratio": f"{radiograph.cardiothoracic_ratio:.4f}",
    }


def _lesion_rows(radiograph: SyntheticRadiograph, image_path: str) -> Iterator[dict[str, str]]:
    for lesion in radiograph.lesions:
        numbers = dict(zip(LESION_COLUMNS[2:], lesion.box, strict=True))
        yield {
            "image_path": image_path,
            "finding": str(lesion.finding),
            **{name: f"{value:.5f}" for name, value in numbers.items()},
        }


def _write_table(path: Path, columns: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes_atomically(path, text.getvalue().encode(), mode=0o644)
