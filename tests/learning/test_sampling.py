"""Which images an epoch shows."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcxr.learning.sampling import epoch_order, image_seed, independence_weights


@st.composite
def label_tables(draw):
    n = draw(st.integers(2, 40))
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    labels = (random.random((n, 3)) < draw(st.floats(0, 0.9))).astype(np.float64)
    labels[random.random((n, 3)) < 0.2] = np.nan
    rows = draw(st.lists(st.integers(0, n - 1), min_size=1, unique=True))
    return labels, rows


@given(table=label_tables(), seed=st.integers(0, 2**32 - 1), epoch=st.integers(0, 100))
@settings(max_examples=80)
def test_without_power_every_row_is_shown_once(table, seed, epoch):
    labels, rows = table

    order = epoch_order(rows, labels, power=0, seed=seed, epoch=epoch)

    assert sorted(order) == sorted(rows)


@given(
    table=label_tables(),
    power=st.floats(0, 2),
    seed=st.integers(0, 2**32 - 1),
    epoch=st.integers(0, 100),
)
@settings(max_examples=80)
def test_an_order_has_its_length_its_rows_and_nothing_but_its_seed(table, power, seed, epoch):
    labels, rows = table

    order = epoch_order(rows, labels, power=power, seed=seed, epoch=epoch)

    assert len(order) == len(rows)
    assert set(order) <= set(rows)
    assert order == epoch_order(rows, labels, power=power, seed=seed, epoch=epoch)


@given(n_rare=st.integers(1, 10), power=st.floats(0.2, 1), seed=st.integers(0, 100))
@settings(max_examples=25)
def test_power_shows_the_rare_finding_more_often(n_rare, power, seed):
    labels = np.zeros((60, 2))
    labels[:n_rare, 0] = 1
    labels[n_rare:50, 1] = 1

    drawn = Counter(
        row
        for epoch in range(60)
        for row in epoch_order(range(60), labels, power=power, seed=seed, epoch=epoch)
    )

    shown = sum(drawn[row] for row in range(n_rare)) / drawn.total()
    # by the formula; 3,600 draws stray from it by less than four standard errors
    weight = (60 / n_rare) ** power
    others = (50 - n_rare) * (60 / (50 - n_rare)) ** power + 10
    expected = n_rare * weight / (n_rare * weight + others)
    assert expected > n_rare / 60
    assert shown == pytest.approx(expected, abs=4.5 * np.sqrt(0.25 / 3600))


def test_full_power_draws_all_findings_about_equally_often():
    labels = np.zeros((100, 2))
    labels[:4, 0] = 1
    labels[4:, 1] = 1

    rows = [
        row for e in range(40) for row in epoch_order(range(100), labels, power=1, seed=0, epoch=e)
    ]

    assert np.mean(np.array(rows) < 4) == pytest.approx(0.5, abs=0.04)


def test_epochs_and_seeds_have_orders_of_their_own():
    labels = np.zeros((30, 1))
    orders = {
        tuple(epoch_order(range(30), labels, power=0, seed=seed, epoch=epoch))
        for seed in range(4)
        for epoch in range(4)
    }
    assert len(orders) == 16


def test_every_image_of_every_epoch_has_a_seed_of_its_own():
    seeds = {
        image_seed(seed, epoch, position)
        for seed in range(3)
        for epoch in range(3)
        for position in range(100)
    }
    assert len(seeds) == 900
    assert image_seed(1, 2, 3) == image_seed(1, 2, 3)
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_owner_power_shows_patients_alike_however_many_images_they_have():
    owners = ["many"] * 50 + [f"one {i}" for i in range(10)]
    labels = np.zeros((60, 1))

    def share_of_many(owner_power):
        drawn = [
            owners[row]
            for epoch in range(40)
            for row in epoch_order(
                range(60),
                labels,
                power=0,
                seed=1,
                epoch=epoch,
                owners=owners,
                owner_power=owner_power,
            )
        ]
        return drawn.count("many") / len(drawn)

    assert share_of_many(0.0) == pytest.approx(50 / 60)
    assert share_of_many(1.0) == pytest.approx(1 / 11, abs=0.03)
    assert share_of_many(1.0) < share_of_many(0.5) < share_of_many(0.0)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 60))
@settings(max_examples=60)
def test_weighed_labels_do_not_tell_the_group_where_all_meet(seed, n):
    random = np.random.default_rng(seed)
    groups = [str(g) for g in random.integers(0, 3, n)]
    present = random.random((n, 2)) < 0.4
    # every pattern occurs in every group, else no weight could make them independent
    groups += [g for g in "012" for _ in range(4)]
    present = np.concatenate([present, [[a, b] for _ in "012" for a in (0, 1) for b in (0, 1)]])

    weights = independence_weights(groups, present == 1)

    assert weights.sum() == pytest.approx(len(groups))
    for pattern in range(4):
        has = (present[:, 0] * 2 + present[:, 1]) == pattern
        for group in "012":
            here = np.array(groups) == group
            joint = weights[has & here].sum() / len(groups)
            apart = weights[has].sum() * weights[here].sum() / len(groups) ** 2
            assert joint == pytest.approx(apart)


def test_groups_change_how_often_a_row_is_drawn():
    labels = np.array([[1.0]] * 90 + [[0.0]] * 10 + [[1.0]] * 10 + [[0.0]] * 90)
    groups = ["a"] * 100 + ["b"] * 100
    drawn = Counter(
        row
        for epoch in range(40)
        for row in epoch_order(range(200), labels, power=0, seed=0, epoch=epoch, groups=groups)
    )
    shares = [sum(drawn[row] for row in part) / 8000 for part in (range(90), range(90, 100))]
    assert shares == pytest.approx([0.25, 0.25], abs=0.02)
