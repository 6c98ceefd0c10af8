"""Score tables compared on the labels of a third."""

import pytest

from medcxr.core.errors import DataError
from medcxr.services.comparison import compare_scores


def write(path, header, rows):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.fixture
def labels(tmp_path):
    rows = [f"{i}.png,{'Effusion' if i % 2 else 'No Finding'},p{i // 2}" for i in range(20)]
    return write(tmp_path / "labels.csv", "image_path,labels,patient_id", rows)


def scores(tmp_path, name, of, column="Effusion", images=range(20)):
    rows = [f"{i}.png,{of(i)}" for i in images]
    return write(tmp_path / name, f"image_path,{column}", rows)


def test_only_shared_images_and_findings_count(tmp_path, labels):
    first = scores(tmp_path, "a.csv", lambda i: i % 2)
    second = scores(tmp_path, "b.csv", lambda i: i, images=range(4, 30))
    compared = compare_scores(first, second, labels).findings
    assert list(compared) == ["Effusion"]
    one = compared["Effusion"]
    assert (one.n_images, one.n_positive, one.n_patients) == (16, 8, 8)
    assert one.first == 1.0
    assert one.second == pytest.approx(36 / 64)  # odd numbers are the larger of their pairs


def test_an_empty_cell_leaves_its_image_out(tmp_path, labels):
    first = scores(tmp_path, "a.csv", lambda i: "" if i < 5 else i % 2)
    second = scores(tmp_path, "b.csv", lambda i: 1 - i % 2)
    one = compare_scores(first, second, labels).findings["Effusion"]
    assert one.n_images == 15
    assert (one.first, one.second) == (1.0, 0.0)


def test_what_cannot_be_compared_is_refused(tmp_path, labels):
    good = scores(tmp_path, "a.csv", lambda i: i)
    with pytest.raises(DataError, match="no column of the same finding"):
        compare_scores(good, scores(tmp_path, "c.csv", lambda i: i, column="Edema"), labels)
    with pytest.raises(DataError, match="no image_path in common"):
        compare_scores(good, scores(tmp_path, "d.csv", lambda i: i, images=range(90, 99)), labels)
    with pytest.raises(DataError, match="not a number"):
        compare_scores(good, scores(tmp_path, "e.csv", lambda _: "high"), labels)


def test_the_mean_is_told_where_there_are_two_findings(tmp_path, labels):
    header = "image_path,Effusion,No Finding"
    first = write(tmp_path / "a.csv", header, [f"{i}.png,{i % 2},{1 - i % 2}" for i in range(20)])
    second = write(tmp_path / "b.csv", header, [f"{i}.png,0.5,{1 - i % 2}" for i in range(20)])
    compared = compare_scores(first, second, labels)
    assert compared.mean_difference.value == 0.25  # halves of 0.5 and of 0
    assert (
        compare_scores(first, scores(tmp_path, "c.csv", lambda i: i), labels).mean_difference
        is None
    )


def test_decisions_are_compared_at_the_thresholds_that_are_given(tmp_path, labels):
    first = scores(tmp_path, "a.csv", lambda i: 0.9 if i % 2 else 0.1)
    second = scores(tmp_path, "b.csv", lambda i: 0.6 if i > 9 else 0.2)
    assert compare_scores(first, second, labels).decisions == {}
    compared = compare_scores(first, second, labels, thresholds=(0.5, 0.55))
    sensitivity, specificity = compared.decisions["Effusion"]
    assert (sensitivity.first, sensitivity.second) == (1.0, 0.5)
    assert (specificity.first, specificity.second) == (1.0, 0.5)
    assert (sensitivity.counts.first_only, sensitivity.n_patients) == (5, 10)
    assert sensitivity.p == pytest.approx(2 * 0.5**5)
    assert sensitivity.difference.low < 0.5 < sensitivity.difference.high
