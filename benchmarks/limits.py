"""Limits of a benchmark: every kind is asked and none of them is reached."""

import msgspec

from schemas.messages.core import LimitKind
from schemas.messages.risk import LimitsApproved, LimitsProposed
from streams.core.proposals import digest
from streams.risk.limits import BUILT_IN, LimitSet, canonical

__all__ = ["APPROVER", "approval", "proposal"]

APPROVER = "bench-risk"
PROPOSAL_ID = "bench"
WIDE = 1_000_000_000  # messages a second, orders of a flow: more than any machine makes
# Repeats are counted over a tenth of a second, so that memory stays that of a real day.
WINDOW_NS = 100_000_000


def _wide() -> LimitSet:
    limits = []
    for limit in BUILT_IN.limits:
        changes: dict[str, int] = {}
        if limit.kind in (LimitKind.CREDIT, LimitKind.POSITION, LimitKind.ORDER_TO_TRADE):
            changes = {"value": WIDE * 1_000}
        elif limit.kind is LimitKind.MESSAGE_RATE:
            changes = {"value": WIDE, "burst": WIDE}
        elif limit.kind in (LimitKind.DUPLICATE_FLOW, LimitKind.REPEATED_EXECUTION):
            changes = {"value": WIDE, "window_ns": WINDOW_NS}
        limits.append(msgspec.structs.replace(limit, **changes))
    return msgspec.structs.replace(BUILT_IN, limits=tuple(limits))


def proposal() -> LimitsProposed:
    content = canonical(_wide())
    return LimitsProposed(
        proposal_id=PROPOSAL_ID, content=content, sha256=digest(content), reason="benchmark"
    )


def approval() -> LimitsApproved:
    """Return the approval; its sender must be APPROVER, not the proposer."""
    sha256 = digest(canonical(_wide()))
    return LimitsApproved(proposal_id=PROPOSAL_ID, sha256=sha256, reason="benchmark")
