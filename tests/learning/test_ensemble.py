"""Several networks that answer as one."""

from dataclasses import replace

import pytest

pytest.importorskip("torch")
import torch

from medcxr.learning.ensemble import Ensemble, Mirrored
from medcxr.learning.fitting import build_network
from small_training import small_config

pytestmark = pytest.mark.train


@torch.inference_mode()
def test_the_answer_is_the_mean_of_the_members_and_its_maps_sum_to_it(tmp_path):
    config = small_config(tmp_path)
    members = [build_network(replace(config, seed=seed)) for seed in range(3)]
    x = torch.randn((2, 3, 64, 64), generator=torch.Generator().manual_seed(0))

    logits, maps = Ensemble(members).eval()(x)

    answers = [member(x) for member in members]
    torch.testing.assert_close(logits, sum(one.logits for one in answers) / 3)
    torch.testing.assert_close(maps, sum(one.maps for one in answers) / 3)
    torch.testing.assert_close(maps.sum(dim=(-2, -1)), logits, rtol=1e-5, atol=1e-6)


@torch.inference_mode()
def test_maps_of_several_grids_meet_on_the_finest_and_still_sum_to_the_logits(tmp_path):
    config = small_config(tmp_path)
    coarse = config.network.grid
    fine = replace(config, network=replace(config.network, grid=2 * coarse))
    members = [build_network(config).eval(), build_network(fine).eval()]
    x = torch.randn((2, 3, 64, 64), generator=torch.Generator().manual_seed(0))

    logits, maps = Ensemble(members).eval()(x)

    own, finer = (member(x).maps for member in members)
    assert maps.shape[-2:] == (2 * coarse, 2 * coarse)
    torch.testing.assert_close(maps[..., 0, 1], (own[..., 0, 0] / 4 + finer[..., 0, 1]) / 2)
    torch.testing.assert_close(maps[..., 2, 5], (own[..., 1, 2] / 4 + finer[..., 2, 5]) / 2)
    torch.testing.assert_close(maps.sum(dim=(-2, -1)), logits, rtol=1e-5, atol=1e-6)


@torch.inference_mode()
def test_a_mirrored_answer_is_the_same_for_the_mirror_image(tmp_path):
    config = small_config(tmp_path)
    network = Mirrored(build_network(config)).eval()
    x = torch.randn((2, 3, 64, 64), generator=torch.Generator().manual_seed(0))

    own, turned = network(x), network(x.flip(-1))

    torch.testing.assert_close(own.logits, turned.logits)
    torch.testing.assert_close(own.maps, turned.maps.flip(-1))
    torch.testing.assert_close(own.maps.sum(dim=(-2, -1)), own.logits, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(own.logits, network.network(x).logits)
