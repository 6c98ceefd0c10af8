"""Which findings the project reports."""

from enum import StrEnum

__all__ = ["Finding"]


class Finding(StrEnum):
    """The findings of the shipped model, spelled as NIH ChestX-ray14 spells them.

    The order in which a model reports them is a fact of its manifest, not of this enumeration.
    """

    PNEUMONIA = "Pneumonia"
    EFFUSION = "Effusion"
    CARDIOMEGALY = "Cardiomegaly"
    NO_FINDING = "No Finding"
