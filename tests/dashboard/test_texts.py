"""No module of the dashboard shows a text that cannot be translated."""

import ast
import re
from pathlib import Path

import pytest

import medcxr.apps.dashboard

_FOLDER = Path(medcxr.apps.dashboard.__file__).parent
_MODULES = sorted(path.name for path in _FOLDER.glob("*.py"))

# They start the server and answer whoever started it: English like the terminal.
_OF_THE_TERMINAL = {"launch.py", "reading_view.py", "worklist.py"}

_SAYING = {"say", "say_all", "say_number", "text", "marked", "Sentence", "figure"}
_RAISED = {"AccessError", "DataError", "ImageError", "ModelError", "StorageError"}  # are sentences

_SHOWING = {
    *("badge", "button", "caption", "checkbox", "dialog", "download_button", "error", "expander"),
    *("file_uploader", "form_submit_button", "header", "html", "info", "link_button", "markdown"),
    *("menu_button", "metric", "multiselect", "number_input", "page_link", "pills", "popover"),
    *("progress", "radio", "segmented_control", "select_slider", "selectbox", "slider", "spinner"),
    *("status", "subheader", "success", "tabs", "text_area", "text_input", "time_input", "title"),
    *("date_input", "toast", "toggle", "warning", "write", "image"),
    *("html_table", "show_chart", "show_picture", "progress_bar", "show_empty_state"),
}
"""What puts its first arguments on the page."""

_SHOWN_KEYWORDS = {"alt", "caption", "captions", "help", "label", "placeholder", "title"}
_TAG = re.compile(r"<[^<>]*(>|$)|^[^<>]*>")  # a tag may begin in one part and end in another
_WORDS = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}")

_SAME_EVERYWHERE = {
    "medcxr",
    "%d%%",  # how a slider writes its value
    # commands, as they are typed
    "`medcxr node`",
    "medcxr compare ",
    "medcxr models show ",
    "medcxr performance",
    # names under which results are kept, for no reader
    "what would change ",
    "layer of the ",
    "outline lines",
    "viewer ",
    "viewer map ",
}


@pytest.mark.parametrize("module", [one for one in _MODULES if one not in _OF_THE_TERMINAL])
def test_what_is_shown_can_be_translated(module: str) -> None:
    tree = ast.parse((_FOLDER / module).read_text(encoding="utf-8"))
    shown = [(node.lineno, one) for node in _calls(tree) for one in _bare(_shown(node))]
    assert shown == []


@pytest.mark.parametrize("module", [one for one in _MODULES if one not in _OF_THE_TERMINAL])
def test_no_sentence_stands_outside_what_is_translated(module: str) -> None:
    tree = ast.parse((_FOLDER / module).read_text(encoding="utf-8"))
    left = [
        (line, one)
        for line, one in _texts(tree)
        if _WORDS.search(one) and one not in _SAME_EVERYWHERE
    ]
    assert left == []


def test_the_search_finds_bare_texts() -> None:
    source = 'st.caption("Bare")\nst.html(f"<p>Bare {x}</p>")\nst.info(say("No"), help=f"{y} Bare")'
    found = [one for node in _calls(ast.parse(source)) for one in _bare(_shown(node))]
    assert found == ["Bare", "Bare ", " Bare"]


def _calls(tree: ast.AST) -> list[ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sorted(calls, key=lambda node: (node.lineno, node.col_offset))


def _shown(call: ast.Call) -> list[ast.expr]:
    """Return the arguments of a call that the page shows."""
    if _name(call) not in _SHOWING:
        return []
    named = [one.value for one in call.keywords if one.arg in _SHOWN_KEYWORDS]
    return [*call.args[:2], *named]


def _bare(nodes: list[ast.expr]) -> list[str]:
    """Return the words within expressions that are neither said nor a name of the program's."""
    found: list[str] = []
    for node in nodes:
        if isinstance(node, ast.Call) and _name(node) in _SAYING:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = _TAG.sub("", node.value)
            if re.search("[A-Za-z]", words) and words not in _SAME_EVERYWHERE:
                found.append(words)
        elif isinstance(node, ast.IfExp):
            found += _bare([node.body, node.orelse])  # not what it asks
        elif isinstance(node, ast.Subscript | ast.Compare):
            continue  # a key, a question
        elif isinstance(node, ast.Call):
            found += _bare(node.args)  # e.g. plain, escape, a join; keywords are checked by itself
        else:
            found += _bare([one for one in ast.iter_child_nodes(node) if isinstance(one, ast.expr)])
    return found


def _texts(tree: ast.AST) -> list[tuple[int, str]]:
    """Return all texts but those that are said, documented or part of a tag."""
    found: list[tuple[int, str]] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call) and _name(node) in _SAYING | _RAISED:
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append((node.lineno, _TAG.sub("", node.value)))
        found += _texts(node)
    return found


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))
