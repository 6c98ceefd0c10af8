"""Array types with their meaning in the name."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["BoolArray", "FloatArray", "Pixels", "Statistics", "UInt8Array"]

FloatArray: TypeAlias = NDArray[np.float32]
"""Pixels, logits, probabilities and maps."""

Pixels: TypeAlias = NDArray[np.float32]
"""(rows, columns), 0…1, bright is dense (bone white, air black)."""

Statistics: TypeAlias = NDArray[np.float64]
"""Labels and scores in evaluation: (n_images,) or (n_images, n_findings)."""

BoolArray: TypeAlias = NDArray[np.bool_]
"""Masks."""

UInt8Array: TypeAlias = NDArray[np.uint8]
"""Pictures for people: (rows, columns) or (rows, columns, 3)."""
