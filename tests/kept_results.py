"""Results that wait for another system, without a radiograph that they are of."""

from datetime import UTC, datetime, timedelta

from medcxr.services.database import workspace_database
from medcxr.services.delivery import (
    Result,
    deliver_due,
    give_up_old,
    prepare_deliveries,
    queue_deliveries,
)
from medcxr.services.node_destinations import DeliveryRules, Destination, destinations_of
from medcxr.services.workspace import Workspace

RULES = DeliveryRules(first_pause_s=10, longest_pause_s=60)


def folder_out(beside) -> Destination:
    """Return a destination: the folder "out" beside a path's others, which it does not make."""
    plain = {"kind": "folder", "name": "out", "folder": "out", "results": ["fhir"]}
    (destination,) = destinations_of([plain], beside)
    return destination


def queue(workspace: Workspace, destination: Destination, *numbers: int) -> None:
    """Let a result of each number's radiograph, as `remembering.remember` makes one, wait."""
    for number in numbers:
        result = Result(result_uid=f"1.2.{number}", kind="fhir", data=f"of {number}".encode())
        prepared = prepare_deliveries(
            workspace, [result], [destination], urgency_rank=0, image_digest=f"{number:064x}"
        )
        with workspace_database(workspace).writing() as transaction:
            queue_deliveries(transaction, prepared)


def give_up(workspace: Workspace, destination: Destination) -> None:
    """Try what waits once, and give up what could not be sent, as after eight days."""
    deliver_due(workspace, destination, RULES)
    give_up_old(workspace, RULES, [destination], now=datetime.now(UTC) + timedelta(days=8))


def result_files(workspace: Workspace) -> list[str]:
    """Return what the files of results hold."""
    return sorted(path.read_text() for path in workspace.results.iterdir())
