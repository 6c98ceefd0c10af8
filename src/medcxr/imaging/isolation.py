"""Files decoded in a process that may crash, hang or run out of memory alone."""

import atexit
import json
import os
import subprocess  # nosec B404 # never a shell
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from threading import Event, Semaphore, Timer
from typing import BinaryIO, Generic, NamedTuple, TypeAlias, TypeVar, cast

from medcxr.core.cores import available_cores
from medcxr.core.errors import DecodingError, ImageError, NoDecoderError
from medcxr.core.instance_facts import InstanceFacts
from medcxr.core.language import text
from medcxr.core.settings import environment_without_secrets
from medcxr.core.source_header import SourceHeader
from medcxr.imaging.decoded import Decoded, receive, receive_facts, receive_header
from medcxr.imaging.limits import TIMEOUT_S
from medcxr.imaging.sniffing import FileFormat
from medcxr.imaging.worker import BEYOND_WINDOW, FACTS_ALONE, HEADER_ALONE, READY, WITHIN_WINDOW

__all__ = ["decode_isolated", "read_facts_isolated", "read_header_isolated"]

_T = TypeVar("_T")
_Process: TypeAlias = subprocess.Popen[bytes]


def decode_isolated(data: bytes, format_: FileFormat, *, beyond_window: bool = False) -> Decoded:
    """Decode a file in another process, which then waits for the next file.

    As many files are decoded at once as there are cores; others wait for their turn, as a further
    process would take longer to start than a file takes to be decoded.

    Args:
        data: the file.
        format_: of the file.
        beyond_window: keep the values below 0 and above 1 that lie outside the file's window.

    Raises:
        ImageError: the image cannot be used, or decoding it crashed or took too long.
    """
    gray_range = BEYOND_WINDOW if beyond_window else WITHIN_WINDOW
    return _ask(gray_range, data, format_, receive)


def read_header_isolated(data: bytes) -> SourceHeader:
    """Read what results repeat of a DICOM file's header, in another process as above.

    Args:
        data: the file.

    Raises:
        ImageError: it is no radiograph, or states no identifiers for results to refer to.
    """
    return _ask(HEADER_ALONE, data, FileFormat.DICOM, receive_header)


def read_facts_isolated(data: bytes) -> InstanceFacts:
    """Read what decides whether a DICOM file is read by a node; arguments and errors as above."""
    return _ask(FACTS_ALONE, data, FileFormat.DICOM, receive_facts)


def _ask(what: bytes, data: bytes, format_: FileFormat, receive: Callable[[BinaryIO], _T]) -> _T:
    line = f"{format_} {len(data)} {what.decode()}\n".encode()
    with _turns(os.getpid()):
        return _decode(_Request(line, data, format_, receive))


def _decode(request: "_Request[_T]") -> _T:
    expiry = time.monotonic() + TIMEOUT_S  # for both attempts together
    waiting = _waiting_processes(os.getpid())
    with suppress(IndexError, EOFError, OSError):
        # A process that has waited may have been ended from outside or be short of memory:
        # only a new one can say that the file is to blame.
        return _decode_in(waiting.pop(), waiting, expiry, request)
    begun = time.monotonic()
    process = _start()
    expiry += time.monotonic() - begun  # a slow start on a busy computer is not the file's fault
    try:
        return _decode_in(process, waiting, expiry, request)
    except (EOFError, OSError) as error:
        raise DecodingError(_CRASHED, format=request.format_) from error


_CRASHED = text(
    "Reading the {format} file crashed the decoder or needs too much memory: the file "
    "is damaged or was made to do harm; export the image again, uncompressed."
)
_TOO_LONG = text(
    "Reading the {format} file took longer than {timeout_s:g} seconds: the file is "
    "damaged or was made to do harm; export the image again, uncompressed."
)


@cache
def _turns(_pid: int) -> Semaphore:
    """Return what lets one file in per core; after a fork the child counts anew."""
    return Semaphore(available_cores())


class _Request(NamedTuple, Generic[_T]):
    line: bytes  # what is asked, as the worker reads it
    data: bytes
    format_: FileFormat
    receive: Callable[[BinaryIO], _T]  # reads the answer


def _decode_in(
    process: _Process, waiting: list[_Process], expiry: float, request: _Request[_T]
) -> _T:
    try:
        with _deadline(process, expiry - time.monotonic()) as expired:
            try:
                decoded = _exchange(process, request)
            except (EOFError, OSError) as error:
                if expired.is_set():
                    raise _TimeoutExpired from error
                raise
    except ImageError:
        _keep_or_end(process, waiting)
        raise
    except _TimeoutExpired as error:
        _end(process)
        raise DecodingError(_TOO_LONG, format=request.format_, timeout_s=TIMEOUT_S) from error
    except BaseException:
        _end(process)
        raise
    _keep_or_end(process, waiting)
    return decoded


class _TimeoutExpired(Exception):  # noqa: N818 - never leaves this file
    """The deadline passed."""


def _exchange(process: _Process, request: _Request[_T]) -> _T:
    requests, replies = cast("BinaryIO", process.stdin), cast("BinaryIO", process.stdout)
    requests.write(request.line)
    requests.write(request.data)
    requests.flush()
    return request.receive(replies)


@cache
def _waiting_processes(pid: int) -> list[_Process]:
    """Return the waiting processes of this process; after a fork the child starts its own."""
    waiting: list[_Process] = []

    def end_all() -> None:
        if os.getpid() == pid:
            while waiting:
                _end(waiting.pop())

    atexit.register(end_all)
    return waiting


# The parent's import path is handed over, so that the child finds the same package.
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from medcxr.imaging.worker import main; main()"
)
_START_TIMEOUT_S = 60.0  # a cold disk under load; no file is involved yet
_PIPE_BYTES = 2**20  # where the system can; tens of MiB pass in 64 KiB steps otherwise
_NOT_STARTED = text(
    "The process that reads images could not be started; free memory and check that this "
    "Python may start processes."
)


def _start() -> _Process:
    try:
        process = subprocess.Popen(  # noqa: S603 - fixed arguments  # nosec B603
            [sys.executable, "-I", "-c", _BOOT, json.dumps(sys.path)],
            env=environment_without_secrets(),  # a decoder that is taken over shall not read them
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pipesize=_PIPE_BYTES,
            stderr=subprocess.DEVNULL,  # libraries quote header values in their warnings
        )
    except OSError as error:
        raise NoDecoderError(_NOT_STARTED) from error
    with _deadline(process, _START_TIMEOUT_S):
        greeting = cast("BinaryIO", process.stdout).readline()
    if greeting != READY:
        _end(process)
        raise NoDecoderError(_NOT_STARTED)
    return process


@contextmanager
def _deadline(process: _Process, seconds: float) -> Iterator[Event]:
    """Kill a process after some seconds; the event tells whether that happened."""
    expired = Event()

    def expire() -> None:
        expired.set()
        process.kill()

    timer = Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield expired
    finally:
        timer.cancel()


def _keep_or_end(process: _Process, waiting: list[_Process]) -> None:
    """Keep one process waiting per core at most."""
    if process.poll() is None and len(waiting) < available_cores():
        waiting.append(process)
    else:
        _end(process)


def _end(process: _Process) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):  # bytes of the request that nobody will read
                stream.close()
