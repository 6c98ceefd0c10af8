"""The worst mistakes are found and shown."""

import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
from medcxr.learning.failures import failure_sheet, worst_rows
from small_training import random_images

pytestmark = pytest.mark.train


def test_the_worst_of_either_kind_come_first_and_unknown_ones_never():
    labels = np.array([1, 1, 0, 0, np.nan, np.nan, 1, 0])
    scores = np.array([0.9, 0.1, 0.8, 0.2, 0.0, 1.0, 0.5, 0.3])

    missed, false = worst_rows(labels, scores, n=2)

    assert missed == [1, 6]
    assert false == [2, 7]


def test_the_sheet_shows_the_images_themselves():
    images = random_images(12)
    labels, scores = images.labels[:, :2], np.random.default_rng(0).random((12, 2))

    sheet = Image.open(io.BytesIO(failure_sheet(images, range(12), labels, scores, ("A", "B"))))

    pixels = np.asarray(sheet)
    missed, _ = worst_rows(labels[:, 0], scores[:, 0], n=4)
    shown = pixels[26 : 26 + 64, 10 : 10 + 64].astype(float)
    square = images.squares[missed[0]].astype(float)
    assert np.corrcoef(shown.ravel(), square.ravel())[0, 1] > 0.99
