"""Copies of DICOM images: nothing of whose they are is left, and the image is the same."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import warnings
from functools import cache

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless, generate_uid
from typer.testing import CliRunner

from medcxr.apps.cli.main import app
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError, ImageError
from medcxr.deidentification import profile
from medcxr.deidentification.comments import without_comments
from medcxr.deidentification.files import METHOD, deidentify_file
from medcxr.deidentification.isolated import deidentify_isolated
from medcxr.deidentification.profile import Action, action_of, profile_table
from medcxr.deidentification.regions import Blanking, Region
from medcxr.deidentification.residue import IDENTIFYING
from medcxr.deidentification.uids import new_uid
from medcxr.imaging.reading import read_image
from medcxr.services.analysis import analyze_image
from medcxr.services.audit import trail
from medcxr.synthetic.dicom import write_dicom
from medcxr.synthetic.parameters import ThoraxParameters
from medcxr.synthetic.radiograph import simulate

KEY = bytes(range(32))
NOTHING = Blanking()


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Return a simulated radiograph as a DICOM file's bytes."""
    path = tmp_path_factory.mktemp("dicom") / "plain.dcm"
    write_dicom(simulate(ThoraxParameters(), size=128), path, patient=7)
    return path.read_bytes()


@pytest.fixture(scope="module")
def kept(plain):
    """Return the same and its copy as something that is short to be told of."""
    files = (plain, deidentify_file(plain, KEY, NOTHING).data)

    class Kept:
        def __getitem__(self, number):
            return files[number]

    return Kept()


def changed(data, change) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(data))
    change(dataset)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def opened(data) -> Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def made(data, blanking=NOTHING) -> Dataset:
    return opened(deidentify_file(data, KEY, blanking).data)


def test_the_table_is_whole_and_of_its_edition():
    text = (profile.files("medcxr.deidentification") / "basic_profile_2026c.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == 655  # and private attributes, the 656th row of the standard's table
    assert {row["action"] for row in rows} == set(profile._CHOICES)
    assert len(profile_table()) == len(rows) - 3  # curves and overlays are groups
    # Some that PS3.15 section E.2 and everybody's memory name.
    for tag, action in {
        0x00100010: Action.EMPTY,
        0x00100030: Action.EMPTY,
        0x00080080: Action.DUMMY,
        0x00080018: Action.NEW_UID,
        0x0020000D: Action.NEW_UID,
        0x00104000: Action.REMOVE,
        0x00081140: Action.KEEP,
        0x60003000: Action.REMOVE,
        0x50100005: Action.REMOVE,
        0x00091010: Action.REMOVE,
        0x00280010: Action.KEEP,
    }.items():
        assert action_of(tag) is action, hex(tag)


_NAMES = st.text(
    st.characters(categories=("Lu", "Ll"), max_codepoint=0x24F), min_size=6, max_size=20
)
_VALUES = {
    "PN": st.tuples(_NAMES, _NAMES).map("^".join),
    "DA": st.dates().map(lambda day: f"{day.year:04d}{day.month:02d}{day.day:02d}"),
    "SH": st.from_regex(r"[A-Z]{6}[0-9]{6}", fullmatch=True),
}
_IDENTITIES = st.fixed_dictionaries(
    {
        "PatientName": _VALUES["PN"],
        "ReferringPhysicianName": _VALUES["PN"],
        "PatientID": _VALUES["SH"],
        "AccessionNumber": _VALUES["SH"],
        "InstitutionName": _NAMES,
        "PatientAddress": _NAMES,
        "OtherPatientNames": _VALUES["PN"],
        "StudyDescription": _NAMES,
        "OperatorsName": _VALUES["PN"],
        "DeviceSerialNumber": _VALUES["SH"],
        "PatientBirthDate": _VALUES["DA"].filter(lambda day: day != "19000101"),
        "StudyInstanceUID": st.integers(10**9, 10**18).map("1.2.3.{}".format),
        "ImageComments": _NAMES,
    }
)


@settings(
    max_examples=60,
    print_blob=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(values=_IDENTITIES)
def test_no_identifying_value_occurs_anywhere_in_the_bytes_of_the_copy(kept, values):
    plain, copied = kept[0], kept[1]
    # Somebody may be called like a word of the standard that a file says anyway: GEOMETRY, REMOVED.
    parts = [part for value in values.values() for part in {value, *value.split("^")}]
    said = plain.lower() + copied.lower()
    assume(not any(part.encode().lower() in said for part in parts if len(part) >= 6))

    def name(dataset):
        dataset.SpecificCharacterSet = "ISO_IR 192"
        for keyword, value in values.items():
            setattr(dataset, keyword, value)
        # Where nobody looks: attributes that the profile keeps, sequences, private ones.
        dataset.ManufacturerModelName = f"of {values['PatientName'].split('^')[0]}"
        dataset.DetectorDescription = values["PatientID"]
        dataset.AcquisitionDeviceProcessingCode = values["AccessionNumber"][:16]
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator = "1", "99X"
        item.CodeMeaning = values["PatientID"]
        item.ReferencedSOPInstanceUID = values["StudyInstanceUID"]
        dataset.ViewCodeSequence = [item]
        block = dataset.private_block(0x0009, "SOMEBODY", create=True)
        block.add_new(1, "LO", values["PatientID"])
        dataset.add_new(0x60000010, "US", 8)
        dataset.add_new(0x60004000, "LT", values["ImageComments"])

    source = changed(plain, name)
    source = values["PatientID"].encode().ljust(128, b"\0") + source[128:]
    copy = deidentify_file(source, KEY, NOTHING).data
    folded = copy.lower()
    for part in parts:
        if len(part) < 6:
            continue
        for code in ("utf-8", "latin-1", "utf-16-le"):
            try:
                assert part.encode(code).lower() not in folded, (part, code)
            except UnicodeEncodeError:
                continue
    assert copy[:132] == bytes(128) + b"DICM"
    assert not any(element.tag.is_private for element in opened(copy).iterall())


def test_the_copy_says_what_was_done_to_it(plain):
    dataset = made(plain)
    assert dataset.PatientIdentityRemoved == "YES"
    assert list(dataset.DeidentificationMethod) == list(METHOD)
    assert all(len(one) <= 64 for one in METHOD)
    codes = [one.CodeValue for one in dataset.DeidentificationMethodCodeSequence]
    assert codes == ["113100"]
    assert dataset.LongitudinalTemporalInformationModified == "REMOVED"
    assert dataset.PatientName == "" and dataset.PatientID == ""  # noqa: PT018


def test_uids_are_new_and_the_same_for_the_same(plain):
    one, again = made(plain), made(plain)
    other = opened(deidentify_file(plain, bytes(32), NOTHING).data)
    source = opened(plain)
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        assert one[keyword].value == again[keyword].value
        assert one[keyword].value not in (source[keyword].value, other[keyword].value)
    assert one.file_meta.MediaStorageSOPInstanceUID == one.SOPInstanceUID
    assert one.SOPClassUID == source.SOPClassUID


@given(old=st.from_regex(r"[0-9]+(\.[1-9][0-9]{0,8}){1,5}", fullmatch=True))
def test_every_new_uid_is_one(old):
    new = new_uid(KEY, old)
    assert pydicom.uid.UID(new).is_valid
    assert new.startswith("2.25.")
    assert new_uid(KEY, f"{old}\0") == new


def test_references_between_files_stay(plain):
    def refer(dataset):
        item = Dataset()
        item.ReferencedSOPClassUID = dataset.SOPClassUID
        item.ReferencedSOPInstanceUID = dataset.SOPInstanceUID
        dataset.SourceImageSequence = [item]

    dataset = made(changed(plain, refer))
    assert dataset.SourceImageSequence[0].ReferencedSOPInstanceUID == dataset.SOPInstanceUID
    assert dataset.SourceImageSequence[0].ReferencedSOPClassUID == dataset.SOPClassUID


def test_the_copy_is_analyzed_like_the_source(tiny_workspace, plain):
    copy = deidentify_file(plain, KEY, NOTHING).data
    one = analyze_image(tiny_workspace, plain, gate=False)
    other = analyze_image(tiny_workspace, copy, gate=False)
    assert np.array_equal(one.image.pixels, other.image.pixels)
    assert one.image.spacing_mm == other.image.spacing_mm
    assert one.analysis.view == other.analysis.view
    assert [f.probability for f in one.analysis.findings] == [
        f.probability for f in other.analysis.findings
    ]


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("compressed", [False, True])
def test_regions_are_blanked_and_nothing_else_is(tmp_path, inverted, compressed):
    path = tmp_path / "image.dcm"
    write_dicom(simulate(ThoraxParameters(), size=128), path, patient=7, inverted=inverted)
    data = path.read_bytes()
    if compressed:
        data = changed(data, lambda dataset: dataset.compress(RLELossless))
    before = opened(data).pixel_array
    dataset = made(data, Blanking(regions=(Region(x=10, y=20, width=30, height=5),)))
    after = dataset.pixel_array
    expected = before.copy()
    expected[20:25, 10:40] = before.max() if inverted else before.min()
    assert np.array_equal(after, expected)
    assert dataset.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    codes = [one.CodeValue for one in dataset.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113101"]
    assert dataset.BurnedInAnnotation == "NO"


def test_an_image_with_burned_in_text_needs_regions(plain):
    burned = changed(plain, lambda dataset: setattr(dataset, "BurnedInAnnotation", "YES"))
    with pytest.raises(ImageError, match="Burned In Annotation"):
        deidentify_file(burned, KEY, NOTHING)
    region = Region(x=0, y=0, width=8, height=8)
    only = Blanking(regions=(region,), only_burned_in=True)
    assert deidentify_file(burned, KEY, only).is_blanked
    assert not deidentify_file(plain, KEY, only).is_blanked


def test_a_region_outside_of_the_image_is_refused(plain):
    with pytest.raises(ImageError, match="outside"):
        deidentify_file(plain, KEY, Blanking(regions=(Region(x=128, y=0, width=1, height=1),)))


def test_a_name_in_the_comment_of_a_compressed_image_goes(plain):
    from PIL import Image

    def compress(dataset):
        file = io.BytesIO()
        gray = (dataset.pixel_array >> 4).astype(np.uint8)
        Image.fromarray(gray).save(
            file, "JPEG", quality=95, comment=b"Mustermann Erika, of Abt", exif=b"Exif\0\0 of Abt"
        )
        dataset.PatientName = "Mustermann^Erika"
        dataset.BitsAllocated = dataset.BitsStored = 8
        dataset.HighBit = 7
        dataset.PixelData = pydicom.encaps.encapsulate([file.getvalue()])
        dataset["PixelData"].VR = "OB"
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit

    source = changed(plain, compress)
    assert source.count(b"of Abt") == 2
    copy = deidentify_file(source, KEY, NOTHING).data
    assert b"Mustermann" not in copy
    assert b"of Abt" not in copy
    assert opened(copy).file_meta.TransferSyntaxUID == pydicom.uid.JPEGBaseline8Bit
    assert np.array_equal(opened(copy).pixel_array, opened(source).pixel_array)


def test_what_stands_behind_the_picture_goes(plain):
    from PIL import Image

    def append(dataset):
        dataset.PixelData += b"ward 7, bed 3 "

    def compress(dataset):
        file = io.BytesIO()
        gray = (dataset.pixel_array >> 4).astype(np.uint8)
        Image.fromarray(gray).save(file, "JPEG", quality=95)
        dataset.BitsAllocated = dataset.BitsStored = 8
        dataset.HighBit = 7
        dataset.PixelData = pydicom.encaps.encapsulate([file.getvalue() + b"ward 7, bed 3 "])
        dataset["PixelData"].VR = "OB"
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit

    for change in (append, compress):
        source = changed(plain, change)
        assert b"ward 7" in source
        copy = deidentify_file(source, KEY, NOTHING).data
        assert b"ward 7" not in copy
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the excess, in the source
            assert np.array_equal(opened(copy).pixel_array, opened(source).pixel_array)


def test_the_process_that_reads_a_file_does_not_get_what_opens_the_database(plain, monkeypatch):
    asked = {}
    run = subprocess.run

    def note(*words, **options):
        asked.update(options["env"])
        return run(*words, **options)

    monkeypatch.setenv("MEDCXR_DATABASE", "postgresql://ann:secret@host/cxr")
    monkeypatch.setenv("MEDCXR_BACKUP_PASSPHRASE_FILE", "/run/secrets/backups")
    monkeypatch.setattr(subprocess, "run", note)
    assert deidentify_isolated(plain, KEY, NOTHING)[1]
    assert asked["PATH"]
    assert not {name for name in asked if name.startswith("MEDCXR_")} & {
        "MEDCXR_DATABASE",
        "MEDCXR_BACKUP_PASSPHRASE_FILE",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of others is not bounded")
def test_the_process_that_reads_a_file_is_bounded_and_dumps_no_core():
    program = (
        "import resource\n"
        "from medcxr.core.errors import ImageError\n"
        "from medcxr.deidentification import files, isolated\n"
        "def tell(*_):\n"
        "    kinds = (resource.RLIMIT_AS, resource.RLIMIT_CORE)\n"
        "    raise ImageError(' '.join(str(resource.getrlimit(one)[1]) for one in kinds))\n"
        "files.deidentify_file = tell\n"
        "isolated.main()\n"
    )
    asked = json.dumps({"key": "", "blanking": {"regions": [], "only_burned_in": False}})
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=asked.encode() + b"\n",
        capture_output=True,
        check=True,
    )
    memory, core = map(int, json.loads(done.stdout)["refused"][0].split())
    assert 2**30 < memory < 2**33
    assert core == 0


def test_an_overlay_in_unused_bits_goes(plain):
    def draw(dataset):
        samples = dataset.pixel_array.copy()
        samples[:8, :8] |= 0x8000
        dataset.PixelData = samples.tobytes()
        for element, vr, value in (
            (0x0010, "US", 128),
            (0x0011, "US", 128),
            (0x0100, "US", 16),
            (0x0102, "US", 15),
        ):
            dataset.add_new((0x6000, element), vr, value)

    source = changed(plain, draw)
    copy = made(source)
    stored = np.frombuffer(copy.PixelData, "<u2")
    assert not (stored & 0xF000).any()
    assert np.array_equal(copy.pixel_array, opened(plain).pixel_array)


def test_what_is_no_image_is_refused(plain):
    def empty(dataset):
        del dataset.PixelData

    with pytest.raises(ImageError, match="no image"):
        deidentify_file(changed(plain, empty), KEY, NOTHING)
    with pytest.raises(ImageError, match=r"damaged|no image"):
        deidentify_isolated(b"anything" * 100, KEY, NOTHING)


@pytest.mark.parametrize("words", ["", "1,2,3", "1,2,3,0", "0,0,0,5", "a,b,c,d", "-1,0,5,5"])
def test_what_is_no_region_is_refused(words):
    with pytest.raises(DataError, match="no region"):
        Region.read(words)


def test_the_command_writes_copies_and_tells_the_trail(tiny_workspace, plain, tmp_path):
    folder = tmp_path / "Meier Anna"
    folder.mkdir()
    (folder / "Meier.dcm").write_bytes(plain)
    (folder / "notes.txt").write_text("no image")
    out = tmp_path / "out"
    words = ["deidentify", str(folder), "--out", str(out)]
    words += ["--workspace", str(tiny_workspace.folder)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    (copy,) = out.iterdir()
    assert result.stdout.strip() == str(copy)
    assert copy.name == f"{opened(copy.read_bytes()).SOPInstanceUID}.dcm"
    assert "notes.txt" in result.stderr
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 1
    assert "exists already" in again.stderr
    event = trail(tiny_workspace)[0]
    assert (event.action, event.subject) == (AuditAction.IMAGES_DEIDENTIFIED, "1 images")
    assert event.details == {"blanked": 0, "failed": 1}


@cache
def known_errors(path):
    """Return what dciodvfy finds wrong, without the values; None where it cannot read the file."""
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, timeout=120, check=False)
    lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
    if any("read failed" in line for line in lines):
        return None
    return frozenset(
        re.sub(r"= <[^>]*>|\d+", "", line) for line in lines if line.startswith("Error")
    )


@pytest.mark.slow
def test_real_files_become_no_worse_and_name_nobody(real_data, tmp_path):
    """Every file of the collection is de-identified, or refused in words."""
    n_copied = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's, of files that others made
        for path in sorted((real_data / "dicom").glob("*.dcm")):
            data = path.read_bytes()
            try:
                copy = deidentify_file(data, KEY, NOTHING).data
            except ImageError:
                continue
            n_copied += 1
            target = tmp_path / path.name
            target.write_bytes(copy)
            verify_nothing_left(path.name, data, copy)
            verify_same_pixels(data, copy)
            if shutil.which("dciodvfy"):
                before = known_errors(path)
                if before is not None:
                    assert known_errors(target) <= before, path.name
    assert n_copied >= 95


def verify_nothing_left(name, data, copy):
    left = opened_loosely(copy)
    rest = Dataset()
    for element in left:
        if element.keyword != "PixelData":
            rest.add(element)
    file = io.BytesIO()
    rest.save_as(file, implicit_vr=False, little_endian=True)
    folded = file.getvalue().lower()
    for keyword in ("PatientName", *sorted(IDENTIFYING)):
        value = str(opened_loosely(data).get(keyword) or "").strip()
        if len(value) >= 6 and value not in ("19000101",):
            assert value.lower().encode("utf-8", "replace") not in folded, (name, keyword)


def verify_same_pixels(data, copy):
    try:
        before = read_image(data)
    except ImageError:
        return  # no radiograph that medcxr reads
    after = read_image(copy)
    assert np.array_equal(before.pixels, after.pixels)
    assert before.view == after.view


def opened_loosely(data):
    return pydicom.dcmread(io.BytesIO(data), force=True)


def test_a_file_without_an_instance_uid_gets_one(plain):
    def take(dataset):
        del dataset.SOPInstanceUID

    dataset = pydicom.dcmread(io.BytesIO(plain))
    take(dataset)
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=False)
    assert made(file.getvalue()).SOPInstanceUID.startswith("2.25.")


@given(data=st.binary(max_size=200))
def test_no_damaged_frame_stops_or_breaks_the_search_for_comments(data):
    for start in (b"", b"\xff\xd8", b"\xff\x4f\xff\x51", b"\xff\xd8\xff\xfe\x00\x04ab\xff\xda"):
        clean = without_comments(start + data)
        assert len(clean) <= len(start + data)
    assert without_comments(b"\xff\xd8\xff\xfe\x00\x04ab\xff\xda" + data) == (
        b"\xff\xd8\xff\xda" + data
    )


def test_a_comment_of_jpeg_2000_goes(plain):
    from PIL import Image, features

    if not features.check("jpg_2000"):
        pytest.skip("Pillow was built without JPEG 2000")
    file = io.BytesIO()
    gray = (opened(plain).pixel_array >> 4).astype(np.uint8)
    Image.fromarray(gray).save(file, "JPEG2000", no_jp2=True, comment=b"of Abt", irreversible=False)
    frame = file.getvalue()
    assert b"of Abt" in frame
    clean = without_comments(frame)
    assert b"of Abt" not in clean
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(clean))), gray)
