"""Parameters at the door: refused with a reason, part of the group, amended while it works."""

from hashlib import blake2b
from typing import Any

import msgspec
import pytest

from schemas.messages.core import (
    Aim,
    Cause,
    OrderType,
    RejectReason,
    StrategyKind,
    StrategyParameters,
)
from schemas.messages.intake import (
    OrderAccepted,
    OrderCancelRejected,
    OrderPendingReplace,
    OrderReplaced,
)
from streams.core.limits import Breach
from streams.intake import INTAKE
from streams.intake.commands import CloseOrder, FinishReplace
from streams.intake.submit import group_id
from streams.parameters import DEFINITIONS, Row, rows
from tests.support.builders import MINUTE, TICK, order_accepted
from tests.support.given import Given, given
from tests.support.intake_commands import NOW_NS, named, replace, submit
from tests.support.intake_history import LEFT, O1, OPENED

R = RejectReason
P = StrategyParameters
K = StrategyKind
EMPTY = given(INTAKE, prepare=named)
KNOWN = [(strategy, row) for strategy in DEFINITIONS for row in rows(strategy)]
IDS = [f"{strategy}-{row.name}" for strategy, row in KNOWN]
AMENDABLE = [pair for pair in KNOWN if pair[1].about.is_amendable]
FIXED = [pair for pair in KNOWN if not pair[1].about.is_amendable]


def said(row: Row, *, is_high: bool = False) -> StrategyParameters:
    """Return parameters with one value: an end of its range."""
    if row.low is None:
        value: Any = Aim.RISK if is_high else Aim.VWAP
    else:
        value = row.high if is_high else row.low
    return P(**{row.name: value})


def ids(pairs: list[tuple[StrategyKind, Row]]) -> list[str]:
    return [f"{strategy}-{row.name}" for strategy, row in pairs]


def accepted(**changes: Any) -> OrderAccepted:
    (event,) = EMPTY.when(submit(**changes)).events()
    assert isinstance(event, OrderAccepted)
    return event


def waiting(strategy: StrategyKind, parameters: StrategyParameters | None) -> Given:
    order = order_accepted(
        O1,
        client_order_id="c1",
        strategy=strategy,
        parameters=parameters,
        order_type=OrderType.LIMIT,
        limit_price_e9=9_990 * TICK,
    )
    return given(INTAKE, order, prepare=named)


def working(strategy: StrategyKind, parameters: StrategyParameters | None, *more: Any) -> Given:
    order = waiting(strategy, parameters).history[0]
    return given(INTAKE, order, OPENED, *more, prepare=named)


@pytest.mark.parametrize(("strategy", "row"), KNOWN, ids=IDS)
def test_what_an_order_says_stands_in_its_acceptance(strategy: StrategyKind, row: Row) -> None:
    assert accepted(strategy=strategy, parameters=said(row)).parameters == said(row)


@pytest.mark.parametrize(
    "row",
    [
        # one of each kind; tests/unit/test_parameters.py goes through all of them
        (K.VWAP, P(half_life_ns=1), R.PARAMETER_UNKNOWN, "half_life_ns", "1", "VWAP"),
        (K.IMMEDIATE, P(aim=Aim.RISK), R.PARAMETER_UNKNOWN, "aim", "RISK", "IMMEDIATE"),
        (
            K.POV,
            P(participation_rate_bps=0),
            R.PARAMETER_OUT_OF_RANGE,
            "participation_rate_bps",
            "0",
            "in 1..9000",
        ),
        (
            K.POV,
            P(participation_rate_bps=2_001),
            R.PARAMETER_OUT_OF_RANGE,
            "participation_rate_bps",
            "2001",
            "at most participation_cap_bps 2000",
        ),
    ],
)
def test_a_parameter_that_can_not_be_is_refused(
    row: tuple[StrategyKind, StrategyParameters, RejectReason, str, str, str],
) -> None:
    strategy, parameters, reason, field, value, bound = row
    command = submit(strategy=strategy, parameters=parameters, participation_cap_bps=2_000)
    (answer,) = EMPTY.when(command).events()
    told = (answer.reason, answer.field, answer.value, answer.bound)
    assert told == (reason, f"parameters.{field}", value, bound)
    assert answer.text.startswith(f"parameters.{field} {value} is ")


def test_parameters_are_held_against_their_rules_before_the_limits() -> None:
    breach = Breach(R.CREDIT_LIMIT, "L1", "quantity", "2", "1")
    for parameters, reason in ((P(half_life_ns=1), R.PARAMETER_UNKNOWN), (P(), R.CREDIT_LIMIT)):
        command = submit(strategy=K.VWAP, parameters=parameters, around={"breach": breach})
        (answer,) = EMPTY.when(command).events()
        assert answer.reason is reason


def test_an_order_without_parameters_has_the_group_that_it_always_had() -> None:
    message = submit().message
    terms: dict[str, Any] = {"start_ns": 0, "end_ns": 5, "limit_price_e9": None}
    terms |= {"order_type": OrderType.MARKET}
    before = (
        *(message.tenant, message.instrument_id, message.side, message.strategy, message.urgency),
        *(message.time_in_force, OrderType.MARKET, None, 0, 5, message.participation_cap_bps),
        *(message.is_dark_allowed, message.is_short_sale, None, None),
    )
    digest = blake2b(msgspec.msgpack.encode(before), digest_size=8).hexdigest()
    assert group_id(message, **terms, constraints=None, parameters=None) == digest


def test_parameters_that_say_nothing_are_none() -> None:
    silent, empty = accepted(), accepted(parameters=P())
    assert empty.parameters is None and empty.group_id == silent.group_id


@pytest.mark.parametrize(("strategy", "row"), KNOWN, ids=IDS)
def test_every_parameter_is_part_of_the_group(strategy: StrategyKind, row: Row) -> None:
    groups = [
        accepted(strategy=strategy, parameters=parameters).group_id
        for parameters in (None, said(row), said(row, is_high=True))
    ]
    assert len(set(groups)) == 3


@pytest.mark.parametrize(("strategy", "row"), AMENDABLE, ids=ids(AMENDABLE))
def test_a_parameter_that_may_change_makes_the_working_order_leave_for_a_new_group(
    strategy: StrategyKind, row: Row
) -> None:
    old, new = said(row), said(row, is_high=True)
    command = replace(quantity=100, parameters=new)
    (pending,) = working(strategy, old).when(command).events()
    assert isinstance(pending, OrderPendingReplace) and pending.parameters == new
    finish = FinishReplace(order_id=O1, at_ns=NOW_NS)
    (event,) = working(strategy, old, pending, LEFT).when(finish).events()
    (at_once,) = waiting(strategy, old).when(command).events()
    assert isinstance(event, OrderReplaced) and event == at_once
    assert event.parameters == new
    assert event.group_id != waiting(strategy, old).history[0].group_id
    state = working(strategy, old, pending, LEFT, event).state()
    assert state.orders[O1].parameters == new


@pytest.mark.parametrize(("strategy", "row"), FIXED, ids=ids(FIXED))
def test_a_parameter_that_may_not_change_is_refused_while_it_works_and_taken_before(
    strategy: StrategyKind, row: Row
) -> None:
    old, new = said(row), said(row, is_high=True)
    command = replace(quantity=100, parameters=new)
    (refusal,) = working(strategy, old).when(command).events()
    assert isinstance(refusal, OrderCancelRejected)
    assert (refusal.reason, refusal.field, refusal.value, refusal.bound) == (
        R.REPLACE_NOT_ALLOWED,
        f"parameters.{row.name}",
        str(getattr(new, row.name)),
        f"{strategy} works with it",
    )
    (event,) = waiting(strategy, old).when(command).events()
    assert isinstance(event, OrderReplaced) and event.parameters == new


@pytest.mark.parametrize(("strategy", "row"), FIXED, ids=ids(FIXED))
def test_what_is_fixed_may_be_said_again_beside_what_changes(
    strategy: StrategyKind, row: Row
) -> None:
    old = said(row)
    new = msgspec.structs.replace(old, display_share_bps=77)
    (pending,) = working(strategy, old).when(replace(quantity=100, parameters=new)).events()
    assert isinstance(pending, OrderPendingReplace) and pending.parameters == new


def test_none_keeps_parameters_and_empty_ones_take_them_back() -> None:
    old = P(participation_rate_bps=700)
    order = waiting(K.POV, old)
    (kept,) = order.when(replace(quantity=150)).events()
    assert kept.parameters == old
    (back,) = order.when(replace(quantity=150, parameters=P())).events()
    assert back.parameters is None and back.group_id != kept.group_id


def test_a_mere_increase_with_the_same_parameters_needs_no_waiting() -> None:
    old = P(participation_rate_bps=700)
    for parameters in (None, old):
        (event,) = working(K.POV, old).when(replace(quantity=150, parameters=parameters)).events()
        assert isinstance(event, OrderReplaced) and event.parameters == old
    (event,) = working(K.POV, old).when(replace(quantity=150, parameters=P())).events()
    assert isinstance(event, OrderPendingReplace)


def test_the_same_parameters_change_nothing() -> None:
    old = P(participation_rate_bps=700)
    (answer,) = waiting(K.POV, old).when(replace(quantity=100, parameters=old)).events()
    assert answer.reason is R.NOTHING_CHANGED


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        (P(participation_rate_bps=9_001), R.PARAMETER_OUT_OF_RANGE),
        (P(half_life_ns=10**12), R.PARAMETER_UNKNOWN),
    ],
)
def test_an_amend_to_what_can_not_be_is_refused(
    parameters: StrategyParameters, reason: RejectReason
) -> None:
    for order in (waiting(K.POV, None), working(K.POV, None)):
        (answer,) = order.when(replace(quantity=100, parameters=parameters)).events()
        assert answer.reason is reason


def test_a_replace_of_another_term_never_asks_again_about_parameters() -> None:
    """Ranges may become narrower with a release; who changes a limit is not told of that."""
    old = P(participation_rate_bps=9_001)
    command = replace(quantity=100, limit_price_e9=9_980 * TICK)
    (event,) = waiting(K.POV, old).when(command).events()
    assert isinstance(event, OrderReplaced) and event.parameters == old


def test_a_replace_that_the_end_overtakes_leaves_the_parameters_as_they_were() -> None:
    old = P(participation_rate_bps=700)
    command = replace(quantity=100, parameters=P(participation_rate_bps=800))
    (pending,) = working(K.POV, old).when(command).events()
    ended = CloseOrder(order_id=O1, cause=Cause.END_OF_WINDOW, at_ns=NOW_NS + 60 * MINUTE)
    events = working(K.POV, old, pending).when(ended).events()
    state = working(K.POV, old, pending, *events).state()
    assert state.orders[O1].parameters == old
