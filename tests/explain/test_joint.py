"""A joint map is strong where both of its maps are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from medcxr.core.errors import DataError
from medcxr.explain.joint import joint_map

SIGNED = st.floats(-4.0, 4.0, width=32)


def test_the_strongest_places_of_both_count_alike():
    evidence, falls = np.zeros((4, 4), np.float32), np.zeros((2, 2), np.float32)
    evidence[0, 1], evidence[3, 3] = 0.01, -0.005
    falls[0, 0], falls[1, 0] = 2.0, 1.0

    joint = joint_map(evidence, falls)

    expected = np.repeat(np.repeat(falls, 2, 0), 2, 1) / 2 + evidence * 100
    np.testing.assert_allclose(joint, expected, rtol=1e-6)
    assert np.unravel_index(joint.argmax(), joint.shape) == (0, 1)  # where both name it
    assert joint.max() == pytest.approx(2.0)  # in units of the logit's fall


def test_without_evidence_or_falls_only_the_other_is_left():
    falls = np.array([[0.5, -0.25], [0.0, 1.0]], np.float32)
    np.testing.assert_array_equal(joint_map(np.zeros((2, 2), np.float32), falls), falls / 2)
    np.testing.assert_array_equal(joint_map(falls, np.zeros_like(falls)), np.zeros_like(falls))


@given(arrays(np.float32, (4, 4), elements=SIGNED), arrays(np.float32, (2, 2), elements=SIGNED))
def test_it_is_never_stronger_than_the_falls_and_does_not_hang_on_the_scale_of_the_evidence(
    evidence, falls
):
    joint = joint_map(evidence, falls)
    assert np.abs(joint).max() <= np.abs(falls).max() * (1 + 1e-5) + 1e-30
    if np.abs(evidence).max() > 1e-3:
        np.testing.assert_allclose(joint_map(evidence * 8, falls), joint, rtol=1e-4, atol=1e-5)


def test_maps_of_grids_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="3 places per side cannot be laid over one of 4"):
        joint_map(np.zeros((4, 4), np.float32), np.zeros((3, 3), np.float32))
