"""The checker over real rounds: clean as they are, and every law of a cross named when broken."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from schemas.messages import core as c
from schemas.messages.allocation import CrossAllocated
from schemas.messages.control import (
    AccountDefined,
    CrossingDeclared,
    PairRestricted,
    VenueDefined,
)
from schemas.messages.intake import OrderAccepted
from schemas.messages.market import BookUpdated, TradingStatusChanged
from schemas.messages.netting import CrossExecuted, WindowClosed, WindowOpened
from streams.core import topics
from tests.support.audit_host import checked, recorded
from tests.support.audit_log import Batch
from tests.support.builders import (
    ACME,
    OPEN_NS,
    SECOND,
    TICK,
    book_updated,
    crossing_declared,
    settings_loaded,
)
from tests.support.scenario import Desk
from tests.support.shard_host import ListHost, trading_host

AT_MIDPOINT = {"limit_price_e9": 10_000 * TICK}
Break = Callable[[list[Batch]], object]


def restricted(one: str, other: str) -> PairRestricted:
    return PairRestricted(
        tenant="T1",
        level=c.PartyLevel.ACCOUNT,
        one=one,
        other=other,
        is_restricted=True,
        reason="same desk",
    )


def rounds() -> ListHost:
    """Own netting, a cross by weight and one with walls, at drawn instants, under a median."""
    host = trading_host(
        crossing_declared(random_ns=2 * SECOND, spread_median_bps=15_000),
        settings_loaded(window_ns=2 * SECOND),
        restricted("A6", "A7"),
    )
    desk = Desk(host)
    desk.act("wait", 12)
    twice = (c.Level(price_e9=10_000 * TICK, quantity=1),) * 2
    refused = book_updated("V2", bids=twice)
    actions: tuple[tuple[Any, ...], ...] = (
        ("buy", "b1", 500, {"account_id": "A2", **AT_MIDPOINT}),
        ("sell", "s1", 120, {"account_id": "A2", "source": "FIX", **AT_MIDPOINT}),
        ("buy", "b2", 90, {"account_id": "A3", **AT_MIDPOINT}),
        ("sell", "s2", 200, {"account_id": "A4", "source": "FIX", **AT_MIDPOINT}),
        *[("wait", 1)] * 6,
    )
    for action in actions:
        # The engine believes no such book, whose bid would be the best.
        host.put(topics.MARKET_DATA, refused, source_ns=host.now_ns + 1)
        desk.act(*action)
    desk.act("buy", "b3", 300, {"account_id": "A6", **AT_MIDPOINT})
    desk.act("buy", "b4", 100, {"account_id": "A5", **AT_MIDPOINT})
    desk.act("sell", "s3", 250, {"account_id": "A7", "source": "FIX", **AT_MIDPOINT})
    desk.act("sell", "s4", 50, {"account_id": "A8", "source": "FIX", **AT_MIDPOINT})
    desk.act("wait", 6)
    return host


@pytest.fixture(scope="module")
def host() -> ListHost:
    return rounds()


def test_rounds_of_every_kind_are_clean(host: ListHost) -> None:
    report = checked(recorded(host))
    assert [str(finding) for finding in report.findings] == []
    crosses = host.messages(CrossExecuted)
    kinds = [(cross.kind, bool(cross.pairs)) for cross in crosses]
    assert (c.CrossKind.OWN_NETTING, False) in kinds
    assert (c.CrossKind.CLIENT_CROSS, False) in kinds
    assert (c.CrossKind.CLIENT_CROSS, True) in kinds
    assert len(host.messages(WindowOpened)) == len(host.messages(WindowClosed)) >= 2
    assert all(cross.median_spread_e9 for cross in crosses)
    assert any(wait.waited_ns for w in host.messages(WindowClosed) for wait in w.waits)


def found(host: ListHost, breach: Break) -> dict[str, int]:
    batches = [
        msgspec.structs.replace(b, inputs=list(b.inputs), outputs=list(b.outputs))
        for b in recorded(host)
    ]
    breach(batches)
    return checked(batches).counts


def edit(kind: type[Any], change: Callable[[Any], Any], nth: int = 0) -> Break:
    """Return the breach that replaces the nth message of a kind, read or written."""

    def breach(batches: list[Batch]) -> None:
        places = [
            (events, i)
            for batch in batches
            for events in (batch.inputs, batch.outputs)
            for i, (_, message) in enumerate(events)
            if isinstance(message, kind)
        ]
        events, i = places[nth]
        topic, message = events[i]
        events[i] = (topic, change(message))

    return breach


def set_to(kind: type[Any], nth: int = 0, /, **fields: Any) -> Break:
    return edit(kind, lambda m: msgspec.structs.replace(m, **fields), nth)


def evidence(**fields: Any) -> Break:
    return edit(
        CrossExecuted,
        lambda m: msgspec.structs.replace(
            m, evidence=msgspec.structs.replace(m.evidence, **fields)
        ),
    )


def own(m: OrderAccepted) -> OrderAccepted:
    return msgspec.structs.replace(m, owner_id="A3")


def all_books(change: Callable[[BookUpdated], BookUpdated]) -> Break:
    def breach(batches: list[Batch]) -> None:
        for batch in batches:
            batch.inputs = [
                (topic, change(m) if isinstance(m, BookUpdated) else m) for topic, m in batch.inputs
            ]

    return breach


def before_the_first_cross(message: Any) -> Break:
    """Return the breach that lets the batch of the first cross read a message too."""

    def breach(batches: list[Batch]) -> None:
        batch = next(b for b in batches if any(isinstance(m, CrossExecuted) for _, m in b.outputs))
        is_control = not isinstance(message, BookUpdated | TradingStatusChanged)
        topic = topics.CONTROL_COMMANDS if is_control else topics.MARKET_DATA
        batch.inputs.append((topic, message))
        batch.times = [*batch.times, (batch.now_ns, batch.now_ns)]

    return breach


def pair(number: int, **fields: Any) -> Break:
    """Change one pair of the cross with walls."""

    def change(m: CrossExecuted) -> CrossExecuted:
        pairs = list(m.pairs)
        pairs[number] = msgspec.structs.replace(pairs[number], **fields)
        return msgspec.structs.replace(m, pairs=tuple(pairs))

    return edit(CrossExecuted, change, 2)


def weights(nth: int, side: str, change: int) -> Break:
    def edited(m: CrossExecuted) -> CrossExecuted:
        first, *rest = getattr(m, side)
        changed = msgspec.structs.replace(first, quantity=first.quantity + change)
        return msgspec.structs.replace(m, **{side: (changed, *rest)})

    return edit(CrossExecuted, edited, nth)


STATUS = c.TradingStatus
BREACHES: dict[str, Break] = {
    "another price": set_to(CrossExecuted, price_e9=10_000 * TICK + 1),
    "a quote that was not the best": evidence(bid_e9=9_990 * TICK, ask_e9=10_010 * TICK),
    "a quote of another venue": evidence(bid_venue_id="V2"),
    "a quote of another book": evidence(ask_event_id=b"x" * 16),
    "a quote of another time": evidence(quote_ns=OPEN_NS + 1),
    "a better book came first": before_the_first_cross(book_updated("V2", 10_000, 10_001)),
    "halted": before_the_first_cross(
        TradingStatusChanged(instrument_id=ACME, venue_id="", status=STATUS.HALTED)
    ),
    "in auction at one venue": before_the_first_cross(
        TradingStatusChanged(instrument_id=ACME, venue_id="V3", status=STATUS.AUCTION)
    ),
    "outside its price band": before_the_first_cross(
        TradingStatusChanged(
            instrument_id=ACME, venue_id="", status=STATUS.TRADING, upper_band_e9=9_000 * TICK
        )
    ),
    "no declaration": set_to(CrossingDeclared, is_allowed=False),
    "another declaration": set_to(CrossExecuted, declaration_id="D2"),
    "not in force yet": set_to(CrossingDeclared, effective_ns=OPEN_NS + 3600 * SECOND),
    "a quote too old": set_to(CrossingDeclared, quote_age_max_ns=-1),
    "a spread too wide": set_to(CrossingDeclared, spread_max_bps=1),
    "wider than usual": set_to(CrossingDeclared, spread_median_bps=9_000),
    "another median": set_to(CrossExecuted, median_spread_e9=TICK),
    "a dark venue's quote": edit(
        VenueDefined, lambda m: msgspec.structs.replace(m, kind=c.VenueKind.DARK)
    ),
    "no consent of the account": edit(
        AccountDefined, lambda m: msgspec.structs.replace(m, is_cross_allowed=False), 1
    ),
    "no consent of the order": set_to(OrderAccepted, is_cross_allowed=False),
    "not started": set_to(OrderAccepted, start_ns=OPEN_NS + 3600 * SECOND),
    "a worse limit": set_to(OrderAccepted, limit_price_e9=9_999 * TICK),
    "more than it wanted": weights(0, "buys", 1_000),
    "own netting of two owners": set_to(CrossExecuted, 1, kind=c.CrossKind.OWN_NETTING),
    "a trade within one owner": set_to(CrossExecuted, 0, kind=c.CrossKind.CLIENT_CROSS),
    "an owner on both sides": edit(OrderAccepted, own, 3),
    "a restriction ignored": edit(PairRestricted, lambda m: restricted("A3", "A4")),
    "a restriction too late": before_the_first_cross(restricted("A2", "A2")),
    "pairs that may not meet": pair(0, buy_order_id="", sell_order_id=""),
    "less than could meet": set_to(CrossExecuted, 1, quantity=1),
    "an instant too late": edit(
        WindowOpened, lambda m: msgspec.structs.replace(m, due_ns=m.due_ns + 4 * SECOND)
    ),
    "an instant too early": set_to(WindowOpened, due_ns=OPEN_NS),
    "chance that was not asked": set_to(WindowOpened, random_ns=9 * SECOND),
}


@pytest.mark.parametrize("name", BREACHES)
def test_each_broken_law_of_a_cross_is_found(host: ListHost, name: str) -> None:
    assert "CROSS" in found(host, BREACHES[name]), name


def no_walls(m: PairRestricted) -> PairRestricted:
    return restricted("A6", "A8")


def test_who_was_left_behind_is_found(host: ListHost) -> None:
    """The recorded walls keep A6 from A7: A5 meets A7, A6 meets A8. Any other wall is unfair."""
    assert "CROSS" in found(host, edit(PairRestricted, no_walls))


def wait(**fields: Any) -> Break:
    def edited(m: WindowClosed) -> WindowClosed:
        first, *rest = m.waits
        return msgspec.structs.replace(m, waits=(msgspec.structs.replace(first, **fields), *rest))

    return edit(WindowClosed, edited)


@pytest.mark.parametrize(
    ("breach", "code"),
    [
        (wait(waited_ns=1), "LINEAGE"),
        (wait(quantity=1), "LINEAGE"),
        (wait(arrival_price_e9=None), "LINEAGE"),
        (wait(cost_e9=1), "CONSERVATION_CASH"),
        (set_to(WindowClosed, waits=()), "LINEAGE"),
        (set_to(WindowClosed, crossed_quantity=1), "CONSERVATION_SHARES"),
        (set_to(WindowClosed, netted_quantity=0), "CONSERVATION_SHARES"),
        (edit(CrossAllocated, lambda m: msgspec.structs.replace(m, buys=m.sells), 2), "LINEAGE"),
    ],
)
def test_each_wrong_number_of_a_round_is_found(host: ListHost, breach: Break, code: str) -> None:
    assert code in found(host, breach)
