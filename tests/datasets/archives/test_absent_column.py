"""What a study table says itself of absent findings, and how training reads it."""

import numpy as np
import pytest

from medcxr.core.errors import DataError
from medcxr.datasets.study_table import LabelPolicy, StudyTable

NAN = np.nan
FINDINGS = ["Pneumonia", "Effusion", "No Finding"]


def read(tmp_path, rows, *, complete=True):
    path = tmp_path / "table.csv"
    path.write_text(f"image_path,labels,absent,view\n{rows}\n")
    return StudyTable.read_csv(path, FINDINGS, policy=LabelPolicy(complete=complete))


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("Effusion,Pneumonia", [0, 1, 0]),
        ("Effusion,", [NAN, 1, 0]),
        (",Pneumonia|No Finding", [0, NAN, 0]),
        (", Pneumonia | Effusion ", [0, 0, NAN]),
        (",", [NAN, NAN, NAN]),
        ("No Finding,", [0, 0, 1]),
        ("No Finding,Effusion", [0, 0, 1]),
        ("Edema,Hernia", [NAN, NAN, 0]),
    ],
)
def test_what_is_named_in_neither_column_is_unknown(tmp_path, complete, cells, expected):
    table = read(tmp_path, f"a.png,{cells},PA", complete=complete)

    np.testing.assert_array_equal(table.labels, [expected])
    assert table.attributes == {"view": ("PA",)}


def test_a_finding_in_both_columns_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"'a\.png' names 'Effusion' in both labels and absent"):
        read(tmp_path, "a.png,Effusion|Edema,Pneumonia|Effusion,PA")
