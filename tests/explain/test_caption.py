"""Words below a picture."""

import numpy as np
import pytest

from medcxr.explain.caption import captioned

WORDS = "Decision support, not a diagnosis; research software."


@pytest.mark.parametrize("columns", [100, 300, 1200])
def test_a_caption_stands_below_a_picture_and_is_never_cut_off(columns):
    picture = np.full((50, columns, 3), 90, np.uint8)
    written = captioned(picture, ["Pneumonia, evidence map", WORDS])
    assert np.array_equal(written[:50], picture)
    assert written.shape[1] == columns
    bright = np.nonzero(written[50:].max(axis=2).max(axis=0) > 100)[0]
    assert bright.max() < columns - 2  # the last letter is there, and some room beside it
    last = captioned(picture, ["Pneumonia, evidence map", WORDS.replace("software.", "program.")])
    assert written.shape != last.shape or not np.array_equal(written, last)


def test_more_words_take_more_lines():
    picture = np.zeros((50, 120, 3), np.uint8)
    one, many = captioned(picture, ["Short"]), captioned(picture, [WORDS])
    assert len(many) > len(one) > 50
