"""Put a prepared state in the place of a workspace's own, in one step that a crash only delays.

| in the workspace       |                                                                         |
|------------------------|-------------------------------------------------------------------------|
| `restoring/`           | the prepared state: folders, and the database's tables                  |
| `restoring/ready.json` | written last: from here on the state is put in place, by whoever comes  |
| `before-restore/TIME/` | what was there before, in the same form                                 |

The database changes in one transaction, in which the folders are renamed too: whoever waits for it
finds both. Its last row says which restore it is of; so a restore that was cut off is told apart
from one that only lacks its tidying up.
"""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from medcxr.core.access import Actor, Door, Role
from medcxr.core.audit import AuditAction
from medcxr.core.errors import DataError, StorageError
from medcxr.services.audit import note
from medcxr.services.database import is_on_server, workspace_database
from medcxr.services.trail_walk import NotedHead
from medcxr.services.waiting_results import bring_results, keep_results
from medcxr.services.workspace import Workspace
from medcxr.storage import audit_table
from medcxr.storage.archive import ArchivedDatabase, database_from_plain
from medcxr.storage.archive_names import DATABASE_PART
from medcxr.storage.archive_rows import export_rows, import_rows
from medcxr.storage.atomic import write_json_atomically
from medcxr.storage.beyond_use import companions, is_beyond_use
from medcxr.storage.carried_deliveries import all_deliveries, carry_over
from medcxr.storage.database import Transaction
from medcxr.storage.locks import exclusive, is_held
from medcxr.storage.reading import read_bytes
from medcxr.storage.setting_table import keep_settings, kept_settings

__all__ = [
    "BEFORE",
    "READY",
    "STATE",
    "Prepared",
    "decide",
    "finish_restore",
    "read_state",
]

BEFORE = "before-restore"
READY, STATE = "ready.json", "state.json"
_SETTING = "restore"
_OWNER_ONLY = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A state that lies ready in a folder.

    Attributes:
        parts: the workspace's folders that it replaces.
        database: what lies in its folder "database"; None where the tables could not be read.
        what: what it is of, e.g. a backup's name.
    """

    parts: tuple[str, ...]
    database: ArchivedDatabase | None
    what: str


def decide(workspace: Workspace, prepared: Prepared) -> str:
    """Decide that what lies in `restoring/` takes the workspace's place, and put it there.

    Args:
        workspace: whose actor restores; somebody holds the lock of `restoring/` meanwhile.
        prepared: what lies there.

    Returns:
        The name of the state before, in `before-restore/`.

    Raises:
        StorageError: it could not be put in place; then everything is as it was before, or, where
            the process was ended, is put in place when the workspace is opened again.
    """
    before = _free_name(workspace.folder / BEFORE)
    actor = workspace.actor
    plan = {
        **_plain(prepared),
        "identity": secrets.token_hex(16),
        "before": before,
        "actor": {"name": actor.name, "role": actor.role.value, "door": actor.door.value},
    }
    write_json_atomically(workspace.restoring / READY, plan)
    _finish(workspace)
    return before


def finish_restore(workspace: Workspace) -> None:
    """Put a state in place whose restore was cut off, or tidy up after it.

    Returns at once where there is none, or where somebody is still unpacking one.

    Raises:
        StorageError: the workspace cannot be written.
    """
    folder = workspace.restoring
    is_decided = os.path.lexists(folder / READY)
    if not is_decided and (not folder.is_dir() or is_held(_lock_of(folder))):
        return
    with exclusive(folder):  # waits for a restore that is going on
        if os.path.lexists(folder / READY):
            _finish(workspace)
        elif folder.is_dir():
            _tidy_up(folder)


def read_state(folder: Path) -> Prepared:
    """Return what the state in a folder is.

    Raises:
        DataError: the folder does not say.
    """
    try:
        plain = json.loads(read_bytes(folder / STATE) or b"")
        return _prepared_from(plain)
    except (ValueError, KeyError, TypeError):
        raise DataError(
            "{folder} is no state that can be gone back to; restore a backup.", folder=folder
        ) from None


def _finish(workspace: Workspace) -> None:
    folder = workspace.restoring
    plan = _plan_in(folder)
    prepared, database = plan.prepared, plan.database
    before = workspace.folder / BEFORE / plan.before
    try:
        before.parent.mkdir(mode=_OWNER_ONLY, exist_ok=True)
        before.mkdir(mode=_OWNER_ONLY, exist_ok=True)
    except OSError as error:
        raise _unwritable(before, error) from error
    _set_unusable_aside(workspace, before)
    is_kept, trail_before = False, ""
    try:
        bring_results(workspace, folder)  # no row leads to them before the transaction ends
        with workspace_database(workspace).writing() as transaction:
            is_kept = kept_settings(transaction).get(_SETTING) == plan.identity
            if not is_kept:
                trail_before, known = _head(transaction), all_deliveries(transaction)
                earlier = _export_before(workspace, transaction, before, prepared)
                import_rows(transaction, folder / DATABASE_PART, database, "restored")
                carry_over(transaction, known, datetime.now(UTC))
                keep_settings(transaction, {_SETTING: plan.identity}, datetime.now(UTC))
            _swap(workspace.folder, folder, before, prepared.parts)
            if not is_kept:
                write_json_atomically(before / STATE, _plain(earlier))
                restorer = workspace.used_by(plan.actor)
                _tell(restorer, transaction, prepared, before.name, trail_before)
    except Exception:  # whatever a row that no program has written makes a database raise
        if not is_kept:  # nothing was kept of the transaction; so nothing may be of the folders
            _undo(workspace, before, prepared.parts)
        raise
    _tidy_up(folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    prepared: Prepared
    database: ArchivedDatabase
    identity: str
    before: str
    actor: Actor


def _plan_in(folder: Path) -> _Plan:
    damaged = StorageError(
        "{folder} is damaged; delete it, and restore the backup again.", folder=folder
    )
    try:
        plain = json.loads(read_bytes(folder / READY) or b"")
        prepared, who = _prepared_from(plain), plain["actor"]
        actor = Actor(name=str(who["name"]), role=Role(who["role"]), door=Door(who["door"]))
        identity, before = str(plain["identity"]), Path(str(plain["before"])).name
    except (ValueError, KeyError, TypeError):
        raise damaged from None
    if prepared.database is None:
        raise damaged
    return _Plan(
        prepared=prepared,
        database=prepared.database,
        identity=identity,
        before=before,
        actor=actor,
    )


def _lock_of(folder: Path) -> Path:
    """Return the lock that `exclusive` holds for a folder."""
    return folder.with_name(f".{folder.name}.lock")


def _undo(workspace: Workspace, before: Path, parts: tuple[str, ...]) -> None:
    _swap_back(workspace.folder, workspace.restoring, before, parts)
    if (before / workspace.database.name).exists():
        for path in companions(workspace.database):
            path.unlink(missing_ok=True)
            if (before / path.name).exists():
                (before / path.name).rename(path)
    _tidy_up(workspace.restoring)
    shutil.rmtree(before, ignore_errors=True)


def _tidy_up(folder: Path) -> None:
    (folder / READY).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _head(transaction: Transaction) -> str:
    """Return the last number and seal of the trail that is replaced, as they are noted down."""
    found = audit_table.head(transaction)
    return "" if found is None else str(NotedHead(number=found.number, seal=found.seal))


def _tell(
    workspace: Workspace, transaction: Transaction, prepared: Prepared, before: str, trail: str
) -> None:
    """Tell the restored trail, under the restored key, in the transaction that restores it.

    The head of the trail before is told too: nobody can say afterwards that there was none.
    """
    note(
        workspace,
        transaction,
        AuditAction.BACKUP_RESTORED,
        prepared.what,
        state_before=before,
        trail_before=trail,
        parts=", ".join(prepared.parts),
    )


def _set_unusable_aside(workspace: Workspace, before: Path) -> None:
    """Move a database that nobody can use any more out of the way."""
    if is_on_server() or not is_beyond_use(workspace.database):
        return
    for path in companions(workspace.database):
        if path.exists():
            path.replace(before / path.name)


def _export_before(
    workspace: Workspace, transaction: Transaction, before: Path, prepared: Prepared
) -> Prepared:
    """Write down the tables that are about to be replaced; again, where it was cut off."""
    tables = before / DATABASE_PART
    shutil.rmtree(tables, ignore_errors=True)
    if (before / workspace.database.name).exists():  # they could not be read
        keep_results(workspace, None, before)
        return Prepared(parts=prepared.parts, database=None, what=f"state before {before.name}")
    tables.mkdir(mode=_OWNER_ONLY)
    results = keep_results(workspace, transaction, before)
    exported = export_rows(transaction, tables, results=results)
    return Prepared(parts=prepared.parts, database=exported, what=f"state before {before.name}")


def _swap(home: Path, prepared: Path, before: Path, parts: tuple[str, ...]) -> None:
    """Rename folders; one that is not in the prepared state any more is in place already."""
    for part in parts:
        new, current, old = prepared / part, home / part, before / part
        if not new.is_dir():
            continue
        try:
            if current.exists():
                if old.exists():  # whoever came meanwhile has made an empty one
                    current.rmdir()
                else:
                    current.rename(old)
            new.rename(current)
        except OSError as error:
            raise _unwritable(current, error) from error


def _swap_back(home: Path, prepared: Path, before: Path, parts: tuple[str, ...]) -> None:
    for part in parts:
        new, current, old = prepared / part, home / part, before / part
        if new.is_dir() and old.is_dir() and not current.exists():
            old.rename(current)
        elif not new.is_dir() and old.is_dir():
            current.rename(new)
            old.rename(current)


def _plain(prepared: Prepared) -> dict[str, object]:
    return {
        "parts": list(prepared.parts),
        "database": None if prepared.database is None else asdict(prepared.database),
        "what": prepared.what,
    }


def _prepared_from(plain: Mapping[str, object]) -> Prepared:
    parts, database = plain["parts"], plain["database"]
    if not isinstance(parts, list) or not all(_is_plain(part) for part in parts):
        raise ValueError("not the names of folders")
    return Prepared(
        parts=tuple(map(str, parts)),
        database=None if database is None else database_from_plain(database),
        what=str(plain["what"]),
    )


def _is_plain(part: object) -> bool:
    return isinstance(part, str) and part.isalpha() and part.isascii()


def _free_name(folder: Path) -> str:
    """Return a name by the time that no state has."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (stamp if n == 1 else f"{stamp}-{n}" for n in range(1, 1000))
    return next(name for name in names if not os.path.lexists(folder / name))


def _unwritable(path: Path, error: OSError) -> StorageError:
    return StorageError(
        "{path} cannot be written: {reason}; free space or mend the permissions.",
        path=path,
        reason=error.strerror,
    )
