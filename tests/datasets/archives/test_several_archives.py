"""Several archives in one training, as the example configuration puts them together."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from medcxr.core.findings import Finding
from medcxr.datasets.archives.rsna import MAPPING_FILE
from medcxr.services.datasets import Archive, write_archive_table

pytestmark = pytest.mark.train

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "archives.toml"
HEADER = "Image Index,Finding Labels,Patient ID,Patient Age,Patient Sex,View Position\n"


@pytest.fixture
def data(tmp_path):
    """Return a folder with three NIH images, of which two are in the RSNA challenge too."""
    names = ("00000001_000.png", "00000001_001.png", "00000002_000.png")
    (tmp_path / "nih" / "images").mkdir(parents=True)
    (tmp_path / "rsna" / "stage_2_train_images").mkdir(parents=True)
    rows = [HEADER]
    for name in names:
        (tmp_path / "nih" / "images" / name).touch()
        rows.append(f"{name},Pneumonia,{int(name[:8])},60,M,PA\n")
    (tmp_path / "nih" / "Data_Entry_2017.csv").write_text("".join(rows))
    pairs = [
        {"subset_img_id": "aa", "img_id": names[1]},
        {"subset_img_id": "bb", "img_id": names[2]},
    ]
    (tmp_path / "rsna" / MAPPING_FILE).write_text(json.dumps(pairs))
    (tmp_path / "rsna" / "stage_2_detailed_class_info.csv").write_text(
        "patientId,class\naa,No Lung Opacity / Not Normal\nbb,Lung Opacity\n"
    )
    for name in ("aa", "bb"):
        (tmp_path / "rsna" / "stage_2_train_images" / f"{name}.dcm").touch()
    return tmp_path


def test_the_example_has_a_table_of_every_archive():
    from medcxr.learning.config import load_config

    tables = {table.path for table in load_config(CONFIG).data.tables}

    assert tables == {f"{name}/medcxr_{name}.csv" for name in Archive if name != Archive.FOLDER}


def test_no_held_out_patient_is_learned_under_another_name(data):
    from medcxr.learning.config import load_config
    from medcxr.learning.training_data import load_tables

    for archive in (Archive.NIH, Archive.RSNA):
        write_archive_table(archive, data / archive)
    config = load_config(CONFIG)
    kept = tuple(t for t in config.data.tables if t.path.startswith(("nih", "rsna")))
    config = replace(config, data=replace(config.data, tables=kept))

    tables = load_tables(config, data)

    assert tables.n_rows == 5
    assert tables.training_rows((0,)) == (2, 4)  # rows 1 and 3, "aa", are of the same patient
    assert tables.training_rows((2,)) == (0, 1, 3)
    n_findings = len(Finding)
    assert tables.tables[0].labels[0, :n_findings].tolist() == [1, 0, 0, 0]
    other = tables.tables[1].labels[0, :n_findings].tolist()
    assert (other[0], other[3]) == (0, 0)
    assert other[1] != other[1]  # nobody said anything of effusion
