"""Damage done to files, the same for the same number: of bytes, of texts, and of what formats say."""

import re
import struct
import zlib
from collections.abc import Callable, Sequence
from random import Random

_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_HEAD = 1024  # bytes, in which formats say most of what can be wrong
_MOST_BYTES = 4 * 2**20  # of what becomes of a file
_WORDS = (
    b"NaN", b"inf", b"-1", b"1e999", b"9" * 400, b"9" * 5000, b"0.0000000001", b"null", b"true", b"{}", b"[]",
    b'"', b"'", b"\\", b"\0", b"\r\n", b"\n", b'"a\rb"', b'"\n"', b",", b"|", b"=", b"../../etc/passwd", b"=cmd()",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"[" * 3000, b"{" * 3000,
    b"\xe2\x80\xae", b"%s%n", b"{0.__class__}", b"$(true)", b"; DROP TABLE cases;", b"\x1b[2J",
)  # fmt: skip
_SYNTAXES = (
    b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.2",
    b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.4.51", b"1.2.840.10008.1.2.4.57",
    b"1.2.840.10008.1.2.4.70", b"1.2.840.10008.1.2.4.80", b"1.2.840.10008.1.2.4.81",
    b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.4.91", b"1.2.840.10008.1.2.5",
    b"1.2.840.10008.1.2.4.100", b"1.2.3.4.5", b"",
)  # fmt: skip
_REPRESENTATIONS = (
    b"OB", b"OW", b"UN", b"SQ", b"US", b"SS", b"DS", b"IS", b"LO", b"PN", b"FD", b"UI", b"AT", b"ZZ",
)  # fmt: skip

Mutator = Callable[[bytes, Random], bytes]


def damaged(seeds: Sequence[bytes], mutators: Sequence[Mutator], random: Random) -> bytes:
    """Return one of the files after some changes, half of them of bytes; most have one."""
    data = whole = random.choice(seeds)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        kinds = mutators if mutators and random.random() < 0.5 else _OF_BYTES
        data = random.choice(kinds)(data, random)
    # A mutator of another format, or one that undoes another, changes nothing.
    return (data if data != whole else flip_bits(whole, random))[:_MOST_BYTES]


def flip_bits(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8, 64))):
        if changed:
            changed[_place(changed, random)] ^= 1 << random.randrange(8)
    return bytes(changed)


def set_bytes(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 2, 4, 16))):
        if changed:
            changed[_place(changed, random)] = random.randrange(256)
    return bytes(changed)


def set_number(data: bytes, random: Random) -> bytes:
    """Overwrite 1, 2 or 4 bytes by a number that programs stumble over, in either order."""
    form = random.choice(("B", "<H", ">H", "<I", ">I"))
    width = struct.calcsize(form)
    if len(data) < width:
        return data
    at = min(_place(data, random), len(data) - width)
    packed = struct.pack(form, random.choice(_NUMBERS) & (2 ** (8 * width) - 1))
    return data[:at] + packed + data[at + width :]


def cut_end(data: bytes, random: Random) -> bytes:
    return data[: random.randint(0, len(data))]


def cut_out(data: bytes, random: Random) -> bytes:
    at = _place(data, random) if data else 0
    return data[:at] + data[at + random.choice((1, 2, 4, 100, 5000)) :]


def repeat(data: bytes, random: Random) -> bytes:
    at = _place(data, random) if data else 0
    piece = data[at : at + random.choice((1, 8, 64, 2000))]
    return data[:at] + piece * random.choice((2, 3, 50)) + data[at:]


def insert_noise(data: bytes, random: Random) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.randbytes(random.choice((1, 4, 200))) + data[at:]


def insert_word(data: bytes, random: Random) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.choice(_WORDS) + data[at:]


def replace_token(data: bytes, random: Random) -> bytes:
    """Put something else in the place of a number, word or quoted text."""
    tokens = list(re.finditer(rb'"[^"\n]*"|[\w.+-]+', data[:100_000]))
    if not tokens:
        return insert_word(data, random)
    chosen = random.choice(tokens)
    other = random.choice((random.choice(_WORDS), random.choice(tokens)[0], b""))
    return data[: chosen.start()] + other + data[chosen.end() :]


def set_value(data: bytes, random: Random) -> bytes:
    """Put something else in the place of what follows a colon, a comma or an equals sign."""
    places = [one.end() for one in re.finditer(rb"[:,=] *", data[:100_000])]
    if not places:
        return insert_word(data, random)
    at = random.choice(places)
    end = re.compile(rb"[,\n}\]]|$").search(data, at)
    return data[:at] + random.choice(_WORDS) + data[end.start() if end else at :]


def repeat_line(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    at = random.randrange(len(lines))
    return b"\n".join([*lines[:at], *[lines[at]] * random.choice((0, 2, 300)), *lines[at + 1 :]])


def change_png_chunk(data: bytes, random: Random) -> bytes:
    """Change a chunk of a PNG file and put its checksum right, so that it is believed."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if length > len(data):
            break
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    if not chunks:
        return data
    place = random.randrange(len(chunks))
    kind, content = chunks[place]
    action = random.randrange(5)
    if action == 0:
        content = set_number(content, random)
    elif action == 1:
        content = flip_bits(content, random)
    elif action == 2:
        kind = random.choice(
            (b"IHDR", b"IDAT", b"PLTE", b"tRNS", b"acTL", b"zTXt", b"iCCP", b"IEND")
        )
    elif action == 3:  # deflated data that grow
        content = zlib.compress(bytes(random.choice((10, 10**5, 10**7))), 9)
    chunks[place] = (kind, content)
    if action == 4:
        chunks.insert(place, chunks[random.randrange(len(chunks))])
    return data[:8] + b"".join(_png_chunk(*one) for one in chunks)


def change_jpeg_segment(data: bytes, random: Random) -> bytes:
    """Change the length, the kind or the content of a segment of a JPEG file."""
    markers = [one.start() for one in re.finditer(rb"\xff[\xc0-\xfe]", data[:4096])]
    if not markers:
        return data
    at = random.choice(markers)
    action = random.randrange(3)
    if action == 0:
        kind = bytes(
            [0xFF, random.choice((0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC9, 0xDA, 0xDB, 0xDD, 0xD9))]
        )
        return data[:at] + kind + data[at + 2 :]
    if action == 1:
        number = struct.pack(">H", random.choice(_NUMBERS) & 0xFFFF)
        return data[: at + 2] + number + data[at + 4 :]
    place = at + 4 + random.randrange(12)
    return data[:place] + struct.pack(">H", random.choice(_NUMBERS) & 0xFFFF) + data[place + 2 :]


def change_graph(data: bytes, random: Random) -> bytes:
    """Change what an ONNX graph says: an operator, an attribute, a weight, a shape, a name."""
    import onnx
    from google.protobuf.message import DecodeError

    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except (DecodeError, UnicodeDecodeError):
        return data
    graph = model.graph
    number = random.choice((0, -1, 1, 2, 3, 7, 64, 4096, 2**20, 2**31, -(2**31), 2**62))
    action = random.randrange(7)
    if action == 0 and graph.node:
        random.choice(graph.node).op_type = random.choice(_OPERATORS)
    elif action == 1:
        attributes = [one for node in graph.node for one in node.attribute]
        if attributes:
            chosen = random.choice(attributes)
            chosen.i = number
            chosen.ints[:] = [number] * random.randint(0, 4)
    elif action == 2 and graph.initializer:
        chosen = random.choice(graph.initializer)
        chosen.raw_data = set_number(chosen.raw_data, random)
    elif action == 3 and graph.initializer:
        chosen = random.choice(graph.initializer)
        if chosen.dims:
            chosen.dims[random.randrange(len(chosen.dims))] = number
    elif action == 4 and graph.input:
        dims = random.choice((graph.input, graph.output))[0].type.tensor_type.shape.dim
        if dims:
            dims[random.randrange(len(dims))].dim_value = number
    elif action == 5 and graph.node:
        inputs = random.choice(graph.node).input
        if inputs:
            inputs[0] = random.choice([one.name for one in graph.initializer] + ["image", ""])
    elif graph.node:
        graph.node.append(random.choice(graph.node))
    return model.SerializeToString()


_OPERATORS = (
    "Relu", "Conv", "ReduceSum", "MatMul", "Exp", "Log", "Expand", "Tile", "Reshape", "Resize",
    "Loop", "If", "Scan", "NonZero", "Range", "Gather", "Identity", "Nothing", "RandomNormalLike",
)  # fmt: skip


def lie_of_syntax(data: bytes, random: Random) -> bytes:
    """Name another transfer syntax than that in which a DICOM file is written."""
    found = list(re.finditer(rb"1\.2\.840\.10008\.1\.2[\d.]*\0?", data[:2000]))
    if not found:
        return data
    chosen, other = random.choice(found), random.choice(_SYNTAXES)
    other += b"\0" * (len(other) % 2)
    # The length before it, of a value representation with two bytes of length, is put right.
    at = chosen.start()
    return data[: at - 2] + struct.pack("<H", len(other)) + other + data[chosen.end() :]


def change_element(data: bytes, random: Random) -> bytes:
    """Change tag, value representation or length of an element of a DICOM file."""
    found = list(re.finditer(rb"[A-Z]{2}(?=..)", data[132:4000], re.DOTALL))
    if not found:
        return data
    at = 132 + random.choice(found).start()
    action = random.randrange(4)
    if action == 0:
        return data[:at] + random.choice(_REPRESENTATIONS) + data[at + 2 :]
    if action == 1:
        number = struct.pack("<H", random.choice(_NUMBERS) & 0xFFFF)
        return data[: at + 2] + number + data[at + 4 :]
    if action == 2:
        tag = struct.pack("<HH", *random.choice(_TAGS))
        return data[: max(0, at - 4)] + tag + data[at:]
    number = struct.pack("<I", random.choice(_NUMBERS))
    return data[: at + 4] + number + data[at + 8 :]


_TAGS = (
    (0x0028, 0x0010), (0x0028, 0x0011), (0x0028, 0x0002), (0x0028, 0x0004), (0x0028, 0x0008),
    (0x0028, 0x0100), (0x0028, 0x0101), (0x0028, 0x0102), (0x0028, 0x0103), (0x0028, 0x1050),
    (0x0028, 0x1051), (0x0028, 0x1052), (0x0028, 0x1053), (0x0028, 0x3000), (0x0028, 0x3010),
    (0x0008, 0x0005), (0x0018, 0x1164), (0x7FE0, 0x0010), (0xFFFE, 0xE000), (0xFFFE, 0xE0DD),
)  # fmt: skip

OF_TEXT: tuple[Mutator, ...] = (insert_word, replace_token, set_value, set_value, repeat_line)
OF_PNG: tuple[Mutator, ...] = (change_png_chunk,)
OF_JPEG: tuple[Mutator, ...] = (change_jpeg_segment,)
OF_GRAPH: tuple[Mutator, ...] = (change_graph,)
OF_DICOM: tuple[Mutator, ...] = (change_element, change_element, lie_of_syntax, insert_word)
_OF_BYTES: tuple[Mutator, ...] = (
    flip_bits, set_bytes, set_number, cut_end, cut_out, repeat, insert_noise,
)  # fmt: skip


def _place(data: bytes | bytearray, random: Random) -> int:
    """Return where to change something, half of the times in the head."""
    return random.randrange(min(_HEAD, len(data)) if random.random() < 0.5 else len(data))


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
