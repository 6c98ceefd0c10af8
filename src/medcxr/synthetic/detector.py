"""From the beam behind the patient to a gray image: scatter, blur, noise, display curve."""

import numpy as np
from scipy import ndimage

from medcxr.core.arrays import BoolArray, FloatArray, Pixels
from medcxr.synthetic.parameters import Exposure

__all__ = ["display", "expose"]

_SCATTER_MM = 38.0  # standard deviation of the scatter's spread
_FLATTENING_MM = 26.0  # coarse signal, whose range display processing compresses
_SHARPENING_MM = 3.0  # size of the detail that display processing enhances
_REFERENCE_SIZE = 512  # photons per pixel are stated for this size


def expose(
    primary: FloatArray, exposure: Exposure, pixel_mm: float, rng: np.random.Generator
) -> FloatArray:
    """Return the detector's signal relative to the open beam: primary, scatter, noise, blur."""
    scatter = _coarse_blur(np.minimum(primary, 0.35), _SCATTER_MM / pixel_mm)
    # a tissue share of rays near the patient scatters; the open beam itself does not
    signal = primary + np.float32(exposure.scatter_ratio) * scatter * (primary < 0.999)
    signal = ndimage.gaussian_filter(signal, exposure.blur_mm / pixel_mm)
    photons = exposure.photons * (_REFERENCE_SIZE / primary.shape[0]) ** 2
    grain = rng.standard_normal(signal.shape, dtype=np.float32)
    noisy = signal + np.sqrt(signal / np.float32(photons)) * grain
    return np.maximum(noisy, np.float32(0.5 / photons))


def display(signal: FloatArray, exposure: Exposure, pixel_mm: float, body: BoolArray) -> Pixels:
    """Turn signal into gray 0...1, bright where dense, as a digital system shows it.

    Args:
        signal: relative to the open beam.
        exposure: the display settings.
        pixel_mm: size of a pixel.
        body: where the patient is; the window is set for it.
    """
    density = -np.log(signal)
    coarse = _coarse_blur(density, _FLATTENING_MM / pixel_mm)
    fine = ndimage.gaussian_filter(density, _SHARPENING_MM / pixel_mm)
    flat = density - np.float32(exposure.flattening) * (
        coarse - np.float32(np.median(coarse[body]))
    )
    flat = flat + np.float32(exposure.sharpening) * (density - fine)
    low, high = np.percentile(flat[body], (2.0, 99.6))
    share = (flat - low) / (high - low)
    # a soft toe keeps the open beam black, a soft shoulder keeps dense parts apart
    curve = np.where(
        share < 0, 0.10 * np.exp(np.minimum(share, 0) / 0.12), 0.10 + 0.90 * _shoulder(share)
    )
    gray = exposure.black + (exposure.white - exposure.black) * curve**exposure.gamma
    return np.clip(gray, 0, 1).astype(np.float32)


def _shoulder(share: FloatArray) -> FloatArray:
    """Map 0...1 to 0...1, steeper below and flatter above, and stay below 1.1 beyond."""
    bend = 0.75
    t = np.clip(share, 0, 1.6)
    return np.asarray((1 - np.exp(-bend * t)) / (1 - np.exp(-bend)))


def _coarse_blur(image: FloatArray, sigma: float) -> FloatArray:
    """Blur widely at a fraction of the resolution; the result is smooth, so nothing is lost."""
    step = max(int(sigma / 4), 1)
    rows, columns = (-(-side // step) * step for side in image.shape)
    padded = np.pad(image, ((0, rows - image.shape[0]), (0, columns - image.shape[1])), mode="edge")
    small = padded.reshape(rows // step, step, columns // step, step).mean(axis=(1, 3))
    small = ndimage.gaussian_filter(small, sigma / step, mode="nearest")
    at = [(np.arange(side) + 0.5) / step - 0.5 for side in image.shape]
    grid = np.meshgrid(*at, indexing="ij")
    return np.asarray(ndimage.map_coordinates(small, grid, order=1, mode="nearest"), np.float32)
