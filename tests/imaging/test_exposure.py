"""Gray levels that hide findings are warned of, ordinary ones are not."""

import numpy as np
import pytest

from medcxr.imaging.exposure import exposure_warnings
from medcxr.synthetic import ThoraxParameters, simulate


@pytest.fixture(scope="module")
def pixels():
    return simulate(ThoraxParameters(), size=256).pixels


def test_an_ordinary_radiograph_is_not_warned_of(pixels):
    assert exposure_warnings(pixels) == ()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda p: np.clip(p * 3, 0, 1), "white"),
        (lambda p: np.clip(p - 0.6, 0, 1), "black"),
        (lambda p: 0.45 + 0.1 * p, "contrast"),
        (lambda p: np.rint(p * 8) / 8, "gray levels"),
    ],
    ids=["white", "black", "flat", "coarse"],
)
def test_each_fault_has_its_warning(pixels, change, word):
    assert any(word in sentence for sentence in exposure_warnings(change(pixels)))
