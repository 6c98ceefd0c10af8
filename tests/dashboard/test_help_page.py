"""The page "Help": its explanations, and the page run by Streamlit's own test runner."""

import re
from html import unescape

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from medcxr.apps.dashboard import app as application
from medcxr.apps.dashboard.help_page import found_topics
from medcxr.apps.dashboard.help_words import DOCUMENTS, LIMITS, TOPICS
from medcxr.apps.dashboard.words import EXPLANATIONS
from medcxr.core.language import LANGUAGES, say, speaking
from signing_in import enter

ALL = [one for topic in TOPICS for one in topic.explanations]


@pytest.fixture
def app(workspace, server_address, app_file):  # noqa: ARG001 - the settings name the workspace
    """Return the page after the sign-in."""
    server_address("127.0.0.1")
    app = AppTest.from_file(str(app_file), default_timeout=300)
    app._page_hash = calc_hash("help")  # the runner switches to pages in files only
    app.run()
    enter(app)
    assert not app.exception
    return app


def html(app):
    return unescape("\n".join(one.proto.body for one in app.main.get("html")))


def search(app, words):
    next(one for one in app.main.text_input if one.key == "help_words").input(words)
    app.run()
    assert not app.exception
    return app


def names(topics):
    return [one.name for topic in topics for one in topic.explanations]


def test_every_page_of_the_navigation_but_this_one_has_its_explanations():
    assert [topic.path for topic in TOPICS] == [p for p in application._PATHS if p != "help"]


def test_what_clinical_analysis_explains_is_explained_in_the_same_words():
    assert set(EXPLANATIONS) <= set(names(TOPICS))
    explained = {one.name: one.words for one in ALL}
    for name, sentence in EXPLANATIONS.items():
        assert explained[name][0] == sentence


def test_no_figure_is_explained_twice():
    assert len(ALL) == len({one.name for one in ALL}) == len({one.words for one in ALL})


@pytest.mark.parametrize(
    "words",
    [
        *("calibrated", "interval", "abstain", "operating point", "urgent", "cardiothoracic"),
        *("costophrenic", "areas of the two lung", "zone", "deletion", "insertion", "pointing"),
        *("hit rate", "AUC", "precision-recall", "sensitivity", "specificity", "F1", "ECE"),
        *("Brier", "net benefit", "conformal", "drift", "evidence map", "loss", "prevalence"),
    ],
)
def test_a_word_of_the_pages_is_found(words):
    found = found_topics(words)
    assert found
    assert names(found) != names(TOPICS)


def test_words_are_found_in_the_readers_language_whatever_their_accents_and_in_english():
    assert "Sensitivity" not in names(found_topics("sensibilite"))
    with speaking("fr"):
        assert "Sensitivity" in names(found_topics("SENSIBILITE"))
        assert "Sensitivity" in names(found_topics(" sensitivity "))
    with speaking("ar"):
        assert "Sensitivity" in names(found_topics("الحساسية"))


def test_what_nobody_wrote_is_not_found():
    assert found_topics("zyzzyva") == ()


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_explanation_has_marks_that_a_page_of_html_would_show(code):
    with speaking(code):
        told = [say(one) for e in ALL for one in (e.name, *e.words, e.limits)]
        told += [say(one) for one in LIMITS]
    assert [one for one in told if re.search(r"[`*_{}<>]|\[.+\]\(", one)] == []


def test_the_page_tells_everything_and_leads_to_the_pages(app):
    told = html(app)
    for one in ALL:
        assert f"<dt>{say(one.name)}</dt>" in told
        assert all(say(words) in told for words in (*one.words, one.limits))
    for words in LIMITS:
        assert say(words) in told
    for name, what in DOCUMENTS.items():
        assert f"<td>{name}</td><td>{what}</td>" in told
    assert "<td>P  W  D</td><td>move, window, ruler</td>" in told
    assert len(app.main.get("page_link")) == len(TOPICS)


def test_a_search_leaves_what_holds_the_words(app):
    told = html(search(app, "costophrenic"))
    assert "<dt>Costophrenic angles</dt>" in told
    assert "<dt>Brier score</dt>" not in told
    assert "What no figure can tell" not in [one.value for one in app.main.header]
    n = len(names(found_topics("costophrenic")))
    assert any(one.value.startswith(f"{n} explanation") for one in app.main.caption)
    told = html(search(app, "<b>zyzzyva"))
    assert "<dt>" not in told
    assert "No explanation holds" in app.main.info[0].value
