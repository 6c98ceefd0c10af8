"""The order in which text that runs both ways is set, by the Unicode Bidirectional Algorithm.

With isolates, by which texts keep their values apart, and without embeddings and overrides, which
texts are cleaned of before they are set.
"""

from collections.abc import Sequence
from itertools import pairwise
from unicodedata import bidirectional

__all__ = ["ISOLATES", "levels_of", "runs_right_to_left", "visual_order"]

# Source: Unicode Standard Annex #9; the names of rules and definitions are its own.
_LEFT_TO_RIGHT, _RIGHT_TO_LEFT, _BY_CONTENT, _END = "\u2066\u2067\u2068\u2069"
ISOLATES = frozenset({_LEFT_TO_RIGHT, _RIGHT_TO_LEFT, _BY_CONTENT, _END})
"""Characters without a shape that keep what is between them apart."""

_BRACKETS = {"(": ")", "[": "]", "{": "}"}  # those that a typeface has
_NEUTRAL = frozenset({"B", "S", "WS", "ON"})
_STRONG = {"L": "L", "R": "R", "EN": "R", "AN": "R"}  # as which a kind counts beside neutrals
_DEEPEST = 60  # isolates within each other


def levels_of(text: str, *, right_to_left: bool) -> list[int]:
    """Return the embedding level of each character; odd ones run from right to left.

    Args:
        text: one paragraph without embeddings and overrides.
        right_to_left: how the paragraph runs.
    """
    if text.isascii() and not right_to_left:
        return [0] * len(text)  # at once what the rules would say
    levels = _levels(text, int(right_to_left))
    end = len(text.rstrip(f" {_LEFT_TO_RIGHT}{_RIGHT_TO_LEFT}{_BY_CONTENT}{_END}"))
    levels[end:] = [int(right_to_left)] * (len(text) - end)  # L1
    return levels


def runs_right_to_left(text: str) -> bool:
    """Say whether a text has a letter that is written from right to left."""
    return any(bidirectional(character) in {"R", "AL"} for character in text)


def visual_order(levels: Sequence[int]) -> list[int]:
    """Return the places of runs from left to right, given the level of each (rule L2)."""
    order = list(range(len(levels)))
    odd = [level for level in levels if level % 2]
    for level in range(max(levels), min(odd) - 1, -1) if odd else ():
        start = 0
        while start < len(order):
            if levels[order[start]] < level:
                start += 1
                continue
            stop = start
            while stop < len(order) and levels[order[stop]] >= level:
                stop += 1
            order[start:stop] = order[start:stop][::-1]
            start = stop
    return order


def _levels(text: str, base: int) -> list[int]:
    isolates = _isolates(text) if base < _DEEPEST else []
    inside = {place for start, stop in isolates for place in range(start + 1, stop)}
    outside = [place for place in range(len(text)) if place not in inside]
    shown = "".join(text[place] for place in outside)
    levels = [base] * len(text)
    for place, level in zip(outside, _implicit_levels(shown, base), strict=True):
        levels[place] = level
    for start, stop in isolates:
        inner = text[start + 1 : stop]
        levels[start + 1 : stop] = _levels(inner, _level_within(text[start], inner, base))
    return levels


def _isolates(text: str) -> list[tuple[int, int]]:
    """Return where the outermost isolates begin and end (definition BD9)."""
    found = []
    depth = begun = 0
    for place, character in enumerate(text):
        if character in ISOLATES and character != _END:
            begun = begun if depth else place
            depth += 1
        elif character == _END and depth:
            depth -= 1
            if not depth:
                found.append((begun, place))
    return found if not depth else [*found, (begun, len(text))]


def _level_within(isolate: str, inner: str, base: int) -> int:
    """Return the level at which the content of an isolate runs (rules X5a to X5c)."""
    runs_left = isolate == _RIGHT_TO_LEFT
    if isolate == _BY_CONTENT:
        nested = {p for start, stop in _isolates(inner) for p in range(start, stop)}
        kinds = [bidirectional(c) for place, c in enumerate(inner) if place not in nested]
        strong = next((kind for kind in kinds if kind in {"L", "R", "AL"}), "L")
        runs_left = strong != "L"
    return base + 1 + (base % 2 == runs_left)


def _implicit_levels(text: str, base: int) -> list[int]:
    outer = "R" if base % 2 else "L"
    own = ["ON" if character in ISOLATES else bidirectional(character) for character in text]
    kinds = _neutral_kinds(text, _weak_kinds([kind or "L" for kind in own], outer), outer)
    if base % 2:  # I2
        return [base + (kind in {"L", "EN", "AN"}) for kind in kinds]
    return [base + {"R": 1, "EN": 2, "AN": 2}.get(kind, 0) for kind in kinds]  # I1


def _weak_kinds(own: Sequence[str], outer: str) -> list[str]:
    """Apply the rules W1 to W7."""
    kinds = list(own)
    strong = previous = outer
    for place, kind in enumerate(kinds):
        if kind == "NSM":  # W1
            kinds[place] = previous
        elif kind == "EN" and strong == "AL":  # W2
            kinds[place] = "AN"
        if kind in {"L", "R", "AL"}:
            strong = kind
        previous = kinds[place]
    kinds = ["R" if kind == "AL" else kind for kind in kinds]  # W3
    for place in range(1, len(kinds) - 1):  # W4
        before, after = kinds[place - 1], kinds[place + 1]
        joining = {"ES": {"EN"}, "CS": {"EN", "AN"}}.get(kinds[place], set())
        if before == after and before in joining:
            kinds[place] = before
    for start, stop in _runs(kinds, frozenset({"ET", "BN"})):  # W5
        if "EN" in {*kinds[max(start - 1, 0) : start], *kinds[stop : stop + 1]}:
            kinds[start:stop] = ["EN"] * (stop - start)
    kinds = ["ON" if kind in {"ET", "ES", "CS", "BN"} else kind for kind in kinds]  # W6
    strong = outer
    for place, kind in enumerate(kinds):  # W7
        if kind in {"L", "R"}:
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[place] = "L"
    return kinds


def _neutral_kinds(text: str, weak: Sequence[str], outer: str) -> list[str]:
    """Apply the rules N0 to N2."""
    kinds = list(weak)
    for opening, closing in _bracket_pairs(text, kinds):  # N0
        inside = {_STRONG.get(kind) for kind in kinds[opening + 1 : closing]}
        if outer in inside:
            kinds[opening] = kinds[closing] = outer
        elif inside & {"L", "R"}:
            context = (_STRONG.get(kind) for kind in reversed(kinds[:opening]))
            kinds[opening] = kinds[closing] = next(filter(None, context), outer)
    for start, stop in _runs(kinds, _NEUTRAL):  # N1, N2
        before = _STRONG.get(kinds[start - 1]) if start else outer
        after = _STRONG.get(kinds[stop]) if stop < len(kinds) else outer
        kinds[start:stop] = [before if before and before == after else outer] * (stop - start)
    return kinds


def _bracket_pairs(text: str, kinds: Sequence[str]) -> list[tuple[int, int]]:
    """Return the pairs of brackets among neutrals, by their opening (definition BD16)."""
    opened: list[tuple[str, int]] = []
    pairs = []
    for place, character in enumerate(text):
        if kinds[place] != "ON":
            continue
        if character in _BRACKETS:
            opened.append((_BRACKETS[character], place))
        depth = next((n for n in range(len(opened)) if opened[~n][0] == character), None)
        if depth is not None:
            pairs.append((opened[~depth][1], place))
            del opened[~depth:]
    return sorted(pairs)


def _runs(kinds: Sequence[str], wanted: frozenset[str]) -> list[tuple[int, int]]:
    """Return where runs of some kinds begin and end."""
    inside = [False, *(kind in wanted for kind in kinds), False]
    edges = [place for place, (a, b) in enumerate(pairwise(inside)) if a != b]
    return list(zip(edges[::2], edges[1::2], strict=True))
