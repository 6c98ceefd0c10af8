"""Radiographs as another centre might have made them: named, seeded changes of real pixels.

None of this is another hospital. It tells how far the answers hang on what a detector, an exposure
or a positioning may change, on the very same patients.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from medcxr.core.arrays import Pixels
from medcxr.core.errors import DataError

__all__ = ["CENTRES", "SimulatedCentre", "centre_named", "changed"]

_NOISE = 0.06  # standard deviation in the middle of the range
_BLUR = 0.004  # of the shorter side, standard deviation
_COARSE = 160  # pixels of the shorter side
_QUALITY = 15  # of JPEG
_LEVELS = 31  # of a detector with 5 bits, beside 0
_DEGREES = 7.0
_CUT = 0.08  # of each side
_ZOOM = 1.15

_Change = Callable[[Pixels, np.random.Generator], np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCentre:
    """One way to have made the radiograph otherwise.

    Attributes:
        name: by which it is asked for.
        kind: "exposure", "detector" or "positioning".
        told: what is changed, in words.
        change: from pixels (rows, columns), 0…1, and random numbers to pixels of any shape.
    """

    name: str
    kind: str
    told: str
    change: _Change


def changed(centre: SimulatedCentre, pixels: Pixels, *, seed: int) -> Pixels:
    """Return a radiograph as the centre would have made it, 0…1, read-only.

    Args:
        centre: which.
        pixels: (rows, columns), 0…1, bright is dense.
        seed: of the noise; the same seed gives the same pixels.
    """
    made = centre.change(pixels, np.random.default_rng(seed))
    result = np.ascontiguousarray(np.clip(made, 0.0, 1.0), dtype=np.float32)
    result.flags.writeable = False
    return result


def centre_named(name: str) -> SimulatedCentre:
    """Return one of CENTRES.

    Raises:
        DataError: there is none of that name.
    """
    for centre in CENTRES:
        if centre.name == name:
            return centre
    raise DataError(
        "There is no simulated centre {name!r}; use one of {names}.",
        name=name,
        names=", ".join(centre.name for centre in CENTRES),
    )


def _gamma(power: float) -> _Change:
    return lambda pixels, _: np.clip(pixels, 0, 1) ** power


def _noisy(pixels: Pixels, random: np.random.Generator) -> np.ndarray:
    """Add what few photons add: more where dense tissue lets few of them through."""
    spread = _NOISE * np.sqrt(2 * np.clip(pixels, 0, 1))
    return np.asarray(pixels + spread * random.standard_normal(pixels.shape))


def _over(pixels: Pixels, _: np.random.Generator) -> np.ndarray:
    return np.asarray((pixels - 0.25) / 0.75)


def _under(pixels: Pixels, random: np.random.Generator) -> np.ndarray:
    return _noisy(np.asarray(np.clip(pixels / 0.75, 0, 1), dtype=np.float32), random)


def _soft(pixels: Pixels, _: np.random.Generator) -> np.ndarray:
    return np.asarray(ndimage.gaussian_filter(pixels, _BLUR * min(pixels.shape)))


def _coarse(pixels: Pixels, _: np.random.Generator) -> np.ndarray:
    rows, columns = pixels.shape
    scale = _COARSE / min(rows, columns)
    if scale >= 1:
        return pixels
    small = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    picture = Image.fromarray(np.asarray(pixels, dtype=np.float32))
    bilinear = Image.Resampling.BILINEAR
    return np.asarray(picture.resize(small, Image.Resampling.BOX).resize((columns, rows), bilinear))


def _few_bits(pixels: Pixels, _: np.random.Generator) -> np.ndarray:
    return np.rint(np.clip(pixels, 0, 1) * _LEVELS) / _LEVELS


def _compressed(pixels: Pixels, _: np.random.Generator) -> np.ndarray:
    file = io.BytesIO()
    gray = np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
    Image.fromarray(gray).save(file, "JPEG", quality=_QUALITY)
    return np.asarray(Image.open(file), dtype=np.float32) / 255


def _turned(degrees: float) -> _Change:
    def turn(pixels: Pixels, _: np.random.Generator) -> np.ndarray:
        return np.asarray(ndimage.rotate(pixels, degrees, reshape=False, order=1))

    return turn


def _cut(pixels: Pixels, _: np.random.Generator) -> np.ndarray:
    rows, columns = (round(_CUT * side) for side in pixels.shape)
    return pixels[rows : pixels.shape[0] - rows, columns : pixels.shape[1] - columns]


def _magnified(pixels: Pixels, _: np.random.Generator) -> np.ndarray:
    """Enlarge the chest about the middle; what no longer fits is lost."""
    return _scaled(pixels, 1 / _ZOOM)


def _distant(pixels: Pixels, _: np.random.Generator) -> np.ndarray:
    """Make the chest smaller, with black around it."""
    return _scaled(pixels, _ZOOM)


def _scaled(pixels: Pixels, step: float) -> np.ndarray:
    middle = (np.array(pixels.shape) - 1) / 2
    matrix = np.array([step, step])
    return np.asarray(
        ndimage.affine_transform(pixels, matrix, offset=middle - matrix * middle, order=1)
    )


CENTRES: tuple[SimulatedCentre, ...] = tuple(
    SimulatedCentre(name=name, kind=kind, told=told, change=change)
    for name, kind, told, change in (
        ("gamma-low", "exposure", "gray values to the power 0.7: a brighter look-up table",
         _gamma(0.7)),
        ("gamma-high", "exposure", "gray values to the power 1.5: a darker look-up table",
         _gamma(1.5)),
        ("noise", "exposure", "noise of few photons, 0.06 of the range in mid gray", _noisy),
        ("overexposed", "exposure", "the darkest quarter of the range lost in black", _over),
        ("underexposed", "exposure", "the brightest quarter of the range lost in white, and noise",
         _under),
        ("soft", "detector", "blur of 0.4% of the shorter side", _soft),
        ("coarse", "detector", "160 pixels across the shorter side", _coarse),
        ("five-bits", "detector", "32 gray values", _few_bits),
        ("compressed", "detector", "JPEG of quality 15", _compressed),
        ("turned-left", "positioning", "turned by 7 degrees to the left", _turned(_DEGREES)),
        ("turned-right", "positioning", "turned by 7 degrees to the right", _turned(-_DEGREES)),
        ("cut", "positioning", "8% cut off at each side", _cut),
        ("magnified", "positioning", "15% larger about the middle, the margins lost", _magnified),
        ("distant", "positioning", "13% smaller, with black around", _distant),
    )
)  # fmt: skip
"""Mirrored radiographs are left out on purpose: the gate warns of them, and a heart on the other side
is another patient, not another centre."""
