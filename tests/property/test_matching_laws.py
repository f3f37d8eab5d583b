"""Laws of matching: nothing is made or lost, nobody overtakes, our own never meet."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages.control import InstrumentDefined
from services.venues.assumptions import share_venues
from services.venues.matching import join, leave, refresh, take
from services.venues.state import BookSide, Child
from services.venues.terms import Terms
from tests.support.matching import resting

TICK = 10_000_000
PRICES = [TICK * number for number in range(96, 101)]
quantities = st.integers(1, 300)
levels = st.lists(
    st.tuples(st.sampled_from(PRICES), quantities), max_size=5, unique_by=lambda level: level[0]
).map(lambda found: tuple(sorted(found, reverse=True)))


@dataclass
class Bids:
    """One side under load, and a plain account of what may happen to each child."""

    side: BookSide = field(default_factory=lambda: BookSide(sign=1))
    children: dict[str, Child] = field(default_factory=dict)

    def displayed(self) -> int:
        return sum(level[1] for level in self.side.levels)

    def leaves(self) -> int:
        return sum(self.children[child_id].leaves for child_id in self.side.own)


moves = st.lists(
    st.one_of(
        st.tuples(st.just("show"), levels),
        st.tuples(st.just("join"), st.tuples(quantities, st.sampled_from(PRICES))),
        st.tuples(st.just("leave"), st.integers(0, 20)),
        st.tuples(st.just("take"), st.tuples(quantities, st.sampled_from([None, *PRICES]))),
        st.tuples(st.just("print"), st.tuples(quantities, st.sampled_from(PRICES))),
        st.tuples(st.just("own"), st.tuples(quantities, st.sampled_from(PRICES))),
    ),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(moves)
def test_quantity_is_conserved_and_nobody_overtakes(script: list[tuple[str, object]]) -> None:
    bids = Bids()
    for ordinal, (name, argument) in enumerate(script):
        play(bids, name, argument, f"c{ordinal}")
        side, children = bids.side, bids.children
        prices = [children[child_id].price_e9 or 0 for child_id in side.own]
        assert prices == sorted(prices, reverse=True)
        assert all(children[child_id].leaves > 0 for child_id in side.own)
        assert all(level[1] > 0 for level in side.levels)
        for first, second in zip(side.own, side.own[1:], strict=False):
            if children[first].price_e9 == children[second].price_e9:
                # Who came later never has less before it.
                assert children[first].ahead <= children[second].ahead


def play(bids: Bids, name: str, argument: object, child_id: str) -> None:
    side, children = bids.side, bids.children
    match name, argument:
        case "show", tuple(target):
            refresh(side, children, target, None)
        case "join", (int(quantity), int(price_e9)):
            children[child_id] = resting(child_id, quantity, price_e9, "H")
            join(side, children, children[child_id])
        case "leave", int(which):
            if side.own:
                leave(side, side.own[which % len(side.own)])
        case "take", (int(quantity), worst_e9):
            check_take(bids, quantity, worst_e9)
        case "own", (int(quantity), int(worst_e9)):
            before = bids.leaves()
            take(side, children, quantity, worst_e9=worst_e9, self_trade_id="H")
            assert bids.leaves() == before
        case "print", (int(quantity), int(price_e9)):
            matches = take(side, children, quantity, printed_e9=price_e9)
            assert sum(match.quantity for match in matches) == quantity
            assert all(match.price_e9 >= price_e9 for match in matches)


def check_take(bids: Bids, quantity: int, worst_e9: object) -> None:
    side, children = bids.side, bids.children
    worst = worst_e9 if isinstance(worst_e9, int) else 0
    displayed, leaves = bids.displayed(), bids.leaves()
    shown = {level[0]: level[1] for level in side.levels}
    ahead = {child_id: children[child_id].ahead for child_id in side.own}
    eligible = sum(level[1] for level in side.levels if level[0] >= worst)
    eligible += sum(
        children[child_id].leaves
        for child_id in side.own
        if (children[child_id].price_e9 or 0) >= worst
    )
    matches = take(side, children, quantity, worst_e9=worst)
    given_by_others = sum(match.displayed for match in matches)
    given_by_us = sum(filled for match in matches for _, filled in match.own)
    assert given_by_others + given_by_us == min(quantity, eligible)
    assert bids.displayed() == displayed - given_by_others
    assert bids.leaves() == leaves - given_by_us
    prices = [match.price_e9 for match in matches]
    assert prices == sorted(prices, reverse=True) and all(price >= worst for price in prices)
    for match in matches:
        for child_id, _ in match.own:
            # Whatever was displayed before the child has been served before it.
            assert match.displayed >= min(ahead[child_id], shown.get(match.price_e9, 0))


@given(st.integers(1, 100_000), st.integers(1, 10**6), st.sampled_from([1, 100_000]), st.booleans())
def test_a_fee_is_never_less_and_a_rebate_never_more_than_exact(
    quantity: int, ticks: int, scale: int, is_maker: bool
) -> None:
    venue = share_venues()[0]
    instrument = InstrumentDefined(
        instrument_id="ACME",
        symbol="Acme",
        currency="USD",
        tick_e9=TICK,
        lot=1,
        quantity_scale=scale,
        maximum_quantity=1,
        session_open_ns=0,
        session_close_ns=1,
        trade_date=20260302,
    )
    terms = Terms(
        seed=1,
        start_ns=0,
        step_ns=1,
        last_ns=1,
        venues={venue.venue_id: venue},
        instruments={"ACME": instrument},
    )
    fee = terms.fee_e9(venue.venue_id, "ACME", ticks * TICK, quantity, is_maker=is_maker)
    rate = venue.maker_fee_e9 if is_maker else venue.taker_fee_e9
    assert 0 <= fee * scale - rate * quantity < scale
