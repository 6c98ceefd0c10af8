"""A warning that goes where the picture goes."""

import numpy as np
import pytest

from medcxr.explain.label import NOT_SHOWN_TO_BE_TRUE, labeled


@pytest.mark.parametrize("shape", [(300, 224), (64, 64), (1024, 800)])
def test_the_words_are_written_below_and_fit(shape):
    picture = np.full((*shape, 3), 128, dtype=np.uint8)

    written = labeled(picture, NOT_SHOWN_TO_BE_TRUE)

    changed = (written != picture).any(axis=2)
    assert written.shape == picture.shape
    assert not changed[: shape[0] // 2].any()
    assert changed[-1].all()
    if shape[1] >= 200:  # on a thumbnail the words are cut off
        bright = (written > 200).all(axis=2).any(axis=0)
        assert bright.any()
        assert not bright[-shape[1] // 20 :].any()
    assert (picture == 128).all()
