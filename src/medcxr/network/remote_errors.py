"""What can go wrong with another system, by what helps.

RemoteError
├── UnreachableError   it does not answer, takes too long or is overloaded; try again later
├── CredentialsError   it does not let us in; correct the credentials
├── NotThereError      it does not have what was asked for
├── ConflictError      it has something that contradicts what was sent
├── TooLargeError      it takes less at once; send less
└── AnswerError        it answers what no such system does, or too much; look at the address
"""

from medcxr.core.errors import RemoteError

__all__ = [
    "AnswerError",
    "ConflictError",
    "CredentialsError",
    "NotThereError",
    "TooLargeError",
    "UnreachableError",
]


class UnreachableError(RemoteError):
    """It does not answer, takes too long or is overloaded."""


class CredentialsError(RemoteError):
    """It does not let us in."""


class NotThereError(RemoteError):
    """It does not have what was asked for."""


class ConflictError(RemoteError):
    """It has something that contradicts what was sent."""


class TooLargeError(RemoteError):
    """It does not take so much at once."""


class AnswerError(RemoteError):
    """It answers what no such system does, or too much."""
