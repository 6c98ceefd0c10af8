"""Pictures at the size of the screen."""

import numpy as np
import pytest

from medcxr.apps.dashboard.limits import SHOWN_SIDE
from medcxr.apps.dashboard.pictures import for_screen, heat_map_picture, radiograph_picture
from medcxr.core.geometry import Geometry


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((2048, 1536), (1024, 768)), ((900, 3000), (307, 1024)), ((200, 300), (200, 300))],
)
def test_only_large_radiographs_are_shrunk_and_keep_their_proportions(shape, expected):
    assert SHOWN_SIDE == 1024
    shown = for_screen(np.full(shape, 0.25, dtype=np.float32))
    assert shown.shape == expected
    assert shown == pytest.approx(0.25, abs=1e-6)


def test_the_radiograph_is_shown_in_gray_steps_of_its_own():
    pixels = np.linspace(0, 1, 256, dtype=np.float32)[np.newaxis]
    assert radiograph_picture(pixels).tolist() == [list(range(256))]


def test_the_heat_map_stays_at_its_place_when_the_radiograph_is_shrunk():
    # 2000 x 4000 pixels fill the middle half of a 64-pixel square; token (2, 6) of 8 covers model
    # rows 16…24 and columns 48…56, that is original rows 0…500 and columns 3000…3500, and on the
    # screen (512 x 1024) rows 0…128 and columns 768…896.
    pixels = np.full((2000, 4000), 0.5, dtype=np.float32)
    geometry = Geometry(original_shape=(2000, 4000), model_size=64, content=(16, 0, 48, 64))
    evidence = np.zeros((8, 8), dtype=np.float32)
    evidence[2, 6] = 1.0
    picture = heat_map_picture(
        for_screen(pixels), evidence, geometry, opacity=1.0, full_scale=1.0
    ).astype(int)
    assert picture.shape == (512, 1024, 3)
    warmth = picture[..., 0] - picture[..., 2]
    row, column = np.argwhere(warmth == warmth.max()).mean(axis=0)
    assert (row, column) == pytest.approx((64, 832), abs=2)
