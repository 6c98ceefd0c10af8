"""Radiographs in memory, ready to be augmented and batched."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from medcxr.core.arrays import FloatArray, Statistics
from medcxr.core.errors import DataError, ImageError
from medcxr.datasets.study_table import StudyTable
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.imaging.reading import read_image
from medcxr.learning.augmentation import Augmentation

__all__ = ["ImageSet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet:
    """Images fitted into the model's square, with their labels.

    Attributes:
        squares: (n, size, size), float16, 0…1: half the memory, and finer than 8-bit files.
        contents: where each image lies in its square: (top, left, bottom, right).
        labels: (n, n_labels), float64, 1, 0 or NaN for unknown.
        digest: SHA-256 over the files' digests, in order.
        preprocessing: how the squares were made, and how inputs are made from them.
    """

    squares: np.ndarray[tuple[int, int, int], np.dtype[np.float16]]
    contents: tuple[tuple[int, int, int, int], ...]
    labels: Statistics
    digest: str
    preprocessing: Preprocessing

    @classmethod
    def load(
        cls,
        tables: Sequence[StudyTable],
        preprocessing: Preprocessing,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> "ImageSet":
        """Read all images of the tables, in order.

        Raises:
            DataError: an image cannot be read; the text names its row.
        """
        total = sum(len(table) for table in tables)
        size = preprocessing.size
        squares = np.empty((total, size, size), dtype=np.float16)
        contents: list[tuple[int, int, int, int]] = []
        digest = hashlib.sha256()
        for table in tables:
            for index, name in enumerate(table.image_paths):
                try:
                    image = read_image(table.path(index))
                except ImageError as error:
                    raise DataError(
                        f"Row {index + 1} of the table in {table.root.name} ({name}): {error} "
                        "Correct or remove the row."
                    ) from error
                square, geometry = preprocessing.fit(image.pixels)
                squares[len(contents)] = square
                contents.append(geometry.content)
                digest.update(bytes.fromhex(image.digest))
                if progress is not None:
                    progress(len(contents), total)
        return cls(
            squares=squares,
            contents=tuple(contents),
            labels=np.concatenate([table.labels for table in tables]),
            digest=digest.hexdigest(),
            preprocessing=preprocessing,
        )

    def __len__(self) -> int:
        return len(self.contents)

    def square(self, index: int) -> FloatArray:
        """Return (size, size), float32, 0…1."""
        square: FloatArray = self.squares[index].astype(np.float32)
        return square

    def input(
        self,
        index: int,
        *,
        augmentation: Augmentation | None = None,
        seed: int = 0,
        changed: FloatArray | None = None,
    ) -> FloatArray:
        """Return (channels, size, size), as `Preprocessing.apply` makes it.

        Args:
            index: of the image.
            augmentation: None leaves it as it is.
            seed: of the augmentation.
            changed: (size, size), what to show in place of the image's own square.
        """
        square = self.square(index) if changed is None else changed
        if augmentation is not None:
            square = augmentation(square, seed=seed)
        return self.preprocessing.normalize(square, self.contents[index])
