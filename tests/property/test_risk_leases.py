"""Parts of a limit never sum to more than it: any order, loss, repeat or crash.

A model of the two topics: each shard reads control.commands at its own pace, the coordinator reads
both at its own, forgets everything when it crashes, and may stop between deciding and recording.
"""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.messages.core import Cause, CommandKind, LimitKind, LimitScope, OrderStatus
from schemas.messages.intake import OrderAccepted, OrderClosed
from schemas.messages.risk import LeaseRecalled, LeaseReduced
from streams.risk import RISK, Gate, RiskState, apply, use
from streams.risk.commands import RecordVerdict, ReduceLease
from streams.risk.lease import bound_e9
from streams.risk.leases import Book, answer, see
from streams.risk.limits import E9
from streams.risk.state import lease_key, scope_key
from tests.support.builders import TRADE_DATE, order_accepted
from tests.support.limits import limit, limit_set, request

SHARDS = 3
SHARD = st.integers(0, SHARDS - 1)


class Leases(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.value = 100_001  # units; does not divide by three
        self.limit = limit(LimitKind.CREDIT, self.value, scope=LimitScope.CLIENT)
        self.key = lease_key(self.limit, "T1", "C1")
        self.states = [self._shard(number) for number in range(SHARDS)]
        self.control: list[Any] = []  # (event_id, message)
        self.decisions: list[list[Any]] = [[] for _ in range(SHARDS)]
        self.read = [0] * SHARDS  # of control, by shard
        self.orders: list[list[OrderAccepted]] = [[] for _ in range(SHARDS)]
        self.count = 0
        self._restart()

    def _shard(self, number: int) -> RiskState:
        state = RISK.initial()
        state.shard, state.partitions = number, SHARDS
        use(state, limit_set(self.limit), 1, "")
        return state

    def _restart(self) -> None:
        self.book = Book(partitions=SHARDS)
        self.seen_control = 0
        self.seen = [0] * SHARDS

    def _id(self) -> bytes:
        self.count += 1
        return self.count.to_bytes(16, "big")

    def _record(self, shard: int, events: tuple[Any, ...]) -> None:
        for event in events:
            RISK.evolve(self.states[shard], event)
            self.decisions[shard].append((self._id(), event))

    @rule(shard=SHARD, quantity=st.integers(1, 400))
    def order(self, shard: int, quantity: int) -> None:
        state = self.states[shard]
        asked = request(quantity=quantity)
        verdict = Gate(state).assess(asked)
        order_id = ""
        if verdict.breach is None:
            order_id = f"O{shard}.{self._id().hex()}"
            accepted = order_accepted(
                order_id, client_id="C1", quantity=quantity, unit_value_e9=verdict.unit_value_e9
            )
            RISK.evolve(state, accepted)
            self.orders[shard].append(accepted)
        command = RecordVerdict(
            request=asked, verdict=verdict, command=CommandKind.NEW, order_id=order_id
        )
        wished = tuple(
            each for each in RISK.decide(state, command) if type(each).__name__ == "LeaseRequested"
        )
        self._record(shard, wished)

    @rule(shard=SHARD)
    def end(self, shard: int) -> None:
        if self.orders[shard]:
            order = self.orders[shard].pop()
            closed = OrderClosed(
                order_id=order.order_id,
                status=OrderStatus.EXPIRED,
                cumulative_quantity=0,
                leaves_quantity=order.quantity,
                cause=Cause.END_OF_WINDOW,
            )
            RISK.evolve(self.states[shard], closed)

    @rule(shard=SHARD)
    def shard_reads(self, shard: int) -> None:
        if self.read[shard] < len(self.control):
            _, message = self.control[self.read[shard]]
            self.read[shard] += 1
            apply(self.states[shard], message, "coordinator")
            if isinstance(message, LeaseRecalled):
                self._record(shard, RISK.decide(self.states[shard], ReduceLease(message=message)))

    @rule(shard=SHARD)
    def coordinator_reads(self, shard: int) -> None:
        if self.seen[shard] < len(self.decisions[shard]):
            event_id, event = self.decisions[shard][self.seen[shard]]
            self.seen[shard] += 1
            see(self.book, event, event_id, shard)
        while self.seen_control < len(self.control):
            event_id, message = self.control[self.seen_control]
            self.seen_control += 1
            see(self.book, message, event_id, -1)

    @rule(is_recorded=st.booleans(), is_repeated=st.booleans())
    def coordinator_answers(self, is_recorded: bool, is_repeated: bool) -> None:
        if self.seen_control < len(self.control):
            return  # a coordinator that starts reads to the end before it answers
        commands = answer(self.book)
        if not is_recorded:
            self._restart()  # it died before its transaction was committed
            return
        for command in commands:
            event_id = self._id()
            self.control.extend([(event_id, command)] * (2 if is_repeated else 1))
        # It sees its own records when it reads them back.

    @rule()
    def coordinator_crashes(self) -> None:
        self._restart()

    @invariant()
    def parts_never_sum_to_more_than_the_limit(self) -> None:
        parts = [bound_e9(state, self.limit, self.key) for state in self.states]
        assert sum(parts) <= self.value * E9
        used = [self._used(state) for state in self.states]
        assert all(part >= use for part, use in zip(parts, used, strict=True))
        assert sum(used) <= self.value * E9

    def _used(self, state: RiskState) -> int:
        total = state.totals.get(scope_key(LimitScope.CLIENT, "T1", "C1"))
        if total is None or TRADE_DATE not in total.used:
            return 0
        return total.used[TRADE_DATE].value


TestLeases = Leases.TestCase
TestLeases.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


def settle(machine: Leases, *, is_repeated: bool = False) -> None:
    """Let everybody read and answer until nothing more is said, each record twice if asked."""
    for _ in range(50):
        for shard in range(SHARDS):
            while machine.read[shard] < len(machine.control):
                machine.shard_reads(shard)
            for _ in range(len(machine.decisions[shard]) - machine.seen[shard] + 1):
                machine.coordinator_reads(shard)
        if is_repeated:
            for shard, events in enumerate(machine.decisions):
                for event_id, event in events:
                    see(machine.book, event, event_id, shard)
        machine.coordinator_answers(True, is_repeated)
        machine.coordinator_reads(0)
        machine.parts_never_sum_to_more_than_the_limit()


def test_a_shard_that_needs_more_gets_what_others_can_spare() -> None:
    machine = Leases()
    part = machine.value // SHARDS // 100  # shares of 100.00 in a third
    machine.order(0, part)
    assert machine.states[0].asked
    machine.order(0, part)  # more than its third: refused until it has a larger part
    assert len(machine.orders[0]) == 1
    settle(machine)
    machine.order(0, part)
    assert len(machine.orders[0]) == 2
    machine.order(1, part)  # the others have given their third away
    assert not machine.orders[1]
    assert any(isinstance(event, LeaseReduced) for _, event in machine.decisions[1])


def test_a_request_that_nobody_can_serve_is_answered_and_may_be_made_again() -> None:
    machine = Leases()
    full = machine.value // SHARDS // 100
    for shard in range(SHARDS):
        machine.order(shard, full)
    settle(machine)
    assert all(not state.asked for state in machine.states)
    machine.order(0, 10)
    assert len(machine.orders[0]) == 1
    machine.end(1)
    machine.order(0, 10)
    settle(machine)
    machine.order(0, 10)
    assert len(machine.orders[0]) == 2


def test_records_that_come_twice_count_once() -> None:
    once, twice = Leases(), Leases()
    part = once.value // SHARDS // 100
    for machine, is_repeated in ((once, False), (twice, True)):
        machine.order(0, part)
        settle(machine, is_repeated=is_repeated)
        machine.order(0, part)
        settle(machine, is_repeated=is_repeated)
    for state, other in zip(once.states, twice.states, strict=True):
        assert bound_e9(state, once.limit, once.key) == bound_e9(other, twice.limit, twice.key)
    assert twice.book.free_e9 == once.book.free_e9
