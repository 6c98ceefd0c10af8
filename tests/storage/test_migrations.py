"""Migrations lead to the tables that the program knows, and back."""

import sqlite3

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from medcxr.core.errors import StorageError
from medcxr.storage import database
from medcxr.storage.database import open_database
from medcxr.storage.migration import migrations_of
from medcxr.storage.tables import REVISION, metadata


@pytest.fixture
def path(tmp_path):
    return tmp_path / "medcxr.db"


def test_the_migrations_are_one_line_that_ends_where_the_program_expects(path):
    with open_database(path).reading() as connection:
        scripts = ScriptDirectory.from_config(migrations_of(connection))
        assert scripts.get_heads() == [REVISION]
        assert len(scripts.get_bases()) == 1


def test_a_new_database_has_exactly_the_tables_of_the_program(path):
    with open_database(path).reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == REVISION


def test_every_migration_can_be_taken_back_and_done_again(path):
    with open_database(path).writing() as connection:
        migrations = migrations_of(connection)
        for revision in ScriptDirectory.from_config(migrations).walk_revisions():
            command.downgrade(migrations, revision.down_revision or "base")
            command.upgrade(migrations, revision.revision)
            command.downgrade(migrations, revision.down_revision or "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        command.upgrade(migrations, "head")
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_an_older_database_is_brought_up_to_date_when_opened(path):
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
    engine.dispose()
    with open_database(path).reading() as connection:
        assert set(metadata.tables) < set(inspect(connection).get_table_names())


def test_a_database_of_a_newer_program_is_refused_and_left_as_it_is(path):
    open_database(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    database._opened.cache_clear()  # as the next start of the program finds it
    with pytest.raises(StorageError, match=r"newer medcxr .*9999.*install the newer version"):
        open_database(path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    connection.close()


def test_a_migration_that_fails_leaves_the_database_as_it_was(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE opinions (something TEXT)")  # stands in the way of the third
    connection.commit()
    connection.close()
    with pytest.raises(StorageError):
        open_database(path)
    connection = sqlite3.connect(path)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert tables == [("opinions",)]
    connection.close()


def test_the_tables_can_be_made_in_postgresql():
    made = [
        str(CreateTable(table).compile(dialect=postgresql.dialect()))
        for table in metadata.sorted_tables
    ]
    assert len(made) == len(metadata.tables)
    assert any("TIMESTAMP WITH TIME ZONE" in words for words in made)
    assert not any("AUTOINCREMENT" in words for words in made)
