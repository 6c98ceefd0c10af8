# ruff: noqa: S608 - the words are the test's own
"""A database on a PostgreSQL server: what goes wrong is explained, and no password is told."""

import gc
import multiprocessing
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import text

from medcxr.core.errors import MissingExtra, StorageError
from medcxr.core.server_address import server_address
from medcxr.core.settings import Settings
from medcxr.storage import database as module
from medcxr.storage import server as server_module
from medcxr.storage.database import open_server
from medcxr.storage.integrity import database_problems
from medcxr.storage.server_facts import server_facts
from medcxr.storage.setting_table import keep_settings, kept_settings
from postgres_server import PASSWORD, ROLE, require_programs

_NOW = datetime(2026, 1, 2, tzinfo=UTC)
_OURS = f"application_name = 'medcxr' AND usename = '{ROLE}'"

pytestmark = pytest.mark.postgres


@pytest.fixture
def server(postgres):
    yield postgres
    module._connected.cache_clear()


def address(server, **options):
    return server_address(server.url(**options), named="MEDCXR_DATABASE")


def refusal(where):
    with pytest.raises(StorageError) as caught:
        open_server(where)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_what_it_is_called_tells_no_password(server):
    schema = server.new_schema()
    opened = open_server(address(server, schema=schema))
    assert opened.name.endswith(f":{server.port}/medcxr ({schema})")
    assert ROLE not in opened.name
    assert not opened.is_embedded
    assert 10**5 < server_facts(opened).n_bytes < 10**6
    assert server_facts(opened).version.startswith(("13", "14", "15", "16", "17", "18"))


def test_a_wrong_password_is_explained(server):
    url = server.url().replace("%C3%B6", "o")
    assert "refuses the user or the password" in refusal(server_address(url, named="x"))


def test_a_missing_password_is_explained(server, monkeypatch):
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSFILE", "none")
    url = f"postgresql://{ROLE}@:{server.port}/medcxr?host={server.folder}"
    assert "refuses the user or the password" in refusal(server_address(url, named="x"))


def test_an_unknown_user_is_explained(server):
    url = server.url().replace(ROLE, "nobody_here")
    assert "refuses the user or the password" in refusal(server_address(url, named="x"))


def test_a_missing_database_is_explained(server):
    assert "no database of this name" in refusal(address(server, database="missing"))


def test_a_server_that_does_not_run_is_explained():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"postgresql://a:b@127.0.0.1:{probe.getsockname()[1]}/c"
        assert "cannot be reached" in refusal(server_address(url, named="x"))


def test_a_server_that_never_answers_is_explained(monkeypatch):
    monkeypatch.setattr(server_module, "_CONNECT_S", 2)  # less is none to libpq
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"postgresql://a:b@127.0.0.1:{silent.getsockname()[1]}/c"
        assert "cannot be reached" in refusal(server_address(url, named="x"))


def test_a_host_without_a_name_is_explained():
    url = "postgresql://a:b@no-such-host.invalid/c"  # RFC 6761, 6.4
    assert "no host of this name" in refusal(server_address(url, named="x"))


def test_a_connection_that_is_not_let_in_is_explained(server):
    where = address(server, host="127.0.0.1", database="locked_out")
    assert "pg_hba.conf" in refusal(where)


def test_too_many_connections_are_explained(server):
    server.administer("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0 PASSWORD 'secret word'")
    url = f"postgresql://crowded:secret%20word@:{server.port}/medcxr?host={server.folder}"
    assert "no connection free" in refusal(server_address(url, named="x"))


def test_a_user_who_may_not_make_the_schema_is_explained(server):
    server.administer("CREATE ROLE modest LOGIN PASSWORD 'secret word'")
    url = f"postgresql://modest:secret%20word@:{server.port}/medcxr?host={server.folder}"
    where = server_address(url, named="x", schema="of_modest")
    assert "CREATE SCHEMA" in refusal(where)
    server.administer("CREATE SCHEMA of_modest AUTHORIZATION modest")
    assert database_problems(open_server(where)) == ()


def test_a_server_that_can_only_be_read_is_explained(server):
    server.administer(
        "CREATE ROLE standing_by LOGIN PASSWORD 'secret word'",
        "ALTER ROLE standing_by SET default_transaction_read_only = on",
        "CREATE SCHEMA of_standing_by AUTHORIZATION standing_by",
    )
    url = f"postgresql://standing_by:secret%20word@:{server.port}/medcxr?host={server.folder}"
    assert "lets it be read" in refusal(server_address(url, named="x", schema="of_standing_by"))


def test_a_database_that_lacks_letters_is_refused(server):
    server.administer(
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
        f"GRANT ALL ON DATABASE latin TO {ROLE}",
    )
    assert "keeps texts as LATIN1" in refusal(address(server, database="latin"))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("53100", "disk or memory is full"),
        ("53200", "disk or memory is full"),
        ("XX001", "finds it damaged"),
        ("XX002", "finds it damaged"),
        ("58030", "finds it damaged"),
        ("57014", "another program has been using it"),
        ("40P01", "another program has been using it"),
        ("42P01", "restart medcxr"),
        ("22012", "DivisionByZero; restart"),
    ],
)
def test_an_error_of_the_server_is_explained_without_its_words(opened_on_server, code, words):
    database = opened_on_server()
    with database.writing() as connection:
        raising = f"BEGIN RAISE EXCEPTION 'secret label' USING ERRCODE = '{code}'; END"
        for words_of in (
            f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ {raising} $$",
            "CREATE TRIGGER fail BEFORE INSERT ON settings EXECUTE FUNCTION fail()",
        ):
            connection.execute(text(words_of))
    with pytest.raises(StorageError, match=words) as caught, database.writing() as connection:
        keep_settings(connection, {"a": 1}, _NOW)
    assert "secret" not in str(caught.value)
    with database.reading() as connection:
        assert kept_settings(connection) == {}


def test_a_database_that_others_use_for_long_is_explained(on_postgres, monkeypatch):
    monkeypatch.setattr(server_module, "_WAIT_S", 1)
    where = Settings.from_environment().database_server()
    database = open_server(where)
    with database.writing(), pytest.raises(StorageError, match="another program has been using"):
        keep_one(database)
    keep_one(database)
    other = psycopg.connect(
        host=str(on_postgres.folder), port=on_postgres.port, user="postgres", dbname="medcxr"
    )
    with other:
        other.execute(f"LOCK TABLE {where.schema}.settings")
        with pytest.raises(StorageError, match="another program has been using it"):
            keep_one(database)
    other.close()


def test_when_all_connections_are_taken_it_is_explained(opened_on_server, monkeypatch):
    monkeypatch.setattr(server_module, "_WAIT_S", 1)
    monkeypatch.setattr(server_module, "_KEPT", 1)
    monkeypatch.setattr(server_module, "_MORE", 0)
    database = opened_on_server()
    with (
        database.reading(),
        pytest.raises(StorageError, match="another program has been using it"),
        database.reading(),
    ):
        pass


def test_a_connection_that_ends_loses_what_was_begun_and_the_next_one_works(opened_on_server):
    database = opened_on_server()

    def be_cut_off():
        with database.writing() as connection:
            keep_settings(connection, {"a": 1}, _NOW)
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(StorageError, match="ended the connection, so nothing of this was kept"):
        be_cut_off()
    with database.reading() as connection:
        assert kept_settings(connection) == {}


def test_a_server_that_was_started_again_costs_nothing(on_postgres, opened_on_server):
    database = opened_on_server()
    with database.reading(), database.reading():  # two connections stay open
        pass
    on_postgres.administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_OURS}")
    keep_one(database)


def test_a_forked_process_makes_connections_of_its_own(opened_on_server):
    database = opened_on_server()
    keep_one(database)

    def count_up(name):
        for n in range(10):
            with database.writing() as connection:
                keep_settings(connection, {f"{name} {n}": n}, _NOW)

    context = multiprocessing.get_context("fork")
    children = [context.Process(target=count_up, args=(f"child {n}",)) for n in range(2)]
    for child in children:
        child.start()
    count_up("parent")
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    with database.reading() as connection:
        assert len(kept_settings(connection)) == 31


def test_connections_are_closed_when_nobody_can_ask_any_more(on_postgres):
    where = Settings.from_environment().database_server()
    keep_one(open_server(where))
    count = f"SELECT count(*) FROM pg_stat_activity WHERE {_OURS}"
    assert on_postgres.administer(count) != [(0,)]
    module._connected.cache_clear()
    gc.collect()
    while on_postgres.administer(count) != [(0,)]:
        pass  # the server has yet to notice; the test's time is limited


def test_workspaces_in_schemas_of_their_own_do_not_see_each_other(server):
    one, other = (open_server(address(server, schema=server.new_schema())) for _ in range(2))
    keep_one(one)
    with one.writing(), other.writing() as connection:  # nor do they wait for each other
        assert kept_settings(connection) == {}


def test_without_the_driver_the_extra_is_named(server, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as where it is not installed
    with pytest.raises(MissingExtra, match=r"pip install 'medcxr\[postgres\]'"):
        open_server(address(server, schema=server.new_schema()))


def test_a_certificate_is_verified_where_the_address_asks_for_it(server):
    verified = {"sslmode": "verify-full", "hostaddr": "127.0.0.1"}
    known = address(
        server, host="db.hospital.test", sslrootcert=server.certificate,
        schema=server.new_schema(), **verified,
    )  # fmt: skip
    assert known.is_remote
    assert known.verifies_server
    assert server_facts(open_server(known)).is_encrypted
    for name, root in (("other.hospital.test", server.certificate), ("db.hospital.test", "system")):
        where = address(server, host=name, sslrootcert=root, **verified)
        assert "certificate is not the expected one" in refusal(where)


def test_threads_share_a_database(opened_on_server):
    database = opened_on_server()

    def read(_):
        with database.reading() as connection:
            return kept_settings(connection)

    keep_one(database)
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(read, range(60))) == [{"a": 1}] * 60


def test_a_whole_database_has_no_problems(opened_on_server):
    assert database_problems(opened_on_server()) == ()


_INDEX = "WHERE indexrelid = '{schema}.ix_cases_patient_key'::regclass"
_ORPHAN = """
    ALTER TABLE {schema}.opinions DISABLE TRIGGER ALL;
    INSERT INTO {schema}.opinions (case_id, given_at, verdicts, comment) VALUES (7, now(), '', '');
    ALTER TABLE {schema}.opinions ENABLE TRIGGER ALL
"""
_ROW_WITHOUT_ENTRY = f"""
    GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) TO {ROLE};
    UPDATE pg_index SET indisready = false {_INDEX};
    INSERT INTO {{schema}}.cases (image_digest, label, label_folded, first_seen_at, last_seen_at)
    VALUES ('a', 'secret', 'secret', now(), now());
    UPDATE pg_index SET indisready = true {_INDEX}
"""
_UNCHECKED = "ALTER TABLE {schema}.readings ADD CONSTRAINT late CHECK (seconds > 0) NOT VALID"


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (_ORPHAN, "a row of opinions refers to none of cases"),
        (_ROW_WITHOUT_ENTRY, "the index ix_cases_patient_key does not fit its table"),
        (_UNCHECKED, "the constraint late has never been checked"),
        (
            f"UPDATE pg_index SET indisvalid = false {_INDEX}",
            "the index ix_cases_patient_key is not in force",
        ),
        (
            "ALTER TABLE {schema}.audit_events DISABLE TRIGGER USER",
            "what guards the table audit_events is switched off",
        ),
    ],
)
def test_what_is_not_whole_is_told(on_postgres, statements, problem):
    where = Settings.from_environment().database_server()
    database = open_server(where)
    on_postgres.administer(*statements.format(schema=where.schema).split(";"))
    assert database_problems(database) == (problem,)


@pytest.mark.parametrize(
    ("in_ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)]
)
def test_without_a_server_tests_are_skipped_and_ci_fails(monkeypatch, in_ci, outcome):
    monkeypatch.setattr("postgres_server.find_programs", lambda: None)
    monkeypatch.setenv("CI", in_ci)
    with pytest.raises(outcome, match="no PostgreSQL server"):
        require_programs()


def keep_one(database):
    with database.writing() as connection:
        keep_settings(connection, {"a": 1}, _NOW)
