"""Limits with defaults, put in force by two persons; what risk is asked."""

from typing import Any

from schemas.messages.core import (
    LimitKind,
    LimitScope,
    ReferencePrice,
    Side,
    StrategyKind,
)
from schemas.messages.risk import LimitsApproved, LimitsProposed, LocateGranted
from streams.core import topics
from streams.core.proposals import digest
from streams.risk.limits import Limit, LimitSet, canonical
from streams.risk.request import Reference, Request
from tests.support.builders import ACME, NO_ID, OPEN_NS, TICK, TRADE_DATE, instrument
from tests.support.shard_host import ListHost

ANN, BOB = "ann", "bob"
WINDOWED = (LimitKind.DUPLICATE_FLOW, LimitKind.REPEATED_EXECUTION)
BURSTING = (LimitKind.MESSAGE_RATE, LimitKind.ORDER_TO_TRADE)
SECOND_NS = 1_000_000_000


def limit(kind: LimitKind, value: int = 0, **changes: Any) -> Limit:
    """Return a limit of each firm (of each source for a rate); windows of a second, bursts of 1."""
    is_rate = kind is LimitKind.MESSAGE_RATE
    return Limit(
        **{
            "limit_id": f"test-{kind.value.lower()}",
            "kind": kind,
            "scope": LimitScope.SOURCE if is_rate else LimitScope.FIRM,
            "value": value,
            "window_ns": SECOND_NS if kind in WINDOWED else 0,
            "burst": 1 if kind in BURSTING else 0,
            **changes,
        }
    )


def limit_set(*limits: Limit, **changes: Any) -> LimitSet:
    """Return a set that values a market order at the reference price itself."""
    return LimitSet(limits=limits, **{"market_buffer_bps": 0, **changes})


def locate_granted(quantity: int = 100) -> LocateGranted:
    """Return that A1 may sell so much short today."""
    return LocateGranted(
        locate_id="L1",
        tenant="T1",
        account_id="A1",
        instrument_id=ACME,
        quantity=quantity,
        trade_date=TRADE_DATE,
    )


def proposed(limits: LimitSet, proposal_id: str = "p1", **changes: Any) -> LimitsProposed:
    content = canonical(limits)
    values = {"content": content, "sha256": digest(content), "reason": "test", **changes}
    return LimitsProposed(proposal_id=proposal_id, **values)


def approved(limits: LimitSet, proposal_id: str = "p1", **changes: Any) -> LimitsApproved:
    values = {"sha256": digest(canonical(limits)), "reason": "test", **changes}
    return LimitsApproved(proposal_id=proposal_id, **values)


def put_in_force(host: ListHost, limits: LimitSet, proposal_id: str = "p1") -> list[Any]:
    """Let ann propose and bob approve the limits; return what the shard writes."""
    host.put(topics.CONTROL_COMMANDS, proposed(limits, proposal_id), actor=ANN)
    host.put(topics.CONTROL_COMMANDS, approved(limits, proposal_id), actor=BOB)
    return host.step()


def request(**changes: Any) -> Request:
    """Return the question about a market order to buy 100 ACME, the market at 100.00."""
    return Request(
        **{
            "tenant": "T1",
            "source": "OMS",
            "client_order_id": "c1",
            "client_id": "C1",
            "account_id": "A1",
            "desk_id": "DESK",
            "strategy": StrategyKind.TWAP,
            "instrument": instrument(),
            "side": Side.BUY,
            "quantity": 100,
            "limit_price_e9": None,
            "trade_date": TRADE_DATE,
            "at_ns": OPEN_NS,
            "reference": Reference(ReferencePrice.MIDPOINT, 10_000 * TICK, (NO_ID,)),
            **changes,
        }
    )
