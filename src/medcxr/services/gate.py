"""Ask the shipped gate, read its figures, train another one."""

from collections.abc import Callable, Sequence
from pathlib import Path

from medcxr.core.errors import MissingExtra
from medcxr.core.gate import ImageVerdict
from medcxr.imaging.reading import read_image
from medcxr.inference.gate import GateFigure, shipped_gate

__all__ = ["check_image", "gate_figures", "train_new_gate"]


def check_image(source: Path | bytes) -> ImageVerdict:
    """Judge one file.

    Raises:
        ImageError: the file cannot be read, or states that it is something else.
        ModelError: the shipped gate is damaged.
    """
    return shipped_gate().check(read_image(source))


def gate_figures() -> Sequence[GateFigure]:
    """Return how the shipped gate was measured.

    Raises:
        ModelError: the shipped gate is damaged.
    """
    return shipped_gate().figures


def train_new_gate(
    data: Path, out: Path, *, watch: Callable[[str, int, int], None] | None = None
) -> None:
    """Train and measure a gate by the shipped settings, and write its folder.

    Raises:
        MissingExtra: the libraries for training are not installed.
        DataError: a table or an image is wrong.
        StorageError: the folder exists already or cannot be written.
    """
    try:
        from medcxr.learning.gate_experiment import train_gate  # noqa: PLC0415 - train extra
        from medcxr.learning.gate_training import GateSettings  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"Training needs {error.name}, which is not installed; "
            "install the extra: pip install 'medcxr[train]'."
        ) from error
    train_gate(GateSettings(), data, out, watch=watch)
