"""Radiograph files made for the tests."""

from io import BytesIO
from pathlib import Path

import gdcm
import numpy as np
import pytest
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate


@pytest.fixture(scope="session")
def phantom():
    """Return a picture with every kind of edge, (96, 80), in 12 bits."""
    rows, columns = np.mgrid[:96, :80]
    ellipse = ((rows - 50) / 40) ** 2 + ((columns - 38) / 30) ** 2 < 1
    noise = np.random.default_rng(7).integers(0, 200, (96, 80))
    return (rows * 20 + columns * 5 + 1200 * ellipse + noise).astype(np.uint16)


@pytest.fixture(scope="session")
def dataset():
    """Return a function that makes a data set of one image; None removes an element."""

    def make(pixels, **elements):
        made = Dataset()
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        made.SOPClassUID = uid.ComputedRadiographyImageStorage
        made.SOPInstanceUID = "1.2.3"
        made.Modality, made.BodyPartExamined, made.ViewPosition = "CR", "CHEST", "PA"
        made.PatientName, made.PatientID = "Doe^Jane", "4711"
        made.Rows, made.Columns = pixels.shape[:2]
        made.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
        made.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
        if pixels.ndim == 3:
            made.PlanarConfiguration = 0
        made.BitsAllocated = 8 * pixels.itemsize
        made.BitsStored = 12 if pixels.itemsize == 2 else 8
        made.HighBit = made.BitsStored - 1
        made.PixelRepresentation = int(pixels.dtype.kind == "i")
        made.PixelData = pixels.tobytes()
        made["PixelData"].VR = "OW"
        for keyword, value in elements.items():
            if value is None:
                delattr(made, keyword)
            else:
                setattr(made, keyword, value)
        return made

    return make


@pytest.fixture(scope="session")
def saved():
    """Return a function that writes a data set as the bytes of a DICOM file."""

    def save(made, *, enforce_file_format=True, **encoding):
        file = BytesIO()
        made.save_as(file, enforce_file_format=enforce_file_format, **encoding)
        return file.getvalue()

    return save


@pytest.fixture(scope="session")
def dicom(dataset, saved):
    """Return a function that makes the bytes of a DICOM file of one image."""
    return lambda pixels, **elements: saved(dataset(pixels, **elements))


@pytest.fixture(scope="session")
def encapsulated(dataset, saved):
    """Return a function that makes a DICOM file around one compressed frame."""

    def make(pixels, frame, syntax, **elements):
        made = dataset(pixels, **elements)
        made.PixelData = encapsulate([frame])
        made["PixelData"].VR = "OB"
        made.file_meta.TransferSyntaxUID = uid.UID(syntax)
        made.preamble = bytes(128)
        encoding = {"implicit_vr": False, "little_endian": True, "force_encoding": True}
        return saved(made, enforce_file_format=False, **encoding)

    return make


@pytest.fixture(scope="session")
def jpeg_lossless(tmp_path_factory):
    """Return a function that compresses a DICOM file with JPEG Lossless, SV1."""
    folder: Path = tmp_path_factory.mktemp("gdcm")

    def compress(data):
        source, target = folder / "in.dcm", folder / "out.dcm"
        source.write_bytes(data)
        reader = gdcm.ImageReader()
        reader.SetFileName(str(source))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(target))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        return target.read_bytes()

    return compress


@pytest.fixture(scope="session")
def raster():
    """Return a function that writes an array or picture as the bytes of a file."""

    def save(picture, format_, **options):
        file = BytesIO()
        if isinstance(picture, np.ndarray):
            picture = Image.fromarray(picture)
        picture.save(file, format_, **options)
        return file.getvalue()

    return save
