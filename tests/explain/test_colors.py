"""The colors of evidence."""

import numpy as np
import pytest

from medcxr.explain.colors import AGAINST, FOR, oklch_to_srgb


def test_no_chroma_is_gray_from_black_to_white():
    assert oklch_to_srgb(0.0, 0.0, 123.0) == pytest.approx(0.0, abs=1e-6)
    assert oklch_to_srgb(1.0, 0.0, 123.0) == pytest.approx(1.0, abs=1e-6)
    gray = oklch_to_srgb(0.5, 0.0, 0.0)
    assert np.ptp(gray) < 1e-6


def test_the_primaries_of_srgb_are_hit():
    # Golden: OKLCh of #ff0000 and #0000ff as CSS Color Module Level 4 tools state them
    assert oklch_to_srgb(0.62796, 0.25768, 29.234) == pytest.approx([1, 0, 0], abs=2e-3)
    assert oklch_to_srgb(0.45201, 0.31321, 264.052) == pytest.approx([0, 0, 1], abs=2e-3)


def test_the_two_colors_are_warm_and_cool_and_no_channel_is_clipped():
    assert FOR[0] > FOR[1] > FOR[2]
    assert AGAINST[2] > AGAINST[1] > AGAINST[0]
    for color in (FOR, AGAINST):
        assert color.min() > 0.0
        assert color.max() < 1.0
