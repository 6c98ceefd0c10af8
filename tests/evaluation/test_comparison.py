"""Two sets of scores of the same images."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from medcxr.core.errors import DataError
from medcxr.evaluation.comparison import compare_auc, compare_mean_auc


def sample(seed, n=300, gain=1.0):
    random = np.random.default_rng(seed)
    labels = (random.random(n) < 0.4).astype(float)
    shared = random.normal(labels, 1.0)
    return labels, shared + random.normal(0, 0.5, n), gain * labels + random.normal(0, 1.0, n)


def everyone(n):
    return [str(i) for i in range(n)]


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_areas_are_those_of_scikit_learn_with_ties(seed):
    labels, first, second = sample(seed, 80)
    first = np.round(first)
    result = compare_auc(labels, first, second, patients=everyone(80), n_bootstrap=50)
    assert result.first == pytest.approx(roc_auc_score(labels, first))
    assert result.second == pytest.approx(roc_auc_score(labels, second))
    assert result.difference.value == pytest.approx(result.first - result.second)


def test_delong_equals_the_definition_by_pairs():
    labels, first, second = sample(1, 60)
    scores = np.stack([first, second])
    won = scores[:, labels == 1][:, :, None] - scores[:, labels == 0][:, None, :]
    placed = (won > 0) + 0.5 * (won == 0)  # (2, m, n)
    v10, v01 = placed.mean(axis=2), placed.mean(axis=1)
    covariance = np.cov(v10) / v10.shape[1] + np.cov(v01) / v01.shape[1]
    spread = np.sqrt(np.array([1, -1]) @ covariance @ np.array([1, -1]))
    areas = placed.mean(axis=(1, 2))
    from scipy.stats import norm

    expected = 2 * norm.sf(abs(areas[0] - areas[1]) / spread)
    result = compare_auc(labels, first, second, patients=everyone(60), n_bootstrap=50)
    assert result.p_delong == pytest.approx(expected)


def test_equal_scores_do_not_differ():
    labels, first, _ = sample(2)
    result = compare_auc(labels, first, 3 * first - 1, patients=everyone(300), n_bootstrap=200)
    assert result.difference.value == 0
    assert result.p_delong == result.p_bootstrap == 1.0


def test_swapping_the_scores_swaps_the_sign():
    labels, first, second = sample(3)
    one = compare_auc(labels, first, second, patients=everyone(300), n_bootstrap=500)
    other = compare_auc(labels, second, first, patients=everyone(300), n_bootstrap=500)
    assert one.difference.value == pytest.approx(-other.difference.value)
    assert one.p_bootstrap == pytest.approx(other.p_bootstrap)
    assert one.p_delong == pytest.approx(other.p_delong)


def test_p_values_of_no_difference_are_uniform():
    p_values = []
    for seed in range(150):
        labels, first, _ = sample(seed, 150)
        second = np.random.default_rng(seed + 10_000).normal(labels, np.sqrt(1.25))
        p_values.append(
            compare_auc(labels, first, second, patients=everyone(150), n_bootstrap=20).p_delong
        )
    assert np.mean(np.array(p_values) < 0.1) == pytest.approx(0.1, abs=0.08)
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.1)


def test_repeated_images_of_a_patient_add_no_certainty_to_the_bootstrap():
    labels, first, second = sample(5, 120, gain=0.4)
    patients = everyone(120)
    once = compare_auc(labels, first, second, patients=patients, seed=1)
    thrice = compare_auc(*(np.tile(x, 3) for x in (labels, first, second)), patients=patients * 3,
                         seed=1)  # fmt: skip
    assert thrice.p_bootstrap == pytest.approx(once.p_bootstrap, abs=0.02)
    assert thrice.p_delong < once.p_delong


def test_unknown_labels_do_not_count():
    labels, first, second = sample(6, 100)
    padded = [np.append(x, y) for x, y in ((labels, np.nan), (first, 9.0), (second, -9.0))]
    with_unknown = compare_auc(*padded, patients=everyone(101), n_bootstrap=50)
    without = compare_auc(labels, first, second, patients=everyone(100), n_bootstrap=50)
    assert with_unknown == without


@pytest.mark.parametrize(
    ("labels", "first", "message"),
    [
        ([1, 1], [0.1, 0.2], "with and without"),
        ([1, 0], [0.1, np.nan], "NaN or infinite"),
        ([1, 0, 1], [0.1, 0.2], "one of each"),
    ],
)
def test_wrong_input_is_refused(labels, first, message):
    with pytest.raises((DataError, ValueError), match=message):
        compare_auc(labels, first, [0.3, 0.4], patients=["a", "b"])


def test_the_mean_over_one_finding_is_that_finding():
    labels, first, second = sample(3, 120)
    alone = compare_auc(labels, first, second, patients=everyone(120), n_bootstrap=200)
    columns = [each[:, np.newaxis] for each in (labels, first, second)]
    assert compare_mean_auc(*columns, patients=everyone(120), n_bootstrap=200) == alone.difference


def test_the_mean_is_of_differences_on_the_same_patients():
    labels, first, second = sample(4, 120)
    opposed = [np.stack(pair, axis=1) for pair in ((labels, labels), (first, second))]
    swapped = np.stack([second, first], axis=1)
    # what the first finding gains the second loses, in the sample and in every resample
    gap = compare_mean_auc(*opposed, swapped, patients=everyone(120), n_bootstrap=200)
    assert gap.value == pytest.approx(0, abs=1e-12)
    assert gap.high - gap.low == pytest.approx(0, abs=1e-12)


def test_unknown_labels_are_left_out_of_the_mean():
    labels, first, second = sample(5, 100)
    pairs = [np.stack([each, each], axis=1) for each in (labels, first, second)]
    pairs[0][:10, 1] = np.nan
    pairs[1][:10, 1] = 99.0
    gap = compare_mean_auc(*pairs, patients=everyone(100), n_bootstrap=50)
    halves = [
        compare_auc(*(each[:, c] for each in pairs), patients=everyone(100), n_bootstrap=50)
        for c in (0, 1)
    ]
    assert gap.value == pytest.approx(np.mean([one.difference.value for one in halves]))


def test_a_mean_needs_both_classes_of_each_finding():
    labels, first, second = sample(6, 50)
    pairs = [np.stack([each, each], axis=1) for each in (labels, first, second)]
    pairs[0][:, 1] = 0
    with pytest.raises(DataError, match="with and without each"):
        compare_mean_auc(*pairs, patients=everyone(50), n_bootstrap=50)
