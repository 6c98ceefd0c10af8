"""Results that wait for other systems, as files named by their SHA-256.

They name patients and show them. Each lies in the workspace only until every destination has
confirmed it, or a person has discarded it; a backup holds those that wait.
"""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from medcxr.core.access import Permission
from medcxr.core.errors import StorageError
from medcxr.services.database import workspace_database
from medcxr.services.workspace import Workspace
from medcxr.storage import delivery_table
from medcxr.storage.atomic import write_files_durably

__all__ = ["RESULT_SUFFIX", "keep_result_files", "remove_unneeded_results", "result_path"]

RESULT_SUFFIX = ".result"
"""Of the names of results' files, after the digest."""


def keep_result_files(workspace: Workspace, results: Sequence[bytes]) -> list[str]:
    """Write results durably, and return the SHA-256 of each.

    Raises:
        AccessError: whoever asks may not.
        StorageError: they cannot be written.
    """
    workspace.require(Permission.ANALYZE)
    digests = [hashlib.sha256(one).hexdigest() for one in results]
    if results:
        folder = _folder(workspace)
        named = zip(digests, results, strict=True)
        write_files_durably(folder, {digest + RESULT_SUFFIX: [data] for digest, data in named})
    return digests


def result_path(workspace: Workspace, digest: str) -> Path:
    """Return where a result's file lies; it may be gone."""
    workspace.require(Permission.ANALYZE)
    return workspace.results / f"{digest}{RESULT_SUFFIX}"


def remove_unneeded_results(workspace: Workspace, digests: Iterable[str] | None = None) -> int:
    """Remove the files that no destination waits for, and return how many.

    Args:
        workspace: whose files.
        digests: of the files to look at; None for all. A reader that is about to keep a result has
            its file without a row for a moment, so all are looked at only while nobody reads.

    Raises:
        AccessError: whoever asks may not.
        StorageError: the database cannot be used.
    """
    workspace.require(Permission.ANALYZE)
    looked_at = sorted(set(_all(workspace) if digests is None else digests))
    if not looked_at:
        return 0
    with workspace_database(workspace).reading() as transaction:
        needed = delivery_table.needed_digests(transaction, looked_at)
    removed = 0
    for digest in looked_at:
        if digest not in needed:
            with suppress(FileNotFoundError):
                result_path(workspace, digest).unlink()
                removed += 1
    return removed


def _all(workspace: Workspace) -> list[str]:
    if not workspace.results.is_dir():
        return []
    return [one.stem for one in workspace.results.glob(f"*{RESULT_SUFFIX}") if one.is_file()]


def _folder(workspace: Workspace) -> Path:
    folder = workspace.results
    if folder.is_dir():
        return folder
    try:
        for one in (workspace.node, folder):
            one.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StorageError(
            "{folder} cannot be created: {reason}; let this user write to the workspace.",
            folder=folder,
            reason=error.strerror,
        ) from error
    return folder
