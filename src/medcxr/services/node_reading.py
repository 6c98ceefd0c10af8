"""Received instances read: claimed, judged by the rules, analyzed, remembered, and answered.

The case, what has become of the instance, and what waits for other systems are kept in one
transaction. A reader that is killed before it has kept nothing, and one that is killed after has
kept everything; so no instance is read twice and no result is lost.
"""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from medcxr.core.access import Permission
from medcxr.core.errors import (
    DecodingError,
    ImageError,
    MedcxrError,
    MissingExtra,
    NoDecoderError,
    StorageError,
)
from medcxr.core.instances import InstanceState
from medcxr.core.language import ENGLISH, speaking
from medcxr.core.result_objects import ResultKind
from medcxr.core.urgency import urgency_of
from medcxr.imaging.instance_facts import read_instance_facts
from medcxr.services.analysis import AnalyzedImage, analyze_image
from medcxr.services.analysis_trail import note_refused_within, reason_of
from medcxr.services.case_records import case_to_keep, record_case_within
from medcxr.services.claim_renewal import renewed
from medcxr.services.database import workspace_database
from medcxr.services.delivery import Result, prepare_deliveries, queue_deliveries
from medcxr.services.inbox import (
    MOST_ATTEMPTS,
    Claimed,
    claim,
    finish,
    finish_within,
    forget_file,
    open_instance,
    release,
)
from medcxr.services.node_destinations import FHIR, Destination, wanted_results
from medcxr.services.node_rules import ReadingRules, SkipReason, reasons_to_skip
from medcxr.services.received_files import PICTURE
from medcxr.services.result_files import remove_unneeded_results
from medcxr.services.workspace import Workspace
from medcxr.storage.database import Transaction

__all__ = ["ReadInstance", "read_next", "require_libraries"]

_OF_C_STORE = "c-store "  # before the AE title in an instance's origin
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadInstance:
    """What became of an instance.

    Attributes:
        number: of the instance.
        state: READ, REFUSED, SKIPPED or FAILED; RECEIVED where it waits again.
    """

    number: int
    state: InstanceState


def read_next(
    workspace: Workspace,
    rules: ReadingRules,
    destinations: Sequence[Destination],
    *,
    worker: str,
    language: str = ENGLISH,
) -> ReadInstance | None:
    """Read the instance whose turn it is.

    What cannot be read is refused with its reason, which names no value of the file.

    Args:
        workspace: whose inbox.
        rules: which instances are read.
        destinations: that get the results.
        worker: who reads.
        language: of the results.

    Returns:
        What became of it; None where nothing waits, or somebody else has it meanwhile.

    Raises:
        AccessError: whoever asks may not.
        MissingExtra: results are wanted whose libraries are not installed.
        ModelError: there is no model, or it is damaged. The instance waits as before.
        NoDecoderError: the process that reads files cannot be started. Likewise.
        StorageError: the workspace cannot be read or written. Likewise.
    """
    workspace.require(Permission.ANALYZE)
    claimed = claim(workspace, worker)
    if claimed is None:
        return None
    try:
        data = open_instance(workspace, claimed)
    except StorageError as error:
        return _finished(workspace, claimed, InstanceState.FAILED, reason_of(error))
    reading = _Reading(workspace, claimed, destinations, language)
    try:
        with renewed(workspace, claimed):
            return reading.read(data, rules)
    except NoDecoderError:  # nothing of the file's, likewise
        release(workspace, claimed)
        raise
    except DecodingError as error:  # perhaps the file's, perhaps this computer's
        return _tried_in_vain(workspace, claimed, error, reason_of(error))
    except ImageError as error:
        return reading.refuse(error)
    except MedcxrError:  # whatever comes next would meet it too
        release(workspace, claimed)
        raise
    except Exception as error:  # noqa: BLE001 - one file must not stop the rest
        kind = type(error).__name__  # its words may quote the file
        return _tried_in_vain(workspace, claimed, error, f"unforeseen: {kind}")


def require_libraries(destinations: Sequence[Destination]) -> None:
    """Return if the results that destinations get can be made.

    Raises:
        MissingExtra: they cannot.
    """
    if wanted_results(destinations) - {FHIR} and find_spec("highdicom") is None:
        raise MissingExtra(
            "Results as DICOM objects need {name}, which is not installed; install the extra: pip "
            "install 'medcxr[hospital]'.",
            name="highdicom",
        )


class _Reading:
    """One instance in the hands of a reader."""

    def __init__(
        self,
        workspace: Workspace,
        claimed: Claimed,
        destinations: Sequence[Destination],
        language: str,
    ) -> None:
        self._workspace = workspace
        self._claimed = claimed
        self._destinations = destinations
        self._language = language

    def read(self, data: bytes, rules: ReadingRules) -> ReadInstance | None:
        """Read it; an ImageError says that it is to be refused."""
        if self._claimed.sop_class_uid != PICTURE:  # which has no header that rules could ask
            sender = self._claimed.origin
            sender = sender.removeprefix(_OF_C_STORE) if sender.startswith(_OF_C_STORE) else ""
            skipped = reasons_to_skip(rules, read_instance_facts(data), sender=sender)
            if skipped:
                return self._skip(skipped)
        analyzed = analyze_image(self._workspace, data)
        results = self._results(data, analyzed)
        waiting = prepare_deliveries(
            self._workspace,
            results,
            self._destinations,
            urgency_rank=urgency_of(analyzed.analysis).level.rank,
            image_digest=analyzed.analysis.image_digest,
        )
        kept = case_to_keep(self._workspace, analyzed, label=self._claimed.sop_instance_uid)

        def keep(transaction: Transaction) -> bool:
            case_id = record_case_within(self._workspace, transaction, analyzed.analysis, kept)
            queue_deliveries(transaction, waiting)
            return finish_within(transaction, self._claimed, InstanceState.READ, case_id=case_id)

        done = None
        try:
            done = self._kept(InstanceState.READ, keep)
        finally:
            if done is None:
                remove_unneeded_results(self._workspace, [one.digest for one in waiting])
        return done

    def refuse(self, error: ImageError) -> ReadInstance | None:
        """Say that it cannot be read, and why."""

        def keep(transaction: Transaction) -> bool:
            note_refused_within(self._workspace, transaction, error)
            refused = InstanceState.REFUSED
            return finish_within(transaction, self._claimed, refused, reason=reason_of(error))

        return self._kept(InstanceState.REFUSED, keep)

    def _skip(self, reasons: Sequence[SkipReason]) -> ReadInstance | None:
        words = "; ".join(reasons)

        def keep(transaction: Transaction) -> bool:
            return finish_within(transaction, self._claimed, InstanceState.SKIPPED, reason=words)

        return self._kept(InstanceState.SKIPPED, keep)

    def _kept(
        self, state: InstanceState, keep: Callable[[Transaction], bool]
    ) -> ReadInstance | None:
        """Keep everything or, where the claim has lapsed and another reader has it, nothing."""
        try:
            with workspace_database(self._workspace).writing() as transaction:
                if not keep(transaction):
                    raise _ClaimLapsed
        except _ClaimLapsed:
            _LOG.warning("Received instance %d was read too slowly.", self._claimed.number)
            return None
        forget_file(self._workspace, self._claimed)
        return ReadInstance(number=self._claimed.number, state=state)

    def _results(self, data: bytes, analyzed: AnalyzedImage) -> list[Result]:
        # Loads no library before results are made.
        from medcxr.services.standard_results import dicom_results, fhir_results  # noqa: PLC0415

        wanted = wanted_results(self._destinations)
        source: bytes | None = data
        if self._claimed.sop_class_uid == PICTURE:  # belongs to no study, so no object can
            wanted, source = wanted & {FHIR}, None
        kinds = [ResultKind(one) for one in sorted(wanted - {FHIR})]
        found: list[Result] = []
        if kinds:
            made = dicom_results(
                self._workspace, data, analyzed, kinds=kinds, language=self._language
            )
            found += [
                Result(result_uid=one.sop_instance_uid, kind=one.kind.value, data=one.data)
                for one in made
            ]
        if FHIR in wanted:
            with speaking(self._language):
                bundle = fhir_results(self._workspace, source, analyzed)
            text = json.dumps(bundle, ensure_ascii=False, allow_nan=False)
            found.append(Result(result_uid=str(bundle["id"]), kind=FHIR, data=text.encode()))
        return found


class _ClaimLapsed(Exception):  # noqa: N818 - never leaves this file
    """Somebody else may have claimed the instance."""


def _finished(
    workspace: Workspace, claimed: Claimed, state: InstanceState, reason: str
) -> ReadInstance | None:
    is_held = finish(workspace, claimed, state, reason=reason)
    return ReadInstance(number=claimed.number, state=state) if is_held else None


def _tried_in_vain(
    workspace: Workspace, claimed: Claimed, error: Exception, reason: str
) -> ReadInstance | None:
    """Let an instance wait again that broke the program itself, or put it aside."""
    _LOG.error("Reading instance %d failed (%s).", claimed.number, type(error).__name__)
    if claimed.attempts >= MOST_ATTEMPTS:
        return _finished(workspace, claimed, InstanceState.FAILED, reason)
    release(workspace, claimed, is_counted=True)
    return ReadInstance(number=claimed.number, state=InstanceState.RECEIVED)
