"""Each kind of limit at its bound and one above it, and whom a limit counts."""

from typing import Any

import pytest

from schemas.messages.core import (
    Cause,
    LimitKind,
    LimitScope,
    OrderStatus,
    ReferencePrice,
    Side,
    StrategyKind,
)
from schemas.messages.core import RejectReason as R
from schemas.messages.intake import OrderClosed
from schemas.messages.risk import PositionSet
from streams.risk import Gate
from streams.risk.request import Reference
from tests.support.builders import (
    ACME,
    EURO,
    NO_ID,
    OPEN_NS,
    SECOND,
    TICK,
    TRADE_DATE,
    instrument,
)
from tests.support.limits import limit, limit_set, locate_granted, request
from tests.support.risk_history import PRICE_E9, accepted, filled, rejected, state_of

K = LimitKind
S = LimitScope
BOOK = Reference(ReferencePrice.MIDPOINT, PRICE_E9, (NO_ID,))
ORDER = accepted()  # 100 at 100.00: 10,000
LOCATE = locate_granted(150)
START = PositionSet(
    tenant="T1", account_id="A1", instrument_id=ACME, trade_date=TRADE_DATE, quantity=300
)
SHORT = {"side": Side.SELL, "is_short_sale": True, "locate_id": "L1"}
CASES = [
    # limit, what came before, the request at the bound, the one above it, its reason and field
    (limit(K.ORDER_QUANTITY, 100), (), {}, {"quantity": 101}, R.ORDER_QUANTITY_LIMIT, "quantity"),
    (
        limit(K.ORDER_QUANTITY, 1),
        (),
        {"instrument": instrument(quantity_scale=100)},
        {"instrument": instrument(quantity_scale=100), "quantity": 101},
        R.ORDER_QUANTITY_LIMIT,
        "quantity",
    ),
    (
        limit(K.ORDER_NOTIONAL, 10_000),
        (),
        {},
        {"quantity": 101},
        R.ORDER_NOTIONAL_LIMIT,
        "quantity",
    ),
    (  # a sale counts at no less than the market
        limit(K.ORDER_NOTIONAL, 10_000),
        (),
        {"side": Side.SELL, "limit_price_e9": 90 * EURO},
        {"side": Side.SELL, "limit_price_e9": 100 * EURO + TICK},
        R.ORDER_NOTIONAL_LIMIT,
        "quantity",
    ),
    (
        limit(K.ADV_BPS, 2_500),
        (),
        {"instrument": instrument(average_daily_volume=400)},
        {"instrument": instrument(average_daily_volume=400), "quantity": 101},
        R.ADV_LIMIT,
        "quantity",
    ),
    (
        limit(K.PRICE_COLLAR_BPS, 1_000),
        (),
        {"limit_price_e9": 110 * EURO},
        {"limit_price_e9": 110 * EURO + TICK},
        R.PRICE_COLLAR,
        "limit_price_e9",
    ),
    (
        limit(K.PRICE_COLLAR_BPS, 1_000),
        (),
        {"side": Side.SELL, "limit_price_e9": 90 * EURO},
        {"side": Side.SELL, "limit_price_e9": 90 * EURO - TICK},
        R.PRICE_COLLAR,
        "limit_price_e9",
    ),
    (
        limit(K.PRICE_COLLAR_BPS, 1_000),
        (),
        {},
        {"reference": Reference()},
        R.NO_REFERENCE_PRICE,
        "instrument_id",
    ),
    (limit(K.CREDIT, 20_000), (ORDER,), {}, {"quantity": 101}, R.CREDIT_LIMIT, "quantity"),
    (  # executed counts as open did
        limit(K.CREDIT, 20_000),
        (ORDER, filled(60)),
        {},
        {"quantity": 101},
        R.CREDIT_LIMIT,
        "quantity",
    ),
    (  # what was not filled at the end is free again
        limit(K.CREDIT, 20_000),
        (
            ORDER,
            filled(60),
            OrderClosed(
                order_id="Oabcdef.0.1",
                status=OrderStatus.EXPIRED,
                cumulative_quantity=60,
                leaves_quantity=40,
                cause=Cause.END_OF_WINDOW,
            ),
        ),
        {"quantity": 140},
        {"quantity": 141},
        R.CREDIT_LIMIT,
        "quantity",
    ),
    (limit(K.POSITION, 200), (ORDER,), {}, {"quantity": 101}, R.POSITION_LIMIT, "quantity"),
    (  # a position short is one too
        limit(K.POSITION, 200),
        (ORDER, filled(100)),
        {"side": Side.SELL, "quantity": 300},
        {"side": Side.SELL, "quantity": 301},
        R.POSITION_LIMIT,
        "quantity",
    ),
    (  # open sales do not make room for buying: they may not fill
        limit(K.POSITION, 200, scope=S.ACCOUNT),
        (accepted(side=Side.SELL),),
        {"quantity": 200},
        {"quantity": 201},
        R.POSITION_LIMIT,
        "quantity",
    ),
    (  # the start of the day counts
        limit(K.POSITION, 400, scope=S.CLIENT),
        (START,),
        {},
        {"quantity": 101},
        R.POSITION_LIMIT,
        "quantity",
    ),
    (
        limit(K.RESTRICTED, instrument_ids=(ACME,), sides=(Side.BUY,)),
        (),
        {"side": Side.SELL},
        {},
        R.RESTRICTED_INSTRUMENT,
        "instrument_id",
    ),
    (
        limit(K.RESTRICTED, instrument_ids=(ACME,), until_ns=OPEN_NS),
        (),
        {},
        {"at_ns": OPEN_NS - 1},
        R.RESTRICTED_INSTRUMENT,
        "instrument_id",
    ),
    (
        limit(K.DUPLICATE_FLOW, 2),
        (accepted(1), accepted(2)),
        {"quantity": 101},
        {},
        R.DUPLICATE_FLOW,
        "client_order_id",
    ),
    (  # one leaves the window
        limit(K.DUPLICATE_FLOW, 2),
        (accepted(1), accepted(2, accepted_ns=OPEN_NS + 1)),
        {"at_ns": OPEN_NS + SECOND},
        {"at_ns": OPEN_NS + SECOND - 1},
        R.DUPLICATE_FLOW,
        "client_order_id",
    ),
    (  # refused messages count as well; after a tenth of a second there is a token again
        limit(K.MESSAGE_RATE, 10, burst=2),
        (accepted(), rejected(OPEN_NS)),
        {"at_ns": OPEN_NS + SECOND // 10},
        {"at_ns": OPEN_NS + SECOND // 10 - 1},
        R.MESSAGE_RATE,
        "source",
    ),
    (
        limit(K.MESSAGE_RATE, 10, burst=2, subject="OMS"),
        (accepted(), rejected(OPEN_NS), rejected(OPEN_NS, "FIX")),
        {"source": "FIX"},
        {},
        R.MESSAGE_RATE,
        "source",
    ),
    (  # three messages and no execution, then one
        limit(K.ORDER_TO_TRADE, 3, burst=3),
        (accepted(1), accepted(2), accepted(3)),
        {"trade_date": TRADE_DATE + 1},
        {},
        R.ORDER_TO_TRADE_RATIO,
        "source",
    ),
    (limit(K.LOCATE), (LOCATE,), {**SHORT, "quantity": 150}, {**SHORT, "quantity": 151},
     R.LOCATE_EXCEEDED, "quantity"),
    (  # what other orders took of the locate is not there any more
        limit(K.LOCATE),
        (LOCATE, accepted(side=Side.SELL, is_short_sale=True, locate_id="L1")),
        {**SHORT, "quantity": 50},
        {**SHORT, "quantity": 51},
        R.LOCATE_EXCEEDED,
        "quantity",
    ),
    (limit(K.LOCATE), (LOCATE,), SHORT, {**SHORT, "account_id": "A2"}, R.UNKNOWN_LOCATE,
     "locate_id"),
]  # fmt: skip


@pytest.mark.parametrize(
    "case", CASES, ids=[f"{number}-{case[4].value}" for number, case in enumerate(CASES)]
)
def test_a_limit_lets_its_bound_pass_and_nothing_above_it(case: tuple[Any, ...]) -> None:
    bound, events, passes, breaks, reason, field = case
    gate = Gate(state_of(limit_set(bound), events))
    assert gate.assess(request(**passes)).breach is None
    verdict = gate.assess(request(**breaks))
    assert verdict.breach is not None
    assert (verdict.breach.reason, verdict.breach.field) == (reason, field)
    assert verdict.breach.limit_id == bound.limit_id
    (measure,) = [each for each in verdict.measures if each.is_breached]
    assert measure.limit_id == bound.limit_id
    if measure.value:
        assert int(measure.value) > int(measure.bound)


@pytest.mark.parametrize("scope", [each for each in S if each not in (S.UNKNOWN, S.SOURCE)])
def test_a_scope_counts_its_own_only(scope: LimitScope) -> None:
    others: dict[LimitScope, dict[str, Any]] = {
        S.FIRM: {"tenant": "T2"},
        S.CLIENT: {"client_id": "C2"},
        S.ACCOUNT: {"account_id": "A2"},
        S.DESK: {"desk_id": "OTHER"},
        S.STRATEGY: {"strategy": StrategyKind.VWAP},
        S.INSTRUMENT: {"instrument": instrument(instrument_id="BOLT")},
    }
    gate = Gate(state_of(limit_set(limit(K.CREDIT, 10_000, scope=scope)), (ORDER,)))
    assert gate.assess(request(quantity=1)).breach is not None
    assert gate.assess(request(quantity=1, **others[scope])).breach is None


def test_a_limit_that_names_its_subject_takes_the_place_of_everybodys() -> None:
    everybody = limit(K.CREDIT, 5_000, scope=S.ACCOUNT)
    own = limit(K.CREDIT, 20_000, scope=S.ACCOUNT, subject="A1", limit_id="a1")
    gate = Gate(state_of(limit_set(everybody, own)))
    assert gate.assess(request()).breach is None
    verdict = gate.assess(request(account_id="A2"))
    assert verdict.breach is not None
    assert verdict.breach.limit_id == everybody.limit_id


def test_the_first_limit_broken_is_told_in_the_order_of_the_reasons() -> None:
    limits = limit_set(limit(K.CREDIT, 1), limit(K.ORDER_NOTIONAL, 1), limit(K.ORDER_QUANTITY, 1))
    verdict = Gate(state_of(limits)).assess(request())
    assert verdict.breach is not None
    assert verdict.breach.reason is R.ORDER_QUANTITY_LIMIT
    assert [each.is_breached for each in verdict.measures] == [True, True, True]
