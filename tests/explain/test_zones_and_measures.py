"""Zones and measures: what is known of a function is found again."""

import numpy as np
import pytest

from medcxr.explain.importance import expected_change, zone_falls
from medcxr.explain.measured import take_measures


def test_only_hiding_what_a_logit_looks_at_moves_it():
    x = np.zeros((3, 32, 32), dtype=np.float32)
    x[:, 4:8, 4:8] = 5.0
    seen, beside = np.zeros((2, 32, 32), dtype=np.bool_)
    seen[4:8, 4:8] = True
    beside[20:28, 20:28] = True

    def score(inputs):
        there = inputs[:, 0][:, seen].mean(axis=1)
        return np.stack([there, -2 * there], axis=1)

    falls = zone_falls(score, x, {"seen": seen, "beside": beside})

    assert falls.shape == (2, 2)
    assert falls[0, 0] > 1
    assert falls[0, 1] == pytest.approx(-2 * falls[0, 0])
    assert falls[1] == pytest.approx(0.0)


def test_the_expected_change_is_that_of_many_permutations():
    random = np.random.default_rng(0)
    values = random.normal(size=12)
    drawn = []
    for _ in range(20_000):
        moved = random.permutation(values)
        drawn.append(np.where(moved == values, np.nan, 3.0 * np.abs(moved - values)))

    found = expected_change(values, -3.0)

    assert found == pytest.approx(np.nanmean(drawn, axis=0), rel=0.05)


@pytest.mark.train
@pytest.mark.parametrize("seed", range(4))
def test_measures_are_those_of_the_graph(seed):
    torch = pytest.importorskip("torch")
    from medcxr.learning.anatomy import sharpened
    from medcxr.learning.measures import measure

    random = np.random.default_rng(seed)
    logits = random.normal(-4, 1, (3, 64, 64))
    for organ, columns in enumerate(((8, 26), (38, 56), (22, 44))):
        logits[organ, 10 + 3 * organ : 50, slice(*columns)] += 8 + random.normal(size=(1, 1))
    outlines = torch.from_numpy(logits.astype(np.float32))

    found = take_measures(outlines.sigmoid().numpy())

    assert found == pytest.approx(measure(sharpened(outlines)[None])[0].numpy(), rel=1e-3, abs=1e-4)


def test_no_organ_measures_about_nothing():
    assert np.abs(take_measures(np.zeros((3, 64, 64), dtype=np.float32))).max() < 1e-3
