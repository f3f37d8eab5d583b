"""Builders of what a strategy is shown: parents, epochs, fills, returns, market, forecasts."""

from typing import Any

from schemas.messages.core import Cause, Liquidity, Member, Side, StrategyKind, TimeInForce, Urgency
from schemas.messages.netting import EpochOpened, ParentOpened
from schemas.messages.routing import FillBooked, FillBusted, SliceReturned
from schemas.messages.strategy import VolumeForecast
from streams.strategy.commands import Begin, MarketState, Recalibrate, Wake
from tests.support.builders import ACME, MINUTE, OPEN_NS, TICK, instrument, quote

PARENT = "Pabcdef.0.1"
ENTROPY = bytes(range(16))


def parent_opened(strategy: StrategyKind, **changes: Any) -> ParentOpened:
    """Return a parent to buy 1,000 at the market within ten minutes of the open."""
    return ParentOpened(
        **{
            "parent_id": PARENT,
            "group_id": "0123456789abcdef",
            "tenant": "T1",
            "instrument_id": ACME,
            "side": Side.BUY,
            "quantity": 1_000,
            "limit_price_e9": None,
            "time_in_force": TimeInForce.DAY,
            "strategy": strategy,
            "urgency": Urgency.NEUTRAL,
            "start_ns": OPEN_NS,
            "end_ns": OPEN_NS + 10 * MINUTE,
            "participation_cap_bps": 10_000,
            "is_dark_allowed": True,
            "self_trade_id": "T1.ACME",
            "arrival_price_e9": 10_000 * TICK,
            **changes,
        }
    )


def epoch_opened(quantity: int = 1_000, epoch: int = 1, **changes: Any) -> EpochOpened:
    return EpochOpened(
        **{
            "parent_id": PARENT,
            "epoch": epoch,
            "quantity": quantity,
            "parent_quantity": quantity,
            "members": (Member(order_id="O1", quantity=quantity),),
            "cause": Cause.OPENED,
            **changes,
        }
    )


def market(others: int = 0, **changes: Any) -> MarketState:
    state = {
        "instrument": instrument(),
        "quote": quote(),
        "others_quantity": others,
        "is_open": True,
    }
    return MarketState(**{**state, **changes})


def forecast(*volumes: int, bin_start_ns: int = OPEN_NS, bin_ns: int = MINUTE) -> VolumeForecast:
    return VolumeForecast(
        instrument_id=ACME,
        parent_id=PARENT,
        model="test",
        bin_start_ns=bin_start_ns,
        bin_ns=bin_ns,
        volumes=volumes,
    )


def _at(at_ns: int) -> dict[str, Any]:
    """Return what every command to a strategy says."""
    return {"parent_id": PARENT, "at_ns": at_ns, "entropy": ENTROPY, "market": market()}


def begin(at_ns: int = OPEN_NS, **changes: Any) -> Begin:
    return Begin(**{**_at(at_ns), "forecast": None, **changes})


def wake(at_ns: int, **changes: Any) -> Wake:
    return Wake(**{**_at(at_ns), "forecast": None, **changes})


def recalibrate(cause: Cause, at_ns: int, **changes: Any) -> Recalibrate:
    return Recalibrate(**{**_at(at_ns), "cause": cause, **changes})


def _fill(slice_ordinal: int, quantity: int) -> dict[str, Any]:
    """Return what a fill and what takes it back have in common."""
    slice_id = f"{PARENT}.{slice_ordinal}"
    return {
        "fill_id": "V1/E1",
        "exec_id": "E1",
        "child_id": f"{slice_id}.1",
        "slice_id": slice_id,
        "parent_id": PARENT,
        "epoch": 1,
        "venue_id": "V1",
        "instrument_id": ACME,
        "side": Side.BUY,
        "quantity": quantity,
        "error_quantity": 0,
        "price_e9": 10_000 * TICK,
        "cash_e9": quantity * 10_000 * TICK,
        "fee_e9": 0,
    }


def filled(quantity: int, slice_ordinal: int = 1, **changes: Any) -> FillBooked:
    return FillBooked(
        **{
            **_fill(slice_ordinal, quantity),
            "late_quantity": 0,
            "liquidity": Liquidity.ADDED,
            "midpoint_e9": 10_000 * TICK,
            **changes,
        }
    )


def busted(quantity: int, slice_ordinal: int = 1, **changes: Any) -> FillBusted:
    return FillBusted(**{**_fill(slice_ordinal, quantity), "bust_exec_id": "B1", **changes})


def returned(quantity: int, slice_ordinal: int = 1, **changes: Any) -> SliceReturned:
    return SliceReturned(
        **{
            "slice_id": f"{PARENT}.{slice_ordinal}",
            "parent_id": PARENT,
            "epoch": 1,
            "quantity": quantity,
            "is_closed": True,
            "cause": Cause.DEADLINE,
            **changes,
        }
    )
