"""Simulated centres change what they say, the same way each time, and nothing else."""

import numpy as np
import pytest

from medcxr.core.errors import DataError
from medcxr.synthetic.centres import CENTRES, centre_named, changed
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate


@pytest.fixture(scope="module")
def pixels():
    return simulate(ThoraxParameters(), size=256).pixels.astype(np.float32)


@pytest.mark.parametrize("centre", CENTRES, ids=lambda one: one.name)
def test_each_centre_makes_another_radiograph_the_same_way_each_time(centre, pixels):
    before = pixels.copy()
    made = changed(centre, pixels, seed=3)
    assert np.array_equal(pixels, before)
    assert made.dtype == np.float32
    assert made.min() >= 0
    assert made.max() <= 1
    assert not made.flags.writeable
    assert np.array_equal(made, changed(centre, pixels, seed=3))
    assert made.shape != pixels.shape or not np.array_equal(made, pixels)


def test_only_noise_hangs_on_the_seed(pixels):
    seeded = {
        one.name
        for one in CENTRES
        if not np.array_equal(changed(one, pixels, seed=0), changed(one, pixels, seed=1))
    }
    assert seeded == {"noise", "underexposed"}


def test_changes_are_what_they_say(pixels):
    def made(name):
        return changed(centre_named(name), pixels, seed=0)

    assert made("gamma-low").mean() > pixels.mean() > made("gamma-high").mean()
    assert len(np.unique(made("five-bits"))) <= 32
    assert np.std(np.diff(made("soft"))) < np.std(np.diff(pixels))
    assert made("cut").shape == (216, 216)
    assert np.std(made("noise") - pixels) == pytest.approx(0.06, rel=0.5)
    assert (made("overexposed") == 0).mean() > (pixels == 0).mean()
    assert (made("underexposed") == 1).mean() > (pixels == 1).mean()


def test_magnifying_keeps_the_middle_and_loses_the_margins():
    picture = np.zeros((101, 101), np.float32)
    picture[50, 50] = 1
    picture[0] = 1
    larger = changed(centre_named("magnified"), picture, seed=0)
    smaller = changed(centre_named("distant"), picture, seed=0)
    assert larger[50, 50] == 1
    assert larger[0].max() == 0
    assert smaller[50, 50] == 1
    assert smaller[0].max() == 0  # black came around it
    assert smaller[6:9].max() > 0.2


def test_an_unknown_centre_is_refused():
    with pytest.raises(DataError, match="no simulated centre"):
        centre_named("moon")
