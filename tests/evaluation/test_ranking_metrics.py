"""AUC and average precision, against scikit-learn and against what must not change them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from medcxr.core.errors import DataError
from medcxr.evaluation.figures import ranking_figures
from medcxr.evaluation.metrics import auc, average_precision
from medcxr.evaluation.scored import sort_scores

# Few distinct scores, so that ties are common.
examples = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0]), st.integers(-4, 4)), min_size=2, max_size=60
).filter(lambda pairs: len({label for label, _ in pairs}) == 2)


def _arrays(pairs):
    labels, scores = zip(*pairs, strict=True)
    return np.array(labels), np.array(scores, dtype=float)


@given(examples)
def test_auc_is_that_of_scikit_learn(pairs):
    labels, scores = _arrays(pairs)
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@given(examples)
def test_average_precision_is_that_of_scikit_learn(pairs):
    labels, scores = _arrays(pairs)
    expected = average_precision_score(labels, scores)
    assert average_precision(labels, scores) == pytest.approx(expected, abs=1e-12)


@given(examples, st.integers(0, 1000))
def test_weighted_figures_are_those_of_scikit_learn_with_sample_weights(pairs, seed):
    labels, scores = _arrays(pairs)
    weights = np.random.default_rng(seed).integers(0, 4, size=(5, len(labels))).astype(float)
    scored = sort_scores(labels, scores, np.arange(len(labels)))
    areas, precisions = ranking_figures(scored, weights[:, scored.patients])
    for row, area, precision in zip(weights, areas, precisions, strict=True):
        if (row @ labels) * (row @ (1 - labels)) == 0:
            assert np.isnan(area)
            assert np.isnan(precision)
            continue
        drawn = row > 0  # scikit-learn wants no weight of zero for a class
        args = (labels[drawn], scores[drawn])
        assert area == pytest.approx(roc_auc_score(*args, sample_weight=row[drawn]), abs=1e-12)
        expected = average_precision_score(*args, sample_weight=row[drawn])
        assert precision == pytest.approx(expected, abs=1e-12)


@given(examples)
def test_a_monotone_map_of_the_scores_changes_nothing(pairs):
    labels, scores = _arrays(pairs)
    mapped = np.exp(scores) * 3 - 7
    assert auc(labels, mapped) == auc(labels, scores)
    assert average_precision(labels, mapped) == average_precision(labels, scores)


@given(examples)
def test_flipped_labels_give_the_complement_of_the_auc(pairs):
    labels, scores = _arrays(pairs)
    assert auc(1 - labels, scores) == pytest.approx(1 - auc(labels, scores), abs=1e-12)


@given(examples)
def test_unknown_labels_are_left_out(pairs):
    labels, scores = _arrays(pairs)
    more_labels = np.append(labels, [np.nan, np.nan])
    more_scores = np.append(scores, [-100.0, 100.0])
    assert auc(more_labels, more_scores) == auc(labels, scores)
    assert average_precision(more_labels, more_scores) == average_precision(labels, scores)


@pytest.mark.parametrize("labels", [[1, 1], [0, 0], [np.nan, np.nan], [1, np.nan], []])
def test_a_missing_class_has_no_figure(labels):
    scores = np.linspace(0, 1, len(labels))
    assert auc(labels, scores) is None
    assert average_precision(labels, scores) is None


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1, 1], [0.1, 0.2], "shape"),
        ([[0, 1]], [[0.1, 0.2]], "one finding"),
        ([0, 2], [0.1, 0.2], "Label 2"),
        ([0, 1], [0.1, np.nan], "NaN"),
        ([0, 1], [0.1, np.inf], "infinite"),
    ],
)
def test_wrong_input_is_refused(labels, scores, message):
    with pytest.raises(DataError, match=message):
        auc(labels, scores)
