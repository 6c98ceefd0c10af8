"""Instances that other systems send: what is said of one, and what becomes of it."""

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["FINISHED", "InstanceIdentity", "InstanceState"]


class InstanceState(StrEnum):
    """What has become of a received instance. A value is kept for ever."""

    RECEIVED = "received"  # waits to be read
    READING = "reading"  # somebody has claimed it
    READ = "read"
    REFUSED = "refused"  # no frontal chest radiograph, or damaged
    SKIPPED = "skipped"  # a rule says that it is not read
    FAILED = "failed"  # could not be read by no fault of its own; may be tried again


FINISHED = frozenset(
    {InstanceState.READ, InstanceState.REFUSED, InstanceState.SKIPPED, InstanceState.FAILED}
)
"""States in which nobody has anything left to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceIdentity:
    """What an instance says of itself, as unique identifiers; those of the patient's are personal.

    Attributes:
        sop_class_uid: (0008,0016), what kind of object it is.
        sop_instance_uid: (0008,0018), which one.
        study_uid: (0020,000D); empty where none, or no valid one, is stated.
        series_uid: (0020,000E); empty likewise.
        transfer_syntax_uid: (0002,0010), how it is written.
    """

    sop_class_uid: str
    sop_instance_uid: str = field(repr=False)
    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    transfer_syntax_uid: str
