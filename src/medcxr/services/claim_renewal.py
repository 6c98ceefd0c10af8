"""A claim kept while its instance is being read, however long that takes."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from medcxr.core.errors import MedcxrError
from medcxr.services.inbox import Claimed, renew
from medcxr.services.workspace import Workspace

__all__ = ["renewed"]

_EVERY_S = 60.0  # a tenth of what a claim outlives its reader by
_LONGEST_S = 3600.0  # of a reading: one that hangs must not keep its instance for ever
_LOG = logging.getLogger(__name__)


@contextmanager
def renewed(
    workspace: Workspace,
    claimed: Claimed,
    *,
    every_s: float = _EVERY_S,
    longest_s: float = _LONGEST_S,
) -> Iterator[None]:
    """Renew a claim again and again until the block ends, or the claim is somebody else's.

    Args:
        workspace: whose inbox.
        claimed: the instance.
        every_s: how often.
        longest_s: after which it is renewed no more, so that it lapses.
    """
    ended = threading.Event()

    def renew_until_ended() -> None:
        until = time.monotonic() + longest_s
        while not ended.wait(every_s) and time.monotonic() < until:
            try:
                if not renew(workspace, claimed):
                    return
            except MedcxrError as error:  # e.g. a database that is busy: there is time for more
                _LOG.warning("A claim could not be renewed: %s", type(error).__name__)

    thread = threading.Thread(target=renew_until_ended, name="renewal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
