"""Laws of a call auction: the price against brute force, nobody traded through, nothing lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from services.venues.uncross import Claim, MarginRule, Uncrossing, allot, uncross

TICK = 10
LOW, HIGH = 90, 110  # ticks
quantities = st.integers(1, 50)
limits = st.one_of(st.none(), st.integers(LOW, HIGH).map(lambda ticks: ticks * TICK))
interests = st.lists(st.tuples(limits, quantities), max_size=8)
references = st.integers(LOW * TICK, HIGH * TICK)


def demand(buys: list[tuple[int | None, int]], price: int) -> int:
    return sum(quantity for limit, quantity in buys if limit is None or limit >= price)


def supply(sells: list[tuple[int | None, int]], price: int) -> int:
    return sum(quantity for limit, quantity in sells if limit is None or limit <= price)


def brute_force(
    buys: list[tuple[int | None, int]], sells: list[tuple[int | None, int]], reference: int
) -> Uncrossing:
    """Return the uncrossing by looking at every price of the grid, one rule after the other."""
    reference -= reference % TICK
    grid = [ticks * TICK for ticks in range(LOW, HIGH + 1)]
    known = [price for price, _ in (*buys, *sells) if price is not None]
    low, high = min([*known, reference]), max([*known, reference])
    grid = [price for price in grid if low <= price <= high]
    volume = {price: min(demand(buys, price), supply(sells, price)) for price in grid}
    best = [price for price in grid if volume[price] == max(volume.values())]
    if max(volume.values()) == 0:
        return Uncrossing(None, 0, demand(buys, reference) - supply(sells, reference))
    surplus = {price: demand(buys, price) - supply(sells, price) for price in best}
    least = min(abs(each) for each in surplus.values())
    best = [price for price in best if abs(surplus[price]) == least]
    if all(surplus[price] > 0 for price in best):
        price = best[-1]
    elif all(surplus[price] < 0 for price in best):
        price = best[0]
    else:
        price = min(best, key=lambda p: (abs(p - reference), -p))
    return Uncrossing(price, volume[price], surplus[price])


@settings(max_examples=400, deadline=None)
@given(interests, interests, references)
def test_the_price_is_that_of_the_rules_over_the_whole_grid(
    buys: list[tuple[int | None, int]], sells: list[tuple[int | None, int]], reference: int
) -> None:
    assert uncross(buys, sells, reference, TICK) == brute_force(buys, sells, reference)


# buys, sells, reference, price, quantity, surplus; which rule decides
Case = tuple[list[tuple[int | None, int]], list[tuple[int | None, int]], int, int, int, int]
CASES: list[Case] = [
    # the most volume
    ([(1_000, 50), (990, 50)], [(980, 80)], 900, 990, 80, 20),
    # the smallest surplus, here between two limits; without a price between them the reference
    ([(1_020, 100), (990, 50)], [(990, 100), (1_020, 50)], 900, 1_000, 100, 0),
    ([(1_000, 100), (990, 50)], [(990, 100), (1_000, 50)], 900, 990, 100, 50),
    ([(1_000, 100), (990, 50)], [(990, 100), (1_000, 50)], 1_090, 1_000, 100, -50),
    # too much demand presses up, too much supply down
    ([(None, 100)], [(980, 40)], 1_000, 1_000, 40, 60),
    ([(1_020, 40)], [(None, 100)], 1_000, 1_000, 40, -60),
    # nothing presses: the reference
    ([(1_020, 40)], [(980, 40)], 1_003, 1_000, 40, 0),
    ([(None, 40)], [(None, 40)], 1_000, 1_000, 40, 0),
]


def test_each_rule_decides_where_the_one_before_it_does_not() -> None:
    for buys, sells, reference, price, quantity, surplus in CASES:
        found = uncross(buys, sells, reference, TICK)
        assert found == (price, quantity, surplus), (buys, sells, reference)


def test_no_overlap_trades_nothing_and_says_what_is_left() -> None:
    assert uncross([(990, 30)], [(1_010, 20)], 1_000, TICK) == (None, 0, 0)
    assert uncross([(None, 30)], [], 1_000, TICK) == (None, 0, 30)
    assert uncross([], [], 1_000, TICK) == (None, 0, 0)


def claims(interest: list[tuple[int | None, int]]) -> list[Claim]:
    return [Claim(f"c{number}", *each) for number, each in enumerate(interest)]


@settings(max_examples=400, deadline=None)
@given(interests, interests, references, st.sampled_from([*MarginRule]), st.sampled_from([1, 5]))
def test_both_sides_get_the_volume_and_nobody_is_traded_through(
    buys: list[tuple[int | None, int]],
    sells: list[tuple[int | None, int]],
    reference: int,
    rule: MarginRule,
    lot: int,
) -> None:
    found = uncross(buys, sells, reference, TICK)
    if found.price_e9 is None:
        return
    for interest, sign in ((buys, 1), (sells, -1)):
        parts = allot(claims(interest), sign, found.quantity, found.price_e9, rule=rule, lot=lot)
        assert [key for key, _ in parts] == [f"c{n}" for n in range(len(interest))]
        assert sum(part for _, part in parts) == found.quantity
        ranked = []
        for (limit, quantity), (_, part) in zip(interest, parts, strict=True):
            assert 0 <= part <= quantity
            if limit is not None and (limit - found.price_e9) * sign < 0:
                assert part == 0
            rank = -(1 << 62) if limit is None else -limit * sign
            ranked.append((rank, part, quantity))
        for rank, part, quantity in ranked:
            if part < quantity:  # then nobody with a worse price got anything
                assert not [other for other in ranked if other[0] > rank and other[1]]


def test_at_the_last_price_time_or_quantity_decides() -> None:
    interest = claims([(1_000, 60), (1_000, 20), (1_010, 10), (None, 10)])
    by_time = allot(interest, 1, 60, 1_000)
    assert by_time == [("c0", 40), ("c1", 0), ("c2", 10), ("c3", 10)]
    pro_rata = allot(interest, 1, 60, 1_000, rule=MarginRule.PRO_RATA, lot=10)
    assert pro_rata == [("c0", 30), ("c1", 10), ("c2", 10), ("c3", 10)]
