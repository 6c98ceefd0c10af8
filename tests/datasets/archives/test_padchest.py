"""PadChest as a study table."""

import numpy as np
import pytest

from medcxr.core.errors import DataError

NAN = np.nan
TABLE = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
HEADER = (
    ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,"
    "ViewPosition_DICOM,Projection,MethodProjection,Pediatric,Report,MethodLabel,Labels,"
    "Localizations"
)
COLUMNS = HEADER.split(",")


def row(number, labels, **cells):
    return {
        "ImageID": f"2168401113669640122830_00-078-{number:03d}.png",
        "ImageDir": "0",
        "StudyDate_DICOM": "20140915",
        "PatientID": f"p{number // 2}",
        "PatientBirth": "1930.0",
        "PatientSex_DICOM": "M",
        "Projection": "PA",
        "Report": "sin cambios, ver informe previo",
        "Labels": labels,
        **cells,
    }


def unpack(archive, *rows, name=TABLE):
    archive.table(name, COLUMNS, rows)
    archive.images(*(f"0/{r['ImageID']}" for r in rows if "/" not in r["ImageID"]))


@pytest.mark.parametrize("name", [TABLE, f"{TABLE}.gz"])
def test_the_labels_of_a_report_are_mapped_to_the_names_of_nih(archive, name):
    unpack(
        archive,
        row(0, "['pneumonia', ' loculated pleural effusion', '']"),
        row(1, "['normal']"),
        row(2, '["cardiomegaly", "aortic elongation"]', Projection="AP_horizontal"),
        name=name,
    )

    table = archive.read("padchest", ["Pneumonia", "Effusion", "Cardiomegaly", "No Finding"])

    assert table.labels.tolist() == [[1, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    assert table.image_paths[0] == "0/2168401113669640122830_00-078-000.png"
    assert table.patients == ("p0", "p0", "p1")
    assert table.attributes["age"] == ("84", "84", "84")
    assert table.attributes["sex"] == ("M", "M", "M")
    assert table.attributes["view"] == ("PA", "PA", "AP")


@pytest.mark.parametrize(
    ("label", "finding"),
    [
        ("atypical pneumonia", "Pneumonia"),
        ("hydropneumothorax", "Effusion"),
        ("hydropneumothorax", "Pneumothorax"),
        ("laminar atelectasis", "Atelectasis"),
        ("pulmonary edema", "Edema"),
        ("pulmonary fibrosis", "Fibrosis"),
        ("hiatal hernia", "Hernia"),
        ("alveolar pattern", "Infiltration"),
        ("apical pleural thickening", "Pleural_Thickening"),
        ("multiple nodules", "Nodule"),
        ("pulmonary mass", "Mass"),
        ("scoliosis", "scoliosis"),  # no name in NIH
    ],
)
def test_kinds_of_a_finding_count_as_the_finding(archive, label, finding):
    unpack(archive, row(0, f"['{label}']"))

    assert archive.read("padchest", [finding, "No Finding"]).labels.tolist() == [[1, 0]]


def test_pericardial_effusion_and_subcutaneous_emphysema_are_neither(archive):
    unpack(archive, row(0, "['pericardial effusion', 'subcutaneous emphysema']"))

    assert archive.read("padchest", ["Effusion", "Emphysema"]).labels.tolist() == [[0, 0]]


def test_a_device_alone_is_neither_normal_nor_a_finding(archive):
    unpack(archive, row(0, "['NSG tube', 'pacemaker']"), row(1, "['normal', 'sternotomy']"))

    np.testing.assert_array_equal(archive.read("padchest").labels, [[0, 0, 0, NAN], [0, 0, 0, 1]])


def test_an_unchanged_or_suboptimal_study_says_less(archive):
    unpack(
        archive,
        row(0, "['pleural effusion', 'unchanged']"),
        row(1, "['suboptimal study', 'pneumonia']"),
        row(2, "['unchanged']"),
    )

    np.testing.assert_array_equal(
        archive.read("padchest").labels, [[NAN, 1, NAN, 0], [1, NAN, NAN, 0]]
    )
    assert archive.left_out() == {"NO_LABEL": 1}


def test_what_is_left_out_is_counted_by_reason(archive):
    unpack(
        archive,
        row(0, "['normal']"),
        row(1, "['normal']", Projection="L"),
        row(2, "['normal']", Projection="COSTAL"),
        row(3, "['exclude', 'pneumonia']"),
        row(4, ""),
        row(5, "['']"),
        row(6, "['normal']"),
    )
    (archive.folder / "0" / row(6, "")["ImageID"]).unlink()

    assert len(archive.read("padchest")) == 1
    assert archive.left_out() == {"NOT_FRONTAL": 2, "EXCLUDED": 1, "NO_LABEL": 2, "NO_FILE": 1}


def test_images_may_lie_in_one_folder(archive):
    first, second = row(0, "['normal']"), row(1, "['normal']", ImageDir="54")
    archive.table(TABLE, COLUMNS, [first, second])
    paths = (f"images/{first['ImageID']}", f"images/54/{second['ImageID']}")
    archive.images(*paths)

    assert archive.read("padchest").image_paths == paths


@pytest.mark.parametrize(
    ("birth", "date"), [("", "20140915"), ("1930", ""), ("1800", "20140915"), ("x", "y")]
)
def test_an_age_that_is_not_stated_or_impossible_is_empty(archive, birth, date):
    unpack(archive, row(0, "['normal']", PatientBirth=birth, StudyDate_DICOM=date))

    assert archive.read("padchest").attributes["age"] == ("",)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"Labels": "__import__('os').system('true')"}, "a list of quoted names"),
        ({"Labels": "['normal', 1]"}, "a list of quoted names"),
        ({"Labels": "['normal'"}, "a list of quoted names"),
        ({"Labels": "['a|b']"}, "cannot stand in a table"),
        ({"ImageID": "../x.png"}, "ImageID holds .* no plain name"),
        ({"ImageDir": ".."}, "ImageDir holds .* no plain name"),
        ({"ImageDir": "/"}, "ImageDir holds .* no plain name"),
    ],
)
def test_wrong_rows_are_refused(archive, cells, reason):
    unpack(archive, row(0, "['normal']") | cells)

    with pytest.raises(DataError, match=reason):
        archive.read("padchest")


def test_a_missing_table_or_column_is_refused(archive):
    with pytest.raises(DataError, match=f"holds no {TABLE}"):
        archive.read("padchest")
    archive.table(TABLE, COLUMNS[:-2], [])
    with pytest.raises(DataError, match="lacks the column 'Labels'"):
        archive.read("padchest")
