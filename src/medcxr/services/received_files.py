"""Take files into the inbox that may be DICOM or pictures.

A picture has no identifier of its own, so it gets one that its bytes determine: the same picture is
known when it comes again, whatever it is called.
"""

import hashlib
from uuid import UUID

from medcxr.core.instances import InstanceIdentity
from medcxr.imaging.sniffing import FileFormat, file_format
from medcxr.services.inbox import Incoming, incoming_file

__all__ = ["PICTURE", "incoming_image", "picture_identity"]

PICTURE = ""
"""(0008,0016) of an instance that is a PNG, JPEG or TIFF: there is none."""


def incoming_image(data: bytes, *, origin: str, priority: int = 0) -> Incoming:
    """Return a DICOM, PNG, JPEG or TIFF file as it is handed to `receive_many`.

    Raises:
        ImageError: it is none of these, or a DICOM file that does not say which instance it is.
    """
    if file_format(data) is FileFormat.DICOM:
        return incoming_file(data, origin=origin, priority=priority)
    digest = hashlib.sha256(data)
    return Incoming(
        pieces=(data,),
        digest=digest.hexdigest(),
        identity=picture_identity(digest.digest()),
        origin=origin,
        priority=priority,
    )


def picture_identity(digest: bytes) -> InstanceIdentity:
    """Return the identity of a picture.

    Args:
        digest: SHA-256 of its bytes.

    Source: DICOM PS3.5 section B.2, a UID made from a UUID; RFC 9562 section 5.8, version 8.
    """
    uuid = UUID(bytes=digest[:16]).int
    marked = uuid & ~(0xF000 << 64) & ~(0xC000 << 48) | 0x8000 << 64 | 0x8000 << 48
    return InstanceIdentity(
        sop_class_uid=PICTURE,
        sop_instance_uid=f"2.25.{marked}",
        study_uid="",
        series_uid="",
        transfer_syntax_uid="",
    )
