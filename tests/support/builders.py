"""Small builders of messages with defaults; keyword arguments override any field."""

import json
from hashlib import sha256
from typing import Any

from schemas.messages.control import (
    AccountDefined,
    CrossingDeclared,
    InstrumentDefined,
    SettingsLoaded,
    VenueDefined,
    VolumeCurveDefined,
)
from schemas.messages.core import (
    BasketEntry,
    BasketMode,
    BookState,
    ExecType,
    Level,
    Liquidity,
    MassCancelScope,
    OrderStatus,
    OrderType,
    Side,
    StrategyKind,
    TimeInForce,
    Urgency,
    VenueKind,
)
from schemas.messages.intake import (
    CancelOrder,
    MassCancelOrder,
    NewBasket,
    NewOrder,
    OrderAccepted,
    ReplaceOrder,
)
from schemas.messages.market import BookUpdated
from schemas.messages.venues import ExecutionReport
from streams.core.market import Account, Instrument, Quote, Venue, VenueBook

SECOND = 1_000_000_000  # ns
MINUTE = 60 * SECOND
OPEN_NS = 1_750_000_000 * SECOND
CLOSE_NS = OPEN_NS + 60 * MINUTE
TRADE_DATE = 20250615
EURO = 1_000_000_000  # price_e9 of 1.00
TICK = 10_000_000  # 0.01
ACME = "ACME"
NO_ID = bytes(16)


_INSTRUMENT: dict[str, Any] = {
    "instrument_id": ACME,
    "currency": "EUR",
    "tick_e9": TICK,
    "lot": 1,
    "quantity_scale": 1,
    "maximum_quantity": 1_000_000,
    "session_open_ns": OPEN_NS,
    "session_close_ns": CLOSE_NS,
    "trade_date": TRADE_DATE,
}
_VENUE: dict[str, Any] = {
    "kind": VenueKind.LIT,
    "taker_fee_e9": 3_000_000,
    "maker_fee_e9": -2_000_000,
    "taker_fee_ppm": 0,
    "maker_fee_ppm": 0,
    "minimum_quantity": 1,
    "latency_ns": 1_000_000,
}


def instrument(**changes: Any) -> Instrument:
    """Return a share with ticks of 0.01 and lots of 1, open for an hour from OPEN_NS."""
    return Instrument(**{**_INSTRUMENT, **changes})


def instrument_defined(**changes: Any) -> InstrumentDefined:
    """Return the message that defines the same share."""
    return InstrumentDefined(**{"symbol": "Acme", **_INSTRUMENT, **changes})


def venue(venue_id: str = "V1", **changes: Any) -> Venue:
    return Venue(**{"venue_id": venue_id, **_VENUE, **changes})


def venue_defined(venue_id: str = "V1", **changes: Any) -> VenueDefined:
    """Return the message that defines the same venue."""
    return VenueDefined(**{"venue_id": venue_id, "name": venue_id, **_VENUE, **changes})


def account(account_id: str = "A1", **changes: Any) -> Account:
    """Return the same as deciders see it."""
    return Account(
        **{
            "account_id": account_id,
            "tenant": "T1",
            "client_id": "C1",
            "owner_id": account_id,
            **changes,
        }
    )


def account_defined(account_id: str = "A1", **changes: Any) -> AccountDefined:
    return AccountDefined(
        **{
            "account_id": account_id,
            "client_id": "C1",
            "tenant": "T1",
            "is_enabled": True,
            **changes,
        }
    )


def crossing_declared(**changes: Any) -> CrossingDeclared:
    return CrossingDeclared(
        **{
            "declaration_id": "D1",
            "tenant": "T1",
            "is_allowed": True,
            "quote_age_max_ns": 2 * SECOND,
            "spread_max_bps": 100,
            **changes,
        }
    )


def volume_curve(**changes: Any) -> VolumeCurveDefined:
    """Return a flat curve of twelve bins of five minutes from OPEN_NS."""
    return VolumeCurveDefined(
        **{
            "instrument_id": ACME,
            "model": "test",
            "bin_ns": 5 * MINUTE,
            "first_bin_ns": OPEN_NS,
            "log_volume_e9": (9_000_000_000,) * 12,
            "a_eta_e9": 900_000_000,
            "a_mu_e9": 500_000_000,
            "var_eta_e9": 10_000_000,
            "var_mu_e9": 10_000_000,
            "var_noise_e9": 50_000_000,
            **changes,
        }
    )


def settings_loaded(**fields: Any) -> SettingsLoaded:
    """Return settings of the engine; fields as in streams/shard/settings.py."""
    content = json.dumps(fields, sort_keys=True)
    digest = sha256(content.encode()).hexdigest()
    return SettingsLoaded(context="engine", content=content, sha256=digest)


def book_updated(
    venue_id: str = "V1", bid: int = 9_999, ask: int = 10_001, size: int = 1_000, **changes: Any
) -> BookUpdated:
    """Return a book of five levels a side; `bid` and `ask` in ticks."""
    return BookUpdated(
        **{
            "venue_id": venue_id,
            "instrument_id": ACME,
            "state": BookState.OPEN,
            "bids": tuple(Level(price_e9=(bid - i) * TICK, quantity=size) for i in range(5)),
            "asks": tuple(Level(price_e9=(ask + i) * TICK, quantity=size) for i in range(5)),
            **changes,
        }
    )


def venue_book(
    venue_id: str = "V1", bid: int = 9_999, ask: int = 10_001, size: int = 1_000, **changes: Any
) -> VenueBook:
    """Return the same as deciders see it."""
    updated = book_updated(venue_id, bid, ask, size)
    return VenueBook(
        **{
            "venue": venue(venue_id),
            "state": updated.state,
            "bids": updated.bids,
            "asks": updated.asks,
            "at_ns": OPEN_NS,
            "event_id": NO_ID,
            **changes,
        }
    )


def quote(bid: int = 9_999, ask: int = 10_001, **changes: Any) -> Quote:
    """Return a quote of one venue; `bid` and `ask` in ticks."""
    return Quote(
        **{
            "bid_e9": bid * TICK,
            "ask_e9": ask * TICK,
            "bid_venue_id": "V1",
            "ask_venue_id": "V1",
            "bid_event_id": NO_ID,
            "ask_event_id": NO_ID,
            "at_ns": OPEN_NS,
            **changes,
        }
    )


def new_order(client_order_id: str = "c1", **changes: Any) -> NewOrder:
    """Return a market order to buy 100 ACME by TWAP until the close."""
    return NewOrder(
        **{
            "tenant": "T1",
            "source": "OMS",
            "client_order_id": client_order_id,
            "account_id": "A1",
            "desk_id": "DESK",
            "instrument_id": ACME,
            "trade_date": TRADE_DATE,
            "side": Side.BUY,
            "quantity": 100,
            "order_type": OrderType.MARKET,
            "limit_price_e9": None,
            "time_in_force": TimeInForce.DAY,
            "strategy": StrategyKind.TWAP,
            "urgency": Urgency.NEUTRAL,
            "start_ns": 0,
            "end_ns": 0,
            "participation_cap_bps": 10_000,
            "is_cross_allowed": True,
            "is_dark_allowed": True,
            **changes,
        }
    )


def cancel_order(client_order_id: str = "c2", original: str = "c1", **changes: Any) -> CancelOrder:
    return CancelOrder(
        **{
            "tenant": "T1",
            "source": "OMS",
            "client_order_id": client_order_id,
            "original_client_order_id": original,
            "instrument_id": ACME,
            "trade_date": TRADE_DATE,
            **changes,
        }
    )


def mass_cancel_order(client_order_id: str = "m1", **changes: Any) -> MassCancelOrder:
    """Return a cancel of every order of the source."""
    return MassCancelOrder(
        **{
            "tenant": "T1",
            "source": "OMS",
            "client_order_id": client_order_id,
            "trade_date": TRADE_DATE,
            "scope": MassCancelScope.ALL,
            "scope_id": "",
            "is_every_source": False,
            **changes,
        }
    )


def basket_entry(client_order_id: str, **changes: Any) -> BasketEntry:
    """Return an order as an entry of a basket."""
    message = new_order(client_order_id, **changes)
    names = BasketEntry.__struct_fields__
    return BasketEntry(**{name: getattr(message, name) for name in names})


def new_basket(
    *entries: BasketEntry, mode: BasketMode = BasketMode.ALL_OR_NONE, **changes: Any
) -> NewBasket:
    return NewBasket(
        **{
            "tenant": "T1",
            "source": "OMS",
            "basket_id": "B1",
            "trade_date": TRADE_DATE,
            "mode": mode,
            "entries": entries,
            **changes,
        }
    )


def replace_order(
    client_order_id: str = "c2", original: str = "c1", **changes: Any
) -> ReplaceOrder:
    return ReplaceOrder(
        **{
            "tenant": "T1",
            "source": "OMS",
            "client_order_id": client_order_id,
            "original_client_order_id": original,
            "instrument_id": ACME,
            "trade_date": TRADE_DATE,
            "quantity": 100,
            "limit_price_e9": None,
            **changes,
        }
    )


def order_accepted(order_id: str = "Oabcdef.0.1", **changes: Any) -> OrderAccepted:
    """Return the acceptance of `new_order()` with another id and any other change."""
    return OrderAccepted(
        **{
            "order_id": order_id,
            "tenant": "T1",
            "source": "OMS",
            "client_order_id": order_id,
            "account_id": "A1",
            "desk_id": "DESK",
            "instrument_id": ACME,
            "trade_date": TRADE_DATE,
            "side": Side.BUY,
            "quantity": 100,
            "order_type": OrderType.MARKET,
            "limit_price_e9": None,
            "time_in_force": TimeInForce.DAY,
            "strategy": StrategyKind.TWAP,
            "urgency": Urgency.NEUTRAL,
            "start_ns": OPEN_NS,
            "end_ns": CLOSE_NS,
            "participation_cap_bps": 10_000,
            "is_cross_allowed": True,
            "is_dark_allowed": True,
            "group_id": "0123456789abcdef",
            "accepted_ns": OPEN_NS,
            "arrival_price_e9": 10_000 * TICK,
            "reference_version": 1,
            "command_digest": NO_ID,
            **changes,
        }
    )


def execution_report(child_id: str, exec_id: str, **changes: Any) -> ExecutionReport:
    """Return the report of a full fill of 100 at 100.00."""
    return ExecutionReport(
        **{
            "venue_id": "V1",
            "instrument_id": ACME,
            "child_id": child_id,
            "venue_order_id": f"vo-{child_id}",
            "exec_id": exec_id,
            "exec_ref_id": "",
            "exec_type": ExecType.TRADE,
            "order_status": OrderStatus.FILLED,
            "side": Side.BUY,
            "last_quantity": 100,
            "last_price_e9": 10_000 * TICK,
            "cumulative_quantity": 100,
            "leaves_quantity": 0,
            "fee_e9": 0,
            "liquidity": Liquidity.REMOVED,
            "text": "",
            "transact_ns": OPEN_NS,
            **changes,
        }
    )


def cancel_confirmed(child: Any, **changes: Any) -> ExecutionReport:
    """Return that a child, or the one that a request is about, is off its venue's book."""
    return execution_report(
        child.child_id,
        f"cx-{child.child_id}",
        **{
            "venue_id": child.venue_id,
            "exec_type": ExecType.CANCELED,
            "order_status": OrderStatus.CANCELED,
            "last_quantity": 0,
            "last_price_e9": None,
            "cumulative_quantity": 0,
            **changes,
        },
    )
