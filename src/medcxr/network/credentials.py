"""By what this program signs in at a web server: read from a file that only its owner may read.

A file of TOML, with `user` and `password` (Basic) or with `token` (Bearer). Nothing of it is ever
given on a command line, which everybody on the computer can list.
"""

import os
import stat
import sys
import tomllib
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path

from medcxr.core.errors import DataError

__all__ = ["Credentials", "read_credentials"]

_LARGEST = 16 * 1024  # bytes; a token of an identity service has some thousand
_FORMS = ({"user", "password"}, {"token"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves who asks; its words never tell it.

    Attributes:
        header: the value of the header Authorization.
    """

    header: str = field(repr=False)

    @classmethod
    def basic(cls, user: str, password: str) -> "Credentials":
        """Make them of a user and a password (RFC 7617).

        Raises:
            DataError: a colon in the user's name, or a control character.
        """
        if ":" in user or not (user + password).isprintable():
            raise DataError(
                "The user of the credentials has a colon, or user or password have a control "
                "character; no server takes these."
            )
        return cls("Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii"))

    @classmethod
    def bearer(cls, token: str) -> "Credentials":
        """Make them of a token (RFC 6750).

        Raises:
            DataError: a character that no token has.
        """
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise DataError("The token of the credentials has characters that no token has.")
        return cls("Bearer " + token)


def read_credentials(path: Path) -> Credentials:
    """Read the credentials that a file holds.

    Raises:
        DataError: it cannot be read, others than its owner may read it, or it holds something
            else. No message repeats any of it.
    """
    try:
        content = tomllib.loads(_text(path))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise DataError(_NO_CREDENTIALS, path=path) from None
    is_text = all(isinstance(value, str) and value for value in content.values())
    if set(content) not in _FORMS or not is_text:
        raise DataError(_NO_CREDENTIALS, path=path)
    if "token" in content:
        return Credentials.bearer(content["token"])
    return Credentials.basic(content["user"], content["password"])


_NO_CREDENTIALS = (
    'The credentials file {path} holds none; write user = "…" and password = "…", or token = "…".'
)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            kind = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(kind):
                raise DataError("The credentials {path} are no file; name a file.", path=path)
            if sys.platform != "win32" and kind & (stat.S_IRWXG | stat.S_IRWXO):
                raise DataError(
                    "The credentials file {path} may be read by others than its owner; "
                    "take that away: chmod 600.",
                    path=path,
                )
            return file.read(_LARGEST).decode()
    except OSError as error:
        raise DataError(
            "The credentials file {path} cannot be read ({reason}); name a file that this user "
            "may read.",
            path=path,
            reason=error.strerror,
        ) from error
