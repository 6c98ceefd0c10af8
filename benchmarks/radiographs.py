"""Different radiographs to upload: simulated ones, or those of a folder."""

from pathlib import Path

import numpy as np
from PIL import Image

from medcxr.synthetic import sample_parameters, simulate

__all__ = ["radiograph_files"]

_DRAWN_SIDE = 512  # pixels; a finer simulation takes longer and is no heavier to analyze


def radiograph_files(folder: Path, n_files: int, *, source: Path | None, side: int) -> list[Path]:
    """Return files that all differ, so that none is known from an earlier upload.

    Args:
        folder: for those that are written.
        n_files: how many.
        source: folder with radiographs to use; None simulates them.
        side: of a simulated one, in pixels.
    """
    if source is not None:
        found = sorted(path for path in source.iterdir() if path.is_file())
        if len(found) < n_files:
            raise SystemExit(f"{source} has {len(found)} files; {n_files} are needed.")
        return found[:n_files]
    return [_simulated(folder / f"simulated-{i}.png", i, side) for i in range(n_files)]


def _simulated(path: Path, seed: int, side: int) -> Path:
    pixels = simulate(sample_parameters(np.random.default_rng(seed)), size=_DRAWN_SIDE).pixels
    image = Image.fromarray(np.asarray(pixels, dtype=np.float32))  # mode "F"
    drawn = np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))
    noise = np.random.default_rng(seed).normal(0, 0.01, drawn.shape)  # or PNG would shrink it
    Image.fromarray(np.rint(np.clip(drawn + noise, 0, 1) * 65535).astype(np.uint16)).save(path)
    return path
