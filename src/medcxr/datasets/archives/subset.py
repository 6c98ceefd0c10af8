"""The parts into which the authors of an archive divide it."""

from enum import StrEnum

__all__ = ["Subset"]


class Subset(StrEnum):
    """A part of an archive, whatever its authors call it."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
