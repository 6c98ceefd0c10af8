"""DICOM files of nobody, small, to be sent and received."""

import socket
from contextlib import suppress
from io import BytesIO

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

__all__ = ["PATIENT", "close_sockets", "data_set", "instance"]

PATIENT = "Nobody^Known"


def data_set(*, uid=None, syntax=ExplicitVRLittleEndian, side=8, seed=0, **changes) -> Dataset:
    """Return a radiograph of noise; `changes` are elements by keyword, None takes one out."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.SOPClassUID = DigitalXRayImageStorageForPresentation
    data.SOPInstanceUID = uid or generate_uid(prefix="2.25.")
    data.StudyInstanceUID, data.SeriesInstanceUID = "2.25.21", "2.25.22"
    data.Modality, data.PatientName, data.PatientID = "DX", PATIENT, "4711"
    data.Rows = data.Columns = side
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.SamplesPerPixel, data.PixelRepresentation = 1, 0
    data.PhotometricInterpretation = "MONOCHROME2"
    pixels = np.random.default_rng(seed).integers(0, 4096, (side, side), dtype=np.uint16)
    data.PixelData = pixels.tobytes()
    for keyword, value in changes.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
    data.file_meta.MediaStorageSOPClassUID = data.get("SOPClassUID", "2.25.1")
    data.file_meta.MediaStorageSOPInstanceUID = data.get("SOPInstanceUID", "2.25.1")
    return data


def instance(**options) -> bytes:
    """Return the file of `data_set`."""
    file = BytesIO()
    data_set(**options).save_as(file, enforce_file_format=True)
    return file.getvalue()


def close_sockets(monkeypatch) -> None:
    """Let pynetdicom close the socket of an association that its peer has closed before."""
    from pynetdicom.transport import AssociationSocket

    def shut(self):
        if self.socket is not None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
            self.socket.close()

    monkeypatch.setattr(AssociationSocket, "_shutdown_socket", shut)
