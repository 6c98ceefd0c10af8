"""What a node does with what it receives: its settings for reading and delivering, all of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from medcxr.core.cores import available_cores
from medcxr.core.errors import DataError
from medcxr.core.language import ENGLISH, LANGUAGES
from medcxr.services.node_destinations import (
    DeliveryRules,
    Destination,
    delivery_rules,
    destinations_of,
)
from medcxr.services.node_reading import require_libraries
from medcxr.services.node_rules import ReadingRules, reading_rules
from medcxr.services.node_settings import NodeSettings
from medcxr.services.node_tables import structured
from medcxr.services.node_triage import TriageRules, triage_rules
from medcxr.services.result_sending import sender_to
from medcxr.services.workspace import Workspace

__all__ = ["NodePlan", "ReaderSettings", "node_plan", "require_plan"]

_MOST_WORKERS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSettings:
    """`[reading]` of node.toml.

    Attributes:
        workers: instances that are read side by side; 0 for one per core.
        language: code of the language of results.
    """

    workers: int = 0
    language: str = ENGLISH


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """Everything that decides what becomes of a received instance.

    Attributes:
        rules: which instances are read.
        triage: and in which order.
        reading: by how many readers.
        destinations: that get the results.
        delivery: how they are sent.
    """

    rules: ReadingRules
    triage: TriageRules
    reading: ReaderSettings
    destinations: tuple[Destination, ...]
    delivery: DeliveryRules

    @property
    def n_workers(self) -> int:
        """Return how many instances are read side by side."""
        return self.reading.workers or available_cores()


def node_plan(workspace: Workspace, settings: NodeSettings) -> NodePlan:
    """Return the plan that a node's settings make.

    Args:
        workspace: in whose folder of the node relative paths begin.
        settings: of the node.

    Raises:
        DataError: a key is unknown or a value wrong.
    """
    destinations = settings.tables.get("destinations", [])
    if not isinstance(destinations, list):
        raise DataError("destinations must be tables; write [[destinations]] before each.")
    return NodePlan(
        rules=reading_rules(settings.table("rules")),
        triage=triage_rules(settings.table("triage")),
        reading=_reader_settings(settings.table("reading")),
        destinations=destinations_of(destinations, workspace.node),
        delivery=delivery_rules(settings.table("delivery")),
    )


def require_plan(workspace: Workspace, settings: NodeSettings) -> None:
    """Return if a node can read and deliver by its settings.

    Raises:
        DataError: a key is unknown, a value wrong, or a file that is named cannot be used.
        MissingExtra: what makes or sends results is not installed.
    """
    plan = node_plan(workspace, settings)
    require_libraries(plan.destinations)
    for destination in plan.destinations:
        sender_to(destination)


def _reader_settings(plain: Mapping[str, object]) -> ReaderSettings:
    found: ReaderSettings = structured(plain, ReaderSettings, "reading")
    if not 0 <= found.workers <= _MOST_WORKERS:
        raise DataError(f"workers in [reading] must be 0 to {_MOST_WORKERS}.")
    if found.language not in LANGUAGES:
        raise DataError(f"language in [reading] must be one of {', '.join(LANGUAGES)}.")
    return found
