"""How often each patient was drawn in each resample, in little memory however many patients there are."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medcxr.core.arrays import Statistics, UInt8Array
from medcxr.core.errors import StorageError
from medcxr.evaluation.bootstrap import WHOLE_NUMBERS, patient_draws

__all__ = ["Draws", "sample_and_draws"]

_PORTION_NUMBERS = 1_000_000  # 8 MB, as the blocks that are drawn
_IN_MEMORY_BYTES = 50_000_000  # above, counts lie in a file that is deleted with them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draws:
    """The sample itself and its resamples.

    Attributes:
        counts: (1 + n_bootstrap, n_patients), how often each patient was drawn; the first row is the
            sample: everyone once. A count above 255 does not occur: of 256 patients or more it has a
            probability under 1e-500.
    """

    counts: UInt8Array

    def __len__(self) -> int:
        return len(self.counts)

    def blocks(self, patients: NDArray[np.intp], size: int) -> Iterator[Statistics]:
        """Yield (n_rows, n), how often each of the patients (n,) was drawn, so many rows at a time."""
        for start in range(0, len(self.counts), size):
            yield self.counts[start : start + size][:, patients].astype(np.float64)

    def totals(self, patients: NDArray[np.intp], columns: Statistics) -> Statistics:
        """Return (1 + n_bootstrap, n_columns), the sums of columns (n, n_columns) over what was drawn.

        Args:
            patients: (n,), of whom each row of the columns is.
            columns: (n, n_columns).
        """
        portions = self.blocks(patients, _rows_at_once(len(self), len(patients)))
        return np.concatenate([portion @ columns for portion in portions])


def sample_and_draws(n_patients: int, *, n_bootstrap: int, seed: int, n_images: int) -> Draws:
    """Draw patients with replacement as `patient_draws` does, and keep the draws.

    Raises:
        StorageError: they are too many to be kept in memory, and a file has no room for them.
    """
    shape = (1 + n_bootstrap, n_patients)
    drawn = patient_draws(n_patients, n_bootstrap=n_bootstrap, seed=seed, n_images=n_images)
    blocks = (block.astype(np.uint8) for block in drawn)
    everyone_once = np.ones((1, n_patients), dtype=np.uint8)
    if shape[0] * shape[1] <= _IN_MEMORY_BYTES:
        return Draws(counts=np.concatenate([everyone_once, *blocks]))
    try:
        with tempfile.TemporaryFile() as file:
            file.write(everyone_once.tobytes())
            for block in blocks:
                file.write(block.tobytes())
            file.flush()
            # The mapping keeps the file when it is closed, and no name leads to it any more.
            kept = np.memmap(file, dtype=np.uint8, mode="r", shape=shape)
    except OSError as error:
        raise StorageError(
            "The resamples of {n_patients:,} patients need a file of {megabytes:,} MB in {folder}, which "
            "cannot be written ({reason}); free space there, or let TMPDIR name another folder.",
            n_patients=n_patients,
            megabytes=shape[0] * shape[1] // 1_000_000,
            folder=tempfile.gettempdir(),
            reason=error.strerror,
        ) from error
    return Draws(counts=np.asarray(kept))


def _rows_at_once(n_rows: int, n: int) -> int:
    if n_rows * n <= WHOLE_NUMBERS:
        return n_rows
    return max(1, _PORTION_NUMBERS // n)
