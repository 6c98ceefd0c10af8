"""What a network learns from instead of the bare labels."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcxr.core.errors import DataError
from medcxr.datasets.study_table import StudyTable
from medcxr.learning.teaching import read_soft_labels, reread, soften

FINDINGS = ("Pneumonia", "Effusion", "No Finding")
NAN = np.nan


def table(labels, readings, root=Path("data")):
    n = len(labels)
    return StudyTable(
        root=root,
        image_paths=tuple(f"{i}.png" for i in range(n)),
        findings=FINDINGS,
        labels=np.array(labels, dtype=np.float64).reshape(n, 3),
        patients=tuple(str(i) for i in range(n)),
        attributes={"again": tuple(readings)},
    )


@pytest.mark.parametrize(
    ("label", "reading", "expected"),
    [
        ([1, 0, 0], "", [1, 0, 0]),
        ([1, 0, 0], "Normal", [0, 0, 0]),
        ([1, 1, 0], "Lung Opacity", [1, 1, 0]),
        ([0, 1, 0], "Lung Opacity", [NAN, 1, 0]),
        ([0, 0, 1], "Lung Opacity|Lung Opacity", [NAN, 0, 0]),
        ([1, 0, 0], "No Lung Opacity / Not Normal", [0, 0, 0]),
        ([0, 0, 1], "No Lung Opacity / Not Normal", [0, 0, 0]),
        ([0, 0, 1], "Normal", [0, 0, 1]),
        ([1, 0, 0], "Normal|Lung Opacity", [1, 0, 0]),
        ([1, 0, 0], "Normal|No Lung Opacity / Not Normal", [0, 0, 0]),
    ],
)
def test_what_radiologists_saw_goes_before_the_report(label, reading, expected):
    np.testing.assert_array_equal(reread(table([label], [reading]), "again"), [expected])


def test_the_table_itself_is_left_as_it_is():
    before = table([[1, 0, 0]], ["Normal"])
    reread(before, "again")
    assert before.labels[0, 0] == 1


def test_an_unknown_reading_is_refused():
    with pytest.raises(DataError, match=r"'0\.png' has 'Fine' in again; known are 'Normal'"):
        reread(table([[1, 0, 0]], ["Fine"]), "again")


def test_scores_are_found_by_file_and_no_finding_is_the_absence_of_all(tmp_path):
    (tmp_path / "scores.csv").write_text(
        "image_path,Pneumonia,Mass\n1.png,0.25,0.5\nelsewhere.png,0.1,0.1\n"
    )
    odds = read_soft_labels(tmp_path / "scores.csv", [table([[0, 0, 1]] * 3, [""] * 3, tmp_path)])

    assert np.isnan(odds[[0, 2]]).all()
    assert odds[1, 0] == pytest.approx(np.log(1 / 3))
    assert np.isnan(odds[1, 1])  # Effusion is not scored
    assert odds[1, 2] == pytest.approx(np.log(0.375 / 0.625))  # neither: 0.75 of 0.5


@pytest.mark.parametrize("score", ["1.5", "-0.1", "high", "nan"])
def test_a_score_that_is_no_probability_is_refused(tmp_path, score):
    (tmp_path / "scores.csv").write_text(f"image_path,Pneumonia\n0.png,{score}\n")
    with pytest.raises(DataError, match="which is no probability"):
        read_soft_labels(tmp_path / "scores.csv", [table([[0, 0, 1]], [""], tmp_path)])


def test_scores_of_0_and_1_stay_finite(tmp_path):
    (tmp_path / "scores.csv").write_text("image_path,Pneumonia\n0.png,0\n1.png,1\n")
    odds = read_soft_labels(tmp_path / "scores.csv", [table([[0, 0, 1]] * 2, [""] * 2, tmp_path)])
    assert odds[0, 0] < -10
    assert odds[1, 0] > 10
    assert np.isfinite(odds[:, 0]).all()


@given(seed=st.integers(0, 10_000), share=st.floats(0, 1))
@settings(max_examples=30)
def test_soft_labels_lie_between_label_and_probability_and_only_where_something_is_said(
    seed, share
):
    random = np.random.default_rng(seed)
    labels = (random.random((80, 2)) < 0.5).astype(np.float64)
    labels[random.random((80, 2)) < 0.2] = NAN
    odds = random.normal(size=(80, 2)) + np.nan_to_num(labels)
    odds[random.random((80, 2)) < 0.3] = NAN
    rows = tuple(range(60))

    soft = soften(labels, odds, rows, share=share)
    fully = soften(labels, odds, rows, share=1.0)

    np.testing.assert_array_equal(soft[60:], labels[60:])
    unsaid = np.isnan(odds[:60])
    np.testing.assert_array_equal(soft[:60][unsaid], labels[:60][unsaid])
    known = ~unsaid & ~np.isnan(labels[:60])
    expected = (1 - share) * labels[:60][known] + share * fully[:60][known]
    np.testing.assert_allclose(soft[:60][known], expected)
    fresh = ~unsaid & np.isnan(labels[:60])
    np.testing.assert_allclose(soft[:60][fresh], fully[:60][fresh])


def test_probabilities_are_brought_to_how_common_the_finding_is_here():
    # a reader from a place where one in a hundred has it; here every second one
    random = np.random.default_rng(0)
    labels = np.repeat([0.0, 1.0], 500)[:, np.newaxis]
    odds = random.normal(size=(1000, 1)) + 2 * labels - 5.6

    soft = soften(labels, odds, range(1000), share=1.0)

    assert soft.mean() == pytest.approx(0.5, abs=0.01)
    assert np.corrcoef(soft[:, 0], odds[:, 0])[0, 1] > 0.9


def test_held_out_labels_are_not_looked_at():
    random = np.random.default_rng(1)
    labels = (random.random((60, 1)) < 0.5).astype(np.float64)
    odds = random.normal(size=(60, 1))
    turned = labels.copy()
    turned[40:] = 1 - turned[40:]

    own = soften(labels, odds, range(40), share=0.5)
    other = soften(turned, odds, range(40), share=0.5)

    np.testing.assert_array_equal(own[:40], other[:40])


def test_too_few_positives_leave_the_labels():
    labels = np.zeros((30, 1))
    labels[0] = 1
    soft = soften(labels, np.linspace(-2, 2, 30)[:, np.newaxis], range(30), share=0.5)
    np.testing.assert_array_equal(soft, labels)


def test_scores_by_fold_are_refused_since_they_have_seen_what_is_held_out(tmp_path):
    (tmp_path / "scores.csv").write_text("image_path,Pneumonia,fold\n0.png,0.2,1\n")
    with pytest.raises(DataError, match="Name the recipe as the teacher instead"):
        read_soft_labels(tmp_path / "scores.csv", [table([[0, 0, 1]], [""], tmp_path)])
