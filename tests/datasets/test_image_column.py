"""Image paths read from the middle of a table are those that its beginning leads to."""

import csv
import hashlib
import io
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.core.errors import DataError
from medcxr.datasets import image_column
from medcxr.datasets.image_column import image_paths, survey_table

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="\0"), max_size=12
)


def written(rows, line_end, first=b""):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerow(["labels", "image_path"])
    writer.writerows(rows)
    return first + text.getvalue().encode()


@pytest.mark.parametrize("block", [1, 7, 2**18])
@given(
    rows=st.lists(st.tuples(NAMES, NAMES), max_size=9),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    size=st.integers(1, 4),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_every_part_is_found_again(tmp_path_factory, block, *, rows, line_end, size, mark):
    table = tmp_path_factory.mktemp("table") / "table.csv"
    table.write_bytes(written(rows, line_end, mark))
    with table.open(encoding="utf-8-sig", newline="") as file:  # the oracle: csv as Python reads it
        expected = [row["image_path"] for row in csv.DictReader(file)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(image_column, "_BLOCK_BYTES", block)
        survey = survey_table(table, size)
        parts = [list(islice(image_paths(table, start=start), size)) for start in survey.starts]
        assert list(image_paths(table)) == expected
    assert survey.n_rows == len(expected)
    assert [path for part in parts for path in part] == expected
    assert survey.sha256 == hashlib.sha256(table.read_bytes()).hexdigest()


def test_a_short_row_names_no_image_and_an_empty_line_is_no_row(tmp_path):
    table = tmp_path / "table.csv"
    table.write_bytes(b"labels,image_path\na\n\nb,1.png\n")
    assert list(image_paths(table)) == ["", "1.png"]
    assert survey_table(table, 1).n_rows == 2


@pytest.mark.parametrize("content", [b"", b"\nimage_path\n", b"image\n1.png\n"])
def test_a_table_without_the_column_is_refused(tmp_path, content):
    table = tmp_path / "table.csv"
    table.write_bytes(content)
    with pytest.raises(DataError, match="lacks the column"):
        survey_table(table, 4)
