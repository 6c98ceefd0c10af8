"""Blended images have blended labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
import torch

from medcxr.learning.mixup import blend

pytestmark = pytest.mark.train


@given(seed=st.integers(0, 2**32 - 1), strength=st.floats(0.05, 1.0))
@settings(max_examples=60)
def test_images_and_labels_are_blended_by_one_share(seed, strength):
    # each image is its own label everywhere, so the blend of one must be that of the other
    values = torch.tensor([0.0, 1.0, 0.25, 0.75])
    inputs = values[:, None, None, None].expand(-1, 3, 4, 4)

    blended, labels, share = blend(inputs, values[:, None], strength=strength, seed=seed)
    again, *_ = blend(inputs, values[:, None], strength=strength, seed=seed)

    assert torch.equal(blended, again)
    assert torch.allclose(blended[:, 0, 0, 0], labels[:, 0])
    random = np.random.default_rng(seed)
    assert share == pytest.approx(random.beta(strength, strength))
    assert labels.mean() == pytest.approx(0.5, abs=1e-6)  # every image is added once


def test_what_is_unknown_of_one_is_unknown_of_the_blend():
    labels = torch.tensor([[np.nan, 1.0], [0.0, 1.0]])

    for seed in range(10):
        _, blended, _ = blend(torch.zeros(2, 1, 2, 2), labels, strength=0.3, seed=seed)
        assert bool(torch.isnan(blended[0, 0]))
        assert torch.equal(blended[:, 1], torch.ones(2))


def test_seeds_blend_differently():
    inputs = torch.arange(8.0)[:, None, None, None]
    blends = {
        tuple(blend(inputs, inputs[:, :, 0, 0], strength=0.5, seed=seed)[0].flatten().tolist())
        for seed in range(20)
    }
    assert len(blends) == 20
