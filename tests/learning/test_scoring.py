"""What a network says of images, and the figures shown while it trains."""

import numpy as np
import pytest
from scipy.special import expit

pytest.importorskip("torch")
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score
from torch import nn

from medcxr.core.errors import DataError
from medcxr.learning.networks import Evidence
from medcxr.learning.scoring import predict_logits, progress_figures
from small_training import random_images

pytestmark = pytest.mark.train

FINDINGS = ("A", "B")


class MeanOfTheImage(nn.Module):
    """Says the mean of each image, and that it is training by a NaN."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(nn.init.ones_(nn.Linear(1, 1).weight))

    def forward(self, x):
        logits = x.flatten(1)[:, :2] * self.scale
        return Evidence(logits * float("nan") if self.training else logits, None)


def test_logits_come_in_the_order_of_the_rows():
    images = random_images(40)  # more than a batch
    rows = [39, 0, *range(5, 38)]

    logits = predict_logits(MeanOfTheImage().train(), images, rows)

    assert logits.dtype == np.float32
    expected = [images.input(row).reshape(-1)[:2] for row in rows]
    np.testing.assert_array_equal(logits, expected)


def test_figures_are_those_of_scikit_learn_over_the_known_labels():
    random = np.random.default_rng(0)
    labels = (random.random((50, 3)) < 0.4).astype(np.float64)
    labels[random.random((50, 3)) < 0.2] = np.nan
    logits = random.normal(np.nan_to_num(labels), 1).astype(np.float32)

    figures = progress_figures(logits, labels, FINDINGS)

    known = ~np.isnan(labels)
    scored = [(labels[known[:, i], i], logits[known[:, i], i]) for i in range(2)]
    aucs = [roc_auc_score(*pair) for pair in scored]
    precisions = [average_precision_score(*pair) for pair in scored]
    both = known[:, :2]  # the third column is auxiliary
    loss = log_loss(labels[:, :2][both], expit(logits[:, :2][both].astype(np.float64)))
    assert list(figures["auc"]) == list(FINDINGS)
    assert list(figures["auc"].values()) == pytest.approx(aucs, abs=1e-6)
    assert figures["mean_auc"] == pytest.approx(np.mean(aucs), abs=1e-6)
    assert figures["map"] == pytest.approx(np.mean(precisions), abs=1e-6)
    assert figures["val_loss"] == pytest.approx(loss, abs=2e-6)


def test_a_finding_without_both_classes_has_no_area():
    labels = np.array([[1.0, 1.0], [0.0, np.nan], [1.0, 1.0]])
    logits = np.array([[1, 0], [0, 0], [2, 0]], dtype=np.float32)

    figures = progress_figures(logits, labels, FINDINGS)

    assert figures["auc"] == {"A": 1.0}
    assert figures["mean_auc"] == figures["map"] == 1.0


def test_without_any_area_the_figures_say_so():
    figures = progress_figures(np.zeros((2, 2), dtype=np.float32), np.ones((2, 2)), FINDINGS)

    assert figures["auc"] == {}
    assert figures["mean_auc"] is figures["map"] is None
    assert figures["val_loss"] == pytest.approx(np.log(2), abs=1e-6)


def test_a_network_that_says_nothing_is_noticed():
    logits = np.full((4, 2), np.nan, dtype=np.float32)
    with pytest.raises(DataError, match="NaN or infinite"):
        progress_figures(logits, np.array([[1.0, 0.0], [0.0, 1.0]] * 2), FINDINGS)
