"""Nothing that stands in an input topic stops the shard or over-fills a parent."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages.core import (
    BookState,
    ExecType,
    Level,
    OrderStatus,
    OrderType,
    Side,
    StrategyKind,
    TimeInForce,
    Urgency,
)
from schemas.messages.intake import OrderAccepted
from streams.core import topics
from tests.support.builders import (
    ACME,
    CLOSE_NS,
    OPEN_NS,
    SECOND,
    TICK,
    book_updated,
    cancel_order,
    execution_report,
    new_order,
    replace_order,
)
from tests.support.scenario import Desk

LONG_MAX = 2**63 - 1
LONGS = st.sampled_from([-LONG_MAX - 1, -1, 0, 1, 7, 99, 100, 101, 10**9, LONG_MAX])
PRICES = st.one_of(st.none(), st.sampled_from([TICK, 9_990 * TICK, 10_010 * TICK]), LONGS)
TIMES = st.sampled_from([-1, 0, OPEN_NS, OPEN_NS + 9 * SECOND, CLOSE_NS, CLOSE_NS + 1, LONG_MAX])
NAMES = st.sampled_from(["", "c1", "c2", "c3", "x\0y", "é" * 64, "z" * 65])

ORDERS = st.builds(
    new_order,
    NAMES,
    instrument_id=st.sampled_from([ACME, "", "?"]),
    trade_date=st.one_of(st.just(20250615), LONGS),
    side=st.sampled_from(Side),
    quantity=LONGS,
    order_type=st.sampled_from(OrderType),
    limit_price_e9=PRICES,
    time_in_force=st.sampled_from(TimeInForce),
    strategy=st.sampled_from(StrategyKind),
    urgency=st.sampled_from(Urgency),
    start_ns=TIMES,
    end_ns=TIMES,
    participation_cap_bps=LONGS,
)
CHANGES = st.one_of(
    st.builds(cancel_order, NAMES, NAMES, tenant=st.sampled_from(["T1", "T2", ""])),
    st.builds(replace_order, NAMES, NAMES, quantity=LONGS, limit_price_e9=PRICES),
)
LEVELS = st.lists(
    st.builds(Level, price_e9=st.one_of(LONGS, st.just(10_000 * TICK)), quantity=LONGS), max_size=2
).map(tuple)
BOOKS = st.builds(
    book_updated,
    st.sampled_from(["V1", "V2", "?"]),
    state=st.sampled_from(BookState),
    bids=LEVELS,
    asks=LEVELS,
)
REPORTS = st.tuples(
    st.integers(0, 4),  # which child, of those placed so far; 4 stands for none of ours
    st.fixed_dictionaries(
        {
            "exec_id": st.sampled_from(["", "e1", "e2", "e3", "e4"]),
            "exec_ref_id": st.sampled_from(["", "e1", "e2", "e9"]),
            "venue_id": st.sampled_from(["V1", "V2", "V3", "?"]),
            "exec_type": st.sampled_from(ExecType),
            "order_status": st.sampled_from(OrderStatus),
            "last_quantity": LONGS,
            "last_price_e9": PRICES,
            "cumulative_quantity": LONGS,
            "leaves_quantity": LONGS,
            "fee_e9": LONGS,
        }
    ),
)


def poisoned(desk: Desk, drawn: Any) -> tuple[str, Any]:
    """Return the topic and the message of what was drawn."""
    if isinstance(drawn, tuple):
        which, changes = drawn
        child_id = desk.children[which].child_id if which < len(desk.children) else "P9.9.9"
        return topics.VENUES_REPORTS, execution_report(child_id, **changes)
    is_book = hasattr(drawn, "bids")
    return (topics.MARKET_DATA if is_book else topics.ORDERS_COMMANDS), drawn


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(ORDERS, CHANGES, BOOKS, REPORTS), max_size=12))
def test_no_input_stops_the_shard(inputs: list[Any]) -> None:
    desk = Desk()
    desk.act("buy", "good1", 100)
    desk.act("buy", "good2", 200, {"account_id": "A2"})
    for drawn in inputs:
        topic, message = poisoned(desk, drawn)
        desk.host.send(topic, message, after_ns=SECOND)
    # Whatever price was made up before, honest books of every venue take its place.
    for n in range(1, 4):
        desk.host.send(topics.MARKET_DATA, book_updated(f"V{n}"), after_ns=SECOND)
    after = desk.host.send(topics.ORDERS_COMMANDS, new_order("good3"), after_ns=SECOND)
    assert any(isinstance(message, OrderAccepted) for message in after)
