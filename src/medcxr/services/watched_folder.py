"""A folder whose files are received: DICOM, PNG, JPEG or TIFF that somebody puts there.

A file is taken once it is complete, kept durably in the inbox, and only then moved to `done` or
removed; what is no image goes to `refused`, with a file that says why. A process that is killed in
between finds the file again, and the inbox knows what it has.
"""

import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from medcxr.core.access import Permission
from medcxr.core.errors import DataError, ImageError, MedcxrError, StorageError
from medcxr.imaging.limits import MAX_FILE_BYTES
from medcxr.services.inbox import Incoming, receive_many
from medcxr.services.inbox_space import require_space
from medcxr.services.node_tables import structured
from medcxr.services.received_files import incoming_image
from medcxr.services.workspace import Workspace
from medcxr.storage.atomic import write_bytes_atomically
from medcxr.storage.locks import lock_to_hand_on
from medcxr.storage.still_files import (
    FoundFile,
    StillFiles,
    is_same,
    move_without_replacing,
    read_still,
)

__all__ = ["DONE", "REFUSED", "FolderSettings", "Look", "WatchedFolder", "folder_settings", "watch"]

DONE, REFUSED = "done", "refused"
_REASON = ".reason.txt"
_ORIGIN = "folder"
_MOST_FILES, _MOST_BYTES = 32, 64 * 2**20  # that are made durable in one go
_AFTER_TROUBLE_S = 15.0
_LONGEST_S = 3600.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSettings:
    """`[folder]` of node.toml: a folder that is watched.

    Attributes:
        path: of the folder.
        keep: move what was received to `done`; otherwise remove it.
        every_s: how often to look.
        settle_s: how long a file must not have changed. Copies over a slow network may pause.
    """

    path: Path
    keep: bool = True
    every_s: float = 2.0
    settle_s: float = 5.0


def folder_settings(plain: Mapping[str, object]) -> FolderSettings:
    """Read `[folder]`; what it leaves out keeps its default.

    Raises:
        DataError: a key is unknown or a value wrong.
    """
    settings: FolderSettings = structured(plain, FolderSettings, "folder")
    for name in ("every_s", "settle_s"):
        if not 0 < getattr(settings, name) <= _LONGEST_S:
            raise DataError(
                "{name} in [folder] is {value:g}; give more than 0 and at most {most:g} seconds.",
                name=name,
                value=getattr(settings, name),
                most=_LONGEST_S,
            )
    return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What came of looking into the folder once.

    Attributes:
        n_new: files that were received.
        n_known: files that had been received before.
        n_refused: files that are no images.
        n_waiting: files that are not complete yet, or cannot be read or moved.
    """

    n_new: int = 0
    n_known: int = 0
    n_refused: int = 0
    n_waiting: int = 0


class WatchedFolder:
    """Looks into a folder again and again; one process does so at a time."""

    def __init__(
        self,
        workspace: Workspace,
        folder: Path,
        *,
        keep: bool,
        settle_s: float,
        reserve_mib: int = 0,
    ) -> None:
        """Prepare the folder.

        Args:
            workspace: that receives.
            folder: to look in; `done` and `refused` are made in it.
            keep: move what was received to `done`; otherwise remove it.
            settle_s: how long a file must not have changed.
            reserve_mib: of the inbox's disk that stays free.

        Raises:
            AccessError: whoever asks may not.
            DataError: the folder is none, or the workspace lies in it or it in the workspace.
            StorageError: it cannot be written to.
        """
        workspace.require(Permission.ANALYZE)
        self._workspace = workspace
        self._folder = _usable(workspace, folder)
        self._keep = keep
        self._reserve_mib = reserve_mib
        for name in (DONE, REFUSED):
            _made(self._folder / name)
        self._files = StillFiles(self._folder, settle_s=settle_s, apart=frozenset({DONE, REFUSED}))
        self._stuck: set[FoundFile] = set()  # that cannot be read or moved: told once

    def look(self, ended: Event | None = None) -> Look:
        """Receive what is complete.

        Args:
            ended: when it is set, what is left waits for the next time.

        Raises:
            StorageError: the folder cannot be read, the workspace not written, or less of its disk
                is free than is to stay free; everything that is not received stays where it is.
        """
        try:
            still, n_waiting = self._files.look(time.monotonic())
        except OSError as error:
            raise StorageError(
                "The folder {folder} cannot be read ({reason}); look whether it is there.",
                folder=self._folder,
                reason=error.strerror,
            ) from error
        self._stuck &= set(still)
        n_new = n_known = n_refused = 0
        for batch in self._batches([one for one in still if one not in self._stuck], ended):
            good = [(file, what) for file, what in batch if isinstance(what, Incoming)]
            if good:
                require_space(self._workspace, reserve_mib=self._reserve_mib)
            receipts = receive_many(self._workspace, [what for _, what in good]) if good else []
            for (file, _), receipt in zip(good, receipts, strict=True):
                if receipt.is_conflict:
                    n_refused += self._refuse(file, _CONFLICT)
                elif self._put_away(file):
                    n_new += receipt.is_new
                    n_known += not receipt.is_new
            for file, what in batch:
                if isinstance(what, str):
                    n_refused += self._refuse(file, what)
        n_waiting += len(still) - n_new - n_known - n_refused
        return Look(n_new=n_new, n_known=n_known, n_refused=n_refused, n_waiting=n_waiting)

    def _batches(
        self, still: list[FoundFile], ended: Event | None
    ) -> Iterator[list[tuple[FoundFile, Incoming | str]]]:
        """Yield files with what they hold, or why they are refused, as many as fit into memory."""
        batch: list[tuple[FoundFile, Incoming | str]] = []
        n_bytes = 0
        for file in still:
            if ended is not None and ended.is_set():
                break
            if batch and (
                len(batch) == _MOST_FILES or n_bytes + file.sighting.n_bytes > _MOST_BYTES
            ):
                yield batch
                batch, n_bytes = [], 0
            what = self._content(file)
            if what is not None:
                batch.append((file, what))
                n_bytes += file.sighting.n_bytes
        if batch:
            yield batch

    def _content(self, file: FoundFile) -> Incoming | str | None:
        """Return what a file holds, why it is refused, or None if it has to wait."""
        if file.sighting.n_bytes > MAX_FILE_BYTES:
            return _TOO_LARGE
        try:
            data = read_still(file, MAX_FILE_BYTES)
        except OSError as error:
            self._leave(file, error)
            return None
        if data is None:
            self._files.unsettle(file, time.monotonic())
            return None
        try:
            return incoming_image(data, origin=_ORIGIN)
        except ImageError as error:
            return str(error)

    def _put_away(self, file: FoundFile) -> bool:
        """Move or remove a file that was received; False if it could not be."""
        try:
            if self._keep:
                return self._move(file, DONE)
            if is_same(file.path, file.sighting):
                file.path.unlink()
        except FileNotFoundError:
            pass  # whoever put it there took it away; it is received all the same
        except (OSError, StorageError) as error:
            self._leave(file, error)
            return False
        return True

    def _refuse(self, file: FoundFile, reason: str) -> bool:
        """Move a file to `refused` and say there why; False if it could not be moved."""
        try:
            return self._move(file, REFUSED, reason)
        except FileNotFoundError:
            return True
        except (OSError, StorageError) as error:
            self._leave(file, error)
            return False

    def _move(self, file: FoundFile, where: str, reason: str = "") -> bool:
        target = self._folder / where / file.path.relative_to(self._folder)
        _made(target.parent, below=self._folder / where)
        moved = move_without_replacing(file.path, target)
        if not is_same(moved, file.sighting):
            # Another file had taken its name, and was not read: it goes back and is looked at anew.
            move_without_replacing(moved, file.path)
            return where == DONE  # what was read is received all the same
        if reason:
            words = f"{datetime.now(UTC).isoformat(timespec='seconds')}\n{reason}\n"
            write_bytes_atomically(moved.with_name(moved.name + _REASON), words.encode())
        return True

    def _leave(self, file: FoundFile, error: Exception) -> None:
        """Leave a file that cannot be read or moved until it changes."""
        self._stuck.add(file)
        # Its name may be a patient's.
        kind = type(error).__name__
        _LOG.warning("A file of the watched folder cannot be read or moved and stays: %s", kind)


def watch(
    workspace: Workspace,
    settings: FolderSettings,
    ended: Event,
    *,
    reserve_mib: int = 0,
    told: Callable[[Look], None] = lambda _look: None,
) -> None:
    """Look into a folder until an end is told.

    Trouble with the disk or the database is logged, and looked at again after some seconds.

    Args:
        workspace: that receives.
        settings: which folder, and how.
        ended: is set when it shall end.
        reserve_mib: of the inbox's disk that stays free.
        told: is called with what came of each look at which something was received or refused.

    Raises:
        AccessError: whoever asks may not.
        DataError: the folder is none.
        StorageError: it cannot be written to, or another process watches it.
    """
    workspace.require(Permission.ANALYZE)
    folder = WatchedFolder(
        workspace,
        settings.path,
        keep=settings.keep,
        settle_s=settings.settle_s,
        reserve_mib=reserve_mib,
    )
    with _alone(workspace, settings.path):
        is_told = False
        while not ended.is_set():
            pause_s = settings.every_s
            try:
                look = folder.look(ended)
            except MedcxrError as error:
                if not is_told:
                    _LOG.error("The watched folder has to wait: %s", error)
                is_told, pause_s = True, max(pause_s, _AFTER_TROUBLE_S)
            else:
                is_told = False
                if look.n_new or look.n_known or look.n_refused:
                    told(look)
            ended.wait(pause_s)


_CONFLICT = (
    "Another file was received before under the identifier of this one, so this one is not read. "
    "Export it again under an identifier of its own."
)
_TOO_LARGE = (
    f"The file is larger than {MAX_FILE_BYTES // 2**20} MiB, which no single radiograph is; send "
    "one image per file."
)


def _usable(workspace: Workspace, folder: Path) -> Path:
    path = folder.expanduser().absolute()
    if not path.is_dir():
        raise DataError("{folder} is no folder; make it first, or name another.", folder=path)
    real, own = path.resolve(), workspace.folder.resolve()
    if real == own or own in real.parents or real in own.parents:
        raise DataError(
            "{folder} and the workspace lie in each other; watch a folder apart from it.",
            folder=path,
        )
    return path


def _made(folder: Path, *, below: Path | None = None) -> None:
    """Make a folder, and those above it as far as `below`, none of which may be a link."""
    try:
        if below is not None and folder != below:
            _made(folder.parent, below=below)
        folder.mkdir(exist_ok=True)
        if folder.is_symlink():
            raise StorageError("{folder} is a link; remove it.", folder=folder)
    except OSError as error:
        raise StorageError(
            "{folder} cannot be made ({reason}); let this user write to the watched folder.",
            folder=folder,
            reason=error.strerror,
        ) from error


@contextmanager
def _alone(workspace: Workspace, folder: Path) -> Iterator[None]:
    """Keep other processes of this workspace from watching the same folder."""
    if os.name == "nt":  # which has no lock that is refused at once
        yield
        return
    _made(workspace.node)
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    descriptor = lock_to_hand_on(workspace.node / f".folder-{name}.lock")
    try:
        yield
    finally:
        os.close(descriptor)
