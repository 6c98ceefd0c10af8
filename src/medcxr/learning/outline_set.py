"""Radiographs with the outlines that experts drew, ready to learn from."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medcxr.anatomy.drawn import one_convention
from medcxr.core.arrays import FloatArray
from medcxr.core.errors import DataError, ImageError
from medcxr.core.images import CxrImage
from medcxr.datasets.outline_tables import ORGAN_BITS, outlined_patient
from medcxr.datasets.study_table import check_image_path, read_rows
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.imaging.reading import read_image
from medcxr.learning.config import OutlineTableConfig
from medcxr.learning.outline_network import ORGANS

__all__ = ["Content", "OutlineSet"]

_ASPECT_TOLERANCE = 0.02  # scaling to whole pixels changes a shape a little
_NORMAL = "normal"  # in the column `finding`
_OVERLAP = 0.05  # of the lungs, that a drawing hand may count twice

Content = tuple[int, int, int, int]
"""Top, left, bottom and right of an image in its square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineSet:
    """Images fitted into the model's square, with masks fitted alike.

    Attributes:
        squares: (n, size, size), float16, 0…1.
        masks: (n, organs, size, size), bool, as `anatomy.drawn.one_convention` has them; where
            sides are unknown, both lungs hold both.
        contents: where each image lies in its square.
        complete: (n,), whether sides and heart are known; otherwise the mask is that of both
            lungs, and may include the part of a lung behind the heart.
        patients: one for each image.
        tables: path of each image's table.
        groups: what to measure each image with: its table, with "diseased" or "normal" where a
            column `finding` tells it.
        digest: SHA-256 over images, and over masks as they are learned from.
    """

    squares: np.ndarray[tuple[int, int, int], np.dtype[np.float16]]
    masks: np.ndarray[tuple[int, int, int, int], np.dtype[np.bool_]]
    contents: tuple[Content, ...]
    complete: np.ndarray[tuple[int], np.dtype[np.bool_]]
    patients: tuple[str, ...]
    tables: tuple[str, ...]
    groups: tuple[str, ...]
    digest: str

    @classmethod
    def load(
        cls,
        tables: Sequence[OutlineTableConfig],
        folder: Path,
        preprocessing: Preprocessing,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> "OutlineSet":
        """Read all images and masks of the tables, in order.

        Raises:
            DataError: a table is wrong, or an image or mask cannot be read.
        """
        entries = [
            (table, check_image_path(folder, table.path), row)
            for table in tables
            for row in read_rows(
                check_image_path(folder, table.path), required=("image_path", "mask_path")
            )
        ]
        size, total = preprocessing.size, len(entries)
        squares = np.empty((total, size, size), dtype=np.float16)
        masks = np.zeros((total, len(ORGANS), size, size), dtype=np.bool_)
        contents: list[Content] = []
        digest = hashlib.sha256()
        for index, (table, path, row) in enumerate(entries):
            image, drawn = (
                _read(path.parent, row[column], table.path)
                for column in ("image_path", "mask_path")
            )
            squares[index], geometry = preprocessing.fit(image.pixels)
            contents.append(geometry.content)
            _draw(masks[index], drawn.pixels, geometry.content, table.contents)
            problem = _problem(masks[index], image.shape, drawn.shape, table.contents)
            if problem is not None:
                raise DataError(
                    f"{row['mask_path']} of {table.path} {problem}. Correct or remove the row."
                )
            if table.contents == "organs":
                masks[index] = one_convention(masks[index])
            digest.update(bytes.fromhex(image.digest) + np.packbits(masks[index]).tobytes())
            if progress is not None:
                progress(index + 1, total)
        return cls(
            squares=squares,
            masks=masks,
            contents=tuple(contents),
            complete=np.array([table.contents == "organs" for table, _, _ in entries]),
            patients=tuple(outlined_patient(table.path, row) for table, _, row in entries),
            tables=tuple(table.path for table, _, _ in entries),
            groups=tuple(_group(table.path, row.get("finding", "")) for table, _, row in entries),
            digest=digest.hexdigest(),
        )

    def __len__(self) -> int:
        return len(self.contents)


def _group(table: str, finding: str) -> str:
    if not finding:
        return table
    return f"{table}, {_NORMAL if finding == _NORMAL else 'diseased'}"


def _read(folder: Path, name: str, table: str) -> CxrImage:
    try:
        return read_image(check_image_path(folder, name))
    except ImageError as error:
        raise DataError(f"{name} of {table}: {error} Correct or remove the row.") from error


def _problem(
    mask: np.ndarray, image: tuple[int, int], drawn: tuple[int, int], contents: str
) -> str | None:
    """Say what is wrong with a mask that fits no image or is no mask of these contents."""
    if abs(drawn[0] * image[1] / (drawn[1] * image[0]) - 1) > _ASPECT_TOLERANCE:
        return f"has {drawn[0]} x {drawn[1]} pixels, another shape than its image"
    right, left = mask[:2]
    if not (right.any() and left.any()):
        return "shows no lungs: it must be a file of 8 bits whose numbers are the organs' bits"
    if contents == "organs" and (right & left).sum() > _OVERLAP * (right | left).sum():
        return "has the same pixels in both lungs: it is no bit field of organs"
    return None


def _draw(mask: np.ndarray, drawn: FloatArray, content: Content, contents: str) -> None:
    """Fit a drawn mask into its square, pixel by nearest pixel, one channel for each organ."""
    top, left, bottom, right = content
    values = np.rint(drawn * 255).astype(np.uint8)  # a mask is a file of 8 bits
    rows = ((np.arange(bottom - top) + 0.5) * drawn.shape[0] / (bottom - top)).astype(np.intp)
    columns = ((np.arange(right - left) + 0.5) * drawn.shape[1] / (right - left)).astype(np.intp)
    fitted = values[np.ix_(rows, columns)]
    if contents == "organs":
        for channel, bit in enumerate(ORGAN_BITS):
            mask[channel, top:bottom, left:right] = (fitted & bit) > 0
    else:
        mask[:2, top:bottom, left:right] = fitted > 0
