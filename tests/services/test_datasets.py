"""Where the table of an archive may lie, and what it may replace."""

import csv
import stat

import pytest

from medcxr.core.errors import DataError
from medcxr.core.findings import Finding
from medcxr.datasets.archives.image import Omission
from medcxr.datasets.study_table import StudyTable, check_image_path
from medcxr.services.datasets import COLUMNS, Archive, FindingCount, write_archive_table


@pytest.fixture
def folder(tmp_path):
    """Return a folder of own images; nobody looks into the files."""
    for path in ("Pneumonia/a.png", "Pneumonia/notes.txt", "Normal/b.png"):
        (tmp_path / "data" / "own" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / "own" / path).touch()
    return tmp_path / "data" / "own"


def test_the_table_lies_in_the_folder_and_counts_what_it_holds(folder):
    summary = write_archive_table(Archive.FOLDER, folder)

    assert summary.table == folder / "medcxr_folder.csv"
    assert (summary.n_images, summary.n_patients, summary.n_unnamed) == (2, 0, 2)
    assert summary.left_out == {Omission.NO_IMAGE: 1}
    assert summary.findings == {
        Finding.PNEUMONIA: FindingCount(present=1, absent=1),
        Finding.EFFUSION: FindingCount(present=0, absent=1),
        Finding.CARDIOMEGALY: FindingCount(present=0, absent=1),
        Finding.NO_FINDING: FindingCount(present=1, absent=1),
    }
    with summary.table.open(newline="", encoding="utf-8") as file:
        assert next(csv.reader(file)) == list(COLUMNS)
    assert stat.S_IMODE(summary.table.stat().st_mode) == 0o644


@pytest.mark.parametrize("levels", [0, 1, 2])
def test_paths_are_relative_to_the_table_wherever_it_lies_above(folder, levels):
    home = [folder, *folder.parents][levels]

    summary = write_archive_table(Archive.FOLDER, folder, out=home / "table.csv")

    table = StudyTable.read_csv(summary.table, ["Pneumonia"])
    for index, path in enumerate(table.image_paths):
        assert check_image_path(table.root, path).is_file()
        assert table.path(index).samefile(folder / path.split("/", levels)[-1])


def test_a_table_that_its_images_would_leave_is_refused(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    for out in (
        tmp_path / "elsewhere" / "table.csv",
        folder / "Normal" / "table.csv",
        folder / ".." / ".." / "elsewhere" / "table.csv",
    ):
        with pytest.raises(DataError, match="may not leave the table's folder"):
            write_archive_table(Archive.FOLDER, folder, out=out)
        assert not out.exists()


def test_a_linked_image_outside_is_refused_before_training_does(folder, tmp_path):
    (tmp_path / "outside.png").touch()
    (folder / "Normal" / "c.png").symlink_to(tmp_path / "outside.png")

    with pytest.raises(DataError, match=r"Normal/c\.png is a link that leads out"):
        write_archive_table(Archive.FOLDER, folder)
    assert not (folder / "medcxr_folder.csv").exists()
    assert write_archive_table(Archive.FOLDER, folder, out=tmp_path / "table.csv").n_images == 3


def test_a_table_is_written_anew_but_no_other_file_is_replaced(folder):
    first = write_archive_table(Archive.FOLDER, folder)
    (folder / "Normal" / "c.png").touch()
    assert write_archive_table(Archive.FOLDER, folder, out=first.table).n_images == 3

    (folder / "train.csv").write_text("Path,Sex\n")
    for out in (folder / "train.csv", folder / "Normal" / ".." / "Pneumonia"):
        with pytest.raises(DataError, match="no table of this command"):
            write_archive_table(Archive.FOLDER, folder, out=out)
    assert (folder / "train.csv").read_text() == "Path,Sex\n"


def test_an_error_leaves_the_old_table(folder):
    table = write_archive_table(Archive.FOLDER, folder).table
    before = table.read_bytes()
    (folder / "Normal" / "x\x1b.png").touch()

    with pytest.raises(DataError, match="control characters"):
        write_archive_table(Archive.FOLDER, folder)
    assert table.read_bytes() == before
    assert [path.name for path in folder.glob(".*")] == []


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(DataError, match="is no folder"):
        write_archive_table(Archive.NIH, tmp_path / "absent")
