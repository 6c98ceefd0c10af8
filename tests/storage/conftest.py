"""Databases for the tests of what lies in them."""

from collections.abc import Callable

import pytest

from medcxr.core.settings import Settings
from medcxr.storage.database import Database, open_database, open_server


@pytest.fixture
def opened(each_database, tmp_path) -> Callable[[], Database]:
    """Return what opens a database: the same one each time, first in a file, then on a server."""
    if each_database == "embedded":
        return lambda: open_database(tmp_path / "medcxr.db")
    address = Settings.from_environment().database_server()
    return lambda: open_server(address)


@pytest.fixture
def opened_on_server(on_postgres) -> Callable[[], Database]:  # noqa: ARG001 - it names the server
    """Return what opens a database on a server."""
    address = Settings.from_environment().database_server()
    return lambda: open_server(address)
