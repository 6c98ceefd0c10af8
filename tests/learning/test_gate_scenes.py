"""What the gate is shown: quarter turns, mirrors, cuts, and inverted grays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

from medcxr.core.gate import ImageKind
from medcxr.imaging.preprocessing import Preprocessing
from medcxr.inference.gate import gate_input
from medcxr.learning.gate_scenes import GATE_PREPROCESSING, Scenery, show

pytestmark = pytest.mark.train

WHOLE = (0, 0, 192, 192)

ONE_LEVEL = 4e-3  # of the grey levels that normalization tells apart


@pytest.fixture(scope="module")
def square():
    rows, columns = np.mgrid[0:192, 0:192] / 192
    return (0.2 + 0.5 * rows**2 + 0.3 * np.exp(-20 * (columns - 0.7) ** 2)).astype(np.float32)


def upright(square, content=WHOLE, **changes):
    return show(square, content, Scenery(kind=ImageKind.FRONTAL, **changes))


def test_a_plain_scene_is_what_the_gate_sees_of_a_file(square):
    fitted, _ = GATE_PREPROCESSING.fit(square)
    assert upright(square) == pytest.approx(gate_input(fitted, GATE_PREPROCESSING), abs=0.1)


@pytest.mark.parametrize(
    ("kind", "turns"),
    [(ImageKind.TURNED_LEFT, 1), (ImageKind.UPSIDE_DOWN, 2), (ImageKind.TURNED_RIGHT, 3)],
)
def test_turns_are_exact(square, kind, turns):
    turned = show(square, WHOLE, Scenery(kind=kind))
    assert turned[0] == pytest.approx(np.rot90(upright(square)[0], turns), abs=ONE_LEVEL)


def test_mirrors_are_exact(square):
    mirrored = show(square, WHOLE, Scenery(kind=ImageKind.MIRRORED))
    assert mirrored[0] == pytest.approx(upright(square)[0][:, ::-1], abs=ONE_LEVEL)


def test_padding_stays_black_when_grays_are_inverted():
    pixels = np.full((300, 150), 0.4, dtype=np.float32)
    pixels[100:200] = 0.9
    square, geometry = Preprocessing(size=192).fit(pixels)
    shown = show(square, geometry.content, Scenery(kind=ImageKind.INVERTED))[0]
    padding, plain, bright = shown[48, 5], shown[10, 48], shown[48, 48]
    assert padding < bright < plain  # the bright band is now the darker part of the content


@given(kind=st.sampled_from(list(ImageKind)), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_every_drawn_scene_is_a_standardized_input(kind, seed):
    random = np.random.default_rng(seed)
    square = random.random((192, 192), dtype=np.float32)
    content = (0, 20, 192, 172)
    scenery = Scenery.draw(kind, random)
    shown = show(square, content, scenery, seed=seed)
    assert shown.shape == (1, 96, 96)
    assert shown.dtype == np.float32
    assert np.isfinite(shown).all()
    assert np.array_equal(shown, show(square, content, scenery, seed=seed))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=100)
def test_a_cut_lies_inside_and_off_the_middle(seed):
    scenery = Scenery.draw(ImageKind.CUT, np.random.default_rng(seed))
    half = 1 / scenery.zoom  # of the window's side, where the image reaches from -1 to 1
    for center in scenery.shift:
        assert abs(center) + half <= 1 + 1e-9
        assert abs(center) > 0.1
