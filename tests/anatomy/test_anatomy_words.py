"""Measures in words."""

import pytest

from medcxr.anatomy.words import told_angles, told_lungs, told_ratio
from medcxr.core.results import Anatomy, Lung


@pytest.mark.parametrize(
    ("ratio", "margin", "doubts", "told"),
    [
        (0.512, 0.0261, (), "0.51 ± 0.03"),
        (0.512, None, (), "0.51"),
        (0.512, 0.03, ("a", "b"), "0.51 (not to be trusted: a; b)"),
        (None, 0.03, ("a lung was not found",), "not measured (a lung was not found)"),
        (None, None, (), "not measured"),
    ],
)
def test_the_ratio_is_told_with_what_speaks_against_it(ratio, margin, doubts, told):
    anatomy = Anatomy(
        cardiothoracic_ratio=ratio,
        heart=None,
        thorax=None,
        right_lung_share=None,
        doubts=doubts,
        ratio_margin=margin,
    )
    assert told_ratio(anatomy) == told


def anatomy(right, left, doubts=()):
    return Anatomy(
        cardiothoracic_ratio=0.5,
        heart=None,
        thorax=None,
        right_lung_share=0.55,
        doubts=doubts,
        right_lung=right,
        left_lung=left,
    )


def test_lungs_are_told_in_the_unit_that_is_known():
    known = anatomy(Lung(share=0.2, area_cm2=201.4), Lung(share=0.16, area_cm2=160))
    unknown = anatomy(Lung(share=0.2), Lung(share=0.16), doubts=("x",))

    assert told_lungs(known) == "right 201 cm², left 160 cm²; 55% of both is right"
    assert told_lungs(unknown) == (
        "right 20% of the image, left 16% of the image; 55% of both is right (not to be trusted: x)"
    )
    assert told_lungs(anatomy(None, Lung(share=0.16), doubts=("x",))) == "not measured (x)"


def test_angles_are_told_for_each_side():
    sharp = Lung(share=0.2, costophrenic_angle_degrees=38.4)
    blunt = Lung(share=0.2, costophrenic_angle_degrees=96.0)

    assert told_angles(anatomy(sharp, blunt)) == "right 38°, left 96° (blunt)"
    assert told_angles(anatomy(None, Lung(share=0.2), doubts=("x",))) == (
        "right not measurable, left not measurable (not to be trusted: x)"
    )
    assert told_angles(anatomy(None, None)) == "not measured"
