"""What brings a node instances beside C-STORE, on threads of their own: a PACS and a folder."""

import logging
import threading
from collections.abc import Callable
from functools import partial

from medcxr.core.errors import MedcxrError
from medcxr.services.dicomweb import Fetched, fetching_settings, poll
from medcxr.services.node_settings import NodeSettings
from medcxr.services.watched_folder import Look, folder_settings, watch
from medcxr.services.workspace import Workspace

__all__ = ["NodeSources"]

_AGAIN_S = 15.0
_LOG = logging.getLogger(__name__)


class NodeSources:
    """The sources that the tables `[dicomweb]` and `[folder]` of node.toml name.

    Args:
        workspace: in the hands of the node.
        settings: of the node.

    Raises:
        DataError: a key is unknown or a value wrong, or credentials cannot be used.
    """

    def __init__(self, workspace: Workspace, settings: NodeSettings) -> None:
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sources: dict[str, Callable[[], None]] = {}
        reserve_mib = settings.node.reserve_mib
        if "dicomweb" in settings.tables:
            of_pacs = fetching_settings(settings.table("dicomweb"))
            of_pacs.server(workspace.node)  # what is wrong with it is said before anything begins
            asking = partial(
                poll, folder=workspace.node, reserve_mib=reserve_mib, told=_tell_fetched
            )
            self._sources["dicomweb"] = partial(asking, workspace, of_pacs, self._ended)
        if "folder" in settings.tables:
            of_folder = folder_settings(settings.table("folder"))
            looking = partial(watch, reserve_mib=reserve_mib, told=_tell_looked)
            self._sources["folder"] = partial(looking, workspace, of_folder, self._ended)

    def start(self) -> None:
        """Begin to ask and to look."""
        for name, source in self._sources.items():
            thread = threading.Thread(
                target=self._run, args=(name, source), name=f"source {name}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def end(self, *, within_s: float = 20.0) -> None:
        """Let each end what it is at; what it had begun and not received comes again."""
        self._ended.set()
        for thread in self._threads:
            thread.join(within_s)

    def _run(self, name: str, source: Callable[[], None]) -> None:
        while not self._ended.is_set():
            try:
                source()
            except MedcxrError as error:
                _LOG.error("[%s] of the node has to wait: %s", name, error)
            except Exception as error:  # noqa: BLE001 - a thread that ends would be missed
                # Of what is not foreseen only the kind: its words may quote a file.
                _LOG.error("[%s] of the node failed: %s", name, type(error).__name__)
            self._ended.wait(_AGAIN_S)


def _tell_fetched(fetched: Fetched) -> None:
    _LOG.info(
        "From the PACS: %d instances received, %d not to be had.", fetched.n_new, fetched.n_refused
    )


def _tell_looked(look: Look) -> None:
    _LOG.info("From the folder: %d files received, %d refused.", look.n_new, look.n_refused)
