"""Cases to compare with, as the model in use sees them: of a table, or simulated."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from medcxr.core.access import Permission
from medcxr.core.arrays import FloatArray, Pixels, UInt8Array
from medcxr.core.errors import ImageError
from medcxr.core.findings import Finding
from medcxr.core.images import Acquisition, CxrImage
from medcxr.core.language import Sentence
from medcxr.datasets.study_table import StudyTable
from medcxr.imaging.reading import read_image
from medcxr.inference.predictor import Predictor
from medcxr.services.loaded_model import current_predictor
from medcxr.services.workspace import Workspace
from medcxr.synthetic.radiograph import simulate
from medcxr.synthetic.sampling import sample_parameters

__all__ = ["CaseSet", "Progress", "SeenCase", "simulated_cases", "table_cases"]

_BATCH = 2  # radiographs at a time
_SMALL_SIDE = 160  # longer side of a picture for an overview, in pixels
_SIMULATED_SIZE = 256  # the model sees about as much
_SIMULATED = (
    (Finding.NO_FINDING,),
    (Finding.PNEUMONIA,),
    (Finding.EFFUSION,),
    (Finding.CARDIOMEGALY,),
)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeenCase:
    """A radiograph as the model saw it.

    Attributes:
        name: as the table names it.
        patient: likewise; of a simulated one, the name.
        digest: SHA-256 of the file, hexadecimal; empty if it is no file.
        logits: (findings,).
        evidence: (numbers,), of all places and findings.
        labels: of each finding: whether it is there; None where nobody knows.
        small: (rows, columns), for an overview.
    """

    name: str
    patient: str
    digest: str
    logits: FloatArray
    evidence: FloatArray
    labels: tuple[bool | None, ...]
    small: UInt8Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CaseSet:
    """Cases that one model saw.

    Attributes:
        model: its name and version.
        findings: in the order of the logits.
        cases: those that could be used.
        unreadable: those that could not.
    """

    model: str
    findings: tuple[str, ...]
    cases: tuple[SeenCase, ...]
    unreadable: int


def table_cases(
    workspace: Workspace,
    labels: Path,
    *,
    n_images: int = 200,
    seed: int = 0,
    progress: Progress | None = None,
) -> CaseSet:
    """Let the model in use see radiographs of a table.

    Args:
        workspace: whose model to ask.
        labels: table with labels.
        n_images: drawn at random; unusable ones are passed over.
        seed: of the drawing.
        progress: called with the images done and to do.

    Raises:
        AccessError: whoever asks may not.
        DataError: the table is wrong.
        ModelError: there is no model, or it is damaged.
    """
    workspace.require(Permission.ANALYZE)
    predictor = current_predictor(workspace)
    table = StudyTable.read_csv(labels, predictor.manifest.findings)
    rows = np.random.default_rng(seed).permutation(len(table))[:n_images].tolist()
    cases = _seen(predictor, _of_table(table, rows, progress))
    return _case_set(predictor, cases, wanted=len(rows))


def simulated_cases(
    workspace: Workspace,
    *,
    n_images: int = 24,
    seed: int = 0,
    progress: Progress | None = None,
) -> CaseSet:
    """Let the model in use see simulated chests, whose findings are known; arguments likewise.

    They are no patients: where a case stands among them shows how the model divides them, not what
    patients like this one had.
    """
    workspace.require(Permission.ANALYZE)
    predictor = current_predictor(workspace)
    images = _simulated(predictor.manifest.findings, n_images, seed, progress)
    return _case_set(predictor, _seen(predictor, images), wanted=n_images)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Labeled:
    name: str
    patient: str
    image: CxrImage
    labels: tuple[bool | None, ...]


def _of_table(
    table: StudyTable, rows: Sequence[int], progress: Progress | None
) -> Iterator[_Labeled]:
    for number, row in enumerate(rows):
        if progress is not None:
            progress(number, len(rows))
        try:
            image = read_image(table.path(row))
        except ImageError:
            continue
        labels = tuple(None if np.isnan(one) else bool(one == 1) for one in table.labels[row])
        yield _Labeled(
            name=table.image_paths[row],
            patient=table.patients[row],
            image=image,
            labels=labels,
        )


def _simulated(
    findings: Sequence[str], n_images: int, seed: int, progress: Progress | None
) -> Iterator[_Labeled]:
    random = np.random.default_rng(seed)
    for number in range(n_images):
        if progress is not None:
            progress(number, n_images)
        patient = sample_parameters(random, findings=_SIMULATED[number % len(_SIMULATED)])
        radiograph = simulate(patient, size=_SIMULATED_SIZE, seed=number)
        image = CxrImage(
            pixels=radiograph.pixels, digest="", acquisition=Acquisition(source_format="PNG")
        )
        labels = tuple(name in radiograph.findings for name in findings)
        name = Sentence("simulated chest {n}", n=number + 1)
        yield _Labeled(name=name, patient=name, image=image, labels=labels)


def _seen(predictor: Predictor, images: Iterable[_Labeled]) -> Iterator[SeenCase]:
    waiting: list[_Labeled] = []
    for one in images:
        waiting.append(one)
        if len(waiting) == _BATCH:
            yield from _see(predictor, waiting)
            waiting = []
    if waiting:
        yield from _see(predictor, waiting)


def _see(predictor: Predictor, batch: Sequence[_Labeled]) -> Iterator[SeenCase]:
    predictions = predictor.predict([one.image for one in batch])
    for index, one in enumerate(batch):
        yield SeenCase(
            name=one.name,
            patient=one.patient,
            digest=one.image.digest,
            logits=predictions.logits[index],
            evidence=predictions.maps[index].reshape(-1),
            labels=one.labels,
            small=_small(one.image.pixels),
        )


def _small(pixels: Pixels) -> UInt8Array:
    image = Image.fromarray(np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8))
    image.thumbnail((_SMALL_SIDE, _SMALL_SIDE))
    return np.asarray(image)


def _case_set(predictor: Predictor, cases: Iterable[SeenCase], *, wanted: int) -> CaseSet:
    seen = tuple(cases)
    return CaseSet(
        model=predictor.manifest.identity,
        findings=predictor.manifest.findings,
        cases=seen,
        unreadable=wanted - len(seen),
    )
