"""What is read of a file, and how it crosses from the decoding process."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

import numpy as np

from medcxr.core.arrays import Pixels
from medcxr.core.errors import ImageError
from medcxr.core.images import Acquisition, GrayScale, Origin, SpacingPlane, View
from medcxr.core.instance_facts import InstanceFacts
from medcxr.core.language import Sentence
from medcxr.core.source_header import GrayLut, GrayWindow, SourceHeader
from medcxr.imaging.limits import MAX_PIXELS

__all__ = [
    "Decoded",
    "receive",
    "receive_facts",
    "receive_header",
    "send",
    "send_facts",
    "send_header",
    "send_refusal",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoded:
    """A CxrImage without its digest; the fields mean the same."""

    pixels: Pixels
    acquisition: Acquisition
    spacing_mm: tuple[float, float] | None = None
    view: View = View.UNKNOWN
    warnings: tuple[str, ...] = ()
    spacing_plane: SpacingPlane | None = None
    gray_scale: GrayScale | None = None
    origin: Origin = field(default_factory=Origin, repr=False)


def send(decoded: Decoded, stream: BinaryIO) -> None:
    """Write a decoded image: a line of JSON, then the pixels."""
    header = {
        "shape": decoded.pixels.shape,
        "acquisition": asdict(decoded.acquisition),
        "spacing_mm": decoded.spacing_mm,
        "view": decoded.view,
        "warnings": decoded.warnings,
        "spacing_plane": decoded.spacing_plane,
        "gray_scale": None if decoded.gray_scale is None else asdict(decoded.gray_scale),
        "origin": _plain(decoded.origin),
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
    header = _received_line(stream)
    rows, columns = header["shape"]
    if not 0 < rows * columns <= MAX_PIXELS:
        raise EOFError
    pixels = np.empty((rows, columns), np.float32)
    _fill(pixels.data.cast("B"), stream)
    spacing, plane, scale = (header[k] for k in ("spacing_mm", "spacing_plane", "gray_scale"))
    return Decoded(
        pixels=pixels,
        acquisition=Acquisition(**header["acquisition"]),
        spacing_mm=None if spacing is None else (spacing[0], spacing[1]),
        view=View(header["view"]),
        warnings=tuple(header["warnings"]),
        spacing_plane=None if plane is None else SpacingPlane(plane),
        gray_scale=None if scale is None else GrayScale(**scale),
        origin=_origin(*header["origin"]),
    )


def send_header(header: SourceHeader, stream: BinaryIO) -> None:
    """Write a header as a line of JSON."""
    _send_line(asdict(header), stream)
    stream.flush()


def receive_header(stream: BinaryIO) -> SourceHeader:
    """Read what send_header or send_refusal wrote.

    Raises:
        ImageError: the file was refused.
        EOFError: the process ended before its answer did.
    """
    told = _received_line(stream)
    for name, kind in (("modality_lut", GrayLut), ("voi_lut", GrayLut), ("window", GrayWindow)):
        told[name] = None if told[name] is None else kind(**told[name])
    return SourceHeader(**told)


def send_facts(facts: InstanceFacts, stream: BinaryIO) -> None:
    """Write what decides whether an instance is read as a line of JSON."""
    _send_line(asdict(facts), stream)
    stream.flush()


def receive_facts(stream: BinaryIO) -> InstanceFacts:
    """Read what send_facts or send_refusal wrote; errors as for `receive_header`."""
    told = _received_line(stream)
    lists: dict[str, Any] = {k: tuple(one) for k, one in told.items() if isinstance(one, list)}
    return InstanceFacts(**(told | lists))


def _received_line(stream: BinaryIO) -> dict[str, Any]:
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    told: dict[str, Any] = json.loads(line)
    if "refusal" in told:
        raise ImageError(_sentence(told["refusal"]))
    return told


def _plain(origin: Origin) -> tuple[str, str, str | None]:
    taken_at = None if origin.taken_at is None else origin.taken_at.isoformat()
    return origin.patient_id, origin.patient_id_issuer, taken_at


def _origin(patient_id: str, issuer: str, taken_at: str | None) -> Origin:
    return Origin(
        patient_id=patient_id,
        patient_id_issuer=issuer,
        taken_at=None if taken_at is None else datetime.fromisoformat(taken_at),
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
