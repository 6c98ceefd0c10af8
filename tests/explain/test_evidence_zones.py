"""Evidence divided among zones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcxr.explain.zones import evidence_by_zone, main_zone


def halves(size=60):
    left = np.zeros((size, size), dtype=bool)
    left[:, : size // 2] = True
    return {"left": left, "right": ~left}


def test_a_token_between_two_zones_counts_for_both():
    evidence = np.zeros((3, 3), dtype=np.float32)
    evidence[0, 0], evidence[1, 1] = 3.0, 1.0  # in the left half, and on the border

    shares = evidence_by_zone(evidence, halves())

    assert shares == {"left": pytest.approx(0.875), "right": pytest.approx(0.125)}


def test_what_speaks_against_the_finding_does_not_count():
    evidence = np.array([[1.0, -5.0], [1.0, -5.0]], dtype=np.float32)
    assert evidence_by_zone(evidence, halves()) == {"left": 1.0, "right": 0.0}
    assert evidence_by_zone(-np.abs(evidence), halves()) is None
    assert evidence_by_zone(evidence, {}) is None


def test_evidence_over_the_padding_is_in_no_zone():
    zones = halves()
    zones["left"][:, :15] = False  # padded
    assert evidence_by_zone(np.ones((4, 4), np.float32), zones) == {"left": 0.25, "right": 0.5}


@given(seed=st.integers(0, 2**32 - 1), grid=st.sampled_from([3, 7, 8]), size=st.integers(16, 70))
@settings(max_examples=50)
def test_shares_of_zones_that_cover_everything_sum_to_one(seed, grid, size):
    random = np.random.default_rng(seed)
    number = random.integers(0, 4, (size, size))
    zones = {str(i): number == i for i in range(4)}
    shares = evidence_by_zone(random.normal(size=(grid, grid)).astype(np.float32), zones)
    assert shares is None or sum(shares.values()) == pytest.approx(1)


def test_the_main_zone_is_told_in_a_sentence():
    told = main_zone("Effusion", {"left lower": 0.61, "elsewhere": 0.2})
    assert told == "61% of the evidence for Effusion lies in the left lower zone."
    assert main_zone("X", {"elsewhere": 1.0}).endswith("lies outside lungs and heart.")
    assert main_zone("X", {"heart and behind it": 0.5}).endswith("lies over the heart.")
