"""The shortcut of the ladder lets nothing through that a rule would refuse."""

from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from schemas.messages.core import (
    Constraints,
    OrderType,
    RejectReason,
    Side,
    StrategyKind,
    StrategyParameters,
    TickBand,
    TimeInForce,
    Urgency,
)
from streams.core.limits import Breach
from streams.intake.ladder import LENGTH_MAX, first_broken, is_flawless
from tests.support.builders import CLOSE_NS, OPEN_NS, TICK, account, instrument
from tests.support.intake_commands import NOW_NS, submit

BAD_TEXTS = ("", "x" * (LENGTH_MAX + 1), "a\u202e", "a\n")
INSTANTS = (-1, 0, OPEN_NS, NOW_NS - 1, NOW_NS, NOW_NS + 1, CLOSE_NS - 1, CLOSE_NS, CLOSE_NS + 1)
LOT, MAXIMUM = 5, instrument(lot=5).maximum_quantity
FIELDS: dict[str, tuple[Any, ...]] = {
    "tenant": BAD_TEXTS,
    "source": BAD_TEXTS,
    "account_id": BAD_TEXTS,
    "desk_id": BAD_TEXTS,
    "trade_date": (0, 20_000_101),
    "side": tuple(Side),
    "quantity": (
        -LOT,
        0,
        1,
        LOT,
        MAXIMUM - MAXIMUM % LOT,
        MAXIMUM,
        MAXIMUM + 1,
        MAXIMUM + LOT,
        9 * 10**18,
    ),
    "order_type": tuple(OrderType),
    "limit_price_e9": (None, -TICK, 0, 1, TICK, TICK + 1, 900_000_000_000 * TICK),
    "time_in_force": tuple(TimeInForce),
    "strategy": tuple(StrategyKind),
    "urgency": tuple(Urgency),
    "start_ns": INSTANTS,
    "end_ns": INSTANTS,
    "participation_cap_bps": (-1, 0, 1, 10_000, 10_001),
    "currency": ("EUR", "USD"),
    "expire_ns": INSTANTS,
    "is_short_sale": (True,),
    "locate_id": ("L1", *BAD_TEXTS[1:]),
    "basket_id": ("B1", *BAD_TEXTS[1:]),
    "constraints": (
        Constraints(),
        Constraints(display_quantity=7),
        Constraints(minimum_quantity=LOT),
        Constraints(would_price_e9=-1),
        Constraints(venue_ids=("V9",)),
    ),
    "parameters": (
        StrategyParameters(),
        StrategyParameters(display_share_bps=0),
        StrategyParameters(pre_close_ns=10**12),
        StrategyParameters(participation_floor_bps=2),
    ),
}
AROUND: dict[str, tuple[Any, ...]] = {
    "at_ns": INSTANTS,
    "is_own_partition": (False,),
    "instrument": (
        None,
        instrument(lot=5, entry_open_ns=OPEN_NS - 10),
        instrument(lot=5, tick_bands=(TickBand(from_price_e9=TICK, tick_e9=2 * TICK),)),
        instrument(lot=5, session_open_ns=NOW_NS + 5, entry_open_ns=OPEN_NS),
        instrument(lot=5, is_halted=True),
        instrument(lot=5, maximum_quantity=2**63 - 1),
    ),
    "account": (
        None,
        account(is_enabled=False),
        account(is_client_known=False),
        account(is_client_enabled=False),
        account(desk_ids=("D9",)),
    ),
    "is_desk_known": (False,),
    "killed": ("K1",),
    "breach": (Breach(RejectReason.CREDIT_LIMIT, "L1", "quantity", "2", "1"),),
}


def some_of(values: dict[str, tuple[Any, ...]], most: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(st.sampled_from(sorted(values)), max_size=most, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({n: st.sampled_from(values[n]) for n in names})
    )


@settings(max_examples=400)
@given(some_of(FIELDS, 3), some_of(AROUND, 1), st.sampled_from(["c1", *BAD_TEXTS]))
def test_an_order_called_flawless_breaks_no_rule(
    changes: dict[str, Any], around: dict[str, Any], name: str
) -> None:
    command = submit(name, around=around, **changes)
    if is_flawless(command):
        assert first_broken(command, is_duplicate=False) is None


def test_an_ordinary_order_takes_the_shortcut() -> None:
    assert is_flawless(submit())


def test_each_wrong_value_alone_is_seen_by_the_shortcut() -> None:
    for name, values in FIELDS.items():
        for value in values:
            command = submit(**{name: value})
            if first_broken(command, is_duplicate=False) is not None:
                assert not is_flawless(command), (name, value)
    for name, values in AROUND.items():
        for value in values:
            command = submit(around={name: value})
            if first_broken(command, is_duplicate=False) is not None:
                assert not is_flawless(command), (name, value)
