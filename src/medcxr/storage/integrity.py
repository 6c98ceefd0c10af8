"""Whether a database is whole: its pages, its indexes, and what refers to what."""

from medcxr.storage.database import Database

__all__ = ["database_problems"]

_MOST = 5  # problems that are told; a damaged file may have thousands


def database_problems(database: Database) -> tuple[str, ...]:
    """Read the whole database, and return what is wrong with it; nothing that it holds is told.

    Raises:
        StorageError: it is too damaged to be read.
    """
    with database.reading() as connection:
        found = connection.exec_driver_sql(f"PRAGMA integrity_check({_MOST})").scalars().all()
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    problems = [str(one) for one in found if one != "ok"]
    problems += [f"a row of {table} refers to none of {parent}" for table, _, parent, _ in orphans]
    return tuple(problems[:_MOST])
