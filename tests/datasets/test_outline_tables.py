"""Who is held out of learning outlines is known without an image."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.core.errors import DataError
from medcxr.datasets.outline_tables import hold_out_patients, outlined_patient, patient_folds

HELD_OUT = ["p0", "p7", "p8"]


def test_no_patient_is_on_both_sides():
    patients = [f"p{i // 3}" for i in range(60)]

    learned, held = hold_out_patients(patients, 0.25, seed=4)

    assert sorted(learned + held) == list(range(60))
    assert {patients[i] for i in learned}.isdisjoint(patients[i] for i in held)
    assert len(held) == 15


def test_the_draw_depends_on_seed_and_patients_alone():
    patients = [f"p{i}" for i in range(10)]

    _, held = hold_out_patients(patients, 0.3, seed=7)
    backwards = patients[::-1]
    _, again = hold_out_patients(backwards, 0.3, seed=7)

    # finished models were measured on whom this draw held out: it must not change
    assert [patients[i] for i in held] == HELD_OUT
    assert {backwards[i] for i in again} == set(HELD_OUT)
    assert hold_out_patients(patients, 0.3, seed=8)[1] != held


def test_equal_numbers_in_two_tables_are_two_patients():
    row = {"image_path": "a.png", "patient_id": "1"}

    assert outlined_patient("x.csv", row) != outlined_patient("y.csv", row)
    assert outlined_patient("x.csv", {"image_path": "a.png"}) == "x.csv:row:a.png"


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=3),
    folds=st.integers(2, 6),
    seed=st.integers(0, 9),
)
def test_each_image_is_in_one_fold_with_its_patient_and_tables_are_shared_out(sizes, folds, seed):
    names = [(f"t{table}", f"t{table}:{i}") for table, n in enumerate(sizes) for i in range(n)]
    rows = [*names, *names[::2]]  # some patients have two images
    tables, patients = zip(*rows, strict=True)
    if len(names) < folds:
        with pytest.raises(DataError, match=r"outlines\.folds"):
            patient_folds(patients, tables, folds, seed=seed)
        return

    divided = patient_folds(patients, tables, folds, seed=seed)

    assert sorted(row for fold in divided for row in fold) == list(range(len(rows)))
    shares = [
        Counter(tables[patients.index(one)] for one in {patients[r] for r in f}) for f in divided
    ]
    for table in set(tables):
        counts = [share[table] for share in shares]
        assert max(counts) - min(counts) <= 1
    assert divided == patient_folds(patients, tables, folds, seed=seed)
