"""Ray, joined for a while: a cluster that runs, or one of this computer's own that nobody can reach."""

import logging
import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from medcxr.core.cores import available_cores
from medcxr.core.errors import DataError, StorageError
from medcxr.storage.locks import exclusive, is_held

__all__ = ["joined_cluster"]

_ADDRESS = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?:[0-9]{1,5}|\[[0-9A-Fa-f:]{2,39}\]:[0-9]{1,5}"
)
_STORE_BYTES = 80 * 2**20  # Ray's least; workers pass numbers to each other, not images
_FOLDERS = "medcxr-ray-"
_ALIVE = "alive"

_SILENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # it would tell its makers
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # its C++ writes on standard error
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # it would pack and unpack the folder that it runs in
}
# Without a cluster of several computers in mind, Ray names and binds its servers 127.0.0.1; told that
# address it would look for the computer's own, by an address of Google's, and listen to everybody.
_ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}


@contextmanager
def joined_cluster(*, workers: int | None = None, address: str | None = None) -> Iterator[int]:
    """Let this process use Ray, and yield how many workers to start.

    Args:
        workers: how many are wanted; None for one per core.
        address: HOST:PORT of a cluster that runs; None starts one for this process alone.

    Raises:
        DataError: the address is none, no cluster answers there, or it has fewer cores.
        StorageError: there is no room for the files of one that is started.
    """
    if address is not None and not _ADDRESS.fullmatch(address):
        raise DataError(f"{address!r} is no address of a Ray cluster; give HOST:PORT.")
    with ExitStack() as stack:
        if address is None:
            folder = stack.enter_context(_own_folder())
            token = {"RAY_AUTH_TOKEN": secrets.token_hex(32)}  # for others on this computer
            stack.enter_context(_environment(_SILENT | _ALONE | token))
            n_workers = workers or available_cores()
            options = {
                "num_cpus": n_workers,
                "object_store_memory": _STORE_BYTES,
                "_temp_dir": str(folder),
            }
        else:
            stack.enter_context(_environment(_SILENT))
            options = {"address": address}
        stack.enter_context(_ray(options))
        yield _checked(workers)


@contextmanager
def _ray(options: Mapping[str, object]) -> Iterator[None]:
    import ray  # noqa: PLC0415 - it reads the environment when it is loaded

    logging.getLogger("ray").setLevel(logging.CRITICAL)
    try:
        ray.init(
            include_dashboard=None if "address" in options else False,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            **options,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        ray.shutdown()
        raise DataError(
            f"Ray does not answer or could not be started ({type(error).__name__}); see that the "
            "cluster runs the same Ray and Python, and that RAY_AUTH_TOKEN holds its token if it "
            "has one."
        ) from error
    try:
        logging.getLogger("ray").setLevel(logging.CRITICAL)  # it has set its own meanwhile
        yield
    finally:
        ray.shutdown()


def _checked(workers: int | None) -> int:
    import ray  # noqa: PLC0415 - as above

    n_cores = int(ray.cluster_resources().get("CPU", 0))
    if n_cores < (workers or 1):
        raise DataError(
            f"The cluster has {n_cores} core(s) for {workers or 1} worker(s); ask for fewer."
        )
    return workers or n_cores


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables, which the processes of Ray inherit, and take them back at the end."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _own_folder() -> Iterator[Path]:
    """Yield a folder for Ray's sockets and logs that is deleted at the end.

    It lies in the system's folder for such, as a socket's path may have 107 characters. Folders of
    processes that were killed are deleted by the next one.
    """
    _delete_abandoned()
    try:
        outer = Path(tempfile.mkdtemp(prefix=_FOLDERS))  # for this user alone
    except OSError as error:
        raise StorageError(
            f"No folder can be made in {tempfile.gettempdir()} ({error.strerror}); free space there "
            "or let TMPDIR name another one."
        ) from error
    try:
        with exclusive(outer / _ALIVE):
            # Ray opens the folder that it is given to everybody; within the other one nobody comes.
            yield outer / "r"
    finally:
        shutil.rmtree(outer, ignore_errors=True)


def _delete_abandoned() -> None:
    if sys.platform == "win32":  # which cannot tell whether one is held
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDERS}*"):
        lock = folder / f".{_ALIVE}.lock"
        try:
            ours = not folder.is_symlink() and folder.stat().st_uid == os.getuid()
            if ours and lock.is_file() and not is_held(lock):
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # it vanished meanwhile
            continue
