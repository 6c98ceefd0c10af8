"""No file crashes, stops or fills the memory of the caller, whatever is in it."""

import os
import subprocess
import sys
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import uid
from pydicom.dataset import Dataset

from medcxr.core.errors import ImageError
from medcxr.imaging import isolation
from medcxr.imaging.reading import read_image


def waiting():
    return isolation._waiting_processes(os.getpid())


@pytest.fixture
def fresh():
    """Start without waiting processes, so that peak memory belongs to the test."""
    while waiting():
        isolation._end(waiting().pop())


@pytest.fixture
def bounded(fresh):  # noqa: ARG001 - fixtures are ordered by name
    """Check that the test stayed below 10 seconds and the decoder below 1 GiB."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < 10
    if sys.platform == "linux":
        for process in waiting():
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak_kib = int(status.split("VmHWM:")[1].split()[0])
            assert peak_kib < 2**20


@pytest.fixture(scope="module")
def deflated_zeros():
    """Return 1.2 GB of zeros in 1.2 MB."""
    deflate = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return b"".join(deflate.compress(bytes(2**20)) for _ in range(1200)) + deflate.flush()


@pytest.mark.usefixtures("deflated_zeros", "bounded")
def test_a_deflated_data_set_that_grows_beyond_bounds_is_refused(
    phantom, dataset, saved, deflated_zeros
):
    made = dataset(phantom)
    made.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    data = saved(made)
    meta = data[: 144 + int.from_bytes(data[140:144], "little")]
    bomb = meta + deflated_zeros
    assert len(bomb) < 2 * 2**20
    with pytest.raises(ImageError, match="when it is inflated"):
        read_image(bomb)


@pytest.mark.usefixtures("deflated_zeros", "bounded")
def test_a_deflated_frame_that_grows_beyond_its_size_is_refused(
    phantom, encapsulated, deflated_zeros
):
    with pytest.raises(ImageError, match="when it is inflated"):
        read_image(encapsulated(phantom, deflated_zeros, "1.2.840.10008.1.2.8.1"))


@pytest.mark.usefixtures("bounded")
def test_runs_that_grow_beyond_the_memory_are_refused(encapsulated):
    picture = np.zeros((4000, 5000), np.uint8)
    # One segment of RLE (PS3.5 section G.5): each 2 bytes become 128, 1.9 GB in all.
    frame = (
        (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56) + b"\x81\0" * 15_000_000
    )
    with pytest.raises(ImageError):
        read_image(encapsulated(picture, frame, uid.RLELossless))


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize(("rows", "columns"), [(60_000, 60_000), (65_535, 1_000)])
def test_a_header_that_declares_too_many_pixels_is_refused(phantom, dicom, rows, columns):
    with pytest.raises(ImageError, match="40 million"):
        read_image(dicom(phantom, Rows=rows, Columns=columns))


@pytest.mark.parametrize("frames", [100, 2**31 - 1])
def test_a_header_that_declares_many_frames_is_refused(phantom, dicom, frames):
    with pytest.raises(ImageError, match="frames"):
        read_image(dicom(phantom, NumberOfFrames=frames))


@pytest.mark.parametrize("syntax", [uid.JPEGBaseline8Bit, uid.JPEG2000Lossless, uid.JPEGLSLossless])
def test_a_frame_of_another_size_than_the_header_is_refused(
    phantom, dataset, encapsulated, raster, syntax
):
    gray = (phantom >> 4).astype(np.uint8)
    if syntax == uid.JPEGLSLossless:
        made = dataset(gray)
        made.compress(syntax, generate_instance_uid=False)
        from pydicom.encaps import get_frame

        frame = get_frame(made.PixelData, 0, number_of_frames=1)
    elif syntax == uid.JPEG2000Lossless:
        frame = raster(gray, "JPEG2000", no_jp2=True)
    else:
        frame = raster(gray, "JPEG")
    assert read_image(encapsulated(gray, frame, syntax)).shape == gray.shape
    with pytest.raises(ImageError, match="96 x 80"):
        read_image(encapsulated(gray, frame, syntax, Rows=5000, Columns=5000))


def test_a_frame_that_is_cut_off_is_refused(phantom, encapsulated, raster):
    gray = (phantom >> 4).astype(np.uint8)
    for syntax, frame in (
        (uid.JPEGBaseline8Bit, raster(gray, "JPEG")),
        (uid.JPEG2000Lossless, raster(gray, "JPEG2000", no_jp2=True)),
    ):
        with pytest.raises(ImageError, match="cut off"):
            read_image(encapsulated(gray, frame[: len(frame) * 9 // 10], syntax))


@pytest.mark.usefixtures("bounded")
def test_deeply_nested_sequences_are_refused_or_passed_over(phantom, dicom):
    data = dicom(phantom)
    item = b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    at = data.index(b"\x08\x00\x16\x00")
    try:
        read_image(data[:at] + item * 200_000 + data[at:])
    except ImageError:
        return


@pytest.mark.usefixtures("bounded")
def test_a_flood_of_elements_is_refused(phantom, dicom):
    data = dicom(phantom)
    read_image(data)  # so that a waiting process is lost first, and a new one then
    flood = b"".join(
        tag.to_bytes(4, "little") + b"\0\0\0\0" for tag in range(0x00090000, 0x00090000 + 65_536)
    )
    start = data.index(b"\x08\x00\x16\x00")
    with pytest.raises(ImageError):
        read_image(data[start : start + 26] + flood * 240)


def test_a_length_beyond_the_end_is_refused(phantom, dicom):
    data = dicom(phantom)
    length = phantom.nbytes.to_bytes(4, "little")
    with pytest.raises(ImageError):
        read_image(data.replace(length, b"\xfe\xff\xff\xff")[:-1])


def test_a_jpeg_of_many_scans_is_refused(phantom, raster):
    data = raster((phantom >> 4).astype(np.uint8), "JPEG", progressive=True)
    start = data.rindex(b"\xff\xda")
    with pytest.raises(ImageError, match="scans"):
        read_image(data[:-2] + data[start:-2] * 100 + b"\xff\xd9")


def test_a_file_that_is_too_large_is_refused(tmp_path):
    path = tmp_path / "large.dcm"
    with path.open("wb") as file:
        file.truncate(10 * 2**30)  # sparse: it takes no room
    with pytest.raises(ImageError, match="128 MiB"):
        read_image(path)


def test_reading_that_takes_too_long_is_ended(phantom, dataset, saved, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 4096, (1500, 1500)).astype(np.uint16)
    made = dataset(noise)
    made.compress(uid.RLELossless, generate_instance_uid=False)
    monkeypatch.setattr(isolation, "TIMEOUT_S", 0.02)
    with pytest.raises(ImageError, match=r"longer than 0\.02 seconds"):
        read_image(saved(made))
    monkeypatch.undo()
    assert read_image(saved(dataset(phantom))).shape == phantom.shape


@pytest.mark.usefixtures("fresh")
def test_a_decoder_that_was_killed_is_replaced(phantom, dicom):
    data = dicom(phantom)
    first = read_image(data)
    (process,) = waiting()
    process.kill()
    process.wait()
    np.testing.assert_array_equal(read_image(data).pixels, first.pixels)


@pytest.mark.usefixtures("fresh")
def test_decoders_wait_for_the_next_file_and_end_with_the_program(phantom, dicom, tmp_path):
    path = tmp_path / "radiograph.dcm"
    path.write_bytes(dicom(phantom))
    read_image(path)
    (process,) = waiting()
    read_image(path)
    assert waiting() == [process]
    program = (
        "import os, pathlib, sys\n"
        "from medcxr.imaging.isolation import _waiting_processes\n"
        "from medcxr.imaging.reading import read_image\n"
        "read_image(pathlib.Path(sys.argv[1]))\n"
        "print(_waiting_processes(os.getpid())[0].pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, path], capture_output=True, check=True
    )
    assert not done.stderr
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


@pytest.mark.usefixtures("fresh")
def test_many_files_at_once_take_no_more_decoders_than_there_are_cores(phantom, dicom, monkeypatch):
    started = []
    start = isolation._start
    monkeypatch.setattr(isolation, "_start", lambda: started.append(1) or start())
    data = dicom(phantom)
    with ThreadPoolExecutor(12) as pool:
        images = list(pool.map(read_image, [data] * 24))
    assert all((image.pixels == images[0].pixels).all() for image in images)
    assert 1 <= len(started) <= os.cpu_count()
    assert len(waiting()) == len(started)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_program_reads_with_decoders_of_its_own(phantom, dicom, tmp_path):
    path = tmp_path / "radiograph.dcm"
    path.write_bytes(dicom(phantom))
    program = (
        "import os, pathlib, sys\n"
        "from medcxr.imaging.reading import read_image\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "before = read_image(path)\n"
        "child = os.fork()\n"
        "same = all((read_image(path).pixels == before.pixels).all() for _ in range(50))\n"
        "if child == 0:\n"
        "    os._exit(0 if same else 1)\n"
        "sys.exit(os.waitpid(child, 0)[1] or not same)\n"
    )
    subprocess.run([sys.executable, "-c", program, path], check=True, timeout=60)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="reads /proc")
def test_a_decoder_does_not_know_the_password_of_the_database(monkeypatch):
    monkeypatch.setenv("MEDCXR_DATABASE", "postgresql://ann:secret@host/cxr")
    process = isolation._start()
    try:
        told = Path(f"/proc/{process.pid}/environ").read_bytes()
    finally:
        isolation._end(process)
    assert b"PATH=" in told
    assert b"secret" not in told


def test_threads_read_side_by_side(phantom, dicom):
    data = dicom(phantom)
    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(read_image, [data] * 24))
    assert all(np.array_equal(image.pixels, images[0].pixels) for image in images)
    assert len(waiting()) <= (os.cpu_count() or 1)


def test_libraries_say_nothing_on_the_console(phantom, encapsulated, dataset, saved, capfd):
    """Their warnings quote header values."""
    odd = dataset(phantom)
    odd.PixelData += bytes(100)  # pydicom warns of the padding
    start = b"\xff\xd8\xff\xc3\0\x0b\x0c\0\x60\0\x50\1"  # the size is right, the rest is not
    broken = start + bytes(500) + b"\xff\xd9"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_image(saved(odd))
        with pytest.raises(ImageError):
            read_image(encapsulated(phantom, broken, uid.JPEGLosslessSV1))
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def small_files(  # noqa: PLR0917 - fixtures
    phantom, dicom, dataset, saved, encapsulated, jpeg_lossless, raster
):
    """Return one valid file of each kind."""
    gray = (phantom >> 4).astype(np.uint8)
    files = [raster(gray, format_) for format_ in ("PNG", "JPEG", "TIFF")]
    files += [raster(phantom, "PNG"), raster(gray, "TIFF", compression="tiff_lzw")]
    files += [raster(gray, "JPEG", progressive=True)]
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [4, 1500, 8], [0, 1, 2, 255]
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    plain = dicom(phantom, WindowCenter=2000, WindowWidth=4000, VOILUTSequence=[item])
    files += [plain, plain[plain.index(b"\x08\x00\x16\x00") :], jpeg_lossless(plain)]
    for syntax in (uid.RLELossless, uid.JPEGLSLossless):
        made = dataset(phantom)
        made.compress(syntax, generate_instance_uid=False)
        files.append(saved(made))
    frame = raster(phantom, "JPEG2000", no_jp2=True)
    files.append(encapsulated(phantom, frame, uid.JPEG2000Lossless, BitsStored=16, HighBit=15))
    files.append(encapsulated(gray, raster(gray, "JPEG"), uid.JPEGBaseline8Bit))
    deflated = dataset(phantom)
    deflated.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    files.append(saved(deflated))
    for file in files:
        assert read_image(file).shape == phantom.shape
    return files


@settings(max_examples=400)
@given(data=st.data())
def test_damaged_files_are_read_or_refused(small_files, data):
    damaged = bytearray(data.draw(st.sampled_from(small_files)))
    # Half of the damage goes to the header, where it has the most to break.
    head = min(1200, len(damaged))
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, head - 1) | st.integers(0, len(damaged) - 1))
        damaged[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(0, len(damaged)))
    try:
        image = read_image(bytes(damaged[:cut]))
    except ImageError:
        return
    assert image.pixels.dtype == np.float32
    assert 0 <= image.pixels.min() < image.pixels.max() <= 1


@settings(max_examples=100)
@given(
    start=st.sampled_from(
        [
            b"",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff",
            b"II*\0",
            b"MM\0*",
            b"\x08\0\x05\0CS",
            bytes(128) + b"DICM",
        ]
    ),
    rest=st.binary(max_size=300),
)
def test_noise_is_refused(start, rest):
    with pytest.raises(ImageError):
        read_image(start + rest)
