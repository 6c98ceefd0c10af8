"""Tokens of sessions, and what tells a browser that somebody has signed in with before."""

import hashlib
import hmac
import json
import secrets

__all__ = ["KEY_BYTES", "browser_mark", "is_mark_of", "name_key", "new_token", "token_key"]

KEY_BYTES = 32
_TOKEN_BYTES = 32


def new_token() -> str:
    """Return 256 random bits for whoever has signed in."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_key(token: str) -> str:
    """Return what is kept of a token: whoever reads the table cannot sign in by it."""
    return hashlib.sha256(token.encode()).hexdigest()


def name_key(key: bytes, folded_name: str) -> str:
    """Return under what failures of a name are counted; what was typed is not kept."""
    return _mac(key, ["name", folded_name])


def browser_mark(key: bytes, user_id: int, password_hash: str) -> str:
    """Return what a browser keeps after a sign-in. It opens nothing.

    Args:
        key: KEY_BYTES random bytes that stay on this computer.
        user_id: who has signed in.
        password_hash: of the password; with another one the mark is worth nothing.
    """
    salt = secrets.token_hex(8)
    return f"{salt}.{_mark(key, salt, user_id, password_hash)}"


def is_mark_of(key: bytes, mark: str, user_id: int, password_hash: str) -> bool:
    """Tell whether a browser was marked after a sign-in of this user with this password."""
    salt, _, mac = mark.partition(".")
    return hmac.compare_digest(_mark(key, salt, user_id, password_hash).encode(), mac.encode())


def _mark(key: bytes, salt: str, user_id: int, password_hash: str) -> str:
    return _mac(key, ["browser", salt, user_id, password_hash])


def _mac(key: bytes, fields: list[str | int]) -> str:
    return hmac.new(key, json.dumps(fields).encode(), hashlib.sha256).hexdigest()
