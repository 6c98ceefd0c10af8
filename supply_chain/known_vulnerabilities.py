"""Ask public services whether a pinned package has a known vulnerability.

    python supply_chain/known_vulnerabilities.py [--osv-url URL] [REQUIREMENTS]

Asked are those that pip-audit knows: the index of Python packages, then OSV. Exit code 0: every
package was asked for and none has any. 1: one has. 75: some or all could not be asked for, which is
told loudly and proves nothing.
"""

import argparse
import json
import subprocess  # nosec B404 # never a shell
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_NOT_ASKED = 75  # EX_TEMPFAIL of sysexits.h
_LIMIT_S = 240  # for one service; it is asked for each package
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a service says.

    Attributes:
        service: its name.
        asked: packages that it knows, as "name version".
        unknown: those that it does not.
        found: a sentence for each vulnerability.
        problem: why it said nothing; empty where it did.
    """

    service: str
    asked: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    found: tuple[str, ...] = ()
    problem: str = ""


def main(arguments: Sequence[str]) -> int:
    """Ask, print what was found, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("requirements", nargs="?", type=Path, default=_ROOT / "constraints.txt")
    parser.add_argument("--osv-url", help="another address of OSV than its own")
    options = parser.parse_args(arguments)
    of_osv = ["--osv-url", options.osv_url] if options.osv_url else []
    answers = [ask("pypi", options.requirements), ask("osv", options.requirements, of_osv)]
    return tell(answers, pinned(options.requirements))


def ask(service: str, requirements: Path, words: Sequence[str] = ()) -> Answer:
    """Ask one service for every pinned package."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, *words]
    command += ["--requirement", str(requirements), "--no-deps", "--disable-pip"]
    command += ["--format", "json", "--desc", "off", "--progress-spinner", "off"]
    try:
        done = subprocess.run(  # noqa: S603 - this Python, with words of this module  # nosec B603
            command, capture_output=True, text=True, check=False, timeout=_LIMIT_S
        )
        said = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return Answer(service=service, problem=f"no end after {_LIMIT_S} s")
    except (ValueError, KeyError):
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        return Answer(service=service, problem=last[0])
    known = [one for one in said if "skip_reason" not in one]
    unknown = [one["name"] for one in said if "skip_reason" in one]
    return Answer(
        service=service,
        asked=frozenset(one["name"] for one in known),
        unknown=frozenset(unknown),
        found=tuple(_sentence(one, flaw) for one in known for flaw in one["vulns"]),
        problem="" if known else f"it knows none of {len(unknown)} packages",
    )


def pinned(requirements: Path) -> frozenset[str]:
    """Return the names of the packages that hold for this system, as services spell them."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - as manage.py's own are few
    from packaging.utils import canonicalize_name  # noqa: PLC0415

    lines = requirements.read_text(encoding="utf-8").splitlines()
    read = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return frozenset(
        canonicalize_name(one.name) for one in read if one.marker is None or one.marker.evaluate()
    )


def tell(answers: Sequence[Answer], wanted: frozenset[str]) -> int:
    """Print what services said of the wanted packages, and return the exit code."""
    found = sorted({flaw for one in answers for flaw in one.found})
    asked = frozenset().union(*(one.asked for one in answers))
    for one in answers:
        print(f"{one.service}: {one.problem or f'asked for {len(one.asked)} packages'}")
    for flaw in found:
        print(f"VULNERABLE: {flaw}")
    missing = sorted(wanted - asked)
    if missing:
        names = ", ".join(missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
        print(
            f"NOT CHECKED: no service could be asked for {len(missing)} packages of {len(wanted)}"
        )
        print(f"  ({names}). Whether they have known vulnerabilities was NOT looked at.")
    if found:
        return 1
    if missing:
        return _NOT_ASKED
    print(f"No known vulnerability in {len(wanted)} packages.")
    return 0


def _sentence(package: dict[str, str], flaw: dict[str, object]) -> str:
    versions = flaw["fix_versions"]
    fixed = ", ".join(map(str, versions)) if isinstance(versions, list) and versions else "none yet"
    return f"{package['name']} {package['version']}: {flaw['id']}; fixed in: {fixed}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
