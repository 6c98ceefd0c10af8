"""Batches, made here or beside."""

import os

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from medcxr.learning import loading
from medcxr.learning.augmentation import Augmentation
from medcxr.learning.config import AugmentationConfig
from medcxr.learning.loading import batches, onto, spare_workers
from small_training import SIZE, random_images

pytestmark = pytest.mark.train

DRAWS = [[(3, 10), (1, 11)], [(3, 12)], [(0, 13), (2, 14), (2, 15)]]


@pytest.fixture(scope="module")
def images():
    found = random_images(4)
    found.labels[1, 2] = np.nan
    return found


def test_batches_hold_the_drawn_rows_in_order(images):
    made = list(batches(images, DRAWS))

    assert [batch.inputs.shape for batch in made] == [(n, 3, SIZE, SIZE) for n in (2, 1, 3)]
    for draw, (inputs, labels, _, painted) in zip(DRAWS, made, strict=True):
        rows = [row for row, _ in draw]
        assert inputs.dtype == labels.dtype == torch.float32
        np.testing.assert_array_equal(inputs, np.stack([images.input(row) for row in rows]))
        np.testing.assert_array_equal(labels, images.labels[rows])
        assert bool((painted == -1).all())


# Python 3.12 warns of every fork beside threads, such as those of torch
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork")
def test_batches_do_not_depend_on_the_number_of_workers(images):
    augmentation = Augmentation(AugmentationConfig(), SIZE)

    here = list(batches(images, DRAWS, augmentation=augmentation))
    beside = list(batches(images, DRAWS, augmentation=augmentation, workers=2))

    for first, second in zip(here, beside, strict=True):
        assert torch.equal(first.inputs, second.inputs)
    assert not torch.equal(here[0].inputs, next(batches(images, DRAWS)).inputs)


def test_only_an_accelerator_leaves_cores_to_spare(monkeypatch):
    monkeypatch.setattr(loading, "available_cores", lambda: 3)
    assert spare_workers(accelerated=False) == 0
    assert spare_workers(accelerated=True) == 3
    monkeypatch.setattr(loading, "available_cores", lambda: 64)
    assert spare_workers(accelerated=True) == 8


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system holds to no core")
def test_a_training_that_is_held_to_one_core_prepares_its_own_images():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert spare_workers(accelerated=True) == 0
    finally:
        os.sched_setaffinity(0, before)


def test_what_is_on_its_device_stays_as_it_is():
    tensor = torch.arange(3)
    assert onto(torch.device("cpu"), tensor) is tensor
