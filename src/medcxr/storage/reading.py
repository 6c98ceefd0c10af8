"""Read a small file of the workspace."""

from pathlib import Path

from medcxr.core.errors import StorageError

__all__ = ["read_bytes"]


def read_bytes(path: Path) -> bytes | None:
    """Return a file's content, None where there is no file.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(
            "{path} cannot be read: {reason}; let this user read it.",
            path=path,
            reason=error.strerror,
        ) from error
