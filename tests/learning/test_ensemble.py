"""Several networks that answer as one."""

from dataclasses import replace

import pytest

pytest.importorskip("torch")
import torch

from medcxr.learning.ensemble import Ensemble
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
