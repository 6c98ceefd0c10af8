"""Migrations lead to the tables that the program knows, and back."""

import signal
import subprocess
import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text

from medcxr.core.errors import StorageError
from medcxr.storage import database
from medcxr.storage.migration import migrations_of
from medcxr.storage.tables import REVISION, audit_events, metadata


def test_the_migrations_are_one_line_that_ends_where_the_program_expects(opened):
    with opened().reading() as connection:
        scripts = ScriptDirectory.from_config(migrations_of(connection))
        assert scripts.get_heads() == [REVISION]
        assert len(scripts.get_bases()) == 1


def test_a_new_database_has_exactly_the_tables_of_the_program(opened):
    with opened().reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == REVISION


def test_every_migration_can_be_taken_back_and_done_again(opened):
    with opened().writing() as connection:
        migrations = migrations_of(connection)
        for revision in ScriptDirectory.from_config(migrations).walk_revisions():
            command.downgrade(migrations, revision.down_revision or "base")
            command.upgrade(migrations, revision.revision)
            command.downgrade(migrations, revision.down_revision or "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        command.upgrade(migrations, "head")
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_an_older_database_is_brought_up_to_date_when_opened(opened):
    with opened().writing() as connection:
        command.downgrade(migrations_of(connection), "base")
    forget()
    with opened().reading() as connection:
        assert set(metadata.tables) < set(inspect(connection).get_table_names())


def test_a_database_of_a_newer_program_is_refused_and_left_as_it_is(opened):
    before = opened()
    with before.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    forget()
    with pytest.raises(StorageError, match=r"newer medcxr .*9999.*install the newer version"):
        opened()
    with before.reading() as connection:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).all()
    assert [tuple(row) for row in found] == [("9999",)]


def test_a_migration_that_fails_leaves_the_database_as_it_was(opened):
    before = opened()
    with before.writing() as connection:
        command.downgrade(migrations_of(connection), "base")
        connection.execute(text("DROP TABLE alembic_version"))
        connection.execute(text("CREATE TABLE opinions (something TEXT)"))  # in the fourth's way
    forget()
    with pytest.raises(StorageError):
        opened()
    with before.reading() as connection:
        assert inspect(connection).get_table_names() == ["opinions"]


@pytest.mark.parametrize("at", ["CREATE TABLE findings", "CREATE TABLE audit_head", "TRIGGER"])
@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_a_program_killed_in_a_migration_leaves_it_whole(opened, tmp_path, at):
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from sqlalchemy import Engine, event\n"
        "from medcxr.services.database import workspace_database\n"
        "from medcxr.services.workspace import Workspace\n"
        "@event.listens_for(Engine, 'after_cursor_execute')\n"
        "def end(connection, cursor, words, *_):\n"
        "    if sys.argv[2] in words.upper() + words: os.kill(os.getpid(), signal.SIGKILL)\n"
        "workspace_database(Workspace.open(Path(sys.argv[1])))\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path), at], check=False)
    assert killed.returncode == -signal.SIGKILL
    with opened().reading() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize(
    "words", ["UPDATE audit_events SET actor = 'x'", "DELETE FROM audit_events"]
)
def test_each_database_refuses_to_change_the_audit_trail(opened, words):
    row = {"at": "now", "actor": "Ann", "role": "a", "door": "b", "action": "c", "subject": "d"}
    with opened().writing() as connection:
        connection.execute(audit_events.insert().values(number=1, details="", seal="", **row))
    with pytest.raises(StorageError), opened().writing() as connection:
        connection.execute(text(words))
    with opened().reading() as connection:
        assert connection.execute(select(audit_events.c.actor)).scalar_one() == "Ann"


def test_a_server_refuses_to_empty_the_audit_trail(opened_on_server):
    with pytest.raises(StorageError), opened_on_server().writing() as connection:
        connection.execute(text("TRUNCATE audit_events"))


def forget():
    """Let the next one be opened as by another start of the program."""
    database._opened.cache_clear()
    database._connected.cache_clear()
