"""Who may be learned from: never a held-out patient, in whatever table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("monai")
from medcxr.core.errors import DataError
from medcxr.datasets.study_table import StudyTable, unnamed_patient
from medcxr.learning.config import DataConfig, TableConfig, TrainingConfig
from medcxr.learning.training_data import TrainingData, load_tables

pytestmark = pytest.mark.train

SHARES = (0.4, 0.2, 0.2, 0.2)


def table_of(names, patients, **attributes):
    names, patients = tuple(names), tuple(map(str, patients))
    return StudyTable(
        root=Path(),
        image_paths=names,
        findings=("A", "B"),
        labels=np.array([[i % 2, np.nan] for i in range(len(names))]),
        patients=patients,
        attributes={key: tuple(values) for key, values in attributes.items()},
    )


@st.composite
def training_data(draw):
    """Return a measured table, copies of its images, its patients elsewhere, and strangers."""
    patients = draw(st.lists(st.integers(0, 12), min_size=8, max_size=24))
    patients[:8] = range(8)
    names = [f"x/{i}.png" for i in range(len(patients))]
    copied = draw(st.lists(st.sampled_from([*names, ""]), max_size=8))
    same = draw(st.lists(st.integers(0, 15), max_size=8))
    tables = [
        table_of([f"c{i}.png" for i in range(len(copied))], range(len(copied)), original=copied),
        table_of(names, patients),
        table_of([f"s{i}.png" for i in range(len(same))], same),
        table_of(["a.png", "b.png"], [0, 1]),  # other people, though numbered alike
    ]
    configs = [
        TableConfig(path="copies.csv", role="train", same_as_column="original"),
        TableConfig(path="measured.csv"),
        TableConfig(path="same.csv", role="train", same_patients_as="measured.csv"),
        TableConfig(path="strangers.csv", role="train"),
    ]
    chosen = [i for i, table in enumerate(tables) if len(table)]
    return TrainingData(
        tables=tuple(tables[i] for i in chosen),
        configs=tuple(configs[i] for i in chosen),
        n_findings=2,
    )


def rows_of(data):
    """Return table, configuration and place in the table of every row of the image set."""
    return [
        (table, config, i)
        for table, config in zip(data.tables, data.configs, strict=True)
        for i in range(len(table))
    ]


def check_training_rows(data, held_out):
    rows = rows_of(data)
    hidden = {rows[row][2] for row in held_out}
    measured = next(t for t, c in zip(data.tables, data.configs, strict=True) if c.role == "split")
    images = {measured.image_paths[i] for i in hidden}
    patients = {measured.patients[i] for i in hidden}
    train = set(data.training_rows(held_out))
    for row, (table, config, i) in enumerate(rows):
        must_not = {
            "measured.csv": row in held_out,
            "copies.csv": table.attributes.get("original", [""] * len(table))[i] in images,
            "same.csv": table.patients[i] in patients,
            "strangers.csv": False,
        }
        # nothing of a held-out patient trains, and nothing else is lost
        assert (row in train) == (not must_not[config.path]), (config.path, i)


@given(data=training_data(), seed=st.integers(0, 100), n_folds=st.integers(2, 4))
@settings(max_examples=30)
def test_no_image_of_a_held_out_patient_trains_in_any_fold(data, seed, n_folds):
    folds = data.folds(n_folds, seed=seed)

    assert sorted(row for fold in folds for row in fold) == sorted(data.split_rows)
    for held_out in folds:
        check_training_rows(data, held_out)


@given(data=training_data(), seed=st.integers(0, 100))
@settings(max_examples=20)
def test_no_image_of_a_held_out_patient_trains_in_a_holdout(data, seed):
    parts = data.holdout(SHARES, seed=seed)

    rows, used = rows_of(data), [parts.train, parts.validation, parts.calibration, parts.test]
    assert sorted(row for part in used for row in part) == sorted(data.split_rows)
    patients = [{rows[row][0].patients[rows[row][2]] for row in part} for part in used]
    assert sum(map(len, patients)) == len(set.union(*patients))
    check_training_rows(data, (*parts.validation, *parts.calibration, *parts.test))


def test_folds_do_not_depend_on_auxiliary_labels():
    random = np.random.default_rng(0)
    table = replace(
        table_of([f"{i}.png" for i in range(60)], [i // 2 for i in range(60)]),
        findings=("A", "B", "C"),
        labels=(random.random((60, 3)) < 0.3).astype(float),
    )
    alone = replace(table, findings=("A", "B"), labels=table.labels[:, :2])
    with_further, without = (
        TrainingData(tables=(one,), configs=(TableConfig(),), n_findings=2)
        for one in (table, alone)
    )

    assert with_further.folds(3, seed=1) == without.folds(3, seed=1)
    assert with_further.holdout(SHARES, seed=1) == without.holdout(SHARES, seed=1)
    as_findings = replace(with_further, n_findings=3)
    assert as_findings.folds(3, seed=1) != without.folds(3, seed=1)


def test_without_anybody_held_out_everything_trains():
    data = TrainingData(
        n_findings=2,
        tables=(table_of("ab", [1, 2]), table_of("c", [1])),
        configs=(TableConfig(path="a"), TableConfig(path="b", role="train")),
    )
    assert data.training_rows(()) == (0, 1, 2)


def test_a_copy_is_known_by_its_name_whatever_its_folder_and_format():
    data = TrainingData(
        n_findings=2,
        tables=(
            table_of(["images/001.png", "images/002.png"], [1, 2]),
            table_of("cde", [7, 8, 9], original=["001.jpg", "other/002.png", ""]),
        ),
        configs=(
            TableConfig(path="a"),
            TableConfig(path="b", role="train", same_as_column="original"),
        ),
    )
    assert data.training_rows((0,)) == (1, 3, 4)
    assert data.training_rows((1,)) == (0, 2, 4)


def test_patients_of_two_measured_tables_are_different_people():
    data = TrainingData(
        n_findings=2,
        tables=(
            table_of("ab", [1, 2], view=["PA", "AP"], age=["1", "2"]),
            table_of("c", [3], original=[""]),
            table_of("de", [1, 2], view=["PA", ""]),
        ),
        configs=(
            TableConfig(path="a"),
            TableConfig(path="b", role="train"),
            TableConfig(path="c"),
        ),
    )

    table = data.split_table

    assert data.split_rows == (0, 1, 3, 4)
    assert data.train_only_rows == (2,)
    assert table.image_paths == ("a", "b", "d", "e")
    assert len(set(table.patients)) == 4
    assert table.attributes == {"view": ("PA", "AP", "PA", "")}  # what both have
    assert sorted(row for fold in data.folds(4, seed=0) for row in fold) == [0, 1, 3, 4]


def test_rows_and_known_patients_are_counted():
    names = ["a", "b", "c", "d"]
    data = TrainingData(
        n_findings=2,
        tables=(
            table_of(names, [1, 1, unnamed_patient("c"), 2]),
            table_of("ef", [1, 3]),
        ),
        configs=(
            TableConfig(path="a.csv"),
            TableConfig(path="b.csv", role="train", same_patients_as="a.csv"),
        ),
    )

    assert data.n_rows == 6
    assert data.counts((0, 2, 5)) == {"a.csv": 2, "b.csv": 1}
    assert data.n_known_patients((0, 1)) == 1
    assert data.n_known_patients((0, 1, 2)) == 1  # nobody knows whose the third is
    assert data.n_known_patients((0, 3, 4, 5)) == 3


def test_fingerprints_follow_images_labels_and_further_columns():
    table = table_of("ab", [1, 2], original=["x", ""])

    def digests(image_digest="00", **changes):
        data = TrainingData(
            tables=(replace(table, **changes),), configs=(TableConfig(),), n_findings=2
        )
        return data.fingerprint(image_digest), data.attributes_digest()

    same = digests()
    assert digests() == same
    assert digests(image_digest="01")[0] != same[0]
    assert digests(labels=np.zeros((2, 2)))[0] != same[0]
    assert digests(patients=("1", "1"))[0] != same[0]
    of_other_copies = digests(attributes={"original": ("x", "y")})
    assert of_other_copies[0] == same[0]
    assert of_other_copies[1] != same[1]


@pytest.fixture
def folder(tmp_path):
    """Return a data folder with a measured table and one of a ratio alone."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "manifest.csv").write_text(
        "image_path,labels,patient_id,copy\nx.png,Effusion|Mass,1,\ny.png,No Finding,2,z\n"
    )
    (tmp_path / "ratio.csv").write_text("image_path,cardiothoracic_ratio\nr.png,0.6\n")
    return tmp_path


def config_of(*tables, **data):
    return TrainingConfig(data=DataConfig(tables=tables, **data))


def test_tables_are_read_as_configured(folder):
    config = config_of(
        TableConfig(path="a/manifest.csv", same_as_column="copy"),
        TableConfig(
            path="ratio.csv", role="train", complete_labels=False, cardiothoracic_threshold=0.5
        ),
        auxiliary_findings=("Mass",),
    )

    data = load_tables(config, folder)

    assert data.configs == config.data.tables
    assert data.tables[0].findings == (*config.data.findings, "Mass")
    assert data.tables[0].labels.tolist() == [[0, 1, 0, 0, 1], [0, 0, 0, 1, 0]]
    assert data.tables[1].labels[0, 2:4].tolist() == [1, 0]
    assert np.isnan(data.tables[1].labels[0, [0, 1, 4]]).all()
    assert data.tables[0].path(0) == folder / "a" / "x.png"


def test_a_table_teaches_what_it_is_told_to(folder):
    config = config_of(
        TableConfig(path="a/manifest.csv"),
        TableConfig(
            path="ratio.csv",
            role="train",
            cardiothoracic_threshold=0.5,
            teaches=("Cardiomegaly",),
        ),
    )

    measured, taught = load_tables(config, folder).tables

    assert not np.isnan(measured.labels).any()
    assert taught.labels[0, 2] == 1
    assert np.isnan(taught.labels[0, [0, 1, 3]]).all()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (TableConfig(path="absent.csv"), r"absent\.csv cannot be read"),
        (TableConfig(path="../a.csv"), "outside the manifest's folder"),
        (TableConfig(path="/etc/passwd"), "outside the manifest's folder"),
        (TableConfig(path="a/manifest.csv", role="train"), "give one 'split'"),
        (
            TableConfig(path="a/manifest.csv", same_as_column="copies"),
            "lacks the column 'copies' that same_as_column names",
        ),
        (
            TableConfig(path="a/manifest.csv", reread_column="again"),
            "lacks the column 'again' that reread_column names",
        ),
    ],
)
def test_a_table_that_is_not_there_or_not_as_configured_is_refused(folder, table, words):
    with pytest.raises(DataError, match=words):
        load_tables(config_of(table), folder)


def test_findings_cannot_be_made_independent_of_a_column_that_no_table_has(folder):
    config = config_of(TableConfig(path="a/manifest.csv"))
    config = replace(config, optimization=replace(config.optimization, independent_of=("camera",)))
    with pytest.raises(DataError, match="names the column 'camera', which no table has"):
        load_tables(config, folder)


def test_groups_are_what_columns_say_or_the_table_that_lacks_them():
    data = TrainingData(
        tables=(
            table_of(["a", "b"], [0, 1], view=["PA", "AP"], sex=["F", "M"]),
            table_of(["c"], [2], sex=["F"]),
        ),
        configs=(TableConfig(path="one.csv"), TableConfig(path="two.csv", role="train")),
        n_findings=2,
    )
    assert data.groups((2, 0), ("view",)) == ("two.csv", "PA")
    assert data.groups(range(3), ("view", "sex")) == ("PA|F", "AP|M", "two.csv|F")
    assert data.groups(range(3), ()) == ()


def test_an_image_outside_its_table_is_refused_before_any_is_read(folder):
    (folder / "ratio.csv").write_text("image_path\n../elsewhere.png\n")
    with pytest.raises(DataError, match="outside the manifest's folder"):
        load_tables(config_of(TableConfig(path="ratio.csv")), folder)


def test_a_held_out_centre_takes_its_patients_elsewhere_with_it():
    names = [f"{i}.png" for i in range(8)]
    table = table_of(
        names, [0, 1, 2, 3, 0, 5, 6, 7], source=["a", "a", "a", "b", "b", "b", "b", "b"]
    )
    table = replace(table, labels=np.array([[i % 2, i % 2] for i in range(8)], dtype=float))
    data = TrainingData(tables=(table,), configs=(TableConfig(path="m.csv"),), n_findings=2)
    first, second = data.folds(5, seed=0, centre_column="source")
    assert (first, second) == ((0, 1, 2), (3, 4, 5, 6, 7))
    assert data.training_rows(first) == (3, 5, 6, 7)  # row 4 is patient 0's, at the other centre
    assert data.training_rows(second) == (1, 2)
