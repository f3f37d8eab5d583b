"""What the shard tells a round: consent, restrictions, trading status, the usual spread, chance."""

from typing import Any

import pytest

from schemas.messages.control import PairRestricted
from schemas.messages.core import (
    BookState,
    CrossGuard,
    CrossKind,
    PartyLevel,
    RejectReason,
    TradingStatus,
    VenueKind,
)
from schemas.messages.market import TradingStatusChanged
from schemas.messages.netting import CrossExecuted, ParentOpened, WindowClosed, WindowOpened
from schemas.messages.runtime import DeadLetter
from streams.core import topics
from streams.shard import EngineShard
from tests.support.builders import (
    ACME,
    OPEN_NS,
    SECOND,
    TICK,
    account_defined,
    book_updated,
    crossing_declared,
    settings_loaded,
    venue_defined,
)
from tests.support.scenario import Desk
from tests.support.shard_host import LOG_ID, ListHost, trading_host

AT_MIDPOINT = {"limit_price_e9": 10_000 * TICK}
WINDOW = settings_loaded(window_ns=2 * SECOND)


def restricted(one: str, other: str, **changes: Any) -> PairRestricted:
    return PairRestricted(
        **{
            "tenant": "T1",
            "level": PartyLevel.ACCOUNT,
            "one": one,
            "other": other,
            "is_restricted": True,
            "reason": "same desk",
            **changes,
        }
    )


def status(value: TradingStatus, venue_id: str = "") -> TradingStatusChanged:
    return TradingStatusChanged(instrument_id=ACME, venue_id=venue_id, status=value)


def round_of(
    host: ListHost, *before: Any, seller: str = "A3"
) -> tuple[WindowClosed, list[CrossExecuted]]:
    """A2 buys 500, the seller sells 200, A4 100; `before` is read after the first two."""
    desk = Desk(host)
    desk.act("buy", "c1", 500, {"account_id": "A2", **AT_MIDPOINT})
    desk.act("sell", "c2", 200, {"account_id": seller, "source": "FIX", **AT_MIDPOINT})
    if before:
        host.put(topics.CONTROL_COMMANDS, *before)
    desk.act("sell", "c3", 100, {"account_id": "A4", "source": "FIX", **AT_MIDPOINT})
    desk.act("wait", 2)
    (closed,) = host.messages(WindowClosed)
    crosses = host.messages(CrossExecuted)
    assert_restorable(host)
    return closed, crosses


def assert_restorable(host: ListHost) -> None:
    """A shard that folds the recorded batches, or goes on from any snapshot, is the live one."""
    restored = EngineShard(0, 1, LOG_ID)
    for batch in host.batches:
        restored.restore(batch)
    assert restored.snapshot() == host.app.snapshot()
    half = len(host.batches) // 2
    before = EngineShard(0, 1, LOG_ID)
    for batch in host.batches[:half]:
        before.restore(batch)
    after = EngineShard(0, 1, LOG_ID)
    after.load(before.snapshot())
    for batch in host.batches[half:]:
        after.restore(batch)
    assert after.snapshot() == host.app.snapshot()


def test_consent_may_be_withdrawn_while_an_order_waits() -> None:
    host = trading_host(crossing_declared(), WINDOW)
    refusing = account_defined("A3", is_cross_allowed=False)
    closed, (cross,) = round_of(host, refusing)
    assert cross.quantity == closed.crossed_quantity == 100
    assert [host.app.state.intake.orders[m.order_id].terms.account_id for m in cross.sells] == [
        "A4"
    ]


def test_restricted_accounts_do_not_meet_and_meet_again_when_it_is_lifted() -> None:
    host = trading_host(crossing_declared(), WINDOW, restricted("A3", "A2"))
    _, (cross,) = round_of(host)
    assert (cross.quantity, len(cross.pairs)) == (100, 1)
    assert cross.kind is CrossKind.CLIENT_CROSS
    lifted = trading_host(crossing_declared(), WINDOW, restricted("A3", "A2"))
    _, (cross,) = round_of(lifted, restricted("A2", "A3", is_restricted=False))
    assert (cross.quantity, cross.pairs) == (300, ())


@pytest.mark.parametrize(
    ("wrong", "reason", "field"),
    [
        (restricted("", "A2"), RejectReason.FIELD_EMPTY, "one"),
        (
            restricted("A1", "A2", level=PartyLevel.UNKNOWN),
            RejectReason.PARAMETER_OUT_OF_RANGE,
            "level",
        ),
    ],
)
def test_a_restriction_that_says_nothing_is_refused(
    wrong: PairRestricted, reason: RejectReason, field: str
) -> None:
    host = trading_host(wrong)
    (letter,) = host.messages(DeadLetter)
    assert (letter.reason, letter.field) == (reason, field)


@pytest.mark.parametrize(
    ("change", "guard"),
    [
        (status(TradingStatus.HALTED), CrossGuard.HALTED),
        (status(TradingStatus.PAUSED), CrossGuard.PAUSED),
        (status(TradingStatus.AUCTION), CrossGuard.AUCTION),
        (status(TradingStatus.HALTED, "V2"), CrossGuard.HALTED),
        (status(TradingStatus.TRADING, "V2"), CrossGuard.NONE),
    ],
)
def test_nothing_crosses_while_trading_is_interrupted(
    change: TradingStatusChanged, guard: CrossGuard
) -> None:
    host = trading_host(crossing_declared(), WINDOW)
    desk = Desk(host)
    desk.act("buy", "c1", 500, {"account_id": "A2", **AT_MIDPOINT})
    host.put(topics.MARKET_DATA, change)
    desk.act("sell", "c2", 200, {"account_id": "A3", "source": "FIX", **AT_MIDPOINT})
    desk.act("wait", 1)
    (closed,) = host.messages(WindowClosed)
    assert closed.guard is guard
    assert bool(host.messages(CrossExecuted)) == (guard is CrossGuard.NONE)
    assert_restorable(host)


def test_a_dark_venues_state_interrupts_nobody() -> None:
    dark = venue_defined("D1", kind=VenueKind.DARK)
    host = trading_host(crossing_declared(), WINDOW, dark)
    host.send(topics.MARKET_DATA, book_updated("D1", state=BookState.HALTED))
    closed, crosses = round_of(host)
    assert closed.guard is CrossGuard.NONE and crosses


def market(host: ListHost, seconds: int, spread: int) -> None:
    """Let every venue show that spread, once a second."""
    for _ in range(seconds):
        books = [book_updated(f"V{n}", 10_000 - spread, 10_000 + spread) for n in range(1, 4)]
        host.send(topics.MARKET_DATA, *books, after_ns=SECOND)


def test_the_usual_spread_is_evidence_of_a_cross() -> None:
    host = trading_host(crossing_declared(spread_median_bps=15_000), WINDOW)
    market(host, 20, 1)
    _, (cross,) = round_of(host)
    assert cross.median_spread_e9 == 2 * TICK


def test_the_median_is_of_the_newest_samples_one_a_second() -> None:
    host = trading_host(crossing_declared(spread_median_bps=15_000))
    view = host.app.state.market
    market(host, 8, 1)
    assert view.median_spread_e9(ACME) is None  # nine with the first books: too few
    market(host, 4, 3)
    assert view.median_spread_e9(ACME) == 2 * TICK
    host.send(topics.MARKET_DATA, book_updated("V1", 9_000, 11_000), book_updated("V1"))
    assert len(view.instruments[ACME].spreads) == 13
    market(host, 320, 5)
    assert view.instruments[ACME].spreads == [10 * TICK] * 301
    assert_restorable(host)


def test_spreads_are_not_sampled_unless_a_declaration_asks() -> None:
    host = trading_host(crossing_declared())
    market(host, 20, 1)
    assert host.app.state.market.instruments[ACME].spreads == []


@pytest.mark.parametrize(
    ("samples", "guard"), [(3, CrossGuard.NO_MEDIAN), (20, CrossGuard.WIDER_THAN_MEDIAN)]
)
def test_a_median_must_be_known_and_kept(samples: int, guard: CrossGuard) -> None:
    host = trading_host(crossing_declared(spread_median_bps=15_000), WINDOW)
    desk = Desk(host)
    host.send(topics.MARKET_DATA, *[book_updated(f"V{n}", 9_998, 10_002) for n in range(1, 4)])
    market(host, samples, 1)
    desk.act("buy", "c1", 500, {"account_id": "A2", **AT_MIDPOINT})
    desk.act("sell", "c2", 200, {"account_id": "A3", "source": "FIX", **AT_MIDPOINT})
    wide = [book_updated(f"V{n}", 9_998, 10_002) for n in range(1, 4)]
    host.put(topics.MARKET_DATA, *wide)
    host.step(host.now_ns + SECOND)
    (closed,) = host.messages(WindowClosed)
    assert closed.guard is guard


def test_a_declared_random_round_closes_at_the_instant_that_was_drawn() -> None:
    host = trading_host(crossing_declared(random_ns=5 * SECOND), WINDOW)
    desk = Desk(host)
    desk.act("buy", "c1", 500, {"account_id": "A2", **AT_MIDPOINT})
    desk.act("sell", "c2", 200, {"account_id": "A3", "source": "FIX", **AT_MIDPOINT})
    (opened,) = host.messages(WindowOpened)
    assert opened.due_ns != opened.opened_ns + opened.window_ns
    desk.act("wait", 8)
    (closed,) = host.messages(WindowClosed)
    (cross,) = host.messages(CrossExecuted)
    assert opened.due_ns <= cross.crossed_ns < opened.due_ns + SECOND
    assert closed.window == opened.window
    assert_restorable(host)


def test_one_owners_interest_nets_without_any_declaration() -> None:
    fund = [account_defined(f"A{n}", owner_id="FUND") for n in (2, 3)]
    host = trading_host(WINDOW, *fund)
    closed, (cross,) = round_of(host)
    assert (cross.kind, cross.quantity, cross.declaration_id) == (CrossKind.OWN_NETTING, 200, "")
    assert (closed.netted_quantity, closed.guard) == (200, CrossGuard.NOT_DECLARED)
    assert sorted(p.quantity for p in host.messages(ParentOpened)) == [100, 300]


def test_own_netting_can_be_switched_off() -> None:
    settings = settings_loaded(window_ns=2 * SECOND, own_spread_max_bps=0)
    closed, crosses = round_of(trading_host(settings), seller="A2")
    assert not crosses and closed.guard is CrossGuard.WIDE


def test_a_declaration_takes_effect_at_its_instant() -> None:
    later = crossing_declared(effective_ns=OPEN_NS + 3600 * SECOND)
    closed, crosses = round_of(trading_host(later, WINDOW))
    assert not crosses and closed.guard is CrossGuard.NOT_DECLARED
