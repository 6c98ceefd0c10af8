"""Whether the radiographs that come in now differ from those that a model was measured on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from PIL import Image

from medcxr.core.arrays import Pixels, UInt8Array
from medcxr.core.errors import DataError
from medcxr.evaluation.drift import DriftFigures, Patients, drift_of_names, drift_of_numbers

__all__ = ["IMAGE_FACTS", "ImageFacts", "Incoming", "compare_incoming", "image_facts"]

_SIDE = 128  # longer side, in pixels: equal facts of a radiograph and of its small copy
_BLACK, _WHITE = 0.02, 0.98  # of the full range: clipped


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """What is simple to say of a radiograph's pixels, at most 128 on the longer side.

    Attributes:
        brightness: mean gray, 0…1.
        contrast: standard deviation of the gray.
        clipped: share of the pixels that are black or white, 0…1.
        aspect: rows by columns.
    """

    brightness: float
    contrast: float
    clipped: float
    aspect: float


IMAGE_FACTS = tuple(one.name for one in fields(ImageFacts))
"""Names of the facts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """What was compared, and what could not be.

    Attributes:
        figures: one for each fact.
        reasons: fact -> why it could not be compared.
    """

    figures: tuple[DriftFigures, ...]
    reasons: Mapping[str, str]


def image_facts(pixels: Pixels | UInt8Array) -> ImageFacts:
    """Return the facts of a radiograph.

    Args:
        pixels: (rows, columns), 0…1, or 0…255 as whole numbers.
    """
    whole = pixels if pixels.dtype == np.uint8 else np.rint(255 * np.clip(pixels, 0, 1))
    picture = Image.fromarray(np.asarray(whole, dtype=np.uint8))
    picture.thumbnail((_SIDE, _SIDE))
    gray = np.asarray(picture, dtype=np.float64) / 255
    return ImageFacts(
        brightness=float(gray.mean()),
        contrast=float(gray.std()),
        clipped=float(np.mean((gray <= _BLACK) | (gray >= _WHITE))),
        aspect=pixels.shape[0] / pixels.shape[1],
    )


def compare_incoming(
    numbers: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    names: Mapping[str, tuple[Sequence[str], Sequence[str]]],
    *,
    patients: Mapping[str, Patients] | None = None,
) -> Incoming:
    """Compare every fact of the new images with that of the reference.

    Args:
        numbers: fact -> values of the reference and of the new images.
        names: the same for facts that are words, e.g. the view.
        patients: fact -> whose image each value is of; of a fact that is missing, each is another's.
    """
    whose = patients or {}
    figures: list[DriftFigures] = []
    reasons: dict[str, str] = {}
    for fact, (old, new) in numbers.items():
        try:
            figures.append(drift_of_numbers(fact, old, new, patients=whose.get(fact)))
        except DataError as error:
            reasons[fact] = error.sentence
    for fact, (words_old, words_new) in names.items():
        try:
            figures.append(drift_of_names(fact, words_old, words_new, patients=whose.get(fact)))
        except DataError as error:
            reasons[fact] = error.sentence
    return Incoming(figures=tuple(figures), reasons=reasons)
