"""Whatever is filled, busted, corrected and answered: clients are given what the street did."""

from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages import core as c
from schemas.messages.allocation import AllocationRestated, CashAllocated, FillAllocated
from schemas.messages.clearing import (
    AllocationReported,
    ClearingAnswered,
    ClearingStatusChanged,
    RepairRequested,
    TradeCaptured,
)
from schemas.messages.core import ClockMode
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from services.clearing.clearer import Rule
from services.clearing.reconciliation.run import reconcile
from streams.core import topics
from streams.core.apportion import largest_remainder
from tests.support.audit_log import Batch, Event, make
from tests.support.clearing_day import ClearingDay
from tests.support.clearing_log import beginning, closed, definitions, entries_of, log_of, order
from tests.support.clearing_log import parent as opened
from tests.support.day import Day
from tests.support.day_log import log_of as played_log
from tests.support.day_log import run_engine
from tests.support.memory_shard import settings as host_settings

MEMBERS = ("A", "B", "C")


class Act(NamedTuple):
    """One thing that happens; `pick` chooses the fill."""

    kind: str  # fill, bust, correct, cash
    quantity: int
    error: int
    price_e9: int
    fee_e9: int
    pick: int


acts = st.builds(
    Act,
    kind=st.sampled_from(("fill", "fill", "fill", "bust", "correct", "cash")),
    quantity=st.integers(1, 500),
    error=st.sampled_from((0, 0, 0, 1, 7)),
    price_e9=st.integers(1, 10**15),
    fee_e9=st.integers(-(10**10), 10**10),
    pick=st.integers(0, 10**6),
)


class World:
    """A parent of three orders whose fills come, go and change; its cash by largest remainder."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.fills: dict[str, tuple[int, int, int, int]] = {}  # paid, error, price, fee
        self.shares: dict[str, dict[str, int]] = {}
        self.changes = 0
        self.version = 0
        self.given: dict[str, tuple[int, int, int]] = {}

    def do(self, act: Act) -> None:
        live = [name for name, fill in self.fills.items() if fill[0]]
        if act.kind == "fill":
            self._fill(act)
        elif act.kind == "cash" or not live:
            self.cash()
        else:
            self._change(live[act.pick % len(live)], act)

    def cash(self) -> None:
        """Say the cash of the epoch as it stands, if it is not what was said."""
        totals = {name: sum(s.get(name, 0) for s in self.shares.values()) for name in MEMBERS}
        held = {name: quantity for name, quantity in totals.items() if quantity}
        cash = sum(fill[0] * fill[2] for fill in self.fills.values())
        fees = sum(fill[3] for fill in self.fills.values())
        parts = zip(
            held,
            held.values(),
            largest_remainder(cash, list(held.values())) if held else (),
            largest_remainder(fees, list(held.values())) if held else (),
            strict=True,
        )
        now = {name: (quantity, own, fee) for name, quantity, own, fee in parts}
        if now == self.given:
            return
        self.version, self.given = self.version + 1, now
        entries = tuple(
            c.CashEntry(order_id=name, quantity=quantity, cash_e9=own, fee_e9=fee)
            for name, (quantity, own, fee) in now.items()
        )
        event = make(
            CashAllocated,
            parent_id="P1",
            epoch=1,
            version=self.version,
            quantity=sum(held.values()),
            cash_e9=cash,
            fee_e9=fees,
            entries=entries,
        )
        self.events.append((topics.ALLOCATIONS_EVENTS, event))

    def _fill(self, act: Act) -> None:
        name = f"V1/E{len(self.fills)}"
        self.fills[name] = (act.quantity, act.error, act.price_e9, act.fee_e9)
        booked = make(
            FillBooked,
            **ids(name),
            quantity=act.quantity,
            error_quantity=act.error,
            price_e9=act.price_e9,
            cash_e9=act.price_e9 * act.quantity,
            fee_e9=act.fee_e9,
        )
        parts = largest_remainder(act.quantity, [1 + act.pick % 7, 2, 3])
        self.shares[name] = dict(zip(MEMBERS, parts, strict=True))
        allocated = make(
            FillAllocated, fill_id=name, parent_id="P1", epoch=1, quantity=act.quantity,
            entries=rows(self.shares[name]),
        )  # fmt: skip
        self.events += [(topics.FILLS_EVENTS, booked), (topics.ALLOCATIONS_EVENTS, allocated)]

    def _change(self, name: str, act: Act) -> None:
        paid, _, price_e9, _ = self.fills[name]
        self.changes += 1
        exec_id = f"C{self.changes}"
        event: Any
        if act.kind == "bust":
            event = make(
                FillBusted, **ids(name), bust_exec_id=exec_id, quantity=paid, price_e9=price_e9
            )
            self.fills[name] = (0, 0, price_e9, 0)
        else:
            now = (min(paid, act.quantity), act.error, act.price_e9, act.fee_e9)
            event = make(
                FillCorrected,
                **ids(name),
                correction_exec_id=exec_id,
                previous_quantity=paid,
                quantity=now[0],
                error_quantity=now[1],
                previous_price_e9=price_e9,
                price_e9=now[2],
                cash_e9=now[0] * now[2],
                fee_e9=now[3],
            )
            self.fills[name] = now
        self.events.append((topics.FILLS_EVENTS, event))
        shares = self.shares[name]
        after = largest_remainder(self.fills[name][0], list(shares.values()))
        taken = {
            member: new - old for (member, old), new in zip(shares.items(), after, strict=True)
        }
        self.shares[name] = dict(zip(MEMBERS, after, strict=True))
        if any(taken.values()):
            restated = make(
                AllocationRestated, parent_id="P1", epoch=1, fill_id=name, entries=rows(taken)
            )
            self.events.append((topics.ALLOCATIONS_EVENTS, restated))
        if self.version:
            self.cash()


def ids(name: str) -> dict[str, Any]:
    return {
        "fill_id": name,
        "exec_id": name.partition("/")[2],
        "child_id": "P1.1.1",
        "slice_id": "P1.1",
        "parent_id": "P1",
        "epoch": 1,
        "venue_id": "V1",
        "instrument_id": "ACME",
        "side": c.Side.BUY,
    }


def rows(parts: dict[str, int]) -> tuple[c.AllocationEntry, ...]:
    return tuple(
        c.AllocationEntry(order_id=name, quantity=quantity, cumulative_quantity=0)
        for name, quantity in parts.items()
        if quantity
    )


def newest(run: ClearingDay, kind: type[Any]) -> dict[str, Any]:
    """Return the newest report of each record that stands."""
    found: dict[str, Any] = {}
    gone: set[str] = set()
    for message in run.reports():
        if isinstance(message, kind):
            found[message.record_id] = message
        elif isinstance(message, ClearingStatusChanged) and message.status == "WITHDRAWN":
            gone.add(message.report_id)
    return {name: each for name, each in found.items() if each.report_id not in gone}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(acts, min_size=1, max_size=25), st.integers(0, 1_000), st.sampled_from((0, 400_000))
)
def test_clients_are_given_what_the_street_did_to_the_unit(
    happened: list[Act], seed: int, rejected_ppm: int
) -> None:
    world = World()
    for act in happened:
        world.do(act)
    world.cash()
    batches = {"begin": beginning_of_world()}
    for number in range(0, len(world.events), 3):  # three events a transaction
        batches[str(number)] = Batch(outputs=world.events[number : number + 3])
    batches["end"] = Batch(outputs=[closed("P1")])
    rule = Rule(seed=seed, rejected_ppm=rejected_ppm, late_ppm=400_000, twice_ppm=400_000)
    run = ClearingDay(log_of(batches), 1, rule=rule, batches=2)
    run.run()
    client, street = newest(run, AllocationReported), newest(run, TradeCaptured)
    paid = [
        (each.quantity - each.error_quantity, each.cash_e9 - each.error_cash_e9, each.fee_e9)
        for each in street.values()
    ]
    due = [(fill[0], fill[0] * fill[2], fill[3]) for fill in world.fills.values()]
    given_out = [(each.quantity, each.cash_e9, each.fee_e9) for each in client.values()]
    assert total(given_out) == total(paid) == total(due)
    for each in client.values():
        assert sum(part.quantity for part in each.parts) == each.quantity
        assert each.net_cash_e9 == each.cash_e9 + each.fee_e9
    for record_id, each in {**client, **street}.items():
        assert each.report_id == f"{record_id}:{each.version}"


def beginning_of_world() -> Batch:
    orders = [order(name, c.Side.BUY, 10**9) for name in MEMBERS]
    return Batch(inputs=definitions(), outputs=[*orders, *opened("P1", c.Side.BUY, A=1, B=1, C=1)])


def total(amounts: list[tuple[int, int, int]]) -> tuple[int, ...]:
    return tuple(sum(each[place] for each in amounts) for place in range(3))


@pytest.mark.parametrize("seed", range(20, 26))
def test_a_wild_day_of_the_engine_reconciles(seed: int) -> None:
    day = Day(seed, is_calm=False)
    day.run()
    log = played_log(day)
    run_engine(log, host_settings(ClockMode.TAPE), len(day.host.batches))
    ClearingDay(log, 1, rule=Rule(seed=seed)).run()
    result = reconcile(entries_of(log))
    assert result.breaks == ()
    assert result.fills > 20


words = st.one_of(st.text(max_size=12), st.sampled_from(("C@X1:1", "A@X1:1", "V1/E1:1", "A@X1:9")))
said = st.one_of(
    st.builds(
        ClearingAnswered,
        report_id=words,
        clearer_id=words,
        status=st.sampled_from(list(c.ClearingStatus)),
        reason=words,
        reference=words,
        answered_ns=st.integers(-(2**63), 2**63 - 1),
    ),
    st.builds(
        RepairRequested,
        report_id=words,
        changes=st.lists(
            st.builds(
                c.RepairChange,
                field=st.sampled_from(list(c.RepairField)),
                value=words,
                previous=words,
            ),
            max_size=3,
        ).map(tuple),
        reason=words,
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(said, words), max_size=20))
def test_whatever_is_said_stops_nothing_and_moves_no_money(spoken: list[tuple[Any, str]]) -> None:
    run = ClearingDay(log_of(beginning()), 1, is_silent=True)
    run.run()
    before = newest(run, AllocationReported) | newest(run, TradeCaptured)
    for message, actor in spoken:
        run.say(message, actor)
    run.run()
    after = newest(run, AllocationReported) | newest(run, TradeCaptured)
    for record_id, each in after.items():
        amounts = ("quantity", "cash_e9", "fee_e9", "side", "instrument_id", "trade_date")
        assert [getattr(each, a) for a in amounts] == [
            getattr(before[record_id], a) for a in amounts
        ]
