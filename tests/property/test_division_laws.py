"""Laws of a house in stages on random books, held by the checker's own telling of the stages."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import allocation_law
from schemas.messages.core import Member
from services.audit.stages import breaches, stages_of
from streams.allocation import cash
from streams.core import webster
from streams.core.division import Division

LOTS = st.sampled_from((1, 2, 10, 100))
ORDERS = st.lists(
    st.tuples(
        st.one_of(st.integers(1, 9), st.integers(1, 900), st.just(100)),
        st.integers(0, 2),  # tier
        st.one_of(st.just(0), st.integers(0, 99)),  # begun
    ),
    min_size=1,
    max_size=9,
)
CUTS = st.lists(st.floats(0, 1), max_size=20)
FILLS = 20_000


def members_of(orders: list[tuple[int, int, int]], lot: int) -> list[Member]:
    return [
        Member(
            order_id=f"O{i}",
            quantity=quantity,
            tier=tier,
            begun_quantity=begun % lot if begun % lot <= quantity else 0,
        )
        for i, (quantity, tier, begun) in enumerate(orders)
    ]


@settings(max_examples=300, deadline=None)
@given(ORDERS, LOTS, CUTS)
def test_every_fill_keeps_sum_order_stages_and_quota(
    orders: list[tuple[int, int, int]], lot: int, cuts: list[float]
) -> None:
    members = members_of(orders, lot)
    fields = ("order_id", "quantity", "tier", "begun_quantity")
    stages = stages_of([{name: getattr(m, name) for name in fields} for m in members], lot)
    rule, shares = Division.of("P/1", members, lot), [0] * len(members)
    house = sum(member.quantity for member in members)
    for start, end in pairwise(sorted({0, house, *(int(cut * house) for cut in cuts)})):
        before, shares = shares, rule.after(shares, end - start)
        assert sum(shares) == end
        for old, new, member in zip(before, shares, members, strict=True):
            assert old <= new <= member.quantity
        named = {m.order_id: share for m, share in zip(members, shares, strict=True)}
        assert list(breaches(stages, named)) == []
    assert shares == [member.quantity for member in members]


@settings(max_examples=200, deadline=None)
@given(ORDERS, LOTS, CUTS)
def test_at_most_one_lot_is_open_in_a_stage_of_lots(
    orders: list[tuple[int, int, int]], lot: int, cuts: list[float]
) -> None:
    members = members_of(orders, lot)
    rule, shares = Division.of("P/1", members, lot), [0] * len(members)
    house = sum(member.quantity for member in members)
    for start, end in pairwise(sorted({0, house, *(int(cut * house) for cut in cuts)})):
        shares = rule.after(shares, end - start)
        for tier in range(3):
            in_lots = [
                (share - m.begun_quantity) % lot
                for m, share in zip(members, shares, strict=True)
                if m.tier == tier
                and 0 <= share - m.begun_quantity < (m.quantity - m.begun_quantity) // lot * lot
            ]
            assert sum(1 for part in in_lots if part) <= 1


def test_many_random_fills_busts_and_corrections_break_no_law() -> None:
    tally = allocation_law.run(FILLS)
    assert not tally.violations, tally.first
    assert tally.fills == FILLS
    assert min(tally.tail_fills, tally.busts, tally.corrections, tally.fallbacks) > 100
    assert 0 < tally.error_numerator < tally.error_denominator
    assert len(tally.lots) == 3


def test_that_run_finds_a_unit_of_cash_that_goes_astray(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(total: int, weights: list[int]) -> list[int]:
        whole = sum(weights) or 1
        return [total * weight // whole for weight in weights]

    monkeypatch.setattr(cash, "largest_remainder", careless)
    assert allocation_law.run(2_000).violations["cash"] > 100


def test_that_run_finds_shares_that_leave_the_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    def largest_first(
        weights: list[int], lower: list[int], candidates: list[int], grants: int, factor: int
    ) -> list[int]:
        result = lower.copy()
        result[max(candidates, key=weights.__getitem__)] += grants
        return result

    monkeypatch.setattr(webster, "_granted", largest_first)
    monkeypatch.setattr(webster, "_is_safe", lambda *_: True)
    with pytest.raises((AssertionError, KeyError)):
        tally = allocation_law.run(2_000)
        assert not tally.violations["quota"]
