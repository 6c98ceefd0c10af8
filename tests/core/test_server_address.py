"""The address of a database on a server: read whole, told without its password."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medcxr.core.errors import DataError
from medcxr.core.server_address import server_address
from medcxr.core.settings import Settings

_URL = "postgresql://ann:p%40ss%2Fw%3Ard@db.example.org:6432/cxr?sslmode=verify-full&schema=ward_3"


def read(words, **options):
    return server_address(words, named="MEDCXR_DATABASE", **options)


def test_an_address_is_read_whole():
    found = read(_URL)
    assert (found.host, found.port, found.database) == ("db.example.org", 6432, "cxr")
    assert (found.user, found.password) == ("ann", "p@ss/w:rd")
    assert (found.schema, found.options) == ("ward_3", (("sslmode", "verify-full"),))
    assert found.verifies_server


def test_what_is_left_out_is_postgresqls_own():
    found = read("postgres:///cxr")
    assert (found.host, found.port, found.user, found.password) == ("", None, "", None)
    assert found.schema == "medcxr"
    assert read("postgresql:///cxr", schema="ward_4").schema == "ward_4"
    assert read("postgresql:///cxr?schema=ward_3", schema="ward_4").schema == "ward_3"


def test_neither_its_words_nor_its_repr_tell_password_or_user():
    found = read(_URL)
    assert str(found) == "postgresql://db.example.org:6432/cxr (ward_3)"
    assert "p@ss" not in repr(found)
    assert "ann" not in str(found)


@pytest.mark.parametrize(
    ("words", "is_remote"),
    [
        ("postgresql:///cxr", False),
        ("postgresql:///cxr?host=%2Frun%2Fpostgresql", False),
        ("postgresql://localhost/cxr", False),
        ("postgresql://127.0.0.8/cxr", False),
        ("postgresql://[::1]:5433/cxr", False),
        ("postgresql://10.0.0.1/cxr", True),
        ("postgresql://[2001:db8::1]/cxr", True),
        ("postgresql://localhost.example.org/cxr", True),
        ("postgresql://localhost/cxr?host=db.example.org", True),
    ],
)
def test_an_address_knows_whether_it_leaves_this_computer(words, is_remote):
    assert read(words).is_remote is is_remote


@pytest.mark.parametrize(
    "words",
    [
        "",
        "medcxr.db",
        "mysql://ann:secret@host/cxr",
        "postgresql+psycopg://ann:secret@host/cxr",
        "postgresql://ann:secret@host",
        "postgresql://ann:secret@host/",
        "postgresql://ann:secret@host/cxr/other",
        "postgresql://ann:secret@host:port/cxr",
        "postgresql://ann:secret@host:99999/cxr",
        "postgresql://ann:secret@[host/cxr",
        "postgresql://ann:secret@host/cxr?schema",
        "postgresql://ann:secret@host/cxr#part",
        "postgresql://ann:secret@host/cxr?schema=Ward",
        "postgresql://ann:secret@host/cxr?schema=pg_ward",
        "postgresql://ann:secret@host/cxr?schema=ward;drop",
        "postgresql://ann:secret@host/cxr?options=-c%20secret",
        "postgresql://ann:secret@host/cxr?password=secret",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(words):
    with pytest.raises(DataError, match="MEDCXR_DATABASE") as caught:
        read(words)
    assert "secret" not in str(caught.value)


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30))
def test_any_password_comes_through(password):
    from urllib.parse import quote

    found = read(f"postgresql://ann:{quote(password, safe='')}@host/cxr")
    assert found.password == password
    assert password not in {found.host, found.database, found.user} - {"host", "cxr", "ann"}


@given(st.text())
def test_any_words_are_read_or_refused(words):
    with suppress(DataError):
        assert read(words).database


def test_the_settings_lead_to_it():
    assert Settings.from_environment({}).database_server() is None
    settings = Settings.from_environment(
        {"MEDCXR_DATABASE": f" {_URL} ", "MEDCXR_DATABASE_SCHEMA": "unused"}
    )
    assert settings.database_server() == read(_URL)
    assert "p%40ss" not in repr(settings)


def test_a_file_may_hold_it_as_containers_hand_secrets_on(tmp_path):
    file = tmp_path / "secret"
    file.write_text("postgresql://ann:secret@host/cxr\n")
    variables = {"MEDCXR_DATABASE_FILE": str(file), "MEDCXR_DATABASE_SCHEMA": "ward_5"}
    found = Settings.from_environment(variables).database_server()
    assert (found.password, found.schema) == ("secret", "ward_5")
    both = Settings.from_environment({**variables, "MEDCXR_DATABASE": "postgresql://host/other"})
    with pytest.raises(DataError, match="both set"):
        both.database_server()
    file.write_text("secret")
    with pytest.raises(DataError, match=r"^MEDCXR_DATABASE_FILE is no address"):
        Settings.from_environment(variables).database_server()


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content):
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match=r"MEDCXR_DATABASE_FILE names .*secret, which cannot"):
        Settings.from_environment({"MEDCXR_DATABASE_FILE": str(file)}).database_server()
