"""Read by every Python that a test starts with this folder on its path.

Each connection that is tried is written down, and everything that can be logged is printed.
"""

import logging
import os
import sys

_RECORD = os.environ.get("WATCHED_RECORD")


def _record(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        told = repr(arguments[1])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        told = repr(arguments[0])
    else:
        return
    with open(_RECORD, "a") as file:  # noqa: PTH123 - before anything else is imported
        file.write(f"{event} {told}\n")


if _RECORD:
    sys.addaudithook(_record)
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    logging.Logger.setLevel = lambda *_: None  # nobody makes himself quieter
    logging.Logger.isEnabledFor = lambda *_: True
