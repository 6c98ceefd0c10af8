"""Where uploaded bytes lie."""

import asyncio

import pytest
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser

from medcxr.apps.dashboard.uploads import keep_uploads_in_memory

_HEAD = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.dcm"\r\n\r\n'


@pytest.fixture(autouse=True)
def _starlettes_own_limit(monkeypatch):
    monkeypatch.setattr(MultiPartParser, "spool_max_size", 1024 * 1024)


def in_memory_after_upload(n_bytes):
    async def body():
        yield _HEAD + bytes(n_bytes) + b"\r\n--x--\r\n"

    async def parse():
        headers = Headers({"content-type": "multipart/form-data; boundary=x"})
        form = await MultiPartParser(headers, body()).parse()
        file = form["f"].file
        held = not file._rolled
        await form.close()
        return held

    return asyncio.run(parse())


def test_a_radiograph_is_not_written_to_a_temporary_file():
    assert not in_memory_after_upload(3_000_000)
    keep_uploads_in_memory()
    assert in_memory_after_upload(3_000_000)
