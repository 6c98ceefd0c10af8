"""Results that were not delivered, as files of a backup or of the state before a restore.

Files are named by what they hold, so two states of a workspace can be put together: no file of one
stands in the way of the other's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medcxr.core.errors import DataError
from medcxr.services.result_files import RESULT_SUFFIX
from medcxr.services.workspace import Workspace
from medcxr.storage.archive import ArchiveManifest
from medcxr.storage.atomic import link_or_copy, scrap_folder, storage_error, sync_folder
from medcxr.storage.database import Transaction
from medcxr.storage.undelivered_table import undelivered_digests

__all__ = [
    "RESULTS_PART",
    "bring_results",
    "held_results",
    "keep_results",
    "require_right_names",
]

RESULTS_PART = "results"
"""The folder of a backup, and of a state before a restore, in which they lie."""

_OWNER_ONLY = 0o700


@contextmanager
def held_results(workspace: Workspace) -> Iterator[Path | None]:
    """Yield a folder in which results stay though they are delivered; None where there are none."""
    if not workspace.results.is_dir():
        yield None
        return
    with scrap_folder(workspace.results) as folder:
        yield folder


def keep_results(workspace: Workspace, transaction: Transaction | None, folder: Path) -> set[str]:
    """Keep the files of all results that were not delivered in `RESULTS_PART` of a folder.

    Args:
        workspace: whose results.
        transaction: of its database, in which the rows are read too; None where it cannot be read,
            so that every file may be one of them.
        folder: on the workspace's disk, so that nothing is copied.

    Returns:
        The digests of those that were there. A missing one was confirmed or discarded by somebody
        else since the transaction began.

    Raises:
        StorageError: the folder cannot be written.
    """
    if transaction is None:
        digests = {path.stem for path in workspace.results.glob(f"*{RESULT_SUFFIX}")}
    else:
        digests = undelivered_digests(transaction)
    return {
        digest
        for digest in sorted(digests)
        if _linked(workspace.results / f"{digest}{RESULT_SUFFIX}", folder / RESULTS_PART)
    }


def bring_results(workspace: Workspace, folder: Path) -> None:
    """Put what `keep_results` kept in a folder beside the results that the workspace has.

    Raises:
        StorageError: the workspace cannot be written.
    """
    kept = folder / RESULTS_PART
    paths = sorted(kept.glob(f"*{RESULT_SUFFIX}")) if kept.is_dir() else []
    for path in paths:
        _linked(path, workspace.results)
    if paths:
        sync_folder(workspace.results)


def require_right_names(manifest: ArchiveManifest) -> None:
    """Return if each result of a backup is named by what it holds.

    Raises:
        DataError: one is not, so that it could stand in the place of another one.
    """
    for one in manifest.files:
        part, _, name = one.name.partition("/")
        if part == RESULTS_PART and name != f"{one.sha256}{RESULT_SUFFIX}":
            raise DataError(
                "The backup is damaged: a result in it is not named by what it holds; take another "
                "one."
            )


def _linked(source: Path, folder: Path) -> bool:
    """Tell whether a file has its name in a folder too, now or since before."""
    target = folder / source.name
    try:
        folder.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
        if not target.exists():
            link_or_copy(source, target)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise storage_error(target, error) from error
    return True
