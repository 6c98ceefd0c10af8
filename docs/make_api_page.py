"""Write docs/api.md: the examples below, and a reference from the description of the API itself.

Run from the repository: python docs/make_api_page.py
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from page_parts import table, wrapped

from medcxr.apps.api.app import create_app
from medcxr.apps.api.limits import Limits
from medcxr.services.workspace import Workspace

HERE = Path(__file__).parent
PAGE, OPENING = HERE / "api.md", HERE / "api_opening.txt"
_KEYS = ("type", "format", "enum", "minimum", "maximum", "maxLength", "pattern", "default")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(description()), encoding="utf-8")


def description() -> dict[str, Any]:
    """Return the description of the API, as a server answers it."""
    return create_app(Workspace(folder=HERE)).openapi()


def page(described: Mapping[str, Any]) -> str:
    """Return the page."""
    limits = Limits()
    opening = OPENING.read_text(encoding="utf-8").format(
        file_mib=limits.file_bytes // 2**20,
        places=limits.places,
        analysis_s=f"{limits.analysis_s:g}",
        burst=limits.token_burst,
        per_s=f"{limits.token_per_s:g}",
    )
    parts = [opening.rstrip(), "", "## Reference", ""]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            parts += _operation(f"{method.upper()} {path}", operation, described)
    return "\n".join(parts).rstrip() + "\n"


def _operation(
    name: str, operation: Mapping[str, Any], described: Mapping[str, Any]
) -> Iterator[str]:
    yield from (f"### `{name}`", "", wrapped(_one_line(operation["description"])), "")
    rows = [
        (f"`{one['name']}`", one["in"], _kind(one["schema"], described), one.get("description", ""))
        for one in operation.get("parameters", ())
    ]
    if rows:
        yield from (table(("Parameter", "In", "Kind", "Meaning"), rows), "")
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        fields = _fields(body["schema"], described)
        yield from (f"Body, `{kind}`:", "", table(("Field", "Kind", "Meaning"), fields), "")
    answers = [
        (status, _answer(answer), answer["description"])
        for status, answer in sorted(operation["responses"].items())
        if status.startswith("2")
    ]
    problems = [status for status in sorted(operation["responses"]) if not status.startswith("2")]
    yield from (table(("Answer", "As", ""), answers), "")
    yield from (f"Problems: {', '.join(problems)}.", "")


def _answer(answer: Mapping[str, Any]) -> str:
    told = []
    for kind, one in answer.get("content", {}).items():
        name = one.get("schema", {}).get("$ref", "").rpartition("/")[2]
        told.append(f"`{kind}`" + (f" ({name})" if name else ""))
    return ", ".join(told) or "nothing"


def _fields(schema: Mapping[str, Any], described: Mapping[str, Any]) -> list[tuple[str, ...]]:
    whole = _resolved(schema, described)
    return [
        (f"`{name}`", _kind(one, described), one.get("description", ""))
        for name, one in whole["properties"].items()
    ]


def _kind(schema: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    """Return what a value may be, in a few words."""
    if "anyOf" in schema:
        kinds = [_kind(one, described) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(kinds)
    whole = {**_resolved(schema, described), **schema}
    if whole.get("type") == "array":
        return f"list of {_kind(whole['items'], described)}"
    words = [_told(key, whole[key]) for key in _KEYS if whole.get(key) not in (None, "")]
    return ", ".join(words).replace("|", "\\|")


def _told(key: str, value: object) -> str:
    if key in {"type", "format"}:
        return str(value)
    if isinstance(value, list):
        return "one of " + " ".join(f"`{one}`" for one in value)
    names = {"minimum": "from", "maximum": "to", "maxLength": "at most", "pattern": "as"}
    shown = f"`{value}`".lower() if isinstance(value, bool) else f"`{value}`"
    return f"{names.get(key, key)} {shown}"


def _resolved(schema: Mapping[str, Any], described: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = described["components"]["schemas"][name] if name else schema
    return found


def _one_line(text: str) -> str:
    return "\n\n".join(" ".join(one.split()) for one in text.split("\n\n"))


if __name__ == "__main__":
    main()
