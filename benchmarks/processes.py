"""What a process and its descendants take of the computer (Linux)."""

import os
from pathlib import Path

__all__ = ["cpu_seconds", "own_mib", "process_tree", "resident_mib"]


def process_tree(root: int) -> list[int]:
    """Return a process and its descendants."""
    parents: dict[int, int] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - a hundred times a second
        try:
            text = Path("/proc", entry, "stat").read_text() if entry.isdigit() else ""
            parents[int(entry)] = int(text.rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue  # not a process, or one that has just ended
    tree = [root]
    for pid in tree:
        tree += [child for child, parent in parents.items() if parent == pid]
    return tree


def resident_mib(root: int) -> float:
    """Return the resident memory of a process and its descendants together, in MiB."""
    return sum(own_mib(pid) for pid in process_tree(root))


def cpu_seconds(root: int) -> float:
    """Return how long cores have worked for a process and its descendants.

    Those that have ended count once their parent has taken note of it.
    """
    return sum(_cpu_seconds(pid) for pid in process_tree(root))


def own_mib(pid: int) -> float:
    """Return the resident memory of a process alone, in MiB; 0 of one that has ended."""
    try:
        pages = int(Path("/proc", str(pid), "statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
        ticks = sum(int(one) for one in fields[11:15])  # utime, stime, and of ended children
    except (OSError, ValueError, IndexError):
        return 0.0
    return ticks / os.sysconf("SC_CLK_TCK")
