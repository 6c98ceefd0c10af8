"""Heat maps on the radiograph they belong to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from medcxr.core.errors import DataError
from medcxr.core.geometry import Geometry
from medcxr.explain.colors import AGAINST, FOR
from medcxr.explain.overlay import layer, legend, overlay, upsample

# A portrait image of 400 x 200 in a 64-pixel square: 64 x 32 model pixels, padded left and right.
PORTRAIT = Geometry(original_shape=(400, 200), model_size=64, content=(0, 16, 64, 48))
LANDSCAPE = Geometry(original_shape=(100, 300), model_size=96, content=(32, 0, 64, 96))
SQUARE = Geometry(original_shape=(64, 64), model_size=64, content=(0, 0, 64, 64))


def hot(row, column, *, value=1.0, shape=(8, 8)):
    evidence = np.zeros(shape, dtype=np.float32)
    evidence[row, column] = value
    return evidence


def gray(geometry, level=0.4):
    return np.full(geometry.original_shape, level, dtype=np.float32)


@pytest.mark.parametrize(
    ("geometry", "token", "center"),
    [
        # Token (2, 3) of 8 covers model rows 16…24, columns 24…32; its center (20, 28) lies at
        # 20 / 64 * 400 = 125 rows and (28 - 16) / 32 * 200 = 75 columns of the original.
        (PORTRAIT, (2, 3), (125.0, 75.0)),
        # Tokens are 12 model pixels wide: token (4, 5) has its center at (54, 66), that is
        # (54 - 32) / 32 * 100 = 68.75 rows and 66 / 96 * 300 = 206.25 columns. The image's lower
        # edge cuts off the last 2 of 12 model pixels below it, hence a quarter pixel of tolerance.
        (LANDSCAPE, (4, 5), (68.75, 206.25)),
    ],
)
def test_a_single_hot_token_lands_at_its_place_in_the_original(geometry, token, center):
    at = upsample(hot(*token), geometry)
    rows, columns = np.indices(at.shape) + 0.5
    centroid = ((rows * at).sum() / at.sum(), (columns * at).sum() / at.sum())
    assert centroid == pytest.approx(center, abs=0.25)
    assert at.max() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("geometry", "token", "corner"),
    [
        # In PORTRAIT tokens 2…5 of 8 cover the image's columns.
        (PORTRAIT, (0, 2), (0, 0)),
        (PORTRAIT, (7, 5), (399, 199)),
        (SQUARE, (0, 7), (0, 63)),
    ],
)
def test_a_hot_token_in_a_corner_is_hottest_in_that_corner(geometry, token, corner):
    at = upsample(hot(*token), geometry)
    quarter = (slice(None, 50) if corner[0] == 0 else slice(-50, None)), slice(None)
    assert at[corner] > 0.2
    assert at.max() == pytest.approx(at[quarter].max())


def test_a_hot_token_reaches_no_further_than_its_neighbors_centers():
    at = upsample(hot(2, 3), PORTRAIT)
    # Neighboring centers: rows 75 and 175, columns 25 and 125
    rows, columns = np.nonzero(at > 1e-6)
    assert (rows.min(), rows.max()) == (75, 174)
    assert (columns.min(), columns.max()) == (25, 124)


def test_evidence_in_the_padding_stays_out_of_sight():
    # Columns 0…1 of 8 lie in the left padding; column 2 starts where the image starts.
    assert not upsample(hot(4, 0), PORTRAIT).any()


def test_a_zero_map_leaves_the_radiograph_gray():
    pixels = np.linspace(0, 1, 80_000, dtype=np.float32).reshape(400, 200)
    shown = overlay(pixels, np.zeros((8, 8), dtype=np.float32), PORTRAIT, opacity=1.0)
    expected = np.rint(255 * pixels).astype(np.uint8)
    assert shown.dtype == np.uint8
    assert np.array_equal(shown, np.repeat(expected[..., None], 3, axis=2))


def test_the_strongest_evidence_has_exactly_the_asked_opacity():
    shown = overlay(gray(SQUARE), np.full((8, 8), 2.0, np.float32), SQUARE, opacity=0.25)
    assert shown[30, 30] == pytest.approx(255 * (0.75 * 0.4 + 0.25 * FOR), abs=0.51)


def test_opacity_is_in_proportion_to_the_evidence():
    shown = overlay(
        gray(SQUARE), np.full((8, 8), -0.5, np.float32), SQUARE, opacity=0.8, full_scale=2.0
    )
    assert shown[30, 30] == pytest.approx(255 * (0.8 * 0.4 + 0.2 * AGAINST), abs=0.51)


def test_evidence_for_is_warm_and_against_is_cool():
    evidence = hot(2, 2) + hot(5, 5, value=-1.0)
    shown = overlay(gray(SQUARE), evidence, SQUARE).astype(int)
    assert shown[20, 20, 0] > shown[20, 20, 2]
    assert shown[44, 44, 2] > shown[44, 44, 0]


def test_evidence_beyond_the_full_scale_is_shown_at_full_opacity():
    strong = overlay(gray(SQUARE), np.full((8, 8), 9.0, np.float32), SQUARE, full_scale=1.0)
    full = overlay(gray(SQUARE), np.full((8, 8), 1.0, np.float32), SQUARE, full_scale=1.0)
    assert np.array_equal(strong, full)


def test_an_image_of_another_shape_is_refused():
    with pytest.raises(DataError, match="pass the image that was analyzed"):
        overlay(gray(SQUARE), hot(0, 0), PORTRAIT)


def test_the_legend_runs_from_against_over_gray_to_for():
    bar = legend(4, 101, opacity=1.0)
    assert bar.shape == (4, 101, 3)
    assert bar[0, 0] == pytest.approx(255 * AGAINST, abs=0.51)
    assert np.ptp(bar[0, 50].astype(int)) == 0
    assert bar[0, 100] == pytest.approx(255 * FOR, abs=0.51)


@given(
    evidence=hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
        elements=st.floats(-8, 8, width=32),
    ),
    geometry=st.sampled_from([PORTRAIT, LANDSCAPE, SQUARE]),
)
@settings(max_examples=50)
def test_upsampling_never_leaves_the_range_of_the_tokens(evidence, geometry):
    at = upsample(evidence, geometry)
    assert at.shape == geometry.original_shape
    assert at.min() >= evidence.min() - 1e-4
    assert at.max() <= evidence.max() + 1e-4


@given(value=st.floats(-5, 5, width=32), side=st.integers(1, 16))
@settings(max_examples=30)
def test_an_even_map_stays_even(value, side):
    at = upsample(np.full((side, side), value, dtype=np.float32), LANDSCAPE)
    assert at == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize("opacity", [0.0, 0.6, 1.0])
def test_a_layer_laid_over_the_radiograph_is_the_overlay(opacity):
    evidence = hot(2, 3) + hot(5, 4, value=-0.5)
    radiograph = gray(PORTRAIT)
    picture = layer(evidence, PORTRAIT, (400, 200), full_scale=2.0).astype(float)
    alpha = opacity * picture[..., 3:] / 255
    laid = (1 - alpha) * 255 * radiograph[..., np.newaxis] + alpha * picture[..., :3]
    expected = overlay(radiograph, evidence, PORTRAIT, opacity=opacity, full_scale=2.0)
    assert np.abs(laid - expected).max() < 2


def test_a_smaller_layer_covers_the_same_places():
    picture = layer(hot(2, 3), PORTRAIT, (40, 20), full_scale=1.0)
    row, column = np.argwhere(picture[..., 3] == picture[..., 3].max()).mean(axis=0)
    assert (row + 0.5, column + 0.5) == pytest.approx((12.5, 7.5), abs=0.5)
