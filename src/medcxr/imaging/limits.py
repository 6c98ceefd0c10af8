"""How much a file may ask for before it is refused.

A clinical radiograph stays far below each figure; a hostile file does not get to use more.
"""

from medcxr.core.errors import ImageError

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "MAX_SAMPLES",
    "MEMORY_BYTES",
    "MIN_SIDE",
    "TIMEOUT_S",
    "verify_size",
]

MAX_FILE_BYTES = 128 * 2**20  # MAX_PIXELS at 16 bits are 76 MiB
MAX_PIXELS = 40_000_000  # twice the largest flat detector: 43 cm at 0.1 mm are 18.5 million
MAX_SAMPLES = 60_000_000  # pixels x color components
MIN_SIDE = 64  # below this no lung marking is left to read
TIMEOUT_S = 8.0  # for reading one file
MEMORY_BYTES = 768 * 2**20  # for reading one file, beyond what the libraries take


def verify_size(rows: int, columns: int, samples: int = 1) -> None:
    """Refuse an image that is too small to read or too large to decode.

    Raises:
        ImageError: a side is below MIN_SIDE, or the image exceeds MAX_PIXELS or MAX_SAMPLES.
    """
    if min(rows, columns) < MIN_SIDE:
        raise ImageError(
            "The image has {rows} x {columns} pixels, and the shorter side needs at least "
            "{min_side}; send the radiograph in its original size.",
            rows=rows,
            columns=columns,
            min_side=MIN_SIDE,
        )
    if rows * columns > MAX_PIXELS or rows * columns * samples > MAX_SAMPLES:
        raise ImageError(
            "The file declares {rows} x {columns} pixels of {samples} component(s), and at most "
            "{max_pixels} million pixels can be read; export the image in a smaller size.",
            rows=rows,
            columns=columns,
            samples=samples,
            max_pixels=MAX_PIXELS // 10**6,
        )
