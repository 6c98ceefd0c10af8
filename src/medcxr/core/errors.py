"""What can go wrong, one class per remedy.

MedcxrError
├── ImageError     this image cannot be used; choose or export another one
├── DataError      this table, label or configuration is wrong; correct it
├── ModelError     this model bundle is missing, damaged or unfit; install or choose another one
├── AccessError    sign in, change the password or ask for permission
├── StorageError   the workspace cannot be read or written; free space or mend permissions
└── MissingExtra   an optional part is not installed; install the named extra
"""

__all__ = [
    "AccessError",
    "DataError",
    "ImageError",
    "MedcxrError",
    "MissingExtra",
    "ModelError",
    "StorageError",
]


class MedcxrError(Exception):
    """Say what went wrong, with which thing, and what to do."""


class ImageError(MedcxrError):
    """An image cannot be used."""


class DataError(MedcxrError):
    """A table, label or configuration is wrong."""


class ModelError(MedcxrError):
    """A model bundle is missing, damaged or unfit."""


class AccessError(MedcxrError):
    """Access is not allowed."""


class StorageError(MedcxrError):
    """The workspace cannot be read or written."""


class MissingExtra(MedcxrError):  # noqa: N818 - named after the remedy
    """An optional part is not installed."""
