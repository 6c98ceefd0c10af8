"""Splits by patient: no patient on two sides, and the findings shared out evenly."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("sklearn")
from medcxr.core.errors import DataError, MissingExtra
from medcxr.datasets.folds import centre_folds, patient_folds, patient_split
from medcxr.datasets.study_table import StudyTable

FINDINGS = ("A", "B", "C")
SHARES = (0.6, 0.1, 0.15, 0.15)


def table_of(labels, patients):
    return StudyTable(
        root=Path(),
        image_paths=tuple(f"{i}.png" for i in range(len(patients))),
        findings=FINDINGS,
        labels=np.asarray(labels, dtype=np.float64),
        patients=tuple(map(str, patients)),
    )


@st.composite
def tables(draw, *, min_patients=2):
    """Return tables as odd as they come: one finding for all, none, unknown ones, repeats."""
    patients = draw(st.lists(st.integers(0, 30), min_size=min_patients, max_size=40))
    patients[:min_patients] = range(min_patients)
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    labels = (random.random((len(patients), 3)) < draw(st.floats(0, 1))).astype(np.float64)
    labels[random.random(labels.shape) < draw(st.sampled_from([0, 0.3, 1]))] = np.nan
    return table_of(labels, patients)


def check_parts(parts, table):
    """Every row is in one part, none is empty, and no patient is in two."""
    assert sorted(row for part in parts for row in part) == list(range(len(table)))
    assert all(parts)
    for part in parts:
        others = {table.patients[row] for other in parts if other is not part for row in other}
        assert others.isdisjoint(table.patients[row] for row in part)


@given(table=tables(), seed=st.integers(0, 2**32 - 1), data=st.data())
@settings(max_examples=50)
def test_folds_hold_every_row_once_and_share_no_patient(table, seed, data):
    n_folds = data.draw(st.integers(2, len(set(table.patients))))

    folds = patient_folds(table, n_folds=n_folds, seed=seed)

    assert len(folds) == n_folds
    check_parts(folds, table)
    assert folds == patient_folds(table, n_folds=n_folds, seed=seed)


@given(table=tables(min_patients=20), seed=st.integers(0, 100))
@settings(max_examples=20)
def test_a_split_holds_every_row_once_and_shares_no_patient(table, seed):
    parts = patient_split(table, SHARES, seed=seed)

    assert len(parts) == len(SHARES)
    check_parts(parts, table)
    assert parts == patient_split(table, SHARES, seed=seed)


def test_a_finding_is_shared_out_evenly_where_that_can_be():
    random = np.random.default_rng(0)
    labels = np.zeros((200, 3))
    labels[:20, 0] = 1  # rare, and half of its images are at the start of the table
    labels[10:100, 1] = 1
    order = random.permutation(200)
    table = table_of(labels[order], np.arange(200) // 2)

    folds = patient_folds(table, n_folds=5, seed=1)

    for fold in folds:
        counts = table.labels[fold].sum(axis=0)
        assert 3 <= counts[0] <= 5  # 4 in each at best
        assert 16 <= counts[1] <= 20  # 18
        assert 36 <= len(fold) <= 44


def test_a_split_is_balanced_like_the_folds_and_meets_its_shares():
    labels = np.zeros((400, 3))
    labels[::5, 0] = 1
    table = table_of(labels, np.arange(400))

    parts = patient_split(table, SHARES, seed=3)

    for part, share in zip(parts, SHARES, strict=True):
        assert len(part) == pytest.approx(400 * share, abs=400 / 20)
        assert table.labels[part, 0].mean() == pytest.approx(0.2, abs=0.03)


def test_seeds_divide_differently():
    table = table_of(np.zeros((40, 3)), range(40))
    assert len({str(patient_folds(table, n_folds=4, seed=seed)) for seed in range(5)}) == 5


def test_the_smallest_tables_work():
    two = table_of([[1, 0, 0], [0, 0, 0]], ["a", "b"])
    assert sorted(map(tuple, patient_folds(two, n_folds=2))) == [(0,), (1,)]
    check_parts(patient_split(two, (0.5, 0.5)), two)
    four = table_of(np.eye(4, 3), "abcd")
    check_parts(patient_split(four, (1, 1, 1, 1)), four)


@pytest.mark.parametrize("n_folds", [0, 1, 4])
def test_an_impossible_number_of_folds_is_refused(n_folds):
    table = table_of(np.zeros((6, 3)), [1, 1, 2, 2, 3, 3])
    with pytest.raises(DataError, match=f"3 patients cannot be divided into {n_folds} folds"):
        patient_folds(table, n_folds=n_folds)


def test_too_few_patients_for_the_shares_are_refused():
    with pytest.raises(DataError, match="4 patients are too few for the shares"):
        patient_split(table_of(np.zeros((8, 3)), [1, 1, 2, 2, 3, 3, 4, 4]), SHARES)


@pytest.mark.parametrize("shares", [(), (0.5, 0.0), (1.0, -0.1)])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(DataError, match="must be above 0"):
        patient_split(table_of(np.zeros((4, 3)), range(4)), shares)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.model_selection", None)
    with pytest.raises(MissingExtra, match=r'pip install "medcxr\[train\]"'):
        patient_folds(table_of(np.zeros((4, 3)), range(4)), n_folds=2)


def centres_of(names, patients=None, labels=None):
    from dataclasses import replace

    n = len(names)
    labels = [[i % 2] * 3 for i in range(n)] if labels is None else labels
    table = table_of(labels, range(n) if patients is None else patients)
    return replace(table, attributes={"source": tuple(names)})


def test_each_centre_is_a_fold_in_alphabetical_order():
    table = centres_of(["b", "a", "b", "a", "c", "c", "a", "b"])
    assert centre_folds(table, "source") == [[1, 3, 6], [0, 2, 7], [4, 5]]


@pytest.mark.parametrize(
    ("table", "column", "message"),
    [
        (centres_of(["a", "b", "a", "b"]), "site", "has the column"),
        (centres_of(["a", "", "a", "b"]), "source", "1 cells are empty"),
        (centres_of(["a", "a", "a", "a"]), "source", "names 1 centre"),
        # without a, only negatives are left; without b's patient 0, the same
        (centres_of(["a", "b", "a", "b"], labels=[[1] * 3, [0] * 3, [1] * 3, [0] * 3]), "source",
         "left to learn from"),
        (centres_of(["a", "a", "b", "b"], patients=[0, 1, 0, 1]), "source", "left to learn from"),
    ],
)  # fmt: skip
def test_centres_that_cannot_be_left_out_are_refused(table, column, message):
    with pytest.raises(DataError, match=message):
        centre_folds(table, column)
