"""The sheet of outlines shows each radiograph once for each reader."""

import numpy as np

from medcxr.explain.outline_sheet import outline_sheet


def test_each_reader_has_a_picture_of_its_own():
    pixels = np.full((64, 48), 0.3, dtype=np.float32)
    pixels[0, 0] = 0.9  # so that there is something to stretch
    organs = np.zeros((3, 32, 24), dtype=bool)
    organs[2, 10:20, 8:16] = True

    sheet = outline_sheet([("words", pixels, (organs, np.zeros_like(organs)))] * 2)

    half = sheet.shape[1] // 2
    colored = np.ptp(sheet.astype(int), axis=2) > 30
    assert colored[:, :half].any()
    assert not colored[:, half:].any()
    assert (sheet == 255).all(axis=2).any()  # the words
    assert outline_sheet([]).ndim == 3
