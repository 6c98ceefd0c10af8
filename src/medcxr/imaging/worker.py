"""The decoding process: reads files from its standard input, one after the other.

Decoders of compressed images are large C and C++ libraries, and a damaged or hostile file can
make one crash, hang or fill the memory. Here that costs one process and not the program.
"""

import os
import sys
from pathlib import Path
from typing import BinaryIO

from medcxr.core.errors import ImageError
from medcxr.core.language import Sentence
from medcxr.imaging.decoded import Decoded, send, send_facts, send_header, send_refusal
from medcxr.imaging.limits import MEMORY_BYTES
from medcxr.imaging.sniffing import FileFormat

__all__ = [
    "BEYOND_WINDOW",
    "FACTS_ALONE",
    "HEADER_ALONE",
    "READY",
    "WITHIN_WINDOW",
    "decode",
    "limit_process",
    "main",
    "serve",
]

READY = b"ready\n"
BEYOND_WINDOW, WITHIN_WINDOW = b"beyond", b"within"
HEADER_ALONE, FACTS_ALONE = b"header", b"facts"


def main() -> None:
    """Serve on standard input and output until the input ends."""
    replies = os.fdopen(os.dup(1), "wb")
    # Libraries that print must not write between the replies.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    limit_process()
    replies.write(READY)
    replies.flush()
    serve(sys.stdin.buffer, replies)


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer each request, "FORMAT LENGTH WHAT" on a line and the file, until none follows."""
    while line := requests.readline():
        name, length, what = line.split()
        data = requests.read(int(length))
        if len(data) < int(length):
            return
        try:
            _answer(data, FileFormat(name.decode()), what, replies)
        except ImageError as error:
            send_refusal(error.sentence, replies)
        except MemoryError:
            return  # a process that was short of memory is not used again
        except Exception:  # noqa: BLE001 - whatever a decoder raises says that the file is damaged
            damaged = Sentence(
                "The {format} file is damaged, cut off or not written as the format demands; export "
                "the image again.",
                format=name.decode(),
            )
            send_refusal(damaged, replies)


def _answer(data: bytes, format_: FileFormat, what: bytes, replies: BinaryIO) -> None:
    # Each library is imported when it is asked for, as in decode.
    if what == HEADER_ALONE:
        from medcxr.imaging.dicom_header import read_source_header  # noqa: PLC0415

        send_header(read_source_header(data), replies)
    elif what == FACTS_ALONE:
        from medcxr.imaging.dicom_facts import decode_instance_facts  # noqa: PLC0415

        send_facts(decode_instance_facts(data), replies)
    else:
        send(decode(data, format_, beyond_window=what == BEYOND_WINDOW), replies)


def decode(data: bytes, format_: FileFormat, *, beyond_window: bool = False) -> Decoded:
    """Decode a file of a known format in this process.

    Args:
        data: the file.
        format_: of the file.
        beyond_window: keep the values below 0 and above 1 that lie outside the file's window.

    Raises:
        ImageError: the image cannot be used.
    """
    # Each library is imported when its format comes: pydicom alone takes a quarter of a second.
    if format_ is FileFormat.DICOM:
        from medcxr.imaging.dicom import decode_dicom  # noqa: PLC0415

        return decode_dicom(data, beyond_window=beyond_window)
    from medcxr.imaging.raster import decode_raster  # noqa: PLC0415

    return decode_raster(data, format_)


def limit_process(n_bytes: int = MEMORY_BYTES) -> None:
    """Bound the memory of this process where the system can, and keep it from dumping core.

    Args:
        n_bytes: that it may take beyond what it has already.
    """
    if sys.platform != "linux":
        return
    import resource  # noqa: PLC0415 - absent on Windows

    used_pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = used_pages * resource.getpagesize() + n_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold a patient's image
