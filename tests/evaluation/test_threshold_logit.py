"""The logit at which a calibrated probability reaches its threshold."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.evaluation.calibration import (
    IdentityCalibration,
    IsotonicCalibration,
    PlattCalibration,
)
from medcxr.evaluation.threshold_logit import logit_at


@given(slope=st.floats(0.2, 3), intercept=st.floats(-3, 3), threshold=st.floats(0.02, 0.98))
def test_it_is_the_inverse_of_platts_curve(slope, intercept, threshold):
    calibration = PlattCalibration(slope=slope, intercept=intercept)

    found = logit_at(calibration, threshold)

    expected = (math.log(threshold / (1 - threshold)) - intercept) / slope
    assert found == pytest.approx(expected, abs=1e-9)
    assert calibration.predict_proba([found])[0] >= threshold


def test_of_a_curve_that_is_level_in_part_it_is_where_the_rise_reaches_the_threshold():
    calibration = IsotonicCalibration(x=(-1.0, 0.0, 1.0, 2.0), y=(0.1, 0.1, 0.6, 0.6))

    assert logit_at(calibration, 0.35) == pytest.approx(0.5)
    assert logit_at(calibration, 0.6) == pytest.approx(1.0)
    assert logit_at(calibration, 0.7) is None


@pytest.mark.parametrize("threshold", [0.0, 1.1])
def test_a_threshold_that_everything_or_nothing_reaches_has_none(threshold):
    assert logit_at(IdentityCalibration(), threshold) is None
