"""What risk is asked to record: a verdict that is more than yes, and people's decisions."""

import msgspec

from schemas.messages.core import CommandKind
from schemas.messages.risk import LeaseRecalled, LimitsApproved, ThrottleReleased
from streams.risk.request import Request, Verdict

__all__ = [
    "ApproveLimits",
    "RecordVerdict",
    "ReduceLease",
    "ReleaseFlow",
    "RiskCommand",
]


class RecordVerdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Intake has answered a command that the limits had something to say about."""

    request: Request
    verdict: Verdict
    command: CommandKind
    order_id: str  # of the order that was accepted or replaced; empty after a refusal


class ApproveLimits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    message: LimitsApproved
    actor: str


class ReleaseFlow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    message: ThrottleReleased
    actor: str
    at_ns: int


class ReduceLease(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    message: LeaseRecalled


RiskCommand = RecordVerdict | ApproveLimits | ReleaseFlow | ReduceLease
