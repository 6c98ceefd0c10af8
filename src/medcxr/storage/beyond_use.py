"""Whether an embedded database can still be used, or only be set aside."""

import sqlite3
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

__all__ = ["companions", "is_beyond_use"]

_UNUSABLE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_WAIT_S = 10.0


def is_beyond_use(path: Path) -> bool:
    """Tell whether a file is damaged, no database, or written by a newer program.

    One that is merely locked, or closed to this user, is not beyond use.
    """
    if not path.is_file():
        return False
    try:
        connection = sqlite3.connect(path, timeout=_WAIT_S)
        try:
            if connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                return True
            tables = connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
            ).fetchone()
            if tables == (0,):
                return False
            found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _UNUSABLE
    return not {revision for (revision,) in found} <= _known_revisions()


def companions(path: Path) -> tuple[Path, ...]:
    """Return a database's file and those that SQLite keeps beside it."""
    return tuple(path.with_name(path.name + ending) for ending in ("-wal", "-shm", ""))


def _known_revisions() -> set[str]:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return {one.revision for one in ScriptDirectory.from_config(config).walk_revisions()}
