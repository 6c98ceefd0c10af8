"""The images of a run in memory."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("monai")
from medcxr.core.errors import DataError
from medcxr.datasets.study_table import StudyTable
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.imaging.reading import read_image
from medcxr.learning.augmentation import Augmentation
from medcxr.learning.config import AugmentationConfig
from medcxr.learning.image_set import ImageSet

pytestmark = pytest.mark.train

PREPROCESSING = Preprocessing(size=64)
SHAPES = [(80, 64), (64, 96), (100, 100)]


@pytest.fixture
def table(tmp_path) -> StudyTable:
    """Return a table of three images of noise of different shapes."""
    for number, shape in enumerate(SHAPES):
        write_noise(tmp_path / f"{number}.png", shape, seed=number)
    return table_of(tmp_path, "0.png", "1.png", "2.png")


def write_noise(path: Path, shape: tuple[int, int], *, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def table_of(folder: Path, *names: str) -> StudyTable:
    labels = np.array([[i % 2, np.nan] for i in range(len(names))])
    return StudyTable(
        root=folder, image_paths=names, findings=("A", "B"), labels=labels, patients=names
    )


def test_an_input_is_what_the_model_will_see_later(table):
    images = ImageSet.load([table], PREPROCESSING)

    assert len(images) == 3
    for index in range(3):
        expected, _ = PREPROCESSING.apply(read_image(table.path(index)).pixels)
        made = images.input(index)
        assert made.dtype == np.float32
        # 16-bit floats are finer than the steps of an 8-bit file
        np.testing.assert_allclose(made, expected, atol=0.02)
        assert np.abs(made - expected).mean() < 0.002


def test_tables_follow_each_other_with_their_labels(table):
    images = ImageSet.load([table.select([2]), table.select([0, 1])], PREPROCESSING)

    order = ImageSet.load([table], PREPROCESSING).squares[[2, 0, 1]]
    np.testing.assert_array_equal(images.squares, order)
    np.testing.assert_array_equal(images.labels, table.labels[[2, 0, 1]])


def test_an_augmented_input_is_standardized_after_the_change(table):
    images = ImageSet.load([table], PREPROCESSING)
    brighter = Augmentation(AugmentationConfig(gamma=0.5, noise=0.0), 64)

    changed = images.input(2, augmentation=brighter, seed=4)

    assert not np.array_equal(changed, images.input(2))
    assert changed.mean() == pytest.approx(0, abs=0.05)
    assert changed.std() == pytest.approx(1, abs=0.05)
    np.testing.assert_array_equal(changed, images.input(2, augmentation=brighter, seed=4))


def test_the_digest_is_of_the_files_and_their_order(table, tmp_path):
    digest = ImageSet.load([table], PREPROCESSING).digest

    assert ImageSet.load([table], Preprocessing(size=32)).digest == digest
    assert ImageSet.load([table.select([1, 0, 2])], PREPROCESSING).digest != digest
    write_noise(tmp_path / "1.png", SHAPES[1], seed=9)
    assert ImageSet.load([table], PREPROCESSING).digest != digest


def test_an_image_that_cannot_be_read_is_named_with_its_row(tmp_path):
    write_noise(tmp_path / "good.png", (64, 64), seed=0)
    (tmp_path / "bad.png").write_text("no image")

    for bad in ("bad.png", "absent.png"):
        with pytest.raises(DataError, match=rf"Row 2 of .*\({bad}\).*Correct or remove the row"):
            ImageSet.load([table_of(tmp_path, "good.png", bad)], PREPROCESSING)


def test_progress_counts_the_images_of_all_tables(table):
    seen = []

    ImageSet.load([table, table.select([0])], PREPROCESSING, progress=lambda *at: seen.append(at))

    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
