"""Rank correlation of maps, against scipy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from medcxr.explain.similarity import rank_correlation


@given(seed=st.integers(0, 10_000), levels=st.integers(2, 20))
def test_it_is_spearmans_with_ties(seed, levels):
    random = np.random.default_rng(seed)
    one, other = random.integers(0, levels, (2, 7, 7)).astype(np.float32)

    assert rank_correlation(one, other) == pytest.approx(
        spearmanr(one.ravel(), other.ravel()).statistic, abs=1e-12
    )


def test_a_map_that_is_the_same_everywhere_is_like_no_other():
    ramp = np.arange(49, dtype=np.float32).reshape(7, 7)

    assert rank_correlation(ramp, np.zeros_like(ramp)) == 0.0
    assert rank_correlation(ramp, ramp**3) == pytest.approx(1.0)
    assert rank_correlation(ramp, -ramp) == pytest.approx(-1.0)
