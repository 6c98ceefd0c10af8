"""What the program's text must not hold, whatever it does: the ways by which input becomes code."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
SCRIPTS = sorted((ROOT / "src/medcxr/apps/dashboard").rglob("*.js"))

# A connection that the program begins: to this computer's own dashboard, and to the database that a
# setting names.
MAY_CONNECT = {
    "src/medcxr/network/bounded_http.py",  # a PACS that an operator names
    "src/medcxr/services/computer_health.py",
    "src/medcxr/services/ports.py",
    "src/medcxr/storage/server.py",
}
CLIENTS = {
    "aiohttp",
    "ftplib",
    "http.client",
    "httpx",
    "imaplib",
    "ldap3",
    "paramiko",
    "requests",
    "smtplib",
    "telnetlib",
    "urllib.request",
    "urllib3",
    "websockets",
    "xmlrpc.client",
}
XML_PARSERS = {"defusedxml", "lxml", "xml.dom", "xml.etree", "xml.parsers", "xml.sax"}
UNPICKLES = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
TEMPLATES = {"chameleon", "django.template", "genshi", "jinja2", "mako"}

# What may be asked for cryptography: Python's own (OpenSSL), argon2 and cryptography.
OTHER_CRYPTOGRAPHY = {"Crypto", "Cryptodome", "ecdsa", "jose", "jwt", "nacl", "rsa", "tlslite"}

_SECRETS = re.compile(
    r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"
    r"|\bmedcxr_[A-Za-z0-9_-]{43}\b"  # a token of the API
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bxox[abp]-[A-Za-z0-9-]{20,}"
)
_SECRET_FILES = re.compile(
    r"(^|/)(\.env|\.netrc|\.pgpass|\.npmrc|\.pypirc|id_(rsa|ed25519|ecdsa)|credentials\.json)$"
    r"|\.(key|pem|p12|pfx|jks|keystore)$"
)
_MARKUP = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|srcdoc|DOMParser)\b"
    r"|\bdocument\.write|\beval\(|\bnew Function\b|\bset(?:Timeout|Interval)\(\s*[\"'`]"
)
_LOOSE = re.compile(r"(?<![=!<>])(==|!=)(?!=)")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, also those that it imports by name."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and called(node).endswith("import_module"):
            yield from (one.value for one in node.args if isinstance(one, ast.Constant))


def is_of(module: str, families: set[str]) -> bool:
    return any(module == family or module.startswith(f"{family}.") for family in families)


def importers(families: set[str]) -> set[str]:
    return {name_of(p) for p in SOURCES if any(is_of(module, families) for module in imported(p))}


def called(node: ast.Call) -> str:
    """Return what a call names, such as "os.system"."""
    return ast.unparse(node.func)


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in SOURCES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call):
                yield f"{name_of(path)}:{node.lineno}", node


def keyword(node: ast.Call, name: str) -> object:
    return next((ast.unparse(one.value) for one in node.keywords if one.arg == name), None)


def test_the_sources_are_looked_at():
    assert len(SOURCES) > 300
    assert len(SCRIPTS) > 5
    assert "src/medcxr/storage/database.py" in importers({"sqlalchemy"})


def test_no_text_becomes_code():
    running = {"eval", "exec", "compile", "__import__"}

    assert [place for place, node in calls() if called(node) in running] == []


def test_no_bytes_become_objects_of_their_own_choice():
    loads = [
        place
        for place, node in calls()
        if called(node) in {"torch.load", "yaml.load", "np.load", "numpy.load"}
        and keyword(node, "weights_only") != "True"
        and keyword(node, "allow_pickle") != "False"
    ]

    assert importers(UNPICKLES) == set()
    assert loads == []


def test_no_command_goes_through_a_shell():
    by_shell = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}

    assert [place for place, node in calls() if called(node) in by_shell] == []
    assert [place for place, node in calls() if keyword(node, "shell") is not None] == []
    for place, node in calls():
        if called(node) in {"subprocess.run", "subprocess.Popen", "subprocess.check_output"}:
            assert not isinstance(node.args[0], ast.Constant | ast.JoinedStr), place  # a list


def test_every_pattern_is_the_programs_own():
    """One pattern is given on the command line, for the files of whoever gives it."""
    searching = {"compile", "findall", "finditer", "fullmatch", "match", "search", "split", "sub"}
    given = {
        place.partition(":")[0]
        for place, node in calls()
        if called(node) in {f"re.{name}" for name in searching}
        and not isinstance(node.args[0], ast.Constant | ast.JoinedStr | ast.BinOp)
        and "re.escape(" not in ast.unparse(node.args[0])
        and not ast.unparse(node.args[0]).lstrip("_").isupper()
    }
    filled = [
        f"{place}: {ast.unparse(value)}"
        for place, node in calls()
        if called(node).startswith("re.") and node.args
        for value in ast.walk(node.args[0])
        if isinstance(value, ast.FormattedValue)
        and not ast.unparse(value.value).lstrip("_").isupper()
        and not ast.unparse(value.value).startswith("re.escape(")
    ]

    assert given == {"src/medcxr/datasets/archives/folder.py"}
    assert filled == []


def test_no_xml_is_parsed_and_no_template_filled_in():
    parsers = importers(XML_PARSERS)

    for name in parsers:  # escaping is no parsing
        of_xml = {m for m in imported(ROOT / name) if is_of(m, XML_PARSERS)}
        assert all(m.startswith("xml.sax.saxutils") for m in of_xml), name
    assert importers(TEMPLATES) == set()


def test_nothing_is_asked_of_another_host():
    assert importers(CLIENTS) <= MAY_CONNECT


def test_nothing_unguessable_comes_from_a_generator_for_statistics():
    by_chance = {"uuid.uuid1", "uuid.uuid4", "uuid.getnode"}  # a UUID of given bytes is none

    assert importers({"random"}) == set()
    assert [place for place, node in calls() if called(node) in by_chance] == []
    for path in sorted((ROOT / "src/medcxr/security").glob("*.py")):
        assert not any(is_of(module, {"numpy", "time"}) for module in imported(path)), path


def test_cryptography_is_that_of_python_and_two_known_libraries():
    assert importers(OTHER_CRYPTOGRAPHY) == set()
    weak = {"hashlib.md5", "ECB", "TripleDES", "Blowfish", "ARC4", "PKCS1v15"}
    for place, node in calls():
        assert called(node).removeprefix("modes.").removeprefix("algorithms.") not in weak, place
        if called(node) == "hashlib.new":
            raise AssertionError(f"{place}: name the hash function")


def test_seals_and_codes_are_compared_in_constant_time():
    compared = {name.rpartition("/")[2] for name in importers({"hmac"})}

    assert {"audit_chain.py"} <= compared
    for name in sorted(importers({"hmac"})):
        tree = tree_of(ROOT / name)
        macs = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
        assert not [one for one in macs if "digest" in ast.unparse(one)], name


def tracked_files() -> list[Path]:
    """Return what the repository holds; where there is none, what a package of the source does."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True
    )
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in str(path)]


def test_no_secret_lies_in_the_repository():
    files = [path for path in tracked_files() if path.is_file()]
    named = [name_of(path) for path in files if _SECRET_FILES.search(name_of(path))]
    texts = (p for p in files if p.suffix not in {".onnx", ".png", ".npz", ".mo", ".safetensors"})
    holding = [name_of(p) for p in texts if _SECRETS.search(p.read_text("utf-8", errors="replace"))]

    assert len(files) > 500
    assert named == []
    assert holding == []


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN " + "PRIVATE KEY-----",
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "token = 'medcxr_" + "A" * 43 + "'",
    ],
)
def test_a_secret_would_be_found(text: str):
    assert _SECRETS.search(text)


@pytest.mark.parametrize("name", [".env", "a/.pgpass", "secrets/audit.key", "tls.pem", "id_rsa"])
def test_a_file_of_secrets_would_be_found(name: str):
    assert _SECRET_FILES.search(name)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_of_the_page_writes_text_and_never_markup(script: Path):
    assert _MARKUP.search(script.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_of_the_page_compares_strictly_and_changes_no_prototype(script: Path):
    text = re.sub(r"//.*|/\*.*?\*/|\"[^\"\n]*\"|'[^'\n]*'", "", script.read_text(encoding="utf-8"))

    assert _LOOSE.search(text) is None
    assert re.search(r"__proto__|\.prototype\b|\bin known\b", text) is None


@pytest.mark.parametrize("words", ["a.innerHTML = b", "document.write(x)", "setTimeout('f()', 1)"])
def test_markup_would_be_found(words: str):
    assert _MARKUP.search(words)
