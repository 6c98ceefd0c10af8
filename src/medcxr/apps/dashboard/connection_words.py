"""The words of the section "Hospital connection"."""

from collections.abc import Mapping

from medcxr.core.deliveries import DeliveryState
from medcxr.core.instances import InstanceState
from medcxr.core.language import listing, say, text
from medcxr.core.result_objects import ResultKind
from medcxr.services.node_destinations import FHIR
from medcxr.services.node_rules import SkipReason

__all__ = ["DELIVERIES", "EMPTY", "INSTANCES", "KINDS", "SKIPPED", "STOPPED", "told_reason"]

EMPTY = text(
    "No image was received yet. To receive from modalities or a PACS and to send results back, write "
    "node.toml into {folder} and run {command} in a terminal; the user manual tells how under "
    '"Receive by DICOM".'
)

STOPPED = text(
    "The node does not run on this computer, so nothing is received, read or sent; start it with "
    "{command}."
)

INSTANCES: Mapping[InstanceState, str] = {
    InstanceState.RECEIVED: text("waiting to be read"),
    InstanceState.READING: text("being read"),
    InstanceState.READ: text("read"),
    InstanceState.REFUSED: text("refused"),
    InstanceState.SKIPPED: text("skipped by a rule"),
    InstanceState.FAILED: text("failed"),
}

DELIVERIES: Mapping[DeliveryState, str] = {
    DeliveryState.WAITING: text("waiting to be sent"),
    DeliveryState.SENT: text("sent"),
    DeliveryState.GIVEN_UP: text("given up"),
    DeliveryState.DISCARDED: text("discarded"),
}

KINDS: Mapping[str, str] = {
    ResultKind.STRUCTURED_REPORT.value: text("structured report"),
    ResultKind.SEGMENTATION.value: text("segmentation"),
    ResultKind.PRESENTATION_STATE.value: text("presentation state"),
    ResultKind.SECONDARY_CAPTURE.value: text("secondary capture"),
    ResultKind.ENCAPSULATED_PDF.value: text("encapsulated pdf"),
    FHIR: text("FHIR bundle"),
}

SKIPPED: Mapping[SkipReason, str] = {
    SkipReason.OWN_RESULT: text("made by this program"),
    SkipReason.MODALITY: text("of a modality that is not read"),
    SkipReason.BODY_PART: text("of a part of the body that is not read"),
    SkipReason.VIEW: text("of a view that is not read"),
    SkipReason.STATION: text("of a station that is not read"),
    SkipReason.SENDER: text("sent by a device that is not read"),
    SkipReason.DESCRIPTION: text("of a study description that is not read"),
    SkipReason.AGE: text("of a patient whose age is not read"),
}

text("its readers ended before they were done")  # for the catalogs: the inbox keeps it in English


def told_reason(state: InstanceState, reason: str) -> str:
    """Return why images were not read; what a newer program has written stays as it is."""
    if state is InstanceState.SKIPPED:
        return say(listing(reason.split("; ")))
    return say(reason)
