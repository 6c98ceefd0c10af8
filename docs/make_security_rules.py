"""Fill in what docs/security-rules.md tells of limits, sessions and words from the code.

Run from the repository, after one of them was changed:
python docs/make_security_rules.py

With --check nothing is written; it ends with exit code 1 where the page is not that of the code.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from page_parts import filled, table, write_or_check

from medcxr.apps.api.limits import Limits
from medcxr.imaging import limits
from medcxr.security import one_time_codes, passwords, sealed
from medcxr.security.one_time_codes import MOST_LAG_S, STEP_S
from medcxr.security.throttle import FREE_FAILURES, LONGEST_WAIT_S, MOST_AT_ONCE, REFILL_S
from medcxr.services.preferences import IDLE_MINUTES, SIGNED_IN_HOURS, Preferences
from medcxr.services.tokens import DEFAULT_DAYS, LONGEST_DAYS

PAGE = Path(__file__).parent / "security-rules.md"
_MIB, _KIB = 2**20, 2**10
# What the page tells is what the code keeps to, also where nobody else asks for it.
_LONGEST_PASSWORD = passwords._MAXIMUM_LENGTH  # noqa: SLF001
_COMMON = len(passwords._common())  # noqa: SLF001
_WORDS = passwords._OWN_WORDS  # noqa: SLF001
_RECOVERY_BITS = one_time_codes._RECOVERY_BYTES * 8  # noqa: SLF001


def main(words: Sequence[str] | None = None) -> int:
    """Fill in the page, or compare it; return the exit code."""
    return write_or_check(PAGE, page, words, script="make_security_rules.py")


def page(text: str) -> str:
    """Return the page's text with its blocks filled in."""
    return filled(text, BLOCKS)


def _signing_in() -> str:
    chosen = Limits()
    rows = [
        (
            "Password",
            f"{passwords.MINIMUM_LENGTH} to {_LONGEST_PASSWORD:,} characters of any kind",
        ),
        (
            "Passwords refused as common",
            f"{_COMMON:,}, and what differs little from them",
        ),
        (
            "Failures of one name",
            f"{FREE_FAILURES} in a row, then a wait that doubles, {LONGEST_WAIT_S / 60:.0f} minutes at most",
        ),
        (
            "Failures of all names",
            f"{MOST_AT_ONCE} at once, then one more every {REFILL_S:.0f} seconds",
        ),
        (
            "Code by time",
            f"6 digits, one at a time for {STEP_S} s, once; clocks may differ by {MOST_LAG_S} s",
        ),
        (
            "Recovery codes",
            f"{one_time_codes.N_RECOVERY_CODES}, each of {_RECOVERY_BITS} random bits, once",
        ),
        (
            "Wrong tokens of an address",
            f"{chosen.failures_burst} at once, then one every {1 / chosen.failures_per_s:.0f} seconds",
        ),
        ("Token", f"{DEFAULT_DAYS} days unless chosen otherwise, {LONGEST_DAYS} at most"),
        ("Passphrase of a backup", f"at least {sealed.MINIMUM_LENGTH} characters"),
    ]
    return table(("Rule", "Value"), rows)


def _words() -> str:
    return ", ".join(f"`{word}`" for word in _WORDS)


def _sessions() -> str:
    usual = Preferences()
    rows = [
        ("without activity", _span(usual.idle_minutes, IDLE_MINUTES, "minutes")),
        ("in all", _span(usual.signed_in_hours, SIGNED_IN_HOURS, "hours")),
    ]
    return table(("A session ends", "After", "May be set to"), [(a, *b) for a, b in rows])


def _span(usual: int, bounds: tuple[int, int], unit: str) -> tuple[str, str]:
    return f"{usual} {unit}", f"{bounds[0]} to {bounds[1]} {unit}"


def _limits() -> str:
    chosen = Limits()
    rows = [
        ("a file", f"{limits.MAX_FILE_BYTES // _MIB} MiB, also when inflated", "each"),
        ("an image", f"{limits.MAX_PIXELS:,} pixels", "each"),
        ("reading a file", f"{limits.TIMEOUT_S:g} seconds", "each"),
        ("decoders", "as many as there are cores", "the program"),
        ("another request of the API", f"{chosen.body_bytes // _KIB} KiB", "each"),
        ("a request's body", f"{chosen.upload_s:g} seconds", "each"),
        ("an analysis by the API", f"{chosen.analysis_s:g} seconds, its turn included", "each"),
        ("analyses by the API", f"{chosen.places}, those that wait included", "the server"),
        (
            "requests",
            f"{chosen.token_burst} at once, then {chosen.token_per_s:g} a second",
            "a token",
        ),
    ]
    return table(("What", "At most", "For"), rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "signing-in": _signing_in,
    "words": _words,
    "sessions": _sessions,
    "limits": _limits,
}
"""Name -> what writes it."""

if __name__ == "__main__":
    sys.exit(main())
