"""Radiographs made by projection through a parametric thorax, with exact truth."""

from medcxr.synthetic.lesions import Lesion
from medcxr.synthetic.parameters import (
    Consolidation,
    Effusion,
    Exposure,
    Markings,
    Position,
    Side,
    ThoraxParameters,
)
from medcxr.synthetic.radiograph import SyntheticRadiograph, simulate
from medcxr.synthetic.sample_data import write_sample_data
from medcxr.synthetic.sampling import sample_parameters, sample_visit

__all__ = [
    "Consolidation",
    "Effusion",
    "Exposure",
    "Lesion",
    "Markings",
    "Position",
    "Side",
    "SyntheticRadiograph",
    "ThoraxParameters",
    "sample_parameters",
    "sample_visit",
    "simulate",
    "write_sample_data",
]
