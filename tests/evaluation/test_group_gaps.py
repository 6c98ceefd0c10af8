"""Gaps between groups, their correction, and the coverage of prediction sets."""

from itertools import combinations

import numpy as np
import pytest

from medcxr.evaluation.coverage import coverage_figures
from medcxr.evaluation.finding_sample import draw_patients, finding_sample
from medcxr.evaluation.group_gaps import corrected, group_gaps, holm
from medcxr.evaluation.metrics import auc


def sample_of(n=400, *, blind=False):
    """Return images of which the second half cannot be ranked, if asked for."""
    random = np.random.default_rng(0)
    labels = (random.random(n) < 0.4).astype(float)
    signal = np.where(np.arange(n) < n // 2, 2.0, 0.0 if blind else 2.0)
    probabilities = 1 / (1 + np.exp(-random.normal(signal * (labels - 0.5), 1.0)))
    drawn = draw_patients([str(i // 2) for i in range(n)], n_bootstrap=300, seed=0)
    return finding_sample(labels, probabilities, drawn)[0]


GROUPS = {"view": ["PA"] * 200 + ["AP"] * 200}


def test_a_gap_is_that_of_the_figures_of_both_sides():
    sample = sample_of(blind=True)
    gaps = group_gaps("Effusion", sample, np.full(400, 0.5), GROUPS)
    by_name = {(gap.value, gap.figure): gap for gap in gaps}
    half = np.arange(400) < 200
    expected = auc(sample.labels[half], sample.probabilities[half]) - auc(
        sample.labels[~half], sample.probabilities[~half]
    )
    assert by_name["AP", "AUC"].difference.value == pytest.approx(-expected)
    assert {value for value, _ in by_name} == {"AP"}  # the gap of PA is the same
    called = sample.probabilities >= 0.5
    shares = [called[(sample.labels == 1) & side].mean() for side in (half, ~half)]
    assert by_name["AP", "sensitivity"].difference.value == pytest.approx(shares[1] - shares[0])
    assert by_name["AP", "AUC"].p < 0.001


def test_p_is_uniform_where_there_is_no_gap():
    random, found = np.random.default_rng(7), []
    for number in range(120):
        labels = np.repeat([0.0, 1.0], 60)
        probabilities = 1 / (1 + np.exp(-random.normal(labels - 0.5, 1.0)))
        drawn = draw_patients([str(i) for i in range(120)], n_bootstrap=200, seed=number)
        sample, _ = finding_sample(labels, probabilities, drawn)
        views = random.permutation(["PA"] * 60 + ["AP"] * 60).tolist()
        gaps = group_gaps("Effusion", sample, np.full(120, 0.5), {"view": views})
        found += [gap.p for gap in gaps if gap.figure == "AUC"]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.05)
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)


def test_a_few_of_whom_all_were_found_are_no_gap():
    random, gaps = np.random.default_rng(8), []
    for number in range(100):
        labels = (np.arange(600) % 2).astype(float)
        probabilities = np.where(random.random(600) < 0.9, labels, 1 - labels)
        drawn = draw_patients([str(i) for i in range(600)], n_bootstrap=100, seed=number)
        sample, _ = finding_sample(labels, probabilities, drawn)
        views = ["AP"] * 12 + ["PA"] * 588  # six of them with the finding
        gaps += group_gaps("Effusion", sample, np.full(600, 0.5), {"view": views})
    shares = [gap for gap in gaps if gap.figure != "AUC"]
    complete = [gap for gap in shares if gap.difference.value > 0]  # all six are right
    assert len(complete) > 50
    assert all(gap.difference.low < 0 for gap in complete)
    assert np.mean([gap.p < 0.05 for gap in shares]) < 0.1


def test_a_group_that_is_wrong_about_everybody_is_a_gap():
    labels = (np.arange(400) % 2).astype(float)
    wrong = np.arange(400) < 60
    drawn = draw_patients([str(i) for i in range(400)], n_bootstrap=100, seed=0)
    sample, _ = finding_sample(labels, np.where(wrong, 1 - labels, labels), drawn)
    views = np.where(wrong, "AP", "PA").tolist()
    for gap in corrected(group_gaps("Effusion", sample, np.full(400, 0.5), {"view": views})):
        assert (gap.difference.value, gap.difference.low) == (-1, -1)  # no resample differs
        assert gap.difference.high < -0.8
        assert gap.p_corrected < 1e-6


def test_no_gap_is_found_where_there_is_none():
    gaps = corrected(group_gaps("Effusion", sample_of(), np.full(400, 0.5), GROUPS))
    assert len(gaps) == 3
    assert all(gap.p_corrected > 0.05 for gap in gaps)
    assert all(gap.difference.low <= gap.difference.value <= gap.difference.high for gap in gaps)


def test_holm_is_the_closure_of_bonferroni():
    random = np.random.default_rng(1)
    for _ in range(20):
        p = random.random(5) ** 2
        for index, adjusted in enumerate(holm(p.tolist())):
            sets = [s for r in range(1, 6) for s in combinations(range(5), r) if index in s]
            expected = max(min(1.0, len(s) * min(p[list(s)])) for s in sets)
            assert adjusted == pytest.approx(expected)
    assert holm([]) == ()


def test_coverage_is_counted():
    sample = sample_of()
    found = coverage_figures(sample, np.full(400, 0.3), np.full(400, 0.6), level=0.9)
    has, value = sample.labels == 1, sample.probabilities
    assert found.present.value == pytest.approx((value[has] >= 0.3).mean())
    assert found.absent.value == pytest.approx((value[~has] <= 0.6).mean())
    assert found.uncertain.value == pytest.approx(((value >= 0.3) & (value <= 0.6)).mean())
    assert found.present.low < found.present.value < found.present.high
    assert (found.n_images, found.n_patients) == (400, 200)
