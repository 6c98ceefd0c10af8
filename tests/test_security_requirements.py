"""Every requirement of the ASVS is answered, by tests that are there or by what is open."""

import ast
import importlib.util
import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from medcxr.core.access import ALLOWED, Permission, Role
from medcxr.services.key_rotation import RotatedKey

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"

# Section -> numbers of the requirements of levels 1 and 2. Source: OWASP Application Security
# Verification Standard 5.0.0, 5.0/docs_en/..._5.0.0_en.csv at 5cf9b032440be53ce345ab3c130fda46ba1ce7a2.
SECTIONS = {
    "1.1": "1-2",
    "1.2": "1-9",
    "1.3": "1-11",
    "1.4": "1-3",
    "1.5": "1-2",
    "2.1": "1-3",
    "2.2": "1-3",
    "2.3": "1-4",
    "2.4": "1",
    "3.2": "1-2",
    "3.3": "1-4",
    "3.4": "1-6",
    "3.5": "1-5",
    "3.7": "1-2",
    "4.1": "1-3",
    "4.2": "1",
    "4.3": "1-2",
    "4.4": "1-4",
    "5.1": "1",
    "5.2": "1-3",
    "5.3": "1-2",
    "5.4": "1-3",
    "6.1": "1-3",
    "6.2": "1-12",
    "6.3": "1-4",
    "6.4": "1-4",
    "6.5": "1-5",
    "6.6": "1-3",
    "6.8": "1-4",
    "7.1": "1-3",
    "7.2": "1-4",
    "7.3": "1-2",
    "7.4": "1-5",
    "7.5": "1-2",
    "7.6": "1-2",
    "8.1": "1-2",
    "8.2": "1-3",
    "8.3": "1",
    "8.4": "1",
    "9.1": "1-3",
    "9.2": "1-4",
    "10.1": "1-2",
    "10.2": "1-2",
    "10.3": "1-4",
    "10.4": "1-11",
    "10.5": "1-5",
    "10.6": "1-2",
    "10.7": "1-3",
    "11.1": "1-2",
    "11.2": "1-3",
    "11.3": "1-3",
    "11.4": "1-4",
    "11.5": "1",
    "11.6": "1",
    "12.1": "1-3",
    "12.2": "1-2",
    "12.3": "1-4",
    "13.1": "1",
    "13.2": "1-5",
    "13.3": "1-2",
    "13.4": "1-5",
    "14.1": "1-2",
    "14.2": "1-4",
    "14.3": "1-3",
    "15.1": "1-3",
    "15.2": "1-3",
    "15.3": "1-7",
    "16.1": "1",
    "16.2": "1-5",
    "16.3": "1-4",
    "16.4": "1-3",
    "16.5": "1-3",
    "17.1": "1",
    "17.2": "1-4",
    "17.3": "1-2",
}
LEVEL_1 = shlex.split(
    "1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2 3.3.1 3.4.1 "
    "3.4.2 3.5.1 3.5.2 3.5.3 4.1.1 4.4.1 5.2.1 5.2.2 5.3.1 5.3.2 6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 "
    "6.2.6 6.2.7 6.2.8 6.3.1 6.3.2 6.4.1 6.4.2 7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 "
    "8.3.1 9.1.1 9.1.2 9.1.3 9.2.1 10.4.1 10.4.2 10.4.3 10.4.4 10.4.5 11.3.1 11.3.2 11.4.1 12.1.1 "
    "12.2.1 12.2.2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1 15.3.1"
)

# Requirement that asks the documents for something -> heading of the rules, and what stands below it.
TOLD = {
    "2.1.2": ("What must fit together", ("frame", "verdicts", "scopes", "manifest")),
    "2.1.3": ("Limits", ("a token", "the server", "at once")),
    "6.1.1": ("Signing in", ("Failures of one name", "Failures of all names", "shut somebody out")),
    "6.1.2": ("Signing in", ("No password may hold", "`medcxr`")),
    "6.1.3": ("Ways in", ("Dashboard", "HTTP API", "Command line", "no other way in")),
    "7.1.1": ("Sessions", ("without activity", "in all", "800-63B")),
    "7.1.2": ("Sessions", ("any number of sessions",)),
    "8.1.1": ("Who may do what", ("SECURITY.md#who-may-do-what", "workspace")),
    "8.1.2": ("Who may do what", ("Fields", "key that stands for a patient")),
    "11.1.1": ("Keys", ("Replaced", "mode 0600", "32")),
    "11.1.2": ("Algorithms", ("AES-256-GCM", "argon2id", "HMAC-SHA-256")),
    "13.1.1": ("Connections", ("PostgreSQL", "Nothing else is connected to")),
    "14.1.1": ("Data", ("radiographs", "accounts", "secrets", "audit trail")),
    "14.1.2": ("Data", ("Protection", "encrypt", "deleted", "logs")),
    "15.1.1": ("Libraries", ("within 7 days", "within 30 days")),
    "15.1.3": ("What costs much", ("decoding", "analysis", "hashing", "training")),
    "16.1.1": ("Logs", ("audit trail", "standard error", "How long", "Who reads it")),
}

_NODE = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)(\[.+\])?")


@cache
def script(name):
    """Return a script of the documents as a module."""
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(DOCS)
        spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        patched.setitem(importlib.import_module("sys").modules, name, module)
        spec.loader.exec_module(module)
    return module


@cache
def chapters():
    return script("make_security_requirements").load_chapters()


def every():
    return [one for chapter in chapters() for one in chapter.requirements]


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def numbers(words: str) -> range:
    first, _, last = words.partition("-")
    return range(int(first), int(last or first) + 1)


def test_every_requirement_is_there_once_and_with_its_level():
    wanted = [f"{section}.{n}" for section, words in SECTIONS.items() for n in numbers(words)]

    assert len(wanted) == 253
    assert len(LEVEL_1) == 70
    assert [one.id for one in every()] == wanted
    assert {one.id: one.level for one in every()} == {
        name: 1 if name in LEVEL_1 else 2 for name in wanted
    }


def test_chapters_have_as_many_as_they_say():
    assert [chapter.number for chapter in chapters()] == list(range(1, 18))
    for chapter in chapters():
        assert len(chapter.requirements) == chapter.count
        assert all(one.id.startswith(f"{chapter.number}.") for one in chapter.requirements)


@pytest.mark.parametrize("one", every(), ids=lambda one: one.id)
def test_what_applies_is_tested_or_open(one):
    assert 2 <= len(one.what.split()) <= 16
    assert not re.search(r"\b[Vv]erif(y|ies|ied) that\b", one.what)
    if one.applies:
        assert one.open or (one.how and one.tests)
    else:
        assert one.reason


@pytest.mark.parametrize("one", [one for one in every() if one.tests], ids=lambda one: one.id)
def test_every_named_test_is_there(one):
    assert len(set(one.tests)) == len(one.tests)
    for name in one.tests:
        match = _NODE.fullmatch(name)
        assert match, name
        assert match[2] in names_in(match[1]), name


def test_the_pages_are_current(capsys):
    assert script("make_security_requirements").main(["--check"]) == 0
    assert script("make_security_rules").main(["--check"]) == 0
    assert capsys.readouterr().err == ""


def test_an_old_page_is_noticed(monkeypatch, tmp_path, capsys):
    for name in ("make_security_requirements", "make_security_rules"):
        module = script(name)
        old = tmp_path / module.PAGE.name
        text = module.PAGE.read_text(encoding="utf-8")
        old.write_text(re.sub(r"\d+", "7", text), encoding="utf-8")
        monkeypatch.setattr(module, "PAGE", old)
        assert module.main(["--check"]) == 1
        assert "is old" in capsys.readouterr().err


def test_the_summary_counts_what_the_tables_hold():
    module = script("make_security_requirements")
    page = module.page(chapters())

    row = next(line for line in page.splitlines() if line.startswith("| **All**"))
    asked, applicable, met, still_open, left, not_applicable = map(int, re.findall(r"\d+", row))
    assert asked == 253 == applicable + not_applicable
    assert applicable == met + still_open + left
    assert met == page.count("| met |")
    assert still_open == page.count("| open |")
    assert left == page.count("| operator |")


@pytest.mark.parametrize(
    "wrong",
    [
        "applies = false",
        'applies = true\nreason = "none"',
        'applies = false\nreason = "none"\nhow = "done"',
        'applies = true\nwhose = "operator"',
        'applies = true\nopen = "later"\nwhose = "somebody"',
        'applies = true\nnote = "x"',
    ],
)
def test_a_requirement_that_says_two_things_is_refused(tmp_path, wrong):
    head = 'chapter = 1\ntitle = "One"\ncount = 1\n\n[[requirement]]\n'
    (tmp_path / "v01.toml").write_text(f'{head}id = "1.1.1"\nlevel = 1\nwhat = "Do it."\n{wrong}\n')

    with pytest.raises(ValueError, match=r"1\.1\.1"):
        script("make_security_requirements").load_chapters(tmp_path)


def section_of(heading: str) -> str:
    text = (DOCS / "security-rules.md").read_text(encoding="utf-8")
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("name", TOLD)
def test_the_rules_tell_what_the_standard_asks_the_documents_for(name):
    heading, words = TOLD[name]
    text = section_of(heading)

    assert text
    assert [one for one in words if one not in text] == []
    assert any(one.id == name and one.is_met for one in every())


def test_the_permission_table_of_the_documents_is_that_of_the_code():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    section = text.partition("\n### Who may do what\n")[2].partition("\n#")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    heads, _, *lines = [[cell.strip() for cell in row.strip("| ").split("|")] for row in table]
    told = {
        (Permission(line[0]), Role(role)): {"yes": True, "no": False}[answer]
        for line in lines
        for role, answer in zip(heads[-len(Role) :], line[1:], strict=True)
    }

    assert told == {(p, role): p in ALLOWED[role] for role in Role for p in Permission}


def test_the_rules_name_every_key():
    made, rotated = set(), {key.name: f"{key.value}.key" for key in RotatedKey}
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or path.name == "secret_keys.py":
                continue
            if ast.unparse(node.func) == "secret_key":
                made.add(f"{ast.literal_eval(node.args[1])}.key")
            if ast.unparse(node.func) == "secret_keys":
                made.add(rotated[ast.unparse(node.args[2])])

    assert {"audit.key", "patients.key"} <= made
    assert set(re.findall(r"^\| `([\w-]+\.key)`", section_of("Keys"), re.MULTILINE)) == made


def test_the_rules_name_every_module_that_uses_cryptography():
    families = {"argon2", "cryptography", "hashlib", "hmac", "secrets"}
    using = set()
    for path in (ROOT / "src/medcxr").rglob("*.py"):
        names = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
        if names & families:
            inside = path.relative_to(ROOT / "src/medcxr").with_suffix("")
            using.add(".".join(inside.parts))

    first = re.findall(r"^\| (`.+?`) \|", section_of("Algorithms"), re.MULTILINE)
    named = {one for cell in first for one in re.findall(r"`([\w.]+)`", cell)}
    assert named == using
