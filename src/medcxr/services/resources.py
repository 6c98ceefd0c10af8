"""How much memory and how many cores this process may use, whatever the computer has."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from medcxr.core.cores import available_cores

__all__ = ["available_memory", "usable_cores"]

_GROUPS = Path("/sys/fs/cgroup")


def available_memory(groups: Path = _GROUPS) -> int | None:
    """Return how many bytes of memory this process could still take; None where nobody tells.

    Linux tells what is free or can be freed; the group that a container runs in and the limit of
    the process may leave less. Other systems tell only what is built in.

    Args:
        groups: where the control groups (cgroup v2) of this process are found.
    """
    if sys.platform == "win32":
        return None
    if sys.platform != "linux":
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    rooms = [_free_memory(), *_rooms_of_groups(groups), *_room_of_process()]
    return max(0, min(rooms))


def usable_cores(groups: Path = _GROUPS) -> float:
    """Return how many cores this process may use; a container may have a part of one.

    Args:
        groups: as for `available_memory`.
    """
    cores = float(available_cores())
    for group in _own_groups(groups):
        quota, _, period = _read(group / "cpu.max").partition(" ")
        if quota.isdigit() and period.strip().isdigit():
            cores = min(cores, int(quota) / int(period))
    return cores


def _free_memory() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024  # given in kB
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _rooms_of_groups(groups: Path) -> Iterator[int]:
    for group in _own_groups(groups):
        limit, used = _read(group / "memory.max").strip(), _read(group / "memory.current").strip()
        if limit.isdigit() and used.isdigit():  # "max" is no limit
            yield int(limit) - int(used) + _reclaimable(group)


def _reclaimable(group: Path) -> int:
    """Return how much of a group's memory only keeps files that are not in use."""
    for line in _read(group / "memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name == "inactive_file" and value.isdigit():
            return int(value)
    return 0


def _room_of_process() -> Iterator[int]:
    import resource  # noqa: PLC0415 - absent on Windows

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        yield limit - pages * resource.getpagesize()


def _own_groups(groups: Path) -> Iterator[Path]:
    """Yield the folders of the group of this process and of those around it."""
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        if line.startswith("0::"):  # version 2 (cgroups(7))
            group = groups.joinpath(*Path(line[3:]).parts[1:])
            while group != groups:
                yield group
                group = group.parent
            yield groups


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
