"""Who may use a workspace: its one password, kept as a hash, guarded against guessing."""

import ipaddress
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cattrs

from medcxr.core.errors import AccessError, StorageError
from medcxr.core.language import Sentence
from medcxr.security.passwords import (
    INITIAL_PASSWORD,
    hash_password,
    needs_rehash,
    require_good_password,
    verify_password,
)
from medcxr.security.throttle import LONGEST_WAIT_S, wait_after
from medcxr.services.workspace import Workspace
from medcxr.storage.atomic import write_json_atomically
from medcxr.storage.locks import exclusive
from medcxr.storage.reading import read_bytes

__all__ = [
    "SignIn",
    "change_password",
    "is_initial_password",
    "is_loopback",
    "require_current",
    "require_safe_address",
    "sign_in",
]

_Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Proof that the password was given.

    Attributes:
        generation: how often the password had been changed; a later change ends this sign-in.
    """

    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Credentials:
    """What secrets/credentials.json holds.

    Times are seconds since 1970 (UTC) and not monotonic ones, so that a restart resets nothing.
    """

    password_hash: str
    must_change: bool
    generation: int = 0
    failures: int = 0
    locked_until: float = 0.0

    def __repr__(self) -> str:
        """Keep the hash out of logs and tracebacks."""
        return f"_Credentials(generation={self.generation}, failures={self.failures})"


def sign_in(workspace: Workspace, password: str, *, clock: _Clock = time.time) -> SignIn:
    """Check the password of a workspace.

    After repeated failures nothing is tried for a while, longer each time, whoever asks and
    however often the program is restarted. The wait is the workspace's, so a stranger can make
    the owner wait too, at most a quarter of an hour.

    Raises:
        AccessError: the password is wrong, or it is too early for another try.
        StorageError: the credentials cannot be read or written.
    """
    path = _path(workspace)
    with exclusive(path):  # one guess at a time: guessing in parallel gains nothing
        credentials = _verified(path, password, clock)
        if needs_rehash(credentials.password_hash):
            credentials = replace(credentials, password_hash=hash_password(password))
        _write(path, credentials)
    return SignIn(generation=credentials.generation)


def change_password(
    workspace: Workspace, old: str, new: str, *, clock: _Clock = time.time
) -> SignIn:
    """Replace the password; every earlier sign-in ends.

    Raises:
        AccessError: the old password is wrong, or the new one does not follow the rules.
        StorageError: the credentials cannot be read or written.
    """
    path = _path(workspace)
    with exclusive(path):
        credentials = _verified(path, old, clock)
        _write(path, credentials)  # the failures before this success are forgiven
        if new == old:
            raise AccessError("The new password equals the current one; choose another one.")
        require_good_password(new)
        changed = _Credentials(
            password_hash=hash_password(new),
            must_change=False,
            generation=credentials.generation + 1,
        )
        _write(path, changed)
    return SignIn(generation=changed.generation)


def require_current(workspace: Workspace, proof: SignIn) -> None:
    """Return if the password has not been changed since the sign-in.

    Raises:
        AccessError: it has been changed.
    """
    if _current(workspace).generation != proof.generation:
        raise AccessError("The password has been changed; sign in again.")


def is_initial_password(workspace: Workspace) -> bool:
    """Tell whether the workspace still opens by the public initial password."""
    return _current(workspace).must_change


def require_safe_address(workspace: Workspace, address: str) -> None:
    """Return if the dashboard may listen on an address.

    Raises:
        AccessError: other computers could connect while the password is the public initial one.
    """
    if not is_loopback(address) and is_initial_password(workspace):
        raise AccessError(
            "Address {address} lets other computers connect while the password is "
            "the public initial one; change the password at 127.0.0.1 first.",
            address=address or Sentence("(all)"),
        )


def is_loopback(address: str) -> bool:
    """Tell whether only this computer can connect to an address (127.0.0.0/8, ::1, localhost)."""
    name = address.strip().lower().removeprefix("[").removesuffix("]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False  # a name: who knows where it leads


def _path(workspace: Workspace) -> Path:
    return workspace.secrets / "credentials.json"


def _current(workspace: Workspace) -> _Credentials:
    path = _path(workspace)
    with exclusive(path):
        return _read_or_create(path)


def _verified(path: Path, password: str, clock: _Clock) -> _Credentials:
    """Return the credentials, with no failures, if the password is right."""
    credentials = _read_or_create(path)
    now = clock()
    # A clock set back must not lock the owner out for longer than the longest wait.
    remaining_s = min(credentials.locked_until - now, LONGEST_WAIT_S)
    if remaining_s > 0:
        raise AccessError(
            "Too many wrong passwords; try again in {wait}.", wait=_in_words(remaining_s)
        )
    # The failure is written before the check: neither a full disk nor ending the process gives
    # a free guess.
    failures = credentials.failures + 1
    wait_s = wait_after(failures)
    _write(path, replace(credentials, failures=failures, locked_until=now + wait_s))
    try:
        verify_password(credentials.password_hash, password)
    except AccessError as error:
        if wait_s:
            raise AccessError(
                "{problem} Next try in {wait}.", problem=error.sentence, wait=_in_words(wait_s)
            ) from None
        raise
    return replace(credentials, failures=0, locked_until=0.0)


def _in_words(seconds: float) -> Sentence:
    whole = math.ceil(seconds)
    if whole < 120:
        return Sentence("{n} s", n=whole)
    return Sentence("{n} min", n=math.ceil(whole / 60))


def _read_or_create(path: Path) -> _Credentials:
    text = read_bytes(path)
    if text is None:
        fresh = _Credentials(password_hash=hash_password(INITIAL_PASSWORD), must_change=True)
        _write(path, fresh)
        return fresh
    try:
        return _CONVERTER.structure(json.loads(text), _Credentials)
    except (AttributeError, ValueError, cattrs.BaseValidationError) as error:
        # AttributeError: JSON, but no object. Not "from error": that would show the file's content.
        raise StorageError(
            "{path} is damaged ({kind}); restore it from a backup, or delete it "
            "to start again with the initial password.",
            path=path,
            kind=type(error).__name__,
        ) from None


_CONVERTER = cattrs.Converter(forbid_extra_keys=True)


def _write(path: Path, credentials: _Credentials) -> None:
    write_json_atomically(path, asdict(credentials))
