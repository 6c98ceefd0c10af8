"""Measures in words."""

import pytest

from medcxr.anatomy.words import told_ratio
from medcxr.core.results import Anatomy


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
