"""Scores joined with labels, in every known form, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.core.errors import DataError
from medcxr.datasets.study_table import LabelPolicy
from medcxr.services.scored_table import CsvFile, join_scores, read_csv_file

PREDICTED = (
    "image_path,Pneumonia,Effusion,error,warning\n"
    "a.png,0.1,0.9,,\n"
    "b.png,0.2,0.3,,turned\n"
    "c.png,,,not an image,\n"
    "d.png,0.4,,,\n"
    "e.png,0.5,0.6,,\n"
)
LABELS = (
    "image_path,labels,patient_id,view,age,sex,source\n"
    "b.png,No Finding,p1,PA,64,F,x\n"
    "a.png,Effusion,p1,PA,9,F,x\n"
    "c.png,Pneumonia,p2,AP,50,M,y\n"
    "d.png,Pneumonia|Effusion,,,,,y\n"
)


def file(text, name="scores.csv"):
    return CsvFile(name=name, data=text.encode())


def test_scores_of_predict_are_joined_with_a_study_table():
    table = join_scores(file(PREDICTED), file(LABELS, "labels.csv"))
    assert table.findings == ("Pneumonia", "Effusion")
    assert table.probabilities.tolist() == [[0.1, 0.9], [0.2, 0.3], [0.4, 0.0]]
    assert np.array_equal(table.labels, [[0, 1], [0, 0], [1, np.nan]], equal_nan=True)
    assert table.patients == ("p1", "p1", "row:d.png")
    assert table.groups == {
        "view": ("PA", "PA", "unknown"),
        "sex": ("F", "F", "unknown"),
        "age band": ("under 18", "60 and over", "unknown"),
        "source": ("x", "x", "y"),
    }
    assert (table.n_unlabeled, table.n_unscored) == (1, 1)  # e.png and c.png
    assert table.folds == ()


def test_scores_and_labels_may_be_one_file_with_folds():
    text = "image_path,Effusion,labels,fold\na,0.7,Effusion,1\nb,0.2,No Finding,2\n"
    table = join_scores(file(text))
    assert table.labels.tolist() == [[1], [0]]
    assert table.folds == ("1", "2")
    assert table.labels_name == table.scores_name == "scores.csv"


def test_labels_may_be_one_column_of_each_finding():
    labels = file("image_path,Effusion,Pneumonia\na.png,1,0\nb.png,0.0,\n", "labels.csv")
    table = join_scores(file(PREDICTED), labels)
    assert np.array_equal(table.labels, [[0, 1], [np.nan, 0]], equal_nan=True)


def test_the_policy_of_a_run_says_what_labels_leave_unsaid():
    labels = file("image_path,labels\na.png,Effusion\nb.png,Effusion\n", "labels.csv")
    complete = join_scores(file(PREDICTED), labels)
    partial = join_scores(file(PREDICTED), labels, policy=LabelPolicy(complete=False))
    assert complete.labels[0, 0] == 0
    assert np.isnan(partial.labels[0, 0])


def test_a_path_is_only_a_name():
    text = "image_path,Effusion,labels\n../../secret,0.5,Effusion\n/root/x,0.1,No Finding\n"
    assert len(join_scores(file(text))) == 2  # nothing is opened


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_every_score_comes_back(values):
    rows = "".join(f"{i}.png,{value!r},Effusion\n" for i, value in enumerate(values))
    table = join_scores(file(f"image_path,Effusion,labels\n{rows}"))
    assert table.probabilities[:, 0].tolist() == values


@pytest.mark.parametrize(
    ("scores", "labels", "reason"),
    [
        ("image_path,Edema\na,0.1\n", LABELS, "no column of scores"),
        ("Effusion\n0.1\n", LABELS, "lacks the column 'image_path'"),
        ("image_path,Effusion\nz,0.1\n", LABELS, "no scored image_path in common"),
        ("image_path,Effusion\na.png,\n", LABELS, "no scored image_path in common"),
        ("image_path,Effusion\na.png,high\n", LABELS, "the score 'high' of Effusion"),
        ("image_path,Effusion\na.png,1.5\n", LABELS, r"the score '1\.5' of Effusion"),
        ("image_path,Effusion\na.png,nan\n", LABELS, "the score 'nan' of Effusion"),
        ("image_path,Effusion\na.png,-2\n", LABELS, "the score '-2' of Effusion"),
        ("image_path,Effusion\na.png,0.1\na.png,0.2\n", LABELS, "names 'a.png' twice"),
        ("image_path,Effusion\na.png,0.1\n", None, "has no column labels"),
        ("image_path,Effusion\na.png,0.1\n", "image_path\na.png\n", "neither a column labels"),
        ("image_path,Effusion\na.png,0.1\n", "image_path,Effusion\na.png,-1\n", "with '-1'"),
        (PREDICTED, "image_path,labels\na.png,No Finding|Effusion\n", "keep one of them"),
        ("image_path,Effusion,fold\na.png,0.1,1\nb.png,0.1,\n", LABELS, "fold of some images"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_what_to_do(scores, labels, reason):
    with pytest.raises(DataError, match=reason):
        join_scores(file(scores), file(labels, "labels.csv") if labels else None)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"gone\.csv cannot be read"):
        read_csv_file(tmp_path / "gone.csv")
