"""Several objects in one body: multipart/related of RFC 2387, as DICOMweb uses it."""

import re
import secrets
from collections.abc import Iterator, Sequence
from email.message import Message

__all__ = ["MultipartError", "join_parts", "split_parts"]

_MOST_PARTS = 1000
_LONGEST_HEADERS = 16 * 1024  # bytes, of one part
# RFC 2046 section 5.1.1: these characters, at most 70, and no space at the end
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")


class MultipartError(ValueError):
    """A body is no multipart body."""


def split_parts(body: bytes, content_type: str) -> Iterator[tuple[str, bytes]]:
    """Yield the media type and the content of each part.

    What stands before the first boundary and after the last one means nothing (RFC 2046 section
    5.1.1). A length that a part states of itself is not believed: the boundary ends it.

    Args:
        body: the whole body.
        content_type: the header of the message, which names the boundary.

    Raises:
        MultipartError: it is no such body, is cut off, or has more parts than anybody sends.
    """
    mark = b"--" + _boundary(content_type)
    # The delimiter belongs to the line break before it; the first one may have none.
    delimiter = b"\r\n" + mark
    position = 0 if body.startswith(mark) else body.find(delimiter) + len(b"\r\n")
    if position == 1:
        raise MultipartError("its boundary does not appear")
    position += len(mark)
    for _ in range(_MOST_PARTS):
        after, position = _line_end(body, position)
        if after.startswith(b"--"):
            return
        if after.strip(b" \t"):
            raise MultipartError("something stands behind a boundary")
        end = body.find(delimiter, position - len(b"\r\n"))
        if end < 0:
            raise MultipartError("its end is missing")
        yield _part(body, position, max(position, end))
        position = end + len(delimiter)
    raise MultipartError("it has too many parts")


def join_parts(parts: Sequence[bytes], *, media_type: str) -> tuple[str, list[bytes]]:
    """Return the header Content-Type and the body, in pieces, of several parts of one type."""
    boundary = secrets.token_hex(24)  # that 192 random bits stand in a part happens to nobody
    head = f"\r\n--{boundary}\r\nContent-Type: {media_type}\r\n\r\n".encode()
    body = [piece for part in parts for piece in (head, part)]
    body.append(f"\r\n--{boundary}--\r\n".encode())
    return f'multipart/related; type="{media_type}"; boundary={boundary}', body


def _boundary(content_type: str) -> bytes:
    header = Message()
    header["Content-Type"] = content_type.replace("\r", " ").replace("\n", " ")
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/related":
        raise MultipartError("it is of another type")
    if not isinstance(boundary, str) or not _BOUNDARY.fullmatch(boundary):
        raise MultipartError("it names no boundary")
    return boundary.encode("ascii")


def _line_end(body: bytes, position: int) -> tuple[bytes, int]:
    """Return the rest of a line behind a boundary, and where the next line begins."""
    end = body.find(b"\r\n", position, position + 256)
    if end < 0:
        rest = body[position : position + 256]
        if rest.startswith(b"--"):
            return rest, len(body)
        raise MultipartError("a boundary is not followed by a line break")
    return body[position:end], end + len(b"\r\n")


def _part(body: bytes, start: int, end: int) -> tuple[str, bytes]:
    if body.startswith(b"\r\n", start):
        return "", body[start + 2 : end]  # a part without headers
    blank = body.find(b"\r\n\r\n", start, min(end, start + _LONGEST_HEADERS))
    if blank < 0:
        raise MultipartError("a part has no end of its headers")
    for line in body[start:blank].split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-type":
            return value.split(b";")[0].strip().lower().decode("latin-1"), body[blank + 4 : end]
    return "", body[blank + 4 : end]
