"""The page "Help": what each figure means, what none can tell, and where to read on."""

import unicodedata
from collections.abc import Mapping
from html import escape

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from medcxr.apps.dashboard.help_words import (
    DOCUMENTS,
    INTRODUCTION,
    LIMITS,
    TOPICS,
    Explanation,
    Topic,
)
from medcxr.apps.dashboard.plain import plain
from medcxr.apps.dashboard.tables import html_table
from medcxr.apps.dashboard.viewer_words import viewer_keys
from medcxr.core.language import say, say_if_sentence, say_number

__all__ = ["found_topics", "show_help"]


def show_help(pages: Mapping[str, StreamlitPage]) -> None:
    """Show the page.

    Args:
        pages: path -> page, to lead to.
    """
    st.title(say("Help"), anchor=False)
    st.markdown(say(INTRODUCTION))
    words = st.text_input(
        say("Search the explanations"),
        placeholder=say("A part of a word"),
        key="help_words",
    )
    topics = found_topics(words)
    n = sum(len(topic.explanations) for topic in topics)
    if words.strip():
        st.caption(say_number("{number} explanation found", "{number} explanations found", n))
    if not topics:
        st.info(plain(say("No explanation holds {words}; try another word.", words=words.strip())))
    if not words.strip():
        st.header(say("What no figure can tell"), anchor=False)
        st.html(f'<ul class="cxr-limits">{"".join(map(_item, LIMITS))}</ul>')
    for topic in topics:
        _show(topic, pages[topic.path])
    if not words.strip():
        _show_keys()
        _show_documents()


def found_topics(words: str) -> tuple[Topic, ...]:
    """Return the explanations that hold some words, in the reader's language or in English.

    Args:
        words: any part of a text; capitals and accents do not count. Without any, all are found.
    """
    wanted = _folded(words.strip())
    found = []
    for topic in TOPICS:
        held = tuple(one for one in topic.explanations if wanted in _all_words(one))
        if held:
            found.append(Topic(path=topic.path, title=topic.title, explanations=held))
    return tuple(found)


def _all_words(one: Explanation) -> str:
    told = (one.name, *one.words, one.limits)
    return _folded("\n".join([*map(say, told), one.name]))


def _folded(words: str) -> str:
    decomposed = unicodedata.normalize("NFKD", words.casefold())
    return "".join(one for one in decomposed if not unicodedata.combining(one))


def _show(topic: Topic, page: StreamlitPage) -> None:
    title = say(topic.title)
    name, go = st.columns((5, 2), vertical_alignment="bottom")
    name.header(title, anchor=False)
    with go.container(key=f"go_to_{topic.path or 'dashboard'}"):
        st.page_link(page, label=plain(say("Go to the page {page}", page=title)))
    st.html(f'<dl class="cxr-help">{"".join(map(_described, topic.explanations))}</dl>')


def _described(one: Explanation) -> str:
    words = escape(" ".join(map(say, one.words)))
    limits = ""
    if one.limits:
        limits = (
            f'<p class="cxr-cannot"><b>{escape(say("Limits"))}</b> {escape(say(one.limits))}</p>'
        )
    return f"<dt>{escape(say(one.name))}</dt><dd><p>{words}</p>{limits}</dd>"


def _item(words: str) -> str:
    return f"<li>{escape(say(words))}</li>"


def _show_keys() -> None:
    st.header(say("Keys of the viewer"), anchor=False)
    st.caption(say("Once the picture is chosen, by a click or by Tab."))
    rows = [(say_if_sentence(keys), what) for keys, what in viewer_keys()]
    st.html(html_table((say("Key"), say("What it does")), rows))


def _show_documents() -> None:
    st.header(say("Where to read on"), anchor=False)
    st.caption(
        say("In the program's folder, in English; `mkdocs build` makes a site of them to browse.")
    )
    rows = [(say_if_sentence(name), say(what)) for name, what in DOCUMENTS.items()]
    st.html(html_table((say("Document"), say("What it tells")), rows))
