"""The texts of the dashboard, found in the source: what is handed to `say` and its kin."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

__all__ = ["Message", "Misuse", "all_messages", "messages_of", "placeholders"]

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "medcxr"

_EVERY, _FIRST, _TWO = -1, 1, 2
_CALLS = {
    "say": _FIRST,
    "say_all": _EVERY,
    "say_number": _TWO,
    "text": _FIRST,
    "marked": _FIRST,  # `text` under another name, where a module has one of its own
    "Sentence": _FIRST,
    "MedcxrError": _FIRST,
    "ImageError": _FIRST,
    "DataError": _FIRST,
    "ModelError": _FIRST,
    "AccessError": _FIRST,
    "StorageError": _FIRST,
    "MissingExtra": _FIRST,
}
"""Function -> how many of its first arguments are texts."""

_ERRORS = frozenset(name for name in _CALLS if name.endswith("Error") or name == "MissingExtra")

# No page of the dashboard leads to their messages, which stay English like the terminal's. What a
# training says of itself it says in its process, to the terminal and to its log.
_OF_THE_TERMINAL = (
    "apps/api/",
    "apps/cli/",
    "apps/dashboard/launch.py",
    "datasets/archives/",
    "datasets/folds.py",
    "datasets/outline_tables.py",
    "evaluation/agreement.py",
    "evaluation/bands.py",
    "evaluation/calibration.py",
    "evaluation/calibration_comparison.py",
    "evaluation/comparison.py",
    "evaluation/conformal.py",
    "evaluation/curves.py",
    "evaluation/figures.py",
    "evaluation/group_performance.py",
    "evaluation/labels.py",
    "evaluation/prevalence.py",
    "evaluation/reliability.py",
    "evaluation/table.py",
    "evaluation/validation.py",
    "explain/faithfulness.py",
    "explain/joint.py",
    "explain/overlay.py",
    "imaging/preprocessing.py",
    "learning/",
    "services/anatomy_check.py",
    "services/anatomy_figures.py",
    "services/datasets.py",
    "services/explanation_check.py",
    "services/explanation_places.py",
    "services/gate.py",
    "services/gradient_maps.py",
    "services/outline_comparison.py",
    "services/prediction.py",
    "services/runs.py",
    "services/tested_maps.py",
    "services/tokens.py",
    "synthetic/",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text to translate.

    Attributes:
        one: in English.
        many: the same for other numbers than one; None where it hangs on no number.
        place: the module that has it, below the package.
    """

    one: str
    many: str | None
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Misuse:
    """A text that cannot be translated as it stands.

    Attributes:
        place: module and line.
        reason: what is wrong.
    """

    place: str
    reason: str


def all_messages(package: Path = PACKAGE) -> tuple[list[Message], list[Misuse]]:
    """Return every text of the package that a reader of the dashboard may meet, and misuses."""
    messages: dict[tuple[str, str | None, str], Message] = {}
    misuses: list[Misuse] = []
    for path in sorted(package.rglob("*.py")):
        place = path.relative_to(package).as_posix()
        if place.startswith(_OF_THE_TERMINAL):
            continue
        found, wrong = messages_of(path.read_text(encoding="utf-8"), place)
        for one in found:
            messages.setdefault((one.one, one.many, one.place), one)
        misuses += wrong
    return list(messages.values()), misuses


def messages_of(source: str, place: str) -> tuple[list[Message], list[Misuse]]:
    """Return the texts of a module, and what is wrong with others."""
    messages: list[Message] = []
    misuses: list[Misuse] = []
    for call in _calls(ast.parse(source)):
        name = _name(call)
        count = _CALLS[name]
        words = _spread(call.args) if count == _EVERY else call.args[:count]
        where = f"{place}:{call.lineno}"
        texts = [one for one in map(_text, words) if one is not None]
        if any(isinstance(one, ast.JoinedStr) for one in words) and name not in _ERRORS:
            misuses.append(Misuse(place=where, reason="an f-string is no key; name its values"))
        if (len(texts) < len(words) and count != _EVERY) or not texts or texts == [""]:
            continue  # a constant, whose text is marked where it stands
        if name == "say_number":
            messages.append(Message(one=texts[0], many=texts[1], place=place))
        else:
            messages += [Message(one=one, many=None, place=place) for one in texts]
        reason = _unlike(call, texts, counts=name == "say_number")
        if reason and name not in ("text", "marked", "say_all"):
            misuses.append(Misuse(place=where, reason=reason))
    return messages, misuses


def placeholders(words: str) -> dict[str, set[tuple[str, str]]]:
    """Return the values that a text names -> how they are to be written."""
    named: dict[str, set[tuple[str, str]]] = {}
    for _, name, spec, conversion in Formatter().parse(words):
        if name is not None:
            named.setdefault(name, set()).add((spec or "", conversion or ""))
    return named


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
    known = [call for call in calls if _name(call) in _CALLS]
    return iter(sorted(known, key=lambda call: (call.lineno, call.col_offset)))


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _spread(arguments: Sequence[ast.expr]) -> list[ast.expr]:
    """Return arguments with those of `*(...)` among them."""
    spread: list[ast.expr] = []
    for one in arguments:
        inner = one.value if isinstance(one, ast.Starred) else one
        spread += inner.elts if isinstance(inner, ast.Tuple) else [inner]
    return spread


def _text(node: ast.expr) -> str | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else None


def _unlike(call: ast.Call, texts: Sequence[str], *, counts: bool) -> str:
    """Say where a call gives other values than its text names; empty where it does not."""
    given = {keyword.arg for keyword in call.keywords if keyword.arg is not None}
    if len(given) < len(call.keywords):  # values that were gathered elsewhere
        return ""
    if not given and not counts:
        return ""  # braces mean themselves
    named = set().union(*(placeholders(one) for one in texts)) - ({"number"} if counts else set())
    return "" if named == given else f"the text names {sorted(named)}, not {sorted(given)}"
