"""Ray, joined for a while: a cluster that runs, or one of this computer's own that nobody can reach."""

import logging
import os
import re
import secrets
import shutil
import site
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

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
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # its C++ would write on standard error
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # it would pack and unpack the folder that it runs in
}
# With several computers in mind, which this variable is named after, Ray would take 127.0.0.1 for the
# address by which others reach this one, which it asks the network for, and listen there to everybody.
_ON_THIS_COMPUTER = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
_CONNECT_S = 10.0


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
    with ExitStack() as stack:
        if address is None:
            folder = stack.enter_context(_own_folder())
            # Other users of this computer cannot let it work for them.
            token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
            home = _home_for_ray(folder.parent)
            stack.enter_context(_environment(_SILENT | _ON_THIS_COMPUTER | token | home))
            n_workers = workers or available_cores()
            options = {
                "num_cpus": n_workers,
                "object_store_memory": _STORE_BYTES,
                "_temp_dir": str(folder),
            }
        else:
            is_here = _verify_reachable(address)
            stack.enter_context(_environment(_SILENT | (_ON_THIS_COMPUTER if is_here else {})))
            options = {"address": address}
        stack.enter_context(_ray(options))
        yield _checked(workers)


def _verify_reachable(address: str) -> bool:
    """Tell whether the address is one that only this computer has.

    Raises:
        DataError: it is no address, or nobody answers, which Ray would wait minutes for.
    """
    if not _ADDRESS.fullmatch(address):
        raise DataError(f"{address!r} is no address of a Ray cluster; give HOST:PORT.")
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S) as connection:
            return ip_address(connection.getpeername()[0]).is_loopback
    except (OSError, OverflowError, UnicodeError) as error:
        raise DataError(
            f"Nobody answers at {address}; start the cluster there (ray start --head), or give its "
            "address."
        ) from error


@contextmanager
def _ray(options: Mapping[str, Any]) -> Iterator[None]:
    import ray  # noqa: PLC0415 - it reads the environment when it is loaded

    try:
        with _silent_standard_error():
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
        here = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call] # Ray's
        if "address" not in options and not ip_address(here).is_loopback:
            raise StorageError(
                f"Ray would listen at {here} to other computers, as it was loaded before by something "
                "else; start the command in a process of its own."
            )
        yield
    finally:
        ray.shutdown()


@contextmanager
def _silent_standard_error() -> Iterator[None]:
    """Keep the words of libraries that are not written in Python from the terminal."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _checked(workers: int | None) -> int:
    import ray  # noqa: PLC0415 - as above

    n_cores = int(ray.cluster_resources().get("CPU", 0))  # type: ignore[no-untyped-call] # Ray's
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


def _home_for_ray(folder: Path) -> dict[str, str]:
    """Return a home in which Ray finds where it runs.

    It would ask the addresses at which clouds tell that otherwise, even if it tells nobody.
    """
    (folder / "ray_bootstrap_config.yaml").write_text("{}\n")
    # Packages that were installed for this user alone are found as before.
    return {
        "HOME": str(folder),
        "USERPROFILE": str(folder),
        "PYTHONUSERBASE": site.getuserbase(),
    }


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
