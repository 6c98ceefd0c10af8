"""The loss, against scikit-learn's and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
import torch
from scipy.special import expit
from sklearn.metrics import log_loss

from medcxr.learning.losses import finding_loss, stray_evidence

pytestmark = pytest.mark.train

NAN = float("nan")


def random_batch(seed, n=12, n_labels=4):
    random = np.random.default_rng(seed)
    labels = (random.random((n, n_labels)) < 0.4).astype(np.float32)
    labels[random.random((n, n_labels)) < 0.3] = np.nan
    labels[0] = [0, 1, 0, 1]  # some are known of each column
    return random.normal(0, 3, (n, n_labels)).astype(np.float32), labels


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_log_loss_of_the_known_labels(seed):
    logits, labels = random_batch(seed)
    weights = np.array([1.0, 1.0, 0.3, 0.5], dtype=np.float32)

    loss = finding_loss(
        torch.from_numpy(logits), torch.from_numpy(labels), weights=torch.from_numpy(weights)
    )

    known = ~np.isnan(labels)
    expected = log_loss(
        labels[known],
        expit(logits[known].astype(np.float64)),
        sample_weight=np.broadcast_to(weights, labels.shape)[known],
    )
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_three_labels_by_hand():
    # sigmoid(0) = 1/2: ln 2 each; sigmoid(ln 3) = 3/4: ln(4/3) for a present finding
    logits = torch.tensor([[0.0, 0.0], [float(np.log(3)), 7.0]])
    labels = torch.tensor([[1.0, 0.0], [1.0, NAN]])

    expected = (2 * np.log(2) + np.log(4 / 3)) / 3
    assert float(finding_loss(logits, labels)) == pytest.approx(expected, rel=1e-6)


def test_an_unknown_label_gives_no_gradient():
    logits = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)

    finding_loss(logits, torch.tensor([[1.0, NAN], [NAN, 0.0]])).backward()

    assert (logits.grad != 0).tolist() == [[True, False], [False, True]]


def test_without_a_known_label_there_is_nothing_to_learn():
    logits = torch.ones((2, 3), requires_grad=True)

    loss = finding_loss(logits, torch.full((2, 3), NAN))
    loss.backward()

    assert float(loss.detach()) == 0
    assert logits.grad.abs().max() == 0


def test_smoothing_pulls_the_labels_toward_one_half():
    logits, labels = map(torch.from_numpy, random_batch(9))

    smoothed = finding_loss(logits, labels, smoothing=0.2)

    assert float(smoothed) == pytest.approx(
        float(finding_loss(logits, labels * 0.8 + 0.1)), rel=1e-6
    )
    assert float(smoothed) != pytest.approx(float(finding_loss(logits, labels)), rel=1e-3)


def test_one_light_label_does_not_count_as_much_as_a_whole_one():
    # 0.3 of a label over a weight of 1, not over 0.3
    loss = finding_loss(
        torch.zeros((1, 2)), torch.tensor([[NAN, 1.0]]), weights=torch.tensor([1, 0.3])
    )

    assert float(loss) == pytest.approx(0.3 * np.log(2), rel=1e-6)


@given(
    logits=st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=6),
    label=st.sampled_from([0.0, 0.25, 1.0, NAN]),
)
@settings(max_examples=80)
def test_it_is_finite_and_never_negative_for_any_logit(logits, label):
    values = torch.tensor([logits], requires_grad=True)

    loss = finding_loss(values, torch.full((1, len(logits)), label))
    loss.backward()

    assert torch.isfinite(loss)
    assert float(loss.detach()) >= 0
    assert torch.isfinite(values.grad).all()


def quarter(row, column, size=64):
    place = torch.zeros(size, size)
    half = size // 2
    place[row * half : (row + 1) * half, column * half : (column + 1) * half] = 0.6
    return place


def test_evidence_within_the_painted_place_is_not_stray():
    maps = torch.zeros(3, 2, 2, 2)
    maps[0, 1] = torch.tensor([[0.0, 2.0], [-5.0, 0.0]])  # all of it within
    maps[1, 0] = torch.tensor([[3.0, 1.0], [0.0, 0.0]])  # a quarter within
    maps[2] = 9.0  # nothing was painted here
    places = torch.stack([quarter(0, 1), quarter(0, 1), torch.zeros(64, 64)])
    painted = torch.tensor([1, 0, -1])

    assert float(stray_evidence(maps[:1], places[:1], painted[:1])) == pytest.approx(0, abs=1e-3)
    assert float(stray_evidence(maps[1:2], places[1:2], painted[1:2])) == pytest.approx(
        0.75, abs=1e-3
    )
    assert float(stray_evidence(maps, places, painted)) == pytest.approx(0.375, abs=1e-3)


def test_nothing_painted_or_no_evidence_gives_no_gradient():
    maps = torch.full((2, 2, 2, 2), -1.0, requires_grad=True)
    places = torch.stack([quarter(0, 0), quarter(1, 1)])

    nothing = stray_evidence(maps, places, torch.tensor([-1, -1]))
    without = stray_evidence(maps, places, torch.tensor([0, 1]))
    (nothing + without).backward()

    assert float(nothing.detach()) == 0
    assert float(without.detach()) == 1
    assert torch.count_nonzero(maps.grad) == 0


def test_the_gradient_moves_evidence_into_the_place():
    maps = torch.ones(1, 1, 2, 2, requires_grad=True)

    stray_evidence(maps, quarter(0, 0)[None], torch.tensor([0])).backward()

    assert maps.grad[0, 0, 0, 0] < 0
    assert bool((maps.grad[0, 0].flatten()[1:] > 0).all())


def likelihoods(logits, labels):
    told = expit(logits.astype(np.float64))
    return told, labels.astype(np.float64), ~np.isnan(labels)


@pytest.mark.parametrize("seed", range(3))
def test_the_focal_loss_is_that_of_its_paper(seed):
    logits, labels = random_batch(seed)
    told, truth, known = likelihoods(logits, labels)

    loss = finding_loss(torch.from_numpy(logits), torch.from_numpy(labels), kind="focal")

    right = np.where(truth == 1, told, 1 - told)  # p_t of Lin et al. 2017, equation 2
    expected = (-((1 - right) ** 2) * np.log(right))[known].mean()
    assert float(loss) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_asymmetric_loss_is_that_of_its_paper(seed):
    logits, labels = random_batch(seed)
    told, truth, known = likelihoods(logits, labels)

    loss = finding_loss(torch.from_numpy(logits), torch.from_numpy(labels), kind="asymmetric")

    left = np.maximum(told - 0.05, 0)  # p_m of Ridnik et al. 2021, equation 5
    each = np.where(truth == 1, -np.log(told), -(left**4) * np.log(1 - left))
    assert float(loss) == pytest.approx(each[known].mean(), rel=1e-4)


@pytest.mark.parametrize("kind", ["cross_entropy", "focal", "asymmetric"])
def test_a_weighed_presence_counts_as_often_as_it_is_repeated(kind):
    logits, labels = random_batch(0)
    three = torch.tensor([3.0, 1.0, 1.0, 1.0])

    weighed = finding_loss(
        torch.from_numpy(logits), torch.from_numpy(labels), kind=kind, positive_weights=three
    )

    one = finding_loss(torch.from_numpy(logits), torch.from_numpy(labels), kind=kind)
    only = np.where((labels == 1) & (np.arange(4) == 0), labels, np.nan)
    extra = finding_loss(torch.from_numpy(logits), torch.from_numpy(only), kind=kind)
    n_known, n_extra = (~np.isnan(labels)).sum(), (~np.isnan(only)).sum()
    assert float(weighed) * n_known == pytest.approx(
        float(one) * n_known + 2 * float(extra) * n_extra, rel=1e-5
    )


@pytest.mark.parametrize("kind", ["focal", "asymmetric"])
@pytest.mark.parametrize("value", [-80.0, 80.0])
def test_even_very_sure_logits_have_a_finite_loss_and_gradient(kind, value):
    logits = torch.full((2, 2), value, requires_grad=True)
    loss = finding_loss(logits, torch.tensor([[0.0, 1.0], [1.0, NAN]]), kind=kind)
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
