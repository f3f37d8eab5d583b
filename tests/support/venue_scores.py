"""What the scorecard says of venues, the books they show, and a routed slice, for tests."""

from typing import Any

from schemas.messages.core import (
    Estimate,
    OrderKind,
    Side,
    VenueKind,
)
from schemas.messages.routing import (
    ChildPlaced,
    RouteDecided,
)
from schemas.messages.scorecard import InstrumentBucketed, VenueScored
from streams.core.market import VenueBook
from streams.routing import ROUTING
from streams.routing.commands import RouteSlice
from streams.routing.state import RoutingState
from tests.support.builders import (
    ACME,
    OPEN_NS,
    SECOND,
    quote,
    venue,
    venue_book,
)
from tests.support.routing import (
    market,
)

E9 = 1_000_000_000
WIDE = quote(9_995, 10_005)
BUCKET = InstrumentBucketed(instrument_id=ACME, bucket="medium", lot=1, tick_bps_e9=E9)
NOTHING = Estimate(mean_e9=0, error_e9=0, weight_e9=20 * E9)


def scored(venue_id: str, kind: OrderKind, fill_e9: int, **changes: Any) -> VenueScored:
    """Return what the scorecard says of a venue after twenty children: perfect but for fills."""
    fields: dict[str, Any] = {
        "venue_id": venue_id,
        "kind": kind,
        "bucket": "medium",
        "side": Side.BUY,
        "version": 7,
        "scored_ns": OPEN_NS,
        "model": "",
        "children_e9": 20 * E9,
        "horizons_ns": (SECOND,),
        "fill_e9": (fill_e9,),
        "away_e9": (0,),
        "fill_error_e9": (0,),
        "time_to_fill_ns": SECOND,
        "ack_p50_ns": 1_000_000,
        "ack_p99_ns": 2_000_000,
        "markout_horizons_ns": (5 * SECOND,),
        "markouts": (NOTHING,),
        "cleanup_e9": 0,
        "score": NOTHING,
        "shrunk_e9": 0,
        "shrunk_error_e9": 0,
        "tail_lots": (),
        "tail_e9": (),
        "tail_at_risk_e9": (),
    }
    names = ("rejects", "busts", "effective", "latency", "realized", "fee", "leakage", "missed")
    fields.update(dict.fromkeys(names, NOTHING))
    return VenueScored(**{**fields, **changes})


def estimate(mean_e9: int) -> Estimate:
    return Estimate(mean_e9=mean_e9, error_e9=0, weight_e9=20 * E9)


def passive(venue_id: str, fill_percent: int, **changes: Any) -> VenueScored:
    return scored(venue_id, OrderKind.PASSIVE, fill_percent * E9 // 100, **changes)


def lit(venue_id: str, **changes: Any) -> VenueBook:
    terms = {name: changes.pop(name) for name in ("taker_fee_e9", "latency_ns") if name in changes}
    return venue_book(venue_id, venue=venue(venue_id, **terms), **changes)


def dark(venue_id: str = "D1") -> VenueBook:
    return venue_book(venue_id, venue=venue(venue_id, kind=VenueKind.DARK), bids=(), asks=())


def route(*history: Any, at_ns: int = OPEN_NS, **changes: Any) -> tuple[Any, ...]:
    state = ROUTING.fold(history)
    return decide(state, at_ns=at_ns, **changes)


def decide(state: RoutingState, at_ns: int = OPEN_NS, **changes: Any) -> tuple[Any, ...]:
    command = RouteSlice(slice_id="P.1", at_ns=at_ns, market=market(**changes))
    return ROUTING.decide(state, command)


def children(events: tuple[Any, ...]) -> list[ChildPlaced]:
    return [event for event in events if isinstance(event, ChildPlaced)]


def decision(events: tuple[Any, ...]) -> RouteDecided:
    (found,) = [event for event in events if isinstance(event, RouteDecided)]
    return found


def where(events: tuple[Any, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for child in children(events):
        found[child.venue_id] = found.get(child.venue_id, 0) + child.quantity
    return found


def tail(
    venue_id: str, *chances: float, seen: int = 30, fill: int = E9 // 2, **changes: Any
) -> VenueScored:
    """Return a pool whose chance to hold 10, 20, 50, 100... lots is as given."""
    sizes = (10, 20, 50, 100, 200)[: len(chances)]
    return scored(
        venue_id,
        OrderKind.DARK,
        fill,
        tail_lots=sizes,
        tail_e9=tuple(round(chance * E9) for chance in chances),
        tail_at_risk_e9=tuple(seen * E9 for _ in sizes),
        **changes,
    )
