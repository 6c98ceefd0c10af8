"""Who is held out of learning outlines is known without an image."""

from medcxr.datasets.outline_tables import hold_out_patients, outlined_patient

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
