"""Maps by gradients keep what their authors promise, and show what a known network looks at."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
pytest.importorskip("captum")
import torch
from torch import nn

from medcxr.core.errors import ModelError
from medcxr.explain.measured import MEASURES
from medcxr.explain.occlusion import blurred, cell_masks
from medcxr.explain.report import GRADCAM_MAP, GRADIENT_MAPS, INTEGRATED_MAP
from medcxr.learning.anatomy import AnatomyGuided, Fusion
from medcxr.learning.config import NetworkConfig
from medcxr.learning.ensemble import Ensemble, Mirrored
from medcxr.learning.gradient_maps import (
    GradientMaps,
    grad_cam,
    integrated_gradients,
    smooth_grad,
    sum_cells,
)
from medcxr.learning.networks import CNNTransformerHybrid, Evidence

pytestmark = pytest.mark.train

SIZE, GRID, N_LABELS = 64, 4, 3
SMALL = NetworkConfig(
    stem_widths=(8, 8),
    width=16,
    layers=1,
    heads=2,
    feedforward=16,
    classifier_width=8,
    grid=GRID,
    pooling="attention",
)


def hybrid(seed):
    torch.manual_seed(seed)
    network = CNNTransformerHybrid(SMALL, N_LABELS).eval()
    for block in network.encoder.layers:  # which start as the identity
        nn.init.normal_(block.self_attn.out_proj.weight, std=0.3)
    nn.init.normal_(network.classifier[-1].weight)  # or no image would move a logit
    return network.requires_grad_(requires_grad=False)


def radiograph(seed=0, size=SIZE):
    plane = np.random.default_rng(seed).normal(0, 1, (size, size)).cumsum(axis=0).cumsum(axis=1)
    plane = (plane - plane.mean()) / plane.std()
    return np.repeat(plane[np.newaxis].astype(np.float32), 3, axis=0)


def hazy(pixels):
    return np.array(blurred(pixels))


class _Weighed(nn.Module):
    """Sums the first channel, raised to a power and weighed, and twice that of the second."""

    def __init__(self, weights, power=1):
        super().__init__()
        self.weights = torch.from_numpy(np.asarray(weights, dtype=np.float32))
        self.power = power

    def forward(self, x):
        sums = (x[:, :2] ** self.power * self.weights).sum(dim=(2, 3))  # (B, 2)
        logits = torch.stack([sums[:, 0] + 2 * sums[:, 1], -sums[:, 0]], dim=1)
        return Evidence(logits, logits[:, :, None, None])


@settings(max_examples=15)
@given(seed=st.integers(0, 1000), column=st.sampled_from([0, 1]))
def test_of_a_linear_network_both_ways_give_weight_times_what_blur_takes(seed, column):
    weights = np.random.default_rng(seed + 1).normal(0, 1, (8, 8))
    pixels = radiograph(seed, size=8)
    expected = weights * (pixels - hazy(pixels))[0] * (3.0, -1.0)[column]

    network = _Weighed(weights)

    found = integrated_gradients(network, pixels, column, steps=2)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    found = smooth_grad(network, pixels, column, copies=2)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_integrated_gradients_of_squares_are_the_difference_of_squares():
    weights = np.random.default_rng(3).normal(0, 1, (8, 8))
    pixels = radiograph(2, size=8)
    expected = -weights * (pixels**2 - hazy(pixels) ** 2)[0]

    found = integrated_gradients(_Weighed(weights, power=2), pixels, 1, steps=3)

    np.testing.assert_allclose(found, expected, atol=1e-4)
    # the gradient at the image alone would tell twice the image, wherever the way began
    assert np.abs(-2 * weights * (pixels * (pixels - hazy(pixels)))[0] - expected).max() > 0.1


def test_smooth_gradients_are_those_of_noisy_copies():
    weights = np.ones((8, 8))
    pixels = radiograph(4, size=8)
    beside = (pixels - hazy(pixels))[0]

    of_squares = smooth_grad(_Weighed(weights, power=2), pixels, 1, copies=64)
    of_cubes = smooth_grad(_Weighed(weights, power=3), pixels, 1, copies=64)

    noise = 0.1 * float(np.ptp(pixels))
    assert np.abs(of_squares + 2 * pixels[0] * beside).max() > 0  # the noise is there
    # the mean slope of a cube is 3x² + 3s²: without noise it would miss the variance
    excess = float(-(of_cubes / beside).mean() - 3 * (pixels[0] ** 2).mean())
    assert excess == pytest.approx(3 * noise**2, rel=0.25)


def test_the_same_radiograph_has_the_same_map_and_leaves_chance_alone():
    network, pixels = hybrid(0), radiograph()
    torch.manual_seed(5)
    before = torch.rand(3)
    torch.manual_seed(5)
    first = smooth_grad(network, pixels, 0, copies=2)
    assert torch.equal(torch.rand(3), before)
    np.testing.assert_array_equal(smooth_grad(network, pixels, 0, copies=2), first)


@settings(max_examples=20)
@given(size=st.integers(4, 40), grid=st.integers(1, 4), seed=st.integers(0, 99))
def test_cells_are_those_that_the_tests_of_maps_hide(size, grid, seed):
    values = np.random.default_rng(seed).normal(0, 1, (size, size)).astype(np.float32)

    found = sum_cells(values, grid)

    expected = [float(values[mask].sum()) for mask in cell_masks(size, grid)]
    np.testing.assert_allclose(found.reshape(-1), expected, atol=1e-4)


@pytest.mark.parametrize("column", range(N_LABELS))
def test_integrated_gradients_sum_to_the_logit_beyond_that_of_the_blurred_image(column):
    network, pixels = hybrid(1), radiograph(1)
    maps = GradientMaps(network)
    logits, without = maps.logits(pixels), maps.logits(hazy(pixels))
    difference = float(logits[column] - without[column])

    shares = integrated_gradients(network, pixels, column, steps=64)

    assert abs(difference) > 0.05
    assert shares.shape == (SIZE, SIZE)
    assert float(shares.sum()) == pytest.approx(difference, rel=0.05)


def reference_grad_cam(networks, answer, x, column):
    """Return (grid, grid): equations 1 and 2 of the paper, by hand, for each call of each stem."""
    features = []
    hooks = [
        one.stem.register_forward_hook(lambda _module, _in, out: features.append(out))
        for one in networks
    ]
    logit = answer(x.requires_grad_()).logits[0, column]
    for hook in hooks:
        hook.remove()
    gradients = torch.autograd.grad(logit, features)
    return [
        (one.mean(dim=(2, 3), keepdim=True) * each).sum(dim=1)[0].detach().numpy()
        for one, each in zip(gradients, features, strict=True)
    ]


def test_grad_cam_is_the_papers_and_counts_each_network_as_its_logit_does():
    networks = [hybrid(seed) for seed in range(3)]
    uneven = Ensemble([Ensemble(networks[:2]), Ensemble(networks[2:])])
    pixels = radiograph(3)
    x = torch.from_numpy(pixels[np.newaxis])

    found = grad_cam(uneven, pixels, 1)

    expected = sum(reference_grad_cam(networks, uneven, x, 1))
    assert np.abs(expected).max() > 1e-4
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)
    single = grad_cam(networks[2], pixels, 1)
    assert not np.allclose(found, single, rtol=0.1)


def test_grad_cam_turns_the_mirror_images_map_back():
    network, pixels = hybrid(4), radiograph(5)
    both = Mirrored(network)
    x = torch.from_numpy(pixels[np.newaxis])

    own, mirrored = reference_grad_cam([network], both, x, 0)

    found = grad_cam(both, pixels, 0)
    np.testing.assert_allclose(found, own + mirrored[:, ::-1], rtol=1e-3, atol=1e-6)
    turned = grad_cam(both, np.ascontiguousarray(pixels[:, :, ::-1]), 0)
    np.testing.assert_allclose(turned, found[:, ::-1], rtol=1e-3, atol=1e-6)


class _ByBrightness(nn.Module):
    """Outlines what is dark as one lung, what is very bright as the other and all bright as heart."""

    def forward(self, x):
        plane = 4 * x[:, :1]
        return torch.cat([-plane, plane - 4, plane], dim=1)


@pytest.fixture(scope="module")
def guided():
    """Return a network whose first finding is informed by measures and whose second is not."""
    weights = np.zeros((N_LABELS, len(MEASURES)))
    weights[0, MEASURES.index("heart area by lung area")] = 10
    fusion = Fusion(np.array([0.5, 2.0, 1.0]), weights, np.zeros(len(MEASURES)), np.ones(N_LABELS))
    return AnatomyGuided(hybrid(6), _ByBrightness(), fusion).eval()


@pytest.mark.parametrize("column", [0, 1])
def test_with_measures_the_map_still_sums_to_the_difference(guided, column):
    grain = np.random.default_rng(7).normal(0, 1, (SIZE, SIZE))  # which blur takes away
    pixels = radiograph(7) + grain.astype(np.float32)
    maps = GradientMaps(guided)
    difference = float((maps.logits(pixels) - maps.logits(hazy(pixels)))[column])
    read = GradientMaps(guided.reader)
    slope = float(guided.slopes[column])
    of_reader = slope * float((read.logits(pixels) - read.logits(hazy(pixels)))[column])
    # what is tested is there for the one and not for the other
    assert (abs(difference - of_reader) > 0.2) == (column == 0)

    found = maps.map_of(INTEGRATED_MAP, pixels, column)

    assert found.shape == (GRID, GRID)
    assert float(found.sum()) == pytest.approx(difference, abs=0.1 + 0.05 * abs(of_reader))


def test_the_readers_maps_count_by_its_slope(guided):
    pixels = radiograph(8)
    found = GradientMaps(guided).map_of(GRADCAM_MAP, pixels, 1)
    np.testing.assert_allclose(found, 2 * grad_cam(guided.reader, pixels, 1), rtol=1e-4)


@pytest.mark.parametrize("method", GRADIENT_MAPS)
def test_findings_and_radiographs_have_maps_of_their_own(method):
    maps = GradientMaps(hybrid(9))
    one, other = radiograph(10), radiograph(11)
    found = [maps.map_of(method, *asked) for asked in ((one, 0), (one, 1), (other, 0))]
    assert all(each.dtype == np.float32 and each.std() > 0 for each in found)
    assert not np.allclose(found[0], found[1])
    assert not np.allclose(found[0], found[2])


@pytest.mark.parametrize("method", GRADIENT_MAPS)
def test_what_is_not_a_number_is_no_map(method):
    network = hybrid(12)
    network.classifier[-1].weight.fill_(float("nan"))
    with pytest.raises(ModelError, match=f"{method} holds values that are not numbers"):
        GradientMaps(network).map_of(method, radiograph(), 0)
