"""Credit holds at every event of any run; the shortcut says yes to nothing that a limit refuses."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages.core import LimitKind, LimitScope, Side
from schemas.messages.intake import OrderAccepted, OrderPendingReplace, OrderReplaced
from streams.risk import RISK, Gate, RiskState, use
from streams.risk.limits import BUILT_IN, E9, LimitSet
from streams.risk.state import scope_key
from tests.support.builders import EURO, OPEN_NS, SECOND, TRADE_DATE, instrument, order_accepted
from tests.support.day import Day
from tests.support.limits import limit, limit_set, put_in_force, request

K = LimitKind
FIRM_E9 = 400_000 * E9
CLIENT_E9 = 300_000 * E9
ACCOUNT_E9 = 60_000 * E9
LIMITS = limit_set(
    limit(K.CREDIT, FIRM_E9 // E9, scope=LimitScope.FIRM, limit_id="firm"),
    limit(K.CREDIT, CLIENT_E9 // E9, scope=LimitScope.CLIENT, limit_id="client"),
    limit(K.CREDIT, ACCOUNT_E9 // E9, scope=LimitScope.ACCOUNT, limit_id="account"),
    limit(K.POSITION, 700, scope=LimitScope.ACCOUNT, limit_id="position"),
)


class Ledger:
    """Open and executed credit of the day, counted from the events by other means than risk's."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.peak: dict[str, int] = {}
        self.positions: dict[tuple[str, str], list[int]] = {}

    def see(self, event: Any) -> None:
        name = type(event).__name__
        if name == "OrderAccepted":
            self.orders[event.order_id] = {
                "terms": event,
                "quantity": event.quantity,
                "unit": event.unit_value_e9,
                "filled": 0,
                "is_open": True,
            }
        elif name == "OrderReplaced":
            order = self.orders[event.order_id]
            order["quantity"] = event.quantity
            unit_e9 = event.unit_value_e9 or order.get("asked", order["unit"])
            order["unit"] = max(unit_e9, order["unit"]) if order["filled"] else unit_e9
        elif name == "OrderPendingReplace":
            self.orders[event.order_id]["asked"] = event.unit_value_e9
        elif name in ("OrderCanceled", "OrderClosed"):
            self.orders[event.order_id]["is_open"] = False
        elif name == "OrderRestated":
            is_open = event.status.value in ("NEW", "PARTIALLY_FILLED")
            self.orders[event.order_id]["is_open"] = is_open
        elif name in ("FillAllocated", "AllocationRestated"):
            for entry in event.entries:
                self.orders[entry.order_id]["filled"] += entry.quantity
        elif name == "CrossAllocated":
            for entry in (*event.buys, *event.sells):
                self.orders[entry.order_id]["filled"] += entry.quantity

    def used_e9(self, subject: str) -> int:
        """Return what orders of an account, a client or the firm have and may still get."""
        total = 0
        for order in self.orders.values():
            terms = order["terms"]
            if subject in (terms.tenant, terms.client_id, terms.account_id):
                quantity = order["quantity"] if order["is_open"] else order["filled"]
                total += quantity * order["unit"]
        return total

    def worst(self, account_id: str, instrument_id: str) -> int:
        """Return the largest position that the account's open orders could lead to."""
        net = buys = sells = 0
        for order in self.orders.values():
            terms = order["terms"]
            if (terms.account_id, terms.instrument_id) != (account_id, instrument_id):
                continue
            left = order["quantity"] - order["filled"] if order["is_open"] else 0
            if terms.side is Side.BUY:
                net, buys = net + order["filled"], buys + left
            else:
                net, sells = net - order["filled"], sells + left
        return max(net + buys, sells - net)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_open_and_executed_never_exceed_a_limit_at_any_event(seed: int, is_calm: bool) -> None:
    day = Day(seed, is_calm=is_calm)
    put_in_force(day.host, LIMITS)
    ledger = Ledger()
    refused: set[str] = set()
    reached = 0

    def after_batch(batch: Any) -> None:
        nonlocal reached
        for event in batch.outputs:
            ledger.see(event.message)
            refused.add(getattr(event.message, "limit_id", ""))
            if isinstance(event.message, OrderAccepted | OrderReplaced | OrderPendingReplace):
                check()

    def check() -> None:
        nonlocal reached
        assert ledger.used_e9("T1") <= FIRM_E9
        assert ledger.used_e9("C1") <= CLIENT_E9
        for number in range(1, 10):
            used_e9 = ledger.used_e9(f"A{number}")
            assert used_e9 <= ACCOUNT_E9
            reached = max(reached, used_e9)
            for name in ("ACME", "BOLT"):
                assert ledger.worst(f"A{number}", name) <= 700

    day.run(after_batch)
    check()
    # The day presses against its limits: the law is not kept by having nothing to do.
    assert reached > ACCOUNT_E9 // 2
    assert refused & {"client", "account", "position"}
    for subject, scope in (("T1", LimitScope.FIRM), ("C1", LimitScope.CLIENT)):
        total = day.host.app.state.risk.totals[scope_key(scope, "T1", subject)]
        assert total.used[TRADE_DATE].value == ledger.used_e9(subject)


# Near what the requests below come to, so that bounds are met and missed by one.
VALUES = {
    K.ORDER_QUANTITY: (0, 49, 50, 100),
    K.ORDER_NOTIONAL: (4_999, 5_000, 9_999, 10_000, 10_100),
    K.ADV_BPS: (1_249, 1_250, 2_499, 2_500),
    K.PRICE_COLLAR_BPS: (0, 999, 1_000, 1_099, 1_100),
    K.CREDIT: (1, 5_000, 10_000, 15_000, 20_000, 30_000, 40_000, 60_000),
    K.POSITION: (0, 50, 100, 101, 150, 200, 250),
    K.DUPLICATE_FLOW: (0, 1, 2, 3),
    K.MESSAGE_RATE: (1, 2, 3),
    K.REPEATED_EXECUTION: (1, 2, 3, 4),
    K.ORDER_TO_TRADE: (1, 2, 3),
    K.LOCATE: (0,),
}


@st.composite
def sets(draw: Any) -> LimitSet:
    """Draw a set of one or two limits, so that a verdict hangs on each."""
    chosen = draw(st.lists(st.sampled_from(BUILT_IN.limits), min_size=1, max_size=2, unique=True))
    return limit_set(
        *(
            limit(
                each.kind,
                draw(st.sampled_from(VALUES[each.kind])),
                limit_id=each.limit_id,
                scope=each.scope,
                burst=draw(st.integers(1, 4)) if each.burst else 0,
                is_shadow=draw(st.integers(0, 5)) == 0,
            )
            for each in chosen
        )
    )


def state_of(limits: LimitSet, seed: int, partitions: int) -> RiskState:
    random = Random(seed)
    state = RISK.initial()
    state.partitions, state.shard = partitions, random.randrange(partitions)
    use(state, limits, 1, "")
    for number in range(random.randrange(6)):
        accepted = order_accepted(
            f"Oabcdef.0.{number}",
            client_id="C1",
            account_id=random.choice(("A1", "A2")),
            side=random.choice((Side.BUY, Side.BUY, Side.SELL)),
            quantity=random.choice((1, 50, 100, 100)),
            accepted_ns=OPEN_NS + number,
            unit_value_e9=100 * EURO,
        )
        RISK.evolve(state, accepted)
    return state


DRAWN = st.tuples(
    sets(),
    st.integers(0, 1_000),
    st.sampled_from((1, 1, 2, 4)),
    st.sampled_from((1, 50, 100, 101)),
    st.sampled_from((None, 90 * EURO, 100 * EURO, 111 * EURO)),
    st.sampled_from((Side.BUY, Side.SELL)),
    st.sampled_from((0, 400)),
    st.sampled_from((OPEN_NS, OPEN_NS + SECOND)),
)


@settings(max_examples=1_000, deadline=None)
@given(DRAWN)
def test_the_shortcut_and_the_long_way_say_the_same(drawn: tuple[Any, ...]) -> None:
    limits, seed, partitions, quantity, price_e9, side, volume, at_ns = drawn
    state = state_of(limits, seed, partitions)
    asked = request(
        quantity=quantity,
        limit_price_e9=price_e9,
        side=side,
        instrument=instrument(average_daily_volume=volume),
        at_ns=at_ns,
    )
    gate = Gate(state)
    rules, _ = gate._known_for(asked)
    long_way = gate._ask_each(asked, rules)
    said = gate.assess(asked)
    assert said == long_way
