"""How much of its disk the inbox leaves free, whoever brings it something."""

import os

from medcxr.core.errors import DiskFull
from medcxr.services.inbox import inbox_folder
from medcxr.services.workspace import Workspace

__all__ = ["require_space"]

_MIB = 2**20


def require_space(workspace: Workspace, *, reserve_mib: int) -> None:
    """Return if the disk of the inbox has more space than is to stay free.

    Args:
        workspace: whose inbox.
        reserve_mib: of the disk that stays free; 0 leaves it to the disk to say that it is full.

    Raises:
        DiskFull: it does not.
        StorageError: the inbox cannot be made.
    """
    if not reserve_mib or not hasattr(os, "statvfs"):  # Windows: the disk itself says so
        return
    found = os.statvfs(inbox_folder(workspace))
    if found.f_bavail * found.f_frsize < reserve_mib * _MIB:
        raise DiskFull(
            "Less than {mib} MiB are free on the disk of the inbox, so nothing more is received; "
            "free space, or lower reserve_mib in node.toml.",
            mib=reserve_mib,
        )
