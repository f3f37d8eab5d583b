"""A new order is accepted, or refused by the first rule that it breaks."""

from typing import Any

import pytest

from schemas.messages.core import (
    CommandKind,
    OrderType,
    RejectReason,
    Side,
    StrategyKind,
    TimeInForce,
    Urgency,
)
from schemas.messages.intake import CommandRepeated, OrderAccepted, OrderRejected
from streams.intake import INTAKE
from streams.intake.commands import SubmitOrder
from tests.support.builders import ACME, CLOSE_NS, OPEN_NS, SECOND, TICK, TRADE_DATE
from tests.support.given import given
from tests.support.intake_commands import NOW_NS, named, submit

R = RejectReason
LIMIT = {"order_type": OrderType.LIMIT, "limit_price_e9": 10_000 * TICK}
LONG = "x" * 65
PARTITION = "partition = murmur2(instrument_id) mod partitions"
TIMES_IN_FORCE = "DAY, GTC, GTD, AT_CLOSE, or with IMMEDIATE: IOC, AT_OPEN"
SESSION = f"from {OPEN_NS} to before {CLOSE_NS}"

# reason, what differs from a good order, what the shard adds, field, value, bound
REFUSALS: list[tuple[RejectReason, dict[str, Any], dict[str, Any], str, Any, str]] = [
    (R.UNKNOWN_INSTRUMENT, {}, {"instrument": None}, "instrument_id", ACME, "defined instruments"),
    (
        R.UNKNOWN_ACCOUNT,
        {"account_id": "A9"},
        {"account": None},
        "account_id",
        "A9",
        "enabled accounts of tenant T1",
    ),
    (R.WRONG_PARTITION, {}, {"is_own_partition": False}, "instrument_id", ACME, PARTITION),
    (R.SESSION_CLOSED, {}, {"at_ns": CLOSE_NS}, "at_ns", CLOSE_NS, SESSION),
    (R.SESSION_CLOSED, {}, {"at_ns": OPEN_NS - 1}, "at_ns", OPEN_NS - 1, SESSION),
    (
        R.SESSION_CLOSED,
        {"end_ns": CLOSE_NS + 1},
        {},
        "end_ns",
        CLOSE_NS + 1,
        f"until {CLOSE_NS}",
    ),
    (R.QUANTITY_NOT_POSITIVE, {"quantity": 0}, {}, "quantity", 0, "at least 1"),
    (R.QUANTITY_NOT_POSITIVE, {"quantity": -5}, {}, "quantity", -5, "at least 1"),
    (R.QUANTITY_NOT_A_LOT_MULTIPLE, {"quantity": 101}, {}, "quantity", 101, "multiple of 5"),
    (R.QUANTITY_TOO_LARGE, {"quantity": 1_000_005}, {}, "quantity", 1_000_005, "at most 1000000"),
    (
        R.PRICE_NOT_POSITIVE,
        {**LIMIT, "limit_price_e9": 0},
        {},
        "limit_price_e9",
        0,
        "at least 1",
    ),
    (
        R.PRICE_OFF_TICK,
        {**LIMIT, "limit_price_e9": 10_000 * TICK + 1},
        {},
        "limit_price_e9",
        10_000 * TICK + 1,
        f"multiple of {TICK}",
    ),
    (
        R.LIMIT_PRICE_MISSING,
        {"order_type": OrderType.LIMIT},
        {},
        "limit_price_e9",
        "null",
        "a LIMIT order has one",
    ),
    (
        R.LIMIT_PRICE_NOT_ALLOWED,
        {"limit_price_e9": TICK},
        {},
        "limit_price_e9",
        TICK,
        "a MARKET order has none",
    ),
    (R.UNSUPPORTED_SIDE, {"side": Side.UNKNOWN}, {}, "side", "UNKNOWN", "BUY, SELL"),
    (
        R.UNSUPPORTED_ORDER_TYPE,
        {"order_type": OrderType.UNKNOWN},
        {},
        "order_type",
        "UNKNOWN",
        "MARKET, LIMIT",
    ),
    (
        R.UNSUPPORTED_ORDER_TYPE,
        {"order_type": OrderType.MIDPOINT},
        {},
        "order_type",
        "MIDPOINT",
        "MARKET, LIMIT",
    ),
    (
        R.UNSUPPORTED_TIME_IN_FORCE,
        {"time_in_force": TimeInForce.UNKNOWN},
        {},
        "time_in_force",
        "UNKNOWN",
        TIMES_IN_FORCE,
    ),
    (
        R.UNSUPPORTED_TIME_IN_FORCE,
        {"time_in_force": TimeInForce.IOC},
        {},
        "time_in_force",
        "IOC",
        TIMES_IN_FORCE,
    ),
    (
        R.UNSUPPORTED_STRATEGY,
        {"strategy": StrategyKind.UNKNOWN},
        {},
        "strategy",
        "UNKNOWN",
        "VWAP, TWAP, POV, IMPLEMENTATION_SHORTFALL, CLOSE, IMMEDIATE, AUTO",
    ),
    (
        R.UNSUPPORTED_URGENCY,
        {"urgency": Urgency.UNKNOWN},
        {},
        "urgency",
        "UNKNOWN",
        "PASSIVE, NEUTRAL, URGENT",
    ),
    (
        R.END_NOT_AFTER_START,
        {"start_ns": NOW_NS + 5, "end_ns": NOW_NS + 5},
        {},
        "end_ns",
        NOW_NS + 5,
        f"after start_ns {NOW_NS + 5}",
    ),
    (R.END_IN_THE_PAST, {"end_ns": NOW_NS}, {}, "end_ns", NOW_NS, f"after {NOW_NS}"),
    (
        R.RATE_OUT_OF_RANGE,
        {"participation_cap_bps": 0},
        {},
        "participation_cap_bps",
        0,
        "1..10000",
    ),
    (
        R.RATE_OUT_OF_RANGE,
        {"participation_cap_bps": 10_001},
        {},
        "participation_cap_bps",
        10_001,
        "1..10000",
    ),
    (R.FIELD_EMPTY, {"source": ""}, {}, "source", "", "1 to 64 characters"),
    (R.FIELD_EMPTY, {"client_order_id": ""}, {}, "client_order_id", "", "1 to 64 characters"),
    (R.FIELD_TOO_LONG, {"desk_id": LONG}, {}, "desk_id", 65, "at most 64"),
    (
        R.TRADE_DATE_MISMATCH,
        {"trade_date": 20250614},
        {},
        "trade_date",
        20250614,
        str(TRADE_DATE),
    ),
]


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: f"{row[0]}: {row[3]}={row[4]}"[:50])
def test_an_order_that_breaks_a_rule_is_refused_with_field_value_and_bound(
    row: tuple[RejectReason, dict[str, Any], dict[str, Any], str, Any, str],
) -> None:
    reason, changes, around, field, value, bound = row
    command = submit(**{"client_order_id": "c1", **changes}, around=around)
    case = given(INTAKE, prepare=named).when(command)
    (answer,) = case.events()
    assert isinstance(answer, OrderRejected)
    assert (answer.reason, answer.field, answer.value, answer.bound) == (
        reason,
        field,
        str(value),
        bound,
    )
    assert answer.text.startswith(field)
    case.then(rejected(command, answer))


def rejected(command: SubmitOrder, answer: OrderRejected) -> OrderRejected:
    """Return the answer with every field that must repeat the command's own."""
    message = command.message
    return OrderRejected(
        tenant=message.tenant,
        source=message.source,
        client_order_id=message.client_order_id,
        account_id=message.account_id,
        instrument_id=message.instrument_id,
        trade_date=message.trade_date,
        reason=answer.reason,
        field=answer.field,
        value=answer.value,
        bound=answer.bound,
        text=answer.text,
        command_digest=command.digest,
        received_ns=command.at_ns,
    )


def test_the_first_rule_in_the_order_of_the_reasons_is_told() -> None:
    command = submit(quantity=-5, side=Side.UNKNOWN, end_ns=NOW_NS, source="", trade_date=1)
    (answer,) = given(INTAKE, prepare=named).when(command).events()
    assert answer.reason is R.QUANTITY_NOT_POSITIVE


def accepted(command: SubmitOrder) -> OrderAccepted:
    (event,) = given(INTAKE, prepare=named).when(command).events()
    assert isinstance(event, OrderAccepted)
    return event


def test_a_good_order_is_accepted_with_times_made_explicit() -> None:
    event = accepted(submit())
    assert (event.order_id, event.start_ns, event.end_ns) == ("Oabcdef.0.1", NOW_NS, CLOSE_NS)
    assert (event.accepted_ns, event.reference_version) == (NOW_NS, 7)


def test_a_later_start_is_kept_and_a_past_one_means_now() -> None:
    assert accepted(submit(start_ns=NOW_NS + SECOND)).start_ns == NOW_NS + SECOND
    assert accepted(submit(start_ns=NOW_NS - SECOND)).start_ns == NOW_NS


def test_orders_that_start_at_once_share_a_group_whenever_they_come() -> None:
    early = accepted(submit())
    late = accepted(submit(around={"at_ns": NOW_NS + SECOND}))
    assert early.group_id == late.group_id
    assert len(early.group_id) == 16


@pytest.mark.parametrize(
    "changes",
    [
        {"tenant": "T2"},
        {"side": Side.SELL},
        {"strategy": StrategyKind.VWAP},
        {"urgency": Urgency.PASSIVE},
        LIMIT,
        {"start_ns": NOW_NS + SECOND},
        {"end_ns": CLOSE_NS - SECOND},
        {"participation_cap_bps": 2_000},
        {"is_dark_allowed": False},
        {"strategy": StrategyKind.IMMEDIATE, "time_in_force": TimeInForce.IOC},
    ],
)
def test_any_other_parameter_makes_another_group(changes: dict[str, Any]) -> None:
    assert accepted(submit()).group_id != accepted(submit(**changes)).group_id


def test_account_source_and_crossing_do_not_split_a_group() -> None:
    other = submit(account_id="A2", source="FIX", desk_id="D2", is_cross_allowed=False)
    assert accepted(submit()).group_id == accepted(other).group_id


def test_the_same_content_again_is_answered_again() -> None:
    first = accepted(submit())
    given(INTAKE, first, prepare=named).when(submit()).then(
        CommandRepeated(
            tenant="T1",
            source="OMS",
            client_order_id="c1",
            instrument_id=ACME,
            trade_date=TRADE_DATE,
            command=CommandKind.NEW,
            order_id="Oabcdef.0.1",
            is_accepted=True,
            reason=R.UNKNOWN,
            received_ns=NOW_NS,
        )
    )


def test_another_content_under_the_same_id_is_refused_and_leaves_the_first_answer() -> None:
    first = accepted(submit())
    case = given(INTAKE, first, prepare=named).when(submit(quantity=200))
    (answer,) = case.events()
    assert (answer.reason, answer.field, answer.value, answer.bound) == (
        R.DUPLICATE_ORDER,
        "client_order_id",
        "c1",
        "one content per source, id and trade date",
    )
    case.then(answer)
    (again,) = given(INTAKE, first, answer, prepare=named).when(submit()).events()
    assert (again.order_id, again.is_accepted) == ("Oabcdef.0.1", True)


def test_a_refused_id_stays_bound_to_its_content() -> None:
    (refused,) = given(INTAKE, prepare=named).when(submit(quantity=-5)).events()
    (answer,) = given(INTAKE, refused, prepare=named).when(submit()).events()
    assert answer.reason is R.DUPLICATE_ORDER


@pytest.mark.parametrize("changes", [{"source": "FIX"}, {"client_order_id": "c9"}])
def test_ids_of_other_sources_are_other_orders(changes: dict[str, Any]) -> None:
    first = accepted(submit())
    command = submit(**{"client_order_id": "c1", **changes})
    (second,) = given(INTAKE, first, prepare=named).when(command).events()
    assert isinstance(second, OrderAccepted)
    assert second.order_id == "Oabcdef.0.2"
