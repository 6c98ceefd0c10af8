"""Results on their way to other systems: where each of them stands."""

from enum import StrEnum

__all__ = ["UNDELIVERED", "DeliveryState"]


class DeliveryState(StrEnum):
    """What has become of a result for one destination. A value is kept for ever."""

    WAITING = "waiting"  # to be sent, for the first time or again
    SENT = "sent"  # the destination has confirmed it
    GIVEN_UP = "given up"  # tried for as long as the settings say; may be tried again
    DISCARDED = "discarded"  # a person has said that it is not to be sent


UNDELIVERED = frozenset({DeliveryState.WAITING, DeliveryState.GIVEN_UP})
"""States in which a result's file is still needed."""
