"""Write docs/security-requirements.md from the files in docs/security-requirements.

Run from the repository, after a file there was changed:
python docs/make_security_requirements.py

With --check nothing is written; it ends with exit code 1 where the page is not that of the files.
"""

import argparse
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from page_parts import table, wrapped

HERE = Path(__file__).parent
FOLDER, PAGE = HERE / "security-requirements", HERE / "security-requirements.md"
OPERATOR = "operator"

_KEYS = {"id", "level", "what", "applies", "reason", "how", "tests", "open", "whose"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A requirement of the standard, and where this program stands.

    Attributes:
        id: number in the standard.
        level: from which level on it is asked for.
        what: it asks for, in other words than the standard's.
        reason: why it does not apply; empty where it does.
        how: it is met, or as far as it is.
        tests: pytest's names of the tests that would fail otherwise.
        open: why it is not met, and what to do; empty where it is.
        whose: `OPERATOR` where whoever runs the program has to do it; empty otherwise.
    """

    id: str
    level: int
    what: str
    reason: str = ""
    how: str = ""
    tests: tuple[str, ...] = ()
    open: str = ""
    whose: str = ""

    @property
    def applies(self) -> bool:
        """Tell whether it can be asked of this program."""
        return not self.reason

    @property
    def is_met(self) -> bool:
        """Tell whether it applies and nothing of it is open."""
        return self.applies and not self.open


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A chapter of the standard.

    Attributes:
        number: in the standard.
        title: of the chapter.
        count: as many requirements of levels 1 and 2 it has there.
        requirements: of these levels, in the standard's order.
    """

    number: int
    title: str
    count: int
    requirements: tuple[Requirement, ...]


def main(words: Sequence[str] | None = None) -> int:
    """Write the page, or compare it; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    made = page(load_chapters())
    if not parser.parse_args(words).check:
        PAGE.write_text(made, encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == made:
        return 0
    print(f"{PAGE.name} is old; run python docs/make_security_requirements.py", file=sys.stderr)  # noqa: T201
    return 1


def load_chapters(folder: Path = FOLDER) -> tuple[Chapter, ...]:
    """Return what the files say, in the standard's order.

    Raises:
        ValueError: a file has a key that nobody reads, or a requirement that says two things.
    """
    chapters = [_chapter(path) for path in folder.glob("*.toml")]
    return tuple(sorted(chapters, key=lambda chapter: chapter.number))


def page(chapters: Iterable[Chapter]) -> str:
    """Return the page."""
    known = tuple(chapters)
    parts = ["# Security requirements", *_ABOUT, "## Summary", _summary(known)]
    for chapter in known:
        parts += _parts(chapter)
    return wrapped("\n\n".join(parts)) + "\n"


_ABOUT = (
    """\
What the OWASP Application Security Verification Standard 5.0.0 (ASVS) asks for at its levels 1 and 2,
and where medcxr stands. Each requirement is told in other words than the standard's; its own are at
[owasp.org](https://owasp.org/www-project-application-security-verification-standard/), under CC BY-SA
4.0. It is the project's own judgement: nobody outside has reviewed it.""",
    """\
- **Met**: it is done, and the tests named would fail otherwise.
- **Open**: it is not done, or not all of it. The table says why, and what to do.
- **Left to the operator**: open, and only whoever runs the program in a place can do it.
- **Not applicable**: the program has nothing that it could be asked of.""",
    """\
Written by `python docs/make_security_requirements.py` from the files in `docs/security-requirements`;
`tests/test_security_requirements.py` checks that no requirement is missing and every test is there.
What is defended against whom is told in [SECURITY.md](../SECURITY.md).""",
)


def _chapter(path: Path) -> Chapter:
    read = tomllib.loads(path.read_text(encoding="utf-8"))
    requirements = tuple(_requirement(one) for one in read.pop("requirement"))
    return Chapter(
        number=read["chapter"],
        title=read["title"],
        count=read["count"],
        requirements=requirements,
    )


def _requirement(read: Mapping[str, Any]) -> Requirement:
    unknown = set(read) - _KEYS
    if unknown:
        raise ValueError(f"{read.get('id')}: nobody reads {', '.join(sorted(unknown))}.")
    kept = {name: value for name, value in read.items() if name not in {"applies", "tests"}}
    requirement = Requirement(**kept, tests=tuple(read.get("tests", ())))
    if read["applies"] != requirement.applies:
        raise ValueError(
            f"{requirement.id}: a reason, and only a reason, says that it is not asked."
        )
    if not requirement.applies and (requirement.how or requirement.tests or requirement.open):
        raise ValueError(f"{requirement.id}: it does not apply, and yet something is said of it.")
    if requirement.whose not in {"", OPERATOR} or (requirement.whose and not requirement.open):
        raise ValueError(f"{requirement.id}: only what is open can be left to the operator.")
    return requirement


def _summary(chapters: Sequence[Chapter]) -> str:
    rows = [
        (f"{chapter.number}. {chapter.title}", *_counts(chapter.requirements))
        for chapter in chapters
    ]
    every = [one for chapter in chapters for one in chapter.requirements]
    rows.append(("**All**", *(f"**{count}**" for count in _counts(every))))
    heads = ("Chapter", "Asked", "Applicable", "Met", "Open", "Left to the operator")
    return table((*heads, "Not applicable"), rows)


def _counts(requirements: Sequence[Requirement]) -> tuple[str, ...]:
    applicable = [one for one in requirements if one.applies]
    left = [one for one in applicable if one.open and one.whose == OPERATOR]
    met = [one for one in applicable if one.is_met]
    counts = (
        len(requirements),
        len(applicable),
        len(met),
        len(applicable) - len(met) - len(left),
        len(left),
        len(requirements) - len(applicable),
    )
    return tuple(map(str, counts))


def _parts(chapter: Chapter) -> list[str]:
    parts = [f"## {chapter.number}. {chapter.title}"]
    rows = [_row(one) for one in chapter.requirements if one.applies]
    if rows:
        parts.append(table(("Number", "Level", "Asked for", "State", "How", "Tests"), rows))
    reasons: dict[str, list[str]] = {}
    for one in chapter.requirements:
        if not one.applies:
            reasons.setdefault(one.reason, []).append(f"{one.id} ({_small(one.what)})")
    if reasons:
        parts.append("Not applicable:")
        parts.append("\n".join(f"- {why}: {', '.join(ids)}." for why, ids in reasons.items()))
    return parts


def _row(one: Requirement) -> tuple[str, ...]:
    state = "met" if one.is_met else "operator" if one.whose == OPERATOR else "open"
    told = " ".join(filter(None, (one.how, f"**Open:** {one.open}" if one.open else "")))
    tests = "<br>".join(f"`{name}`" for name in one.tests)
    return (one.id, str(one.level), one.what, state, told, tests)


def _small(words: str) -> str:
    """Return a sentence as a part of another one."""
    text = words.removesuffix(".")
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


if __name__ == "__main__":
    sys.exit(main())
