"""Tables of radiographs: what they say of each finding, and what is no table."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcxr.core.errors import DataError
from medcxr.datasets.study_table import (
    LabelPolicy,
    StudyTable,
    check_image_path,
    read_rows,
    rows_of,
    unnamed_patient,
)

FINDINGS = ("Pneumonia", "Effusion", "Cardiomegaly", "No Finding")
NAN = float("nan")


def write(folder: Path, rows: list[dict[str, str]], name: str = "manifest.csv") -> Path:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def labels_of(folder, policy=None, findings=FINDINGS, **columns):
    row = {"image_path": "a.png", **columns}
    table = StudyTable.read_csv(write(folder, [row]), findings, policy=policy)
    return table.labels[0].tolist()


def same(actual, expected):
    return np.array_equal(actual, expected, equal_nan=True)


@pytest.mark.parametrize(
    ("labels", "complete", "partial"),
    [
        ("Effusion", [0, 1, 0, 0], [NAN, 1, NAN, 0]),
        ("Effusion|Pneumonia", [1, 1, 0, 0], [1, 1, NAN, 0]),
        (" Effusion | Mass ", [0, 1, 0, 0], [NAN, 1, NAN, 0]),
        ("Mass", [0, 0, 0, 0], [NAN, NAN, NAN, 0]),
        ("No Finding", [0, 0, 0, 1], [0, 0, 0, 1]),
        ("", [NAN] * 4, [NAN] * 4),
        ("|", [NAN] * 4, [NAN] * 4),
    ],
)
def test_labels_say_what_they_list_and_what_that_rules_out(tmp_path, labels, complete, partial):
    assert same(labels_of(tmp_path, labels=labels), complete)
    assert same(labels_of(tmp_path, LabelPolicy(complete=False), labels=labels), partial)


def test_labels_come_in_the_order_asked_for(tmp_path):
    wanted = ("No Finding", "Mass", "Effusion")
    assert labels_of(tmp_path, findings=wanted, labels="Effusion") == [0, 0, 1]


def test_a_table_without_labels_knows_nothing(tmp_path):
    assert same(labels_of(tmp_path), [NAN] * 4)


def test_with_a_column_absent_the_table_says_itself_what_is_known(tmp_path):
    assert same(labels_of(tmp_path, labels="Effusion", absent="Pneumonia"), [0, 1, NAN, 0])
    assert same(labels_of(tmp_path, labels="", absent="Pneumonia"), [0, NAN, NAN, NAN])
    assert same(labels_of(tmp_path, labels="Effusion", absent=""), [NAN, 1, NAN, 0])


@pytest.mark.parametrize(
    ("ratio", "labels", "expected"),
    [
        ("0.51", "", [NAN, NAN, 1, 0]),
        ("0.5", "", [NAN, NAN, 0, NAN]),
        ("", "", [NAN, NAN, NAN, NAN]),
        ("0.6", "Effusion", [NAN, 1, 1, 0]),
    ],
)
def test_a_ratio_above_the_threshold_is_cardiomegaly(tmp_path, ratio, labels, expected):
    policy = LabelPolicy(complete=False, cardiothoracic_threshold=0.5)
    columns = {"labels": labels, "cardiothoracic_ratio": ratio}

    assert same(labels_of(tmp_path, policy, **columns), expected)
    assert (
        "cardiothoracic_ratio"
        in StudyTable.read_csv(tmp_path / "manifest.csv", FINDINGS).attributes
    )


def test_a_ratio_without_a_threshold_says_nothing(tmp_path):
    assert same(labels_of(tmp_path, labels="", cardiothoracic_ratio="0.9"), [NAN] * 4)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"labels": "No Finding|Effusion"}, "'No Finding' together with 'Effusion'; keep one"),
        ({"labels": "Effusion", "absent": "Effusion"}, "'Effusion' in both labels and absent"),
        ({"cardiothoracic_ratio": "large"}, "ratio 'large'; give a number"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_by_its_name(tmp_path, columns, words):
    with pytest.raises(DataError, match=rf"Row 'a\.png' .*{words}"):
        labels_of(tmp_path, LabelPolicy(cardiothoracic_threshold=0.5), **columns)


def test_rows_without_a_patient_are_patients_of_their_own(tmp_path):
    rows = [
        {"image_path": "a.png", "patient_id": "7"},
        {"image_path": "b.png", "patient_id": ""},
        {"image_path": "c.png", "patient_id": "7"},
        {"image_path": "d.png", "patient_id": ""},
    ]

    table = StudyTable.read_csv(write(tmp_path, rows), FINDINGS)

    assert table.patients == ("7", unnamed_patient("b.png"), "7", unnamed_patient("d.png"))
    assert len(set(table.patients)) == 3


def test_further_columns_are_attributes_and_paths_lie_beside_the_file(tmp_path):
    rows = [
        {"image_path": "x/a.png", "view": "PA", "labels": "", "patient_id": "1", "sex": ""},
        {"image_path": "b.png", "view": "AP", "labels": "", "patient_id": "2", "sex": "F"},
    ]

    table = StudyTable.read_csv(write(tmp_path, rows), FINDINGS)

    assert table.attributes == {"view": ("PA", "AP"), "sex": ("", "F")}
    assert table.path(0) == tmp_path / "x" / "a.png"
    assert len(table) == 2


def test_a_selection_keeps_rows_together(tmp_path):
    rows = [
        {"image_path": f"{i}.png", "labels": label, "patient_id": str(i // 2), "view": str(i)}
        for i, label in enumerate(["Effusion", "Pneumonia", "", "No Finding"])
    ]
    table = StudyTable.read_csv(write(tmp_path, rows), FINDINGS)

    chosen = table.select([3, 0, 0])

    assert chosen.image_paths == ("3.png", "0.png", "0.png")
    assert chosen.patients == ("1", "0", "0")
    assert chosen.attributes == {"view": ("3", "0", "0")}
    assert same(chosen.labels, table.labels[[3, 0, 0]])


def test_the_fingerprint_follows_paths_labels_and_patients(tmp_path):
    row = {"image_path": "a.png", "labels": "Effusion", "patient_id": "1"}

    def fingerprint(**changes):
        path = write(tmp_path, [{**row, **changes}])
        return StudyTable.read_csv(path, FINDINGS).fingerprint()

    same_table = fingerprint()
    assert fingerprint() == same_table
    others = [{"image_path": "b.png"}, {"labels": "Mass"}, {"labels": ""}, {"patient_id": "2"}]
    assert len({same_table, *(fingerprint(**change) for change in others)}) == 5


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"", "lacks the column 'image_path'"),
        (b"image\na.png\n", "lacks the column 'image_path'"),
        (b"image_path\n", "has no rows"),
        (b"image_path\n\xff.png\n", "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, content, words):
    path = tmp_path / "manifest.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_rows(path, required=("image_path",))


def test_a_byte_order_mark_short_and_long_rows_are_understood(tmp_path):
    path = tmp_path / "manifest.csv"
    path.write_bytes("\ufeffimage_path,labels\na.png\nb.png,Effusion,more\n".encode())

    rows = read_rows(path, required=("image_path",))

    assert rows == [
        {"image_path": "a.png", "labels": ""},
        {"image_path": "b.png", "labels": "Effusion"},
    ]


@pytest.mark.parametrize("name", ["", " ", "a\0b", "/etc/passwd", "../a.png", "x/../../a.png"])
def test_an_image_outside_its_folder_is_refused(tmp_path, name):
    with pytest.raises(DataError, match=r"names no image|outside the manifest's folder"):
        check_image_path(tmp_path, name)


def test_an_image_inside_its_folder_is_found_wherever_it_lies(tmp_path):
    for name in ("a.png", "x/a.png", "x/../a.png", "..a.png"):
        assert check_image_path(tmp_path, name) == tmp_path / name


@given(
    cells=st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
            st.sets(st.sampled_from(FINDINGS[:3])),
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=50)
def test_any_path_and_labels_written_are_read_back(tmp_path_factory, cells):
    rows = [{"image_path": path, "labels": "|".join(found)} for path, found in cells]

    table = StudyTable.read_csv(write(tmp_path_factory.mktemp("table"), rows), FINDINGS)

    assert table.image_paths == tuple(path for path, _ in cells)
    for (_, found), labels in zip(cells, table.labels, strict=True):
        assert {name for name, label in zip(FINDINGS, labels, strict=True) if label == 1} == found
        assert np.isnan(labels).all() == (not found)


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 2]), st.sampled_from([0, 1, 2]), st.sampled_from("ab")),
        min_size=1,
        max_size=12,
    )
)
def test_a_table_written_as_a_file_reads_back_equal(rows):
    findings = ("Effusion", "Pneumonia")
    values = np.array([[np.nan if one == 2 else one for one in row[:2]] for row in rows], float)
    paths = tuple(f"{i}.png" for i in range(len(rows)))
    table = StudyTable(
        root=Path(),
        image_paths=paths,
        findings=findings,
        labels=values,
        patients=tuple(
            unnamed_patient(path) if row[2] == "a" else row[2]
            for path, row in zip(paths, rows, strict=True)
        ),
        attributes={"view": tuple("PA" for _ in rows)},
    )
    read = StudyTable.of_rows(
        rows_of(table.as_csv(), "t.csv", required=("image_path",)), findings, root=Path()
    )
    assert np.array_equal(read.labels, table.labels, equal_nan=True)
    assert (read.image_paths, read.patients) == (table.image_paths, table.patients)
    assert read.attributes == table.attributes


@pytest.mark.parametrize("odd", ["a\rb", "a\nb", "a\r\nb", "\r", 'a"b', "a,b", " a "])
def test_a_cell_with_a_line_break_begins_no_row(odd):
    table = StudyTable(
        root=Path(),
        image_paths=(f"{odd}.png", "c.png"),
        findings=("Effusion",),
        labels=np.array([[1.0], [0.0]]),
        patients=("7", odd),
        attributes={"note": (odd, "")},
    )

    rows = rows_of(table.as_csv(), "t.csv", required=("image_path",))

    read = StudyTable.of_rows(rows, ("Effusion",), root=Path())
    assert (read.image_paths, read.patients) == (table.image_paths, table.patients)
    assert read.attributes == table.attributes
