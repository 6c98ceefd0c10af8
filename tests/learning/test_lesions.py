"""Opacities painted into lungs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

from medcxr.core.findings import Finding
from medcxr.learning.augmentation import Augmentation
from medcxr.learning.config import AugmentationConfig, LesionConfig
from medcxr.learning.lesions import LesionPainter
from medcxr.learning.loading import batches
from small_training import random_images

pytestmark = pytest.mark.train

SIZE = 64
LABELS = ("Pneumonia", "Effusion", "Cardiomegaly", "No Finding", "Mass")
HEALTHY = np.array([0.0, 0.0, 0.0, 1.0, 0.0])


def lungs(n=1):
    """Return two boxes, that of the right lung in the image's left half."""
    masks = np.zeros((n, 2, SIZE, SIZE), dtype=bool)
    masks[:, 0, 10:50, 8:28] = True
    masks[:, 1, 10:50, 36:56] = True
    return masks


def chest():
    """Return dark lungs in a bright chest."""
    square = np.full((SIZE, SIZE), 0.7, dtype=np.float32)
    square[lungs()[0].any(axis=0)] = 0.2
    return square


def painter(share=1.0, n=1, masks=None, **settings):
    config = LesionConfig(share=share, **settings)
    return LesionPainter(config, LABELS, 4, lungs(n) if masks is None else masks)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_a_lesion_whitens_its_place_in_one_lung_and_nothing_else(seed):
    lesion = painter().paint(0, chest(), HEALTHY, seed=seed)

    change = lesion.square - chest()
    assert lesion.finding in {Finding.PNEUMONIA, Finding.EFFUSION}
    assert 0 <= lesion.place.min() <= lesion.place.max() <= 1
    assert change.min() >= 0
    assert change.max() > 0.02
    assert np.all(change[lesion.place < 1e-3] < 1e-3)
    halves = lesion.place[:, : SIZE // 2].sum(), lesion.place[:, SIZE // 2 :].sum()
    assert min(halves) < 0.01 * max(halves)
    again = painter().paint(0, chest(), HEALTHY, seed=seed)
    assert np.array_equal(again.square, lesion.square)


def test_fluid_lies_below_and_climbs_the_chest_wall():
    floods = [
        lesion.place
        for lesion in (painter().paint(0, chest(), HEALTHY, seed=seed) for seed in range(80))
        if lesion.finding == Finding.EFFUSION
    ]
    assert len(floods) > 20
    for place in floods:
        rows = place.max(axis=1)
        assert rows[46] > 0.4
        assert rows[12] < 0.1
        wet = place > 0.5 * place.max()
        medial, lateral = (26, 10) if wet[:, : SIZE // 2].any() else (37, 53)
        assert wet[:, lateral].sum() >= wet[:, medial].sum()


def test_both_findings_are_painted_about_equally_often_and_at_the_configured_rate():
    lesions = [painter(0.5).paint(0, chest(), HEALTHY, seed=seed) for seed in range(400)]
    found = [lesion.finding for lesion in lesions if lesion]
    assert 160 < len(found) < 240
    assert 0.35 < found.count(Finding.EFFUSION) / len(found) < 0.65


@pytest.mark.parametrize("labels", [[0, 1, 0, 0, 0], [np.nan] * 5, [1, 0, 0, np.nan, 0]])
def test_only_healthy_images_are_painted(labels):
    assert painter().paint(0, chest(), np.array(labels), seed=0) is None


def test_nothing_is_painted_where_no_lung_was_found():
    masks = np.zeros_like(lungs())
    assert painter(masks=masks).paint(0, chest(), HEALTHY, seed=0) is None


def test_the_labels_say_what_was_painted():
    labels = painter(as_positives=True).relabel(HEALTHY, Finding.EFFUSION)
    assert labels[:4].tolist() == [0, 1, 0, 0]
    assert np.isnan(labels[4])  # whether it is a mass, too, is unknown
    placed = painter().relabel(HEALTHY, Finding.EFFUSION)
    assert placed[[0, 2]].tolist() == [0, 0]
    assert np.isnan(placed[[1, 3, 4]]).all()
    assert HEALTHY[3] == 1


def test_places_are_moved_as_their_images_are():
    images = random_images(6)
    images.labels[:] = HEALTHY[: images.labels.shape[1]]
    for row in range(6):
        images.squares[row] = chest()
    still = AugmentationConfig(gamma=0.0, noise=0.0, rotation_degrees=20.0, shift=0.1, zoom=0.2)
    draws = [[(row, 100 + row) for row in range(6)]]
    labels = LABELS[: images.labels.shape[1]]
    one = LesionPainter(LesionConfig(share=1.0, as_positives=True), labels, 4, lungs(6))
    augmentation = Augmentation(still, SIZE)

    (batch,) = batches(images, draws, augmentation=augmentation, painter=one)

    assert (batch.painted >= 0).all()
    for row in range(6):
        painted = one.paint(row, chest(), images.labels[row], seed=100 + row)
        moved, plain = (augmentation(s, seed=100 + row) for s in (painted.square, chest()))
        place = batch.places[row].numpy()
        # brighter where the place says so, and only there
        assert np.corrcoef((moved - plain).ravel(), (place * (0.7 - plain)).ravel())[0, 1] > 0.98
        assert batch.labels[row, batch.painted[row]] == 1
        assert batch.labels[row, 3] == 0
