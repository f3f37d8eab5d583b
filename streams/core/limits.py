"""What intake is told of a limit that a command breaks; streams/risk measures, intake answers."""

import msgspec

from schemas.messages.core import RejectReason

__all__ = ["Breach"]


class Breach(msgspec.Struct, frozen=True, gc=False):
    """The first limit that a command breaks, in the words of a refusal."""

    reason: RejectReason
    limit_id: str
    field: str  # of the command
    value: str  # what the command would lead to
    bound: str  # the most that is allowed, with its unit
