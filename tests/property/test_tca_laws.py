"""Laws of the TCA view: any order between topics, any repeats, sums over levels, shortfall."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages.core import Side, StrategyKind, TcaLevel
from streams.models.tca import implementation_shortfall
from streams.views.sequence import GapError
from streams.views.tca import TcaView
from streams.views.totals import total
from tests.support.builders import TICK, order_accepted
from tests.support.costs import (
    Shown,
    child_filled,
    child_placed,
    fill_allocated,
    fill_busted,
    log,
    printed,
    view_of,
)
from tests.support.parents import epoch_opened, parent_opened

FILLS = st.lists(
    st.tuples(st.integers(1, 500), st.integers(9_900, 10_100), st.integers(0, 100), st.booleans()),
    min_size=1,
    max_size=25,
)
PRICES = st.integers(1, 10**14)


def story(fills: list[tuple[int, int, int, bool]]) -> list[Shown]:
    """Return a parent whose fills go to two orders in any proportion; some are busted."""
    events: list[tuple[float, Any]] = [
        (0, order_accepted("O1", quantity=50_000)),
        (0, order_accepted("O2", quantity=50_000)),
        (1, parent_opened(StrategyKind.VWAP, quantity=100_000)),
        (1, epoch_opened(100_000)),
    ]
    for ordinal, (quantity, ticks, percent, is_busted) in enumerate(fills, start=1):
        fill = child_filled(ordinal, f"E{ordinal}", quantity, ticks * TICK, fee_e9=quantity)
        first = quantity * percent // 100
        shares = {"O1": first, "O2": quantity - first}
        events += [
            (1 + ordinal, child_placed(ordinal, quantity)),
            (1 + ordinal, fill),
            (1 + ordinal, printed(ticks * TICK, 2 * quantity, own_quantity=quantity)),
            (1 + ordinal, fill_allocated(fill, **shares)),
        ]
        if is_busted:
            back = {order_id: -share for order_id, share in shares.items()}
            restated = fill_allocated(fill, **back)  # folds as the restatement of these shares
            events += [(50, fill_busted(fill)), (50, restated)]
    return log(*events)


@settings(deadline=None)
@given(FILLS, st.integers(0, 2**32))
def test_topics_may_arrive_in_any_order_and_events_again(
    fills: list[tuple[int, int, int, bool]], seed: int
) -> None:
    shown = story(fills)
    draw = Random(seed)
    by_topic: dict[str, list[Shown]] = {}
    for event in shown:
        by_topic.setdefault(event.topic, []).append(event)
    view, done = TcaView(), dict.fromkeys(by_topic, 0)
    while any(done[topic] < len(events) for topic, events in by_topic.items()):
        topic = draw.choice(sorted(by_topic))
        at = max(0, done[topic] + draw.randint(-3, 1))
        if at >= len(by_topic[topic]):
            continue
        try:
            view.fold(*by_topic[topic][at])
            done[topic] = max(done[topic], at + 1)
        except GapError as gap:
            assert (gap.first, gap.last) == (done[topic], at - 1)
    assert view.digest() == view_of(shown).digest()


@settings(deadline=None)
@given(FILLS)
def test_levels_add_up_to_the_same_shares_fees_and_nearly_the_same_cost(
    fills: list[tuple[int, int, int, bool]],
) -> None:
    rows = view_of(story(fills)).rows()
    kept = [(quantity, ticks) for quantity, ticks, _, is_busted in fills if not is_busted]
    for level in (TcaLevel.PARENT, TcaLevel.CHILD, TcaLevel.ORDER):
        sums = total([row for row in rows if row.level is level])
        assert sums.quantity == sum(quantity for quantity, _ in kept)
        assert abs(sums.fee_e9 - sums.quantity) <= 2  # each order's part is rounded
        if kept:
            notional = sum(quantity * ticks * TICK for quantity, ticks in kept)
            assert sums.average_price_e9 is not None
            assert abs(sums.average_price_e9 * sums.quantity - notional) <= 2 * sums.quantity


@given(
    st.sampled_from([Side.BUY, Side.SELL]),
    st.lists(st.tuples(st.integers(1, 10**6), PRICES), max_size=20),
    st.integers(0, 10**6),
    st.tuples(PRICES, PRICES, PRICES, st.integers(-(10**12), 10**12)),
)
def test_the_expanded_shortfall_is_perolds(
    side: Side, fills: list[tuple[int, int]], rest: int, prices: tuple[int, int, int, int]
) -> None:
    decision, arrival, end, fee = prices
    done = sum(quantity for quantity, _ in fills)
    found = implementation_shortfall(
        side,
        done + rest,
        fills,
        decision_e9=decision,
        arrival_e9=arrival,
        end_e9=end,
        fee_e9=fee,
    )
    paid = sum(quantity * price for quantity, price in fills) - done * decision
    missed = rest * (end - decision)
    sign = 1 if side is Side.BUY else -1
    assert found.total_e9 == sign * (paid + missed) + fee
