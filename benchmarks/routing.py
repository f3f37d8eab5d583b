"""Decision time of each routing logic: one slice against all books, nothing but deciding.

Many different decisions, each several times: its median is what it costs. All runs together say
what a client waits for on this machine, which is busy with other things besides.
"""

import gc
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.messages.core import (
    BookState,
    Cause,
    Level,
    OrderKind,
    PlacementLeg,
    RoutingLogic,
    Side,
    StrategyKind,
    TimeInForce,
    Urgency,
    VenueKind,
)
from schemas.messages.netting import EpochOpened, ParentOpened
from schemas.messages.plans import PlacementSolved
from schemas.messages.routing import RouteDecided
from schemas.messages.strategy import SliceReleased
from streams.core.bucket import cell_key
from streams.core.market import Instrument, Quote, Venue, VenueBook
from streams.routing import ROUTING
from streams.routing.commands import MarketBooks, RouteSlice
from streams.routing.state import Record, RoutingState, VenueRecord

__all__ = ["LOGICS", "SWEEP_LIMIT_US", "Timing", "measure", "show"]

SWEEP_LIMIT_US = 200
VARIANTS = 100
RUNS = 21
TICK = 10_000_000
MID = 100_000_000_000
LOT = 100
NS = 1_700_000_000_000_000_000
INSTRUMENT = "ACME"
# Name, logic of the slice, venues, levels, quantity, dark venues, over-fill budget.
LOGICS: tuple[tuple[str, RoutingLogic, int, int, int, int, int], ...] = (
    ("sequential", RoutingLogic.SEQUENTIAL, 10, 10, 100, 0, 0),
    ("sequential and dark", RoutingLogic.SEQUENTIAL, 8, 10, 100, 2, 0),
    ("parallel", RoutingLogic.PARALLEL, 10, 10, 20_000, 0, 0),
    ("parallel over-subscribed", RoutingLogic.PARALLEL, 10, 10, 20_000, 0, 4_000),
    ("sweep", RoutingLogic.SWEEP, 10, 10, 20_000, 0, 0),
    ("sweep and dark", RoutingLogic.SWEEP, 8, 10, 20_000, 2, 0),
    ("liquidity seeking", RoutingLogic.LIQUIDITY_SEEKING, 4, 10, 20_000, 6, 0),
    ("passive split, solved", RoutingLogic.PASSIVE_SPLIT, 10, 10, 20_000, 0, 0),
    ("passive split, closed form", RoutingLogic.PASSIVE_SPLIT, 10, 10, 3_000, 0, 0),
)


@dataclass(frozen=True, slots=True)
class Timing:
    """Microseconds of a decision. `venues` and `levels`: what it looked at."""

    name: str
    venues: int
    levels: int
    decisions: int  # different ones: other sizes in the books, other quantities
    p50: float  # over the decisions, each by the median of its runs
    p99: float
    lived_p50: float  # over all runs of all decisions, with whatever interrupted them
    lived_p99: float


def measure(runs: int = RUNS) -> Iterator[Timing]:
    """Yield the decision time of every logic: folds, books and records are made before."""
    for name, logic, lit, levels, quantity, dark, budget in LOGICS:
        cases = []
        for variant in range(VARIANTS):
            market = _market(lit, levels, dark, variant)
            command = RouteSlice(slice_id="P.1", at_ns=NS, market=market)
            wanted = LOT * max(1, quantity * (50 + variant) // (100 * LOT))
            state = _state(logic, wanted, budget, market)
            decided = ROUTING.decide(state, command)
            if next(each for each in decided if isinstance(each, RouteDecided)).logic is logic:
                cases.append((state, command))
        assert len(cases) >= VARIANTS // 2, f"{name} decides {len(cases)} of {VARIANTS}"
        yield Timing(name, lit + dark, levels, len(cases), *_timed(cases, runs))


def _timed(
    cases: list[tuple[RoutingState, RouteSlice]], runs: int
) -> tuple[float, float, float, float]:
    """Return p50 and p99 of the decisions, then of all runs, microseconds of wall time.

    A virtual machine interrupts for 50 to 110 us every few ms: that is in 1 run of 30, and says
    nothing of a decision, whose own time is therefore the median of its runs.
    """
    gc.collect()
    gc.disable()
    try:
        taken: list[list[int]] = [[] for _ in cases]
        for _ in range(runs):
            for each, (state, command) in zip(taken, cases, strict=True):
                began_ns = time.perf_counter_ns()
                ROUTING.decide(state, command)
                each.append(time.perf_counter_ns() - began_ns)
    finally:
        gc.enable()
    own = sorted(sorted(each)[runs // 2] for each in taken)
    lived = sorted(ns for each in taken for ns in each)
    own_p50, own_p99, lived_p50, lived_p99 = (
        each[len(each) * percent // 100] / 1_000 for each in (own, lived) for percent in (50, 99)
    )
    return own_p50, own_p99, lived_p50, lived_p99


def _market(lit: int, levels: int, dark: int, variant: int) -> MarketBooks:
    books = []
    for ordinal in range(lit + dark):
        is_dark = ordinal >= lit
        venue = Venue(
            venue_id=f"V{ordinal:02}",
            kind=VenueKind.DARK if is_dark else VenueKind.LIT,
            taker_fee_e9=(3 - ordinal % 4) * 1_000_000,
            maker_fee_e9=-(ordinal % 3) * 1_000_000,
            taker_fee_ppm=0,
            maker_fee_ppm=0,
            minimum_quantity=0,
            latency_ns=200_000 + 50_000 * ordinal,
        )
        shown = 0 if is_dark else levels
        books.append(
            VenueBook(
                venue=venue,
                state=BookState.OPEN,
                bids=tuple(_level(-2 - step, ordinal, variant) for step in range(shown)),
                asks=tuple(_level(2 + step, ordinal, variant) for step in range(shown)),
                at_ns=NS,
                event_id=ordinal.to_bytes(16, "big"),
            )
        )
    return MarketBooks(
        instrument=_instrument(),
        quote=Quote(
            bid_e9=MID - 2 * TICK,
            ask_e9=MID + 2 * TICK,
            bid_venue_id="V00",
            ask_venue_id="V00",
            bid_event_id=bytes(16),
            ask_event_id=bytes(16),
            at_ns=NS,
        ),
        books=tuple(books),
        age_max_ns=5_000_000_000,
        crossed_max_ns=1_000_000_000,
        placements=(_solved(books),),
    )


def _level(steps: int, ordinal: int, variant: int) -> Level:
    lots = 3 + (7 * steps + ordinal + variant * (ordinal + 3)) % 5
    return Level(price_e9=MID + steps * TICK, quantity=LOT * lots)


def _instrument() -> Instrument:
    return Instrument(
        instrument_id=INSTRUMENT,
        currency="USD",
        tick_e9=TICK,
        lot=LOT,
        quantity_scale=1,
        maximum_quantity=10**9,
        session_open_ns=NS - 10**12,
        session_close_ns=NS + 10**13,
        trade_date=20_261_120,
    )


def _solved(books: list[VenueBook]) -> PlacementSolved:

    legs = tuple(
        PlacementLeg(
            venue_id=book.venue.venue_id,
            quantity=LOT * 10,
            ahead_quantity=book.bids[0].quantity,
        )
        for book in books
        if book.bids
    )
    return PlacementSolved(
        instrument_id=INSTRUMENT,
        side=Side.BUY,
        size_bucket=7,
        quantity=20_000,
        model="cont-kukanov/1",
        solved_ns=NS,
        valid_ns=60_000_000_000,
        market_quantity=10_000,
        legs=legs,
        cost_bps_e9=1_000_000_000,
        bound_bps_e9=999_000_000,
        gap_bps_e9=1_000_000,
        scenarios=200,
        midpoint_e9=MID,
        spread_e9=4 * TICK,
    )


def _state(logic: RoutingLogic, quantity: int, budget: int, market: MarketBooks) -> RoutingState:
    state = ROUTING.fold(_history(logic, quantity, budget))
    state.buckets[INSTRUMENT] = "medium"
    for book in market.books:
        # Every venue has answered before, as on any day but the first minute of the first.
        state.venues[book.venue.venue_id] = VenueRecord(latencies_ns=[1_000_000] * 100)
        for kind in (OrderKind.PASSIVE, OrderKind.AGGRESSIVE, OrderKind.DARK):
            key = cell_key(book.venue.venue_id, kind, "medium", Side.BUY)
            state.records[key] = _record(kind)
    return state


def _record(kind: OrderKind) -> Record:
    tail: tuple[Any, ...] = ((), (), ())
    if kind is OrderKind.DARK:
        sizes = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000)
        chances = tuple(10**9 * 4 // (5 + step) for step in range(len(sizes)))
        tail = (sizes, chances, tuple(10**10 for _ in sizes))
    return Record(
        9,
        40 * 10**9,
        600_000_000,
        10_000_000,
        100_000_000,
        200_000_000,
        50_000_000,
        900_000,
        40_000_000,
        5_000_000,
        *tail,
    )


def _history(logic: RoutingLogic, quantity: int, budget: int) -> tuple[Any, ...]:
    parent = ParentOpened(
        parent_id="P",
        group_id="",
        tenant="T",
        instrument_id=INSTRUMENT,
        side=Side.BUY,
        quantity=quantity,
        limit_price_e9=None,
        time_in_force=TimeInForce.DAY,
        strategy=StrategyKind.IMMEDIATE,
        urgency=Urgency.URGENT,
        start_ns=NS,
        end_ns=NS + 10**12,
        participation_cap_bps=10_000,
        is_dark_allowed=True,
        self_trade_id="S",
        arrival_price_e9=MID,
    )
    epoch = EpochOpened(
        parent_id="P",
        epoch=1,
        quantity=quantity,
        parent_quantity=quantity,
        members=(),
        cause=Cause.OPENED,
    )
    released = SliceReleased(
        slice_id="P.1",
        parent_id="P",
        epoch=1,
        instrument_id=INSTRUMENT,
        side=Side.BUY,
        quantity=quantity,
        limit_price_e9=None,
        logic=logic,
        is_dark_allowed=True,
        deadline_ns=NS + 10**11,
        self_trade_id="S",
        cause=Cause.BIN,
        urgency=Urgency.NEUTRAL,
        overfill_quantity=budget,
    )
    return parent, epoch, released


def show(runs: int = RUNS) -> None:
    """Print the table; the sweep beside its limit."""
    print("routing: one decision, microseconds, everything in memory; lived: with interruptions")
    for timing in measure(runs):
        limit = f", limit {SWEEP_LIMIT_US}" if timing.name == "sweep" else ""
        print(
            f"  {timing.name:28} {timing.venues:2} venues x {timing.levels} levels, "
            f"{timing.decisions} decisions: p50 {timing.p50:.0f}, p99 {timing.p99:.0f}{limit}; "
            f"lived p50 {timing.lived_p50:.0f}, p99 {timing.lived_p99:.0f}"
        )


if __name__ == "__main__":
    show()
