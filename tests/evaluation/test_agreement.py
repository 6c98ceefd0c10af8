"""The intraclass correlation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcxr.core.errors import DataError
from medcxr.evaluation.agreement import agreement

# Shrout and Fleiss 1979, table 2: six targets, four judges; their table 4 gives ICC(2,1) = 0.29.
PUBLISHED = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]


def test_the_published_example():
    assert agreement(PUBLISHED) == pytest.approx(0.29, abs=0.005)


def test_a_reader_who_always_measures_more_does_not_agree():
    first = np.linspace(0.4, 0.6, 20)
    assert agreement(np.stack([first, first], axis=1)) == pytest.approx(1)
    assert agreement(np.stack([first, first + 0.1], axis=1)) < 0.5


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
@settings(max_examples=30)
def test_unit_and_order_of_the_readers_do_not_matter(seed, scale, shift):
    pairs = np.random.default_rng(seed).normal(size=(12, 2))
    once = agreement(pairs)
    assert once <= 1
    assert agreement(pairs[:, ::-1] * scale + shift) == pytest.approx(once, abs=1e-6)


@pytest.mark.parametrize("pairs", [[[1, 2]], [[1], [2]], [1, 2], [[1, 2], [np.nan, 1]]])
def test_too_few_readings_are_refused(pairs):
    with pytest.raises(DataError, match="at least two"):
        agreement(pairs)
