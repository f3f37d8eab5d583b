"""Limits in the shard: changed by two persons, told, reported in shadow, throttled, replayed."""

from typing import Any

import msgspec
import pytest

from schemas.messages.core import LimitKind, LimitScope, Side
from schemas.messages.core import RejectReason as R
from schemas.messages.intake import OrderAccepted, OrderCancelRejected, OrderRejected
from schemas.messages.risk import (
    FlowDisabled,
    FlowReleased,
    LimitBreached,
    LimitsInForce,
    PositionSet,
    RiskDecided,
    ThrottleReleased,
)
from schemas.messages.runtime import DeadLetter
from streams.core import topics
from streams.core.proposals import digest
from streams.risk.limits import BUILT_IN, canonical, parse
from tests.support.builders import (
    ACME,
    SECOND,
    TRADE_DATE,
    account_defined,
    instrument_defined,
    new_order,
    replace_order,
    venue_defined,
)
from tests.support.limits import (
    ANN,
    BOB,
    approved,
    limit,
    limit_set,
    locate_granted,
    proposed,
    put_in_force,
)
from tests.support.shard_host import ListHost, trading_host

K = LimitKind
SMALL = limit_set(limit(K.ORDER_QUANTITY, 50))


def of(messages: list[Any], kind: type[Any]) -> list[Any]:
    return [each for each in messages if isinstance(each, kind)]


def assert_restored(host: ListHost) -> None:
    """Compare the state with the one that folding what was recorded comes to."""
    again = type(host)(host.app.shard, host.app.partitions)
    for batch in host.batches:
        again.app.restore(batch)
    assert again.app.snapshot() == host.app.snapshot()
    again.app.load(host.app.snapshot())
    assert again.app.snapshot() == host.app.snapshot()


def test_before_anybody_has_said_anything_the_built_in_limits_hold() -> None:
    host = trading_host()
    (refused,) = of(host.send(topics.ORDERS_COMMANDS, new_order(quantity=1_000_000)), OrderRejected)
    assert (refused.reason, refused.limit_id, refused.limits_version) == (
        R.ORDER_NOTIONAL_LIMIT,
        "default-firm-order-notional",
        0,
    )


def test_two_persons_put_limits_in_force_and_the_refusal_tells_all_measures() -> None:
    host = trading_host()
    (in_force,) = of(put_in_force(host, SMALL), LimitsInForce)
    assert (in_force.version, in_force.proposed_by, in_force.approved_by) == (1, ANN, BOB)
    assert parse(in_force.content) == SMALL
    written = host.send(topics.ORDERS_COMMANDS, new_order(quantity=51))
    (refused,), (decided,) = of(written, OrderRejected), of(written, RiskDecided)
    assert (refused.reason, refused.field, refused.value) == (
        R.ORDER_QUANTITY_LIMIT,
        "quantity",
        "51",
    )
    assert refused.bound == "at most 50 for firm T1"
    assert refused.limits_version == decided.limits_version == 1
    (measure,) = decided.measures
    assert (measure.value, measure.bound, measure.is_breached) == ("51", "50", True)
    assert decided.reference_price_e9 == 100_000_000_000
    assert len(decided.reference_event_ids) == 2
    assert of(host.send(topics.ORDERS_COMMANDS, new_order("c2", quantity=50)), OrderAccepted)
    assert_restored(host)


@pytest.mark.parametrize(
    ("messages", "reason", "field"),
    [
        ([(proposed(SMALL), ANN), (approved(SMALL), ANN)], R.SAME_PERSON, "actor"),
        ([(proposed(SMALL), ANN), (approved(SMALL), "")], R.SAME_PERSON, "actor"),
        ([(approved(SMALL), BOB)], R.UNKNOWN_PROPOSAL, "proposal_id"),
        ([(proposed(SMALL), "")], R.FIELD_EMPTY, "actor"),
        ([(proposed(SMALL, sha256="0" * 64), ANN)], R.HASH_MISMATCH, "sha256"),
        ([(proposed(SMALL), ANN), (approved(BUILT_IN), BOB)], R.HASH_MISMATCH, "sha256"),
        ([(proposed(SMALL), ANN), (proposed(BUILT_IN), BOB)], R.STALE_VERSION, "proposal_id"),
        (
            [(proposed(SMALL, content="{}", sha256=digest("{}")), ANN)],
            R.BODY_UNDECODABLE,
            "content",
        ),
        (
            [(proposed(SMALL), ANN), (approved(SMALL), BOB), (approved(SMALL), "carl")],
            R.UNKNOWN_PROPOSAL,
            "proposal_id",
        ),
    ],
)
def test_what_two_persons_did_not_agree_on_is_refused_and_kept(
    messages: list[tuple[Any, str]], reason: R, field: str
) -> None:
    host = trading_host()
    for message, actor in messages:
        host.put(topics.CONTROL_COMMANDS, message, actor=actor)
    (letter,) = of(host.step(), DeadLetter)
    assert (letter.reason, letter.field) == (reason, field)
    assert len(host.messages(LimitsInForce)) <= 1
    assert_restored(host)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": K.MESSAGE_RATE, "scope": LimitScope.FIRM, "value": 1, "burst": 1},
        {"scope": LimitScope.SOURCE},
        {"kind": K.UNKNOWN},
        {"value": -1},
        {"window_ns": 1},
        {"burst": 1},
        {"limit_id": ""},
        {"subject": "a\nb"},
        {"kind": K.REPEATED_EXECUTION, "value": 1},
        {"kind": K.POSITION, "scope": LimitScope.DESK},
        {"kind": K.LOCATE, "value": 1},
    ],
)
def test_a_limit_that_says_nothing_sensible_is_no_limit(changes: dict[str, Any]) -> None:
    odd = limit(K.ORDER_QUANTITY, 0)
    odd = msgspec.structs.replace(odd, **changes)
    with pytest.raises(msgspec.MsgspecError):
        parse(canonical(limit_set(odd)))


def test_a_set_names_each_limit_once() -> None:
    twice = limit(K.ORDER_QUANTITY, 5)
    for other in (twice, msgspec.structs.replace(twice, limit_id="other")):
        with pytest.raises(msgspec.MsgspecError):
            parse(canonical(limit_set(twice, other)))
    shadow = msgspec.structs.replace(twice, limit_id="other", is_shadow=True)
    assert len(parse(canonical(limit_set(twice, shadow))).limits) == 2


def test_a_shadow_limit_reports_and_refuses_nothing() -> None:
    host = trading_host()
    put_in_force(host, limit_set(limit(K.ORDER_QUANTITY, 50, is_shadow=True)))
    written = host.send(topics.ORDERS_COMMANDS, new_order(quantity=51))
    (order,), (breach,) = of(written, OrderAccepted), of(written, LimitBreached)
    assert (breach.order_id, breach.reason, breach.is_shadow) == (
        order.order_id,
        R.ORDER_QUANTITY_LIMIT,
        True,
    )
    assert (breach.measure.value, breach.measure.bound) == ("51", "50")
    assert not of(written, RiskDecided)
    malformed = host.send(topics.ORDERS_COMMANDS, new_order("c2", quantity=51, trade_date=1))
    assert not of(malformed, LimitBreached)  # refused for another reason: no limit's to judge
    assert_restored(host)


def test_a_replace_beyond_a_limit_is_refused_and_the_order_works_on() -> None:
    host = trading_host()
    put_in_force(host, SMALL)
    host.send(topics.ORDERS_COMMANDS, new_order("c1", quantity=40))
    written = host.send(topics.ORDERS_COMMANDS, replace_order("c2", "c1", quantity=51))
    (refused,) = of(written, OrderCancelRejected)
    assert (refused.reason, refused.limit_id) == (R.ORDER_QUANTITY_LIMIT, "test-order_quantity")
    (decided,) = of(written, RiskDecided)
    assert decided.order_id == refused.order_id
    assert_restored(host)


def test_a_repeat_is_answered_as_before_and_records_nothing_else() -> None:
    host = trading_host()
    put_in_force(host, SMALL)
    host.send(topics.ORDERS_COMMANDS, new_order(quantity=51))
    again = host.send(topics.ORDERS_COMMANDS, new_order(quantity=51))
    assert [type(each).__name__ for each in again] == ["CommandRepeated"]


def throttled() -> ListHost:
    """Return a host whose third order of one flow within a second was the last."""
    host = trading_host()
    put_in_force(host, limit_set(limit(K.REPEATED_EXECUTION, 3)))
    for number in range(3):
        host.send(topics.ORDERS_COMMANDS, new_order(f"c{number}"))
    return host


def test_repeated_executions_disable_their_flow_until_a_person_releases_it() -> None:
    host = throttled()
    (disabled,) = host.messages(FlowDisabled)
    assert (disabled.executions, disabled.account_id, disabled.side) == (3, "A1", Side.BUY)
    # Latched: ten seconds without an order changes nothing.
    host.pass_time(10 * SECOND)
    (refused,) = of(host.send(topics.ORDERS_COMMANDS, new_order("c3")), OrderRejected)
    assert refused.reason is R.REPEATED_EXECUTION
    for other in ({"account_id": "A2"}, {"side": Side.SELL}):
        order = new_order(f"other-{next(iter(other))}", **other)
        assert of(host.send(topics.ORDERS_COMMANDS, order), OrderAccepted)
    release = ThrottleReleased(flow_id=disabled.flow_id, reason="looked at it")
    host.put(topics.CONTROL_COMMANDS, release, actor="OMS")
    (letter,) = of(host.step(), DeadLetter)
    assert (letter.reason, letter.field) == (R.SAME_PERSON, "actor")
    host.put(topics.CONTROL_COMMANDS, release, actor=ANN)
    (released,) = of(host.step(), FlowReleased)
    assert (released.released_by, released.reason) == (ANN, "looked at it")
    assert of(host.send(topics.ORDERS_COMMANDS, new_order("c4")), OrderAccepted)
    assert len(host.messages(FlowDisabled)) == 1  # it counts from nothing again
    host.put(topics.CONTROL_COMMANDS, release, actor=ANN)
    (letter,) = of(host.step(), DeadLetter)
    assert (letter.reason, letter.field) == (R.UNKNOWN_LIMIT, "flow_id")
    assert_restored(host)


def test_orders_spread_over_more_than_the_window_disable_nothing() -> None:
    host = trading_host()
    put_in_force(host, limit_set(limit(K.REPEATED_EXECUTION, 3)))
    for number in range(9):
        host.send(topics.ORDERS_COMMANDS, new_order(f"c{number}"), after_ns=SECOND // 2)
    assert not host.messages(FlowDisabled)


def test_positions_and_locates_of_the_desk_are_counted() -> None:
    host = trading_host()
    put_in_force(host, limit_set(limit(K.POSITION, 400, scope=LimitScope.CLIENT), limit(K.LOCATE)))
    host.put(
        topics.CONTROL_COMMANDS,
        PositionSet(
            tenant="T1",
            account_id="A1",
            instrument_id=ACME,
            trade_date=TRADE_DATE,
            quantity=350,
        ),
        locate_granted(60),
    )
    host.step()
    (refused,) = of(host.send(topics.ORDERS_COMMANDS, new_order("c1")), OrderRejected)
    assert refused.reason is R.POSITION_LIMIT
    short = {"side": Side.SELL, "is_short_sale": True}
    for name, locate_id, quantity, reason in (
        ("c2", "L9", 10, R.UNKNOWN_LOCATE),
        ("c3", "L1", 61, R.LOCATE_EXCEEDED),
    ):
        order = new_order(name, **short, locate_id=locate_id, quantity=quantity)
        (refused,) = of(host.send(topics.ORDERS_COMMANDS, order), OrderRejected)
        assert refused.reason is reason
    order = new_order("c4", **short, locate_id="L1", quantity=60)
    assert of(host.send(topics.ORDERS_COMMANDS, order), OrderAccepted)
    assert_restored(host)


def test_without_any_price_to_hold_it_against_an_order_is_refused() -> None:
    host = ListHost()
    definitions = (instrument_defined(), account_defined("A1"), venue_defined("V1"))
    host.send(topics.CONTROL_COMMANDS, *definitions)
    (refused,) = of(host.send(topics.ORDERS_COMMANDS, new_order()), OrderRejected)
    assert (refused.reason, refused.field, refused.value) == (
        R.NO_REFERENCE_PRICE,
        "instrument_id",
        ACME,
    )
