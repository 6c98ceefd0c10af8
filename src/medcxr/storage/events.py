"""A run's log of events: one JSON object a line, appended, readable while it is written."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from medcxr.core.errors import StorageError

__all__ = ["EventLog"]


class EventLog:
    """Append events to a file and read them back.

    A process may be killed in the middle of a line; reading leaves such a line out, and the next
    event starts a line of its own.

    Args:
        path: the file; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, kind: str, **values: object) -> dict[str, object]:
        """Write one event with the time and return it.

        Raises:
            StorageError: the file cannot be written.
        """
        event: dict[str, object] = {"event": kind, "time": round(time.time(), 3), **values}
        line = json.dumps(event, allow_nan=False) + "\n"
        try:
            with self.path.open("ab+") as stream:
                if stream.tell() and not _ends_line(stream):
                    line = "\n" + line
                stream.write(line.encode())
        except OSError as error:
            raise StorageError(
                "{path} cannot be written: {reason}; free space or mend the "
                "permissions of the run's folder.",
                path=self.path.name,
                reason=error.strerror,
            ) from error
        return event

    def read(self) -> Iterator[Mapping[str, Any]]:
        """Yield the events in the order written; none if the file does not exist."""
        if not self.path.is_file():
            return
        with self.path.open(encoding="utf-8", errors="replace") as stream:
            for line in stream:
                try:
                    event = json.loads(line)
                except (ValueError, RecursionError):  # cut off, or damaged in another way
                    continue
                if isinstance(event, dict) and "event" in event:
                    yield event


def _ends_line(stream: Any) -> bool:  # noqa: ANN401 - a binary stream open for reading too
    stream.seek(-1, 2)
    return bool(stream.read(1) == b"\n")
