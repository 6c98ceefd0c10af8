"""The header of a DICOM instance, read apart from its pixels."""

from medcxr.core.errors import ImageError
from medcxr.core.instance_facts import InstanceFacts
from medcxr.imaging.isolation import read_facts_isolated
from medcxr.imaging.limits import MAX_FILE_BYTES
from medcxr.imaging.sniffing import FileFormat, file_format

__all__ = ["read_instance_facts"]


def read_instance_facts(data: bytes) -> InstanceFacts:
    """Read what the header of a DICOM file says, in the bounded process that also decodes.

    Raises:
        ImageError: it is no DICOM file, or is too large, cut off or damaged.
    """
    if len(data) > MAX_FILE_BYTES or file_format(data) is not FileFormat.DICOM:
        raise ImageError("The file is no DICOM instance of a radiograph; send one.")
    return read_facts_isolated(data)
