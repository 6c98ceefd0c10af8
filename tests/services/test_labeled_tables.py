"""Tables in a data folder: which there are, and what they hold."""

import pytest

from medcxr.core.errors import DataError
from medcxr.services.labeled_tables import find_tables, read_balance, table_path

TABLE = """image_path,labels,patient_id,view
a.png,Pneumonia,1,PA
b.png,No Finding,1,AP
c.png,,,
d.png,Effusion|Cardiomegaly,2,PA
"""


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    (folder / "one" / "deeper").mkdir(parents=True)
    for name in ("manifest.csv", "one/manifest.csv", "one/deeper/more.csv"):
        (folder / name).write_text(TABLE)
    for name in ("a", "b", "c"):
        (folder / f"{name}.png").touch()
    return folder


def test_tables_are_found_by_their_columns_and_never_outside(data, tmp_path):
    (data / "scores.csv").write_text("image_path,Pneumonia\na.png,0.5\n")
    (data / "empty.csv").touch()
    (data / "picture.csv").write_bytes(b"\x89PNG\xff")
    (data / ".hidden.csv").write_text(TABLE)
    (data / "two\nlines.csv").write_text(TABLE)
    (tmp_path / "outside.csv").write_text(TABLE)
    (data / "linked.csv").symlink_to(tmp_path / "outside.csv")
    assert find_tables(data) == ("manifest.csv", "one/manifest.csv", "one/deeper/more.csv")
    assert find_tables(tmp_path / "nowhere") == ()


@pytest.mark.parametrize("name", ["../outside.csv", "linked.csv", "", "."])
def test_only_a_found_table_has_a_path(data, name):
    with pytest.raises(DataError, match="no labeled table"):
        table_path(data, name)


def test_labels_patients_views_and_missing_images_are_counted(data):
    balance = read_balance(data, "manifest.csv")
    counts = {c.finding: (c.positive, c.negative, c.unknown) for c in balance.findings}
    assert counts["Pneumonia"] == (1, 2, 1)
    assert counts["No Finding"] == (1, 2, 1)
    assert (balance.n_images, balance.n_patients, balance.n_unnamed) == (4, 3, 1)
    assert balance.views == {"PA": 2, "AP": 1, "unknown": 1}
    assert balance.n_missing == 1
    assert "1 of 4 images are missing" in balance.problems()[0]
    assert not balance.says_what_is_absent


def test_what_a_row_does_not_list_may_be_unknown(data):
    balance = read_balance(data, "manifest.csv", complete_labels=False)
    counts = {c.finding: (c.positive, c.negative, c.unknown) for c in balance.findings}
    assert counts["Pneumonia"] == (1, 1, 2)


def test_a_finding_without_one_side_is_told(data):
    (data / "manifest.csv").write_text("image_path,labels\na.png,Pneumonia\nb.png,Pneumonia\n")
    (problem,) = read_balance(data, "manifest.csv").problems()
    assert "Effusion" in problem
    assert "with and without" in problem
