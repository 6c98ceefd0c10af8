"""A database, in a file or on a server: whole, of one moment, and used by many at once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, insert, select

from medcxr.core.errors import StorageError
from medcxr.storage.setting_table import keep_settings, kept_settings
from medcxr.storage.tables import as_kept, cases, settings

_NOW = datetime(2026, 1, 2, tzinfo=UTC)
_ADD = (
    "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
    "from medcxr.services.database import workspace_database\n"
    "from medcxr.services.workspace import Workspace\n"
    "from medcxr.storage.setting_table import keep_settings\n"
    "workspace = Workspace.open(Path(sys.argv[1]))\n"
    "for n in range(5):\n"
    "    with workspace_database(workspace).writing() as connection:\n"
    "        keep_settings(connection, {f'{sys.argv[2]} {n}': n}, datetime.now(UTC))\n"
)


def test_a_transaction_is_kept_whole_or_not_at_all(opened):
    database = opened()
    with database.writing() as connection:
        keep_settings(connection, {"a": 1}, _NOW)
    with pytest.raises(TypeError), database.writing() as connection:
        keep_settings(connection, {"a": 2, "b": object()}, _NOW)
    with database.reading() as connection:
        assert kept_settings(connection) == {"a": 1}


def test_a_reader_sees_one_moment_and_does_not_wait_for_a_writer(opened):
    database = opened()
    with database.reading() as reader:
        assert kept_settings(reader) == {}
        with database.writing() as writer:
            keep_settings(writer, {"a": 1}, _NOW)
        assert kept_settings(reader) == {}
    with database.reading() as reader:
        assert kept_settings(reader) == {"a": 1}


def test_processes_that_come_together_make_one_database_and_lose_nothing(opened, tmp_path):
    names = [f"process {n}" for n in range(4)]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _ADD, str(tmp_path), name], stderr=subprocess.PIPE, text=True
        )
        for name in names
    ]
    for process in started:
        assert process.communicate(timeout=120)[1] == ""
    with opened().reading() as connection:
        kept = set(kept_settings(connection)) - {"workspace"}  # whose it is, on a server
    assert kept == {f"{name} {n}" for name in names for n in range(5)}


def test_threads_that_come_together_lose_nothing(opened):
    def count_up(_):
        with opened().writing() as connection:
            number = kept_settings(connection).get("count", 0)
            keep_settings(connection, {"count": number + 1}, _NOW)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_up, range(80)))
    with opened().reading() as connection:
        assert kept_settings(connection) == {"count": 80}


def test_a_moment_without_a_zone_is_refused(opened):
    with (
        opened().writing() as connection,
        pytest.raises(Exception, match="without a time zone"),
    ):
        keep_settings(connection, {"a": 1}, datetime.fromisoformat("2026-01-02"))


def test_a_moment_comes_back_as_it_was(opened):
    moment = datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=5)))
    with opened().writing() as connection:
        keep_settings(connection, {"a": 1}, moment)
        kept = connection.execute(select(settings.c.changed_at)).scalar_one()
    assert kept == moment
    assert kept.utcoffset() == timedelta(0)


def test_an_error_names_nothing_that_was_to_be_kept(opened):
    database = opened()
    with pytest.raises(StorageError) as caught, database.writing() as connection:
        connection.execute(settings.insert().values(name="secret label", value=None))
    assert "secret label" not in str(caught.value)
    assert caught.value.__cause__ is None
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(settings)).scalar_one() == 0


@pytest.mark.parametrize("words", ["a\x00b", "\ud83d", "\x00", "\udcff 🫁", "plain", "ﷺ\u202e"])
def test_every_text_comes_back_alike_from_each_database(opened, words):
    kept = "".join("\ufffd" if c == "\x00" or "\ud800" <= c <= "\udfff" else c for c in words)
    with opened().writing() as connection:
        connection.execute(settings.insert().values(name=words, value=words, changed_at=_NOW))
        found = connection.execute(select(settings.c.value).where(settings.c.name == words))
        assert found.scalar_one() == kept == as_kept(words)


def test_the_number_of_a_deleted_row_is_not_given_again(opened):
    row = {"label": "a", "label_folded": "a", "first_seen_at": _NOW, "last_seen_at": _NOW}

    def add(digest):
        with opened().writing() as connection:
            added = connection.execute(insert(cases).values(image_digest=digest, **row))
            return added.inserted_primary_key[0]

    first = add("1")
    last = add("2")
    with opened().writing() as connection:
        connection.execute(cases.delete())
    assert first < last < add("3")
