"""Which findings the project reports."""

from enum import StrEnum

from medcxr.core.language import text

__all__ = ["Finding"]


class Finding(StrEnum):
    """The findings of the shipped model, spelled as NIH ChestX-ray14 spells them.

    The order in which a model reports them is a fact of its manifest, not of this enumeration.
    """

    PNEUMONIA = text("Pneumonia")
    EFFUSION = text("Effusion")
    CARDIOMEGALY = text("Cardiomegaly")
    NO_FINDING = text("No Finding")
