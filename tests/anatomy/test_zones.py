"""The zones of the chest."""

import numpy as np
import pytest

from medcxr.anatomy.zones import ELSEWHERE, zone_masks
from medcxr.core.geometry import Geometry

ORGANS = ("right lung", "left lung", "heart")
SIZE = 64
GEOMETRY = Geometry(original_shape=(64, 56), model_size=SIZE, content=(0, 4, 64, 60))


def outlines():
    drawn = np.zeros((3, SIZE, SIZE), dtype=np.float32)
    drawn[0, 10:40, 8:28] = 0.9
    drawn[1, 10:46, 36:56] = 0.9
    drawn[2, 30:50, 24:46] = 0.9
    return drawn


def test_zones_divide_the_image_without_overlap():
    zones = zone_masks(outlines(), ORGANS, GEOMETRY)

    assert set(zones) == {
        *(f"{side} {third}" for side in ("right", "left") for third in ("upper", "mid", "lower")),
        "heart and behind it",
        ELSEWHERE,
    }
    counts = np.sum([zone.astype(int) for zone in zones.values()], axis=0)
    inside = np.zeros((SIZE, SIZE), dtype=int)
    inside[:, 4:60] = 1
    np.testing.assert_array_equal(counts, inside)


def test_thirds_are_of_each_lungs_own_height_and_sides_the_patients():
    zones = zone_masks(outlines(), ORGANS, GEOMETRY)

    assert zones["right upper"][10:20, 8:28].all()
    assert zones["right upper"].sum() == 200
    assert zones["left upper"][10:22, 36:56].all()
    assert zones["left upper"].sum() == 240
    assert not zones["left lower"][:34].any()
    assert zones["heart and behind it"].sum() == 20 * 22  # the lungs end where it begins


@pytest.mark.parametrize("organ", [0, 1])
def test_without_a_lung_there_are_no_zones(organ):
    drawn = outlines()
    drawn[organ] = 0
    assert zone_masks(drawn, ORGANS, GEOMETRY) == {}
    assert zone_masks(outlines()[:1], ORGANS[:1], GEOMETRY) == {}


def test_a_model_that_outlines_no_heart_still_has_zones():
    zones = zone_masks(outlines()[:2], ORGANS[:2], GEOMETRY)
    assert "heart and behind it" not in zones
    assert zones["right lower"].sum() == 200
