"""Lay a model's evidence over the radiograph it comes from."""

from dataclasses import replace

import numpy as np

from medcxr.core.arrays import FloatArray, Pixels, Statistics, UInt8Array
from medcxr.core.errors import DataError
from medcxr.core.geometry import Geometry
from medcxr.explain.colors import AGAINST, FOR

__all__ = ["layer", "legend", "overlay", "shown_scale", "upsample"]

_BAND_ROWS = 128
_LEAST_SCALE = 0.05  # of a logit: weaker evidence is not worth a strong color


def overlay(
    pixels: Pixels,
    evidence: FloatArray,
    geometry: Geometry,
    *,
    opacity: float = 0.6,
    full_scale: float | None = None,
) -> UInt8Array:
    """Color a radiograph by the evidence for (red-orange) and against (blue) a finding.

    The color's opacity grows in proportion to the strength of the evidence: where there is none,
    the radiograph stays as it is.

    Args:
        pixels: (rows, columns) of the original, 0…1.
        evidence: (h, w), signed evidence per token of the model's square input.
        geometry: where the original lies in that square.
        opacity: of the strongest evidence, 0…1.
        full_scale: strength shown at full opacity; the map's own maximum if None. Give the same
            one to several maps to compare them.

    Returns:
        (rows, columns, 3)
    """
    if pixels.shape != geometry.original_shape:
        raise DataError(
            f"The image has shape {pixels.shape} but the map belongs to one of "
            f"{geometry.original_shape}; pass the image that was analyzed."
        )
    scale = float(np.abs(evidence).max()) if full_scale is None else full_scale
    strength = upsample(evidence, geometry) / scale if scale > 0 else np.zeros_like(pixels)
    return _blend(np.clip(pixels, 0.0, 1.0), strength, opacity)


def layer(
    evidence: FloatArray, geometry: Geometry, shape: tuple[int, int], *, full_scale: float
) -> UInt8Array:
    """Return what `overlay` lays over a radiograph as a picture of its own, at full opacity.

    Args:
        evidence: (h, w), signed evidence per token of the model's square input.
        geometry: where the original lies in that square.
        shape: rows and columns of the picture, in the proportions of the original.
        full_scale: strength shown at full opacity.

    Returns:
        (rows, columns, 4), with the opacity in the last channel
    """
    # Fractions of an image do not change when it is shrunk, so its geometry holds.
    signed = upsample(evidence, replace(geometry, original_shape=shape)) / full_scale
    picture = np.empty((*shape, 4), dtype=np.uint8)
    picture[..., :3] = np.rint(255.0 * np.where(signed[..., np.newaxis] >= 0, FOR, AGAINST))
    picture[..., 3] = np.rint(255.0 * np.clip(np.abs(signed), 0.0, 1.0))
    return picture


def shown_scale(evidence: FloatArray) -> float:
    """Return the strength to show at full opacity: a finding's own strongest place.

    One scale for all findings would hide those beside a strong one. A floor keeps a map that says
    almost nothing from looking like one that says much.

    Args:
        evidence: (h, w), signed evidence in units of the logit.
    """
    return max(float(np.abs(evidence).max()), _LEAST_SCALE)


def upsample(evidence: FloatArray, geometry: Geometry) -> FloatArray:
    """Bring a low-resolution map to the original's pixels, leaving the padding out.

    A token's value appears unchanged at its center and passes smoothly into its neighbors', with
    no overshoot: a lone token makes no ring of the other sign.

    Args:
        evidence: (h, w) over the model's whole square input, padding included.
        geometry: where the original lies in that square.

    Returns:
        (rows, columns) of the original.
    """
    rows, columns = geometry.original_shape
    row_centers = np.array([geometry.to_model(i + 0.5, 0.0)[0] for i in range(rows)])
    column_centers = np.array([geometry.to_model(0.0, i + 0.5)[1] for i in range(columns)])
    by_row = _weights(row_centers / geometry.model_size, evidence.shape[0])  # (rows, h)
    by_column = _weights(column_centers / geometry.model_size, evidence.shape[1])  # (columns, w)
    return by_row @ evidence.astype(np.float32) @ by_column.T


def legend(rows: int, columns: int, *, opacity: float = 0.6) -> UInt8Array:
    """Draw the scale of an overlay: strongest against at the left, for at the right.

    Returns:
        (rows, columns, 3), on mid-gray
    """
    strength = np.linspace(-1.0, 1.0, columns, dtype=np.float32)
    gray = np.full((rows, columns), 0.5, dtype=np.float32)
    return _blend(gray, np.broadcast_to(strength, (rows, columns)), opacity)


def _blend(pixels: Pixels, strength: FloatArray, opacity: float) -> UInt8Array:
    blended = np.empty((*pixels.shape, 3), dtype=np.uint8)
    # In bands, because the colors of a whole radiograph would take several hundred MB as floats.
    for start in range(0, len(pixels), _BAND_ROWS):
        band = slice(start, start + _BAND_ROWS)
        gray, signed = pixels[band, :, np.newaxis], strength[band, :, np.newaxis]
        alpha = opacity * np.clip(np.abs(signed), 0.0, 1.0)
        mixed = (1.0 - alpha) * gray + alpha * np.where(signed >= 0, FOR, AGAINST)
        blended[band] = np.rint(255.0 * mixed)
    return blended


def _weights(centers: Statistics, tokens: int) -> FloatArray:
    """Share of each token in each pixel: (n_pixels, tokens), rows sum to 1.

    Args:
        centers: (n_pixels,), pixel centers as fractions of the model's side.
        tokens: number of tokens along that side.
    """
    position = np.clip(centers * tokens - 0.5, 0.0, tokens - 1.0)  # 0 is the first token's center
    lower = np.minimum(position.astype(np.intp), max(tokens - 2, 0))
    upper = np.minimum(lower + 1, tokens - 1)
    fraction = position - lower
    # Hermite's blending curve: like linear interpolation, but without creases at the tokens.
    fraction = fraction * fraction * (3.0 - 2.0 * fraction)
    weights = np.zeros((len(centers), tokens), dtype=np.float32)
    pixel = np.arange(len(centers))
    np.add.at(weights, (pixel, lower), 1.0 - fraction)
    np.add.at(weights, (pixel, upper), fraction)
    return weights
