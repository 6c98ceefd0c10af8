"""The hybrid network: its maps, its grid and how it begins."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
import torch
from torch.nn.functional import adaptive_avg_pool2d

from medcxr.learning.config import NetworkConfig, TrainingConfig
from medcxr.learning.fitting import build_network
from medcxr.learning.networks import CNNTransformerHybrid, pool_to_grid

pytestmark = pytest.mark.train

SMALL = NetworkConfig(
    stem_widths=(8, 8, 8),
    pretrained=False,
    width=16,
    layers=2,
    heads=2,
    feedforward=16,
    classifier_width=8,
)
STEMS = ["plain", "efficientnet_lite0"]
N_FINDINGS = 5


def images(n=3, size=64, seed=0):
    return torch.randn((n, 3, size, size), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("pooling", ["mean", "attention"])
@pytest.mark.parametrize("stem", STEMS)
def test_a_map_sums_to_the_logit_of_its_finding(stem, pooling):
    torch.manual_seed(1)
    network = CNNTransformerHybrid(replace(SMALL, stem=stem, pooling=pooling), N_FINDINGS).eval()

    logits, maps = network(images())

    assert logits.shape == (3, N_FINDINGS)
    assert maps.shape == (3, N_FINDINGS, 8, 8)
    torch.testing.assert_close(maps.sum(dim=(-2, -1)), logits, rtol=1e-5, atol=1e-6)
    assert maps.flatten(2).std(dim=-1).min() > 0  # the places differ


def test_without_layers_no_token_knows_of_another():
    torch.manual_seed(2)
    related = CNNTransformerHybrid(SMALL, N_FINDINGS).eval()
    for block in related.encoder.layers:  # which start as the identity
        torch.nn.init.normal_(block.self_attn.out_proj.weight)
    alone = CNNTransformerHybrid(replace(SMALL, layers=0, pooling="mean"), N_FINDINGS).eval()
    first = images(1)
    second = first.clone()
    second[:, :, -8:, -8:] += 1.0  # the last corner

    def far_change(network):
        maps = [network(x).maps.detach()[:, :, :4, :4] for x in (first, second)]
        return float((maps[0] - maps[1]).abs().max())

    assert far_change(alone) == 0
    assert far_change(related) > 0
    assert not torch.equal(alone(first).logits, alone(second).logits)


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize(("grid", "size"), [(5, 64), (8, 96), (7, 100)])
def test_any_grid_fits_any_size(stem, grid, size):
    network = CNNTransformerHybrid(replace(SMALL, stem=stem, grid=grid), N_FINDINGS).eval()

    assert network(images(1, size)).maps.shape == (1, N_FINDINGS, grid, grid)


@given(rows=st.integers(1, 40), columns=st.integers(1, 40), grid=st.integers(1, 12))
@settings(max_examples=80)
def test_pooling_to_the_grid_is_adaptive_average_pooling(rows, columns, grid):
    features = torch.randn((2, 3, rows, columns), generator=torch.Generator().manual_seed(rows))

    torch.testing.assert_close(
        pool_to_grid(features, grid), adaptive_avg_pool2d(features, grid), rtol=1e-5, atol=1e-6
    )


def test_an_image_is_judged_alike_alone_and_in_a_batch():
    network = CNNTransformerHybrid(SMALL, N_FINDINGS).eval()
    batch = images(4)

    together = network(batch).logits
    alone = torch.cat([network(one[None]).logits for one in batch])

    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)


def test_each_block_begins_as_the_identity():
    network = CNNTransformerHybrid(SMALL, N_FINDINGS).eval()
    tokens = torch.randn((2, 64, 16), generator=torch.Generator().manual_seed(2))

    torch.testing.assert_close(network.encoder(tokens), tokens, rtol=0, atol=0)


def test_a_network_tells_places_apart():
    network = CNNTransformerHybrid(SMALL, N_FINDINGS).eval()
    batch = images(1)

    maps, mirrored = network(batch).maps, network(batch.flip(-1)).maps

    # without positions the map of a mirrored image would be nearly the mirrored map
    assert (maps.flip(-1) - mirrored).abs().max() > 0.1 * maps.std()


def test_equal_seeds_begin_with_equal_weights():
    config = TrainingConfig(network=SMALL, seed=4)

    first, second, other = map(build_network, [config, config, replace(config, seed=5)])

    for name, weights in first.state_dict().items():
        assert torch.equal(weights, second.state_dict()[name])
    assert not torch.equal(first.position, other.position)


def test_auxiliary_findings_are_further_outputs():
    config = TrainingConfig(network=SMALL)
    data = replace(config.data, findings=("A", "B"), auxiliary_findings=("C",))

    assert build_network(replace(config, data=data))(images(2)).logits.shape == (2, 3)
