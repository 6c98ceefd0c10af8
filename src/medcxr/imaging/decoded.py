"""What a decoder makes of a file, and how it crosses from the decoding process."""

import json
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import numpy as np

from medcxr.core.arrays import Pixels
from medcxr.core.errors import ImageError
from medcxr.core.images import Acquisition, View
from medcxr.core.language import Sentence
from medcxr.imaging.limits import MAX_PIXELS

__all__ = ["Decoded", "receive", "send", "send_refusal"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoded:
    """A CxrImage without its digest; the fields mean the same."""

    pixels: Pixels
    acquisition: Acquisition
    spacing_mm: tuple[float, float] | None = None
    view: View = View.UNKNOWN
    warnings: tuple[str, ...] = ()


def send(decoded: Decoded, stream: BinaryIO) -> None:
    """Write a decoded image: a line of JSON, then the pixels."""
    header = {
        "shape": decoded.pixels.shape,
        "acquisition": asdict(decoded.acquisition),
        "spacing_mm": decoded.spacing_mm,
        "view": decoded.view,
        "warnings": decoded.warnings,
    }
    _send_line(header, stream)
    stream.write(np.ascontiguousarray(decoded.pixels).data.cast("B"))
    stream.flush()


def send_refusal(message: Sentence, stream: BinaryIO) -> None:
    """Write why an image cannot be used."""
    _send_line({"refusal": message.parts()}, stream)
    stream.flush()


def receive(stream: BinaryIO) -> Decoded:
    """Read what send or send_refusal wrote.

    Raises:
        ImageError: the decoder refused the image.
        EOFError: the decoder ended before its answer did.
    """
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    header: dict[str, Any] = json.loads(line)
    if "refusal" in header:
        raise ImageError(_sentence(header["refusal"]))
    rows, columns = header["shape"]
    if not 0 < rows * columns <= MAX_PIXELS:
        raise EOFError
    pixels = np.empty((rows, columns), np.float32)
    _fill(pixels.data.cast("B"), stream)
    spacing = header["spacing_mm"]
    return Decoded(
        pixels=pixels,
        acquisition=Acquisition(**header["acquisition"]),
        spacing_mm=None if spacing is None else (spacing[0], spacing[1]),
        view=View(header["view"]),
        warnings=tuple(header["warnings"]),
    )


def _sentence(parts: object) -> Sentence:
    try:
        return Sentence.of_parts(parts)
    except ValueError as error:  # no decoder of this package wrote it
        raise EOFError from error


def _send_line(header: dict[str, Any], stream: BinaryIO) -> None:
    stream.write(json.dumps(header).encode() + b"\n")


def _fill(buffer: memoryview, stream: BinaryIO) -> None:
    while buffer:
        count = stream.readinto(buffer)  # type: ignore[attr-defined]  # BinaryIO lacks readinto
        if not count:
            raise EOFError
        buffer = buffer[count:]
