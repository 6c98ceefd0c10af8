"""What the gate learns from: radiographs as they should be, and as they should not."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from medcxr.core.arrays import FloatArray
from medcxr.core.gate import ImageKind
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.inference.gate import gate_input

__all__ = ["GATE_PREPROCESSING", "Scenery", "show"]

GATE_PREPROCESSING = Preprocessing(size=96, channels=1, equalization=0.3)

_QUARTER_TURNS = {
    ImageKind.TURNED_LEFT: 1,
    ImageKind.UPSIDE_DOWN: 2,
    ImageKind.TURNED_RIGHT: 3,
}
_TILT_DEGREES = 15.0  # a crooked patient is still upright
_ZOOM = 0.15
_SHIFT = 0.08  # of the side
_CUT = (0.3, 0.55)  # share of the side that is left


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenery:
    """How an image is shown to the gate.

    Attributes:
        kind: what it then is.
        tilt_degrees: counterclockwise, beside the quarter turns of the kind.
        zoom: 1 shows the whole image, 2 its half.
        shift: (right, down) of the window's center, of half the side.
        gamma: exponent of the intensities, 1 leaves them.
        blur: factor by which detail is lost, 1 loses none.
        noise: standard deviation, of the full range.
    """

    kind: ImageKind
    tilt_degrees: float = 0.0
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    gamma: float = 1.0
    blur: float = 1.0
    noise: float = 0.0

    @classmethod
    def draw(cls, kind: ImageKind, random: np.random.Generator) -> "Scenery":
        """Draw the scenery of one image; "other" images may lie any way."""
        tilt, zoom = random.uniform(-1, 1) * _TILT_DEGREES, 1 + random.uniform(-1, 1) * _ZOOM
        shift = tuple(random.uniform(-2, 2, 2) * _SHIFT)
        if kind is ImageKind.OTHER:
            tilt = random.uniform(-180, 180)
        if kind is ImageKind.CUT:
            share = random.uniform(*_CUT)
            zoom = 1 / share
            # the window stays inside the image and away from its middle
            reach = 1 - share
            shift = tuple(random.choice((-1, 1), 2) * random.uniform(0.4, 1.0, 2) * reach)
        return cls(
            kind=kind,
            tilt_degrees=float(tilt),
            zoom=float(zoom),
            shift=(float(shift[0]), float(shift[1])),
            gamma=float(np.exp(random.uniform(-0.4, 0.4))),
            blur=float(random.uniform(1.0, 3.0)) if random.random() < 0.5 else 1.0,
            noise=float(random.uniform(0, 0.05)) if random.random() < 0.3 else 0.0,
        )


def show(
    square: FloatArray,
    content: tuple[int, int, int, int],
    scenery: Scenery,
    *,
    seed: int = 0,
) -> FloatArray:
    """Return the image as the gate sees it in this scenery.

    Args:
        square: (side, side), 0…1, as `Preprocessing.fit` makes it at any size.
        content: where the image lies in it: (top, left, bottom, right).
        scenery: what to do to it.
        seed: of the noise.

    Returns:
        (1, 96, 96), standardized.
    """
    side = square.shape[0]
    inside = np.zeros_like(square)
    top, left, bottom, right = content
    inside[top:bottom, left:right] = 1.0
    stack = torch.from_numpy(np.stack([square, inside]))[None]  # (1, 2, side, side)
    stack = torch.rot90(stack, _QUARTER_TURNS.get(scenery.kind, 0), (2, 3))
    if scenery.kind is ImageKind.MIRRORED:
        stack = torch.flip(stack, (3,))
    if scenery.blur > 1:
        small = max(24, round(side / scenery.blur / 2))
        stack = F.interpolate(stack, size=(small, small), mode="area")
    angle = math.radians(scenery.tilt_degrees)
    cosine, sine = math.cos(angle) / scenery.zoom, math.sin(angle) / scenery.zoom
    theta = torch.tensor(
        [[[cosine, -sine, scenery.shift[0]], [sine, cosine, scenery.shift[1]]]],
        dtype=torch.float32,
    )
    size = GATE_PREPROCESSING.size
    # sampled twice as fine and averaged, as a careful reduction of a large image does
    grid = F.affine_grid(theta, [1, 2, 2 * size, 2 * size], align_corners=False)
    warped = F.grid_sample(stack, grid, align_corners=False)
    pixels, mask = F.avg_pool2d(warped, 2)[0].numpy()
    pixels = np.clip(pixels, 0, mask) ** np.float32(scenery.gamma)
    if scenery.kind is ImageKind.INVERTED:
        pixels = np.clip(mask - pixels, 0, 1)
    if scenery.noise:
        random = np.random.default_rng(seed)
        pixels = np.clip(pixels + random.normal(0, scenery.noise, pixels.shape) * mask, 0, 1)
    return gate_input(pixels.astype(np.float32), GATE_PREPROCESSING)
