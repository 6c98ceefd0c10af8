"""Language and theme as a reader chooses them, run by Streamlit's own test runner."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from medcxr.apps.dashboard.preferences import preferred_language
from medcxr.apps.dashboard.themes import PALETTES
from signing_in import enter


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("", "en"),
        ("de", "de"),
        ("fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("it, es;q=0.7, de;q=0.8", "de"),
        ("AR-eg", "ar"),
        ("it, *;q=0.5", "en"),
        ("de;q=0, es;q=0.1", "es"),
        ("de;q=many, es", "es"),
        ("../../etc/passwd,;q=,,", "en"),
    ],
)
def test_a_browser_says_which_language_it_likes_best(accepted, code):
    assert preferred_language(accepted) == code


@pytest.fixture
def app(workspace, server_address, app_file):  # noqa: ARG001 - the settings name the workspace
    server_address("127.0.0.1")
    return AppTest.from_file(str(app_file), default_timeout=60).run()


def test_a_language_is_chosen_before_sign_in_and_stays_when_signed_out(app):
    choose(app, "de")
    assert [field.label for field in app.text_input] == ["Name", "Passwort"]
    enter(app, "falsches Passwort")
    assert app.error[0].value.startswith("Der Name oder das Passwort ist falsch")
    enter(app)
    next(one for one in app.sidebar.button if one.label == "Abmelden").click().run()
    assert app.info[0].value == "Abgemeldet."
    choose(app, "es")
    assert app.info[0].value == "Sesión cerrada."  # what was said is said again
    assert not app.exception


def test_a_signed_in_reader_chooses_again_and_again(app):
    enter(app)
    notices = set()
    for code in ("ar", "es", "fr", "de", "en"):
        choose(app, code)
        assert not app.exception
        notices.add(app.sidebar.button[-1].label)
    assert len(notices) == 5


def test_colors_follow_the_theme_only_where_the_page_can(app):
    # Without a browser, nobody can tell that the page's own origin is one that may switch it.
    assert background(app) == PALETTES["dark"].background
    choice_of(app, "choice_of_theme").set_value("light").run()
    assert background(app) == PALETTES["dark"].background
    assert [one.value for one in app.caption][-1].startswith("It is shown when the page is loaded")


def choose(app, code):
    choice_of(app, "choice_of_language").set_value(code).run()


def choice_of(app, key):
    return next(one for one in (*app.selectbox, *app.button_group) if one.key == key)


def background(app):
    style = next(one.proto.body for one in app.get("html") if "--cxr-background" in one.proto.body)
    return re.search("--cxr-background: (#[0-9a-f]{6})", style)[1]
