"""Rules of version 2 of NewOrder: parties, times in force, mandate, short sale, hostile values."""

from typing import Any

import pytest

from schemas.messages.core import (
    Constraints,
    OrderType,
    RejectReason,
    Side,
    StrategyKind,
    TickBand,
    TimeInForce,
    VenueKind,
)
from schemas.messages.intake import OrderAccepted, OrderRejected
from streams.core.limits import Breach
from streams.intake import INTAKE
from streams.intake.ladder import STRATEGIES, VALUE_MAX_E9, YEAR_2100_NS
from tests.support.builders import (
    CLOSE_NS,
    MINUTE,
    OPEN_NS,
    SECOND,
    TICK,
    account,
    instrument,
    venue,
)
from tests.support.given import given
from tests.support.intake_commands import NOW_NS, named, submit

R = RejectReason
T = TimeInForce
LIMIT = {"order_type": OrderType.LIMIT, "limit_price_e9": 10_000 * TICK}
SWEEP = {"strategy": StrategyKind.IMMEDIATE}
SHORT = {"side": Side.SELL, "is_short_sale": True, "locate_id": "L1"}
VENUES = (venue("V1"), venue("V2", is_enabled=False), venue("D1", kind=VenueKind.DARK))
AUCTIONS = instrument(
    lot=5,
    entry_open_ns=OPEN_NS - 30 * MINUTE,
    open_cutoff_ns=OPEN_NS - MINUTE,
    close_cutoff_ns=CLOSE_NS - 10 * MINUTE,
)
BANDS = instrument(
    lot=5,
    tick_bands=(
        TickBand(from_price_e9=2 * TICK, tick_e9=2 * TICK),
        TickBand(from_price_e9=100 * TICK, tick_e9=10 * TICK),
    ),
)


def lists(*allowed: str, excluded: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"constraints": Constraints(venue_ids=allowed, excluded_venue_ids=excluded)}


def asks(**constraints: Any) -> dict[str, Any]:
    return {"constraints": Constraints(**constraints)}


# reason, what differs from a good order, what the shard adds, field, value, bound
REFUSALS: list[tuple[RejectReason, dict[str, Any], dict[str, Any], str, Any, str]] = [
    (R.SESSION_CLOSED, {}, {"instrument": AUCTIONS, "at_ns": OPEN_NS - 31 * MINUTE},
     "at_ns", OPEN_NS - 31 * MINUTE, f"from {OPEN_NS - 30 * MINUTE} to before {CLOSE_NS}"),
    (R.PRICE_OFF_TICK, {**LIMIT, "limit_price_e9": 3 * TICK}, {"instrument": BANDS},
     "limit_price_e9", 3 * TICK, f"multiple of {2 * TICK}"),
    (R.PRICE_OFF_TICK, {**LIMIT, "limit_price_e9": 102 * TICK}, {"instrument": BANDS},
     "limit_price_e9", 102 * TICK, f"multiple of {10 * TICK}"),
    (R.UNSUPPORTED_TIME_IN_FORCE, {"time_in_force": T.AT_OPEN}, {},
     "time_in_force", "AT_OPEN", "DAY, GTC, GTD, AT_CLOSE, or with IMMEDIATE: IOC, AT_OPEN"),
    (R.END_NOT_AFTER_START, {"end_ns": OPEN_NS},
     {"instrument": AUCTIONS, "at_ns": OPEN_NS - MINUTE},
     "end_ns", OPEN_NS, f"after the open {OPEN_NS}"),
    (R.FIELD_TOO_LONG, {"locate_id": "x" * 65}, {}, "locate_id", 65, "at most 64"),
    (R.UNKNOWN_VENUE, lists("V1", "V9"), {"venues": VENUES},
     "constraints.venue_ids", "V9", "defined venues"),
    (R.UNKNOWN_VENUE, lists(excluded=("V9",)), {"venues": VENUES},
     "constraints.excluded_venue_ids", "V9", "defined venues"),
    (R.KILLED, {}, {"killed": "K7"}, "kill_id", "K7", "no kill in force"),
    (R.UNKNOWN_CLIENT, {}, {"account": account(is_client_known=False)},
     "client_id", "C1", "enabled clients of tenant T1"),
    (R.UNKNOWN_CLIENT, {}, {"account": account(is_client_enabled=False)},
     "client_id", "C1", "enabled clients of tenant T1"),
    (R.UNKNOWN_ACCOUNT, {}, {"account": account(is_enabled=False)},
     "account_id", "A1", "enabled accounts of tenant T1"),
    (R.UNKNOWN_DESK, {}, {"is_desk_known": False}, "desk_id", "DESK", "enabled desks of tenant T1"),
    (R.NOT_ENTITLED, {}, {"account": account(desk_ids=("D7", "D8"))}, "desk_id", "DESK", "D7, D8"),
    (R.CURRENCY_MISMATCH, {"currency": "USD"}, {}, "currency", "USD", "EUR"),
    (R.EXPIRE_MISSING, {"time_in_force": T.GTD}, {}, "expire_ns", 0, "GTD has one"),
    (R.EXPIRE_NOT_ALLOWED, {"expire_ns": CLOSE_NS}, {}, "expire_ns", CLOSE_NS, "DAY has none"),
    (R.EXPIRE_NOT_ALLOWED, {"time_in_force": T.GTC, "expire_ns": CLOSE_NS}, {},
     "expire_ns", CLOSE_NS, "GTC has none"),
    (R.EXPIRE_IN_THE_PAST, {"time_in_force": T.GTD, "expire_ns": NOW_NS}, {},
     "expire_ns", NOW_NS, f"after {NOW_NS}, when it may trade first"),
    (R.EXPIRE_IN_THE_PAST, {"time_in_force": T.GTD, "expire_ns": OPEN_NS - MINUTE},
     {"instrument": AUCTIONS, "at_ns": OPEN_NS - 2 * MINUTE},
     "expire_ns", OPEN_NS - MINUTE, f"after {OPEN_NS}, when it may trade first"),
    (R.AFTER_CUTOFF, {"time_in_force": T.AT_OPEN, **SWEEP},
     {"instrument": AUCTIONS, "at_ns": OPEN_NS - MINUTE},
     "at_ns", OPEN_NS - MINUTE, f"before the cut-off {OPEN_NS - MINUTE} of AT_OPEN"),
    (R.AFTER_CUTOFF, {"time_in_force": T.AT_OPEN, **SWEEP}, {},
     "at_ns", NOW_NS, f"before the cut-off {OPEN_NS} of AT_OPEN"),
    (R.AFTER_CUTOFF, {"time_in_force": T.AT_CLOSE},
     {"instrument": AUCTIONS, "at_ns": CLOSE_NS - 10 * MINUTE},
     "at_ns", CLOSE_NS - 10 * MINUTE, f"before the cut-off {CLOSE_NS - 10 * MINUTE} of AT_CLOSE"),
    (R.HALTED, {"time_in_force": T.IOC, **SWEEP}, {"instrument": instrument(lot=5, is_halted=True)},
     "time_in_force", "IOC", "ACME is halted"),
    (R.MINIMUM_QUANTITY_OUT_OF_RANGE, asks(minimum_quantity=105), {},
     "constraints.minimum_quantity", 105, "in 0..100, a multiple of 5"),
    (R.MINIMUM_QUANTITY_OUT_OF_RANGE, asks(minimum_quantity=7), {},
     "constraints.minimum_quantity", 7, "in 0..100, a multiple of 5"),
    (R.MINIMUM_QUANTITY_OUT_OF_RANGE, asks(minimum_quantity=-5), {},
     "constraints.minimum_quantity", -5, "in 0..100, a multiple of 5"),
    (R.DISPLAY_QUANTITY_OUT_OF_RANGE, asks(display_quantity=105), {},
     "constraints.display_quantity", 105, "in 0..100, a multiple of 5"),
    (R.DISPLAY_QUANTITY_OUT_OF_RANGE, asks(display_quantity=1), {},
     "constraints.display_quantity", 1, "in 0..100, a multiple of 5"),
    (R.WOULD_PRICE_OUT_OF_RANGE, asks(would_price_e9=0), {},
     "constraints.would_price_e9", 0, f"a positive multiple of {TICK}"),
    (R.WOULD_PRICE_OUT_OF_RANGE, asks(would_price_e9=TICK + 1), {},
     "constraints.would_price_e9", TICK + 1, f"a positive multiple of {TICK}"),
    (R.WOULD_PRICE_OUT_OF_RANGE, {**LIMIT, **asks(would_price_e9=10_001 * TICK)}, {},
     "constraints.would_price_e9", 10_001 * TICK, f"at most the limit {10_000 * TICK}"),
    (R.WOULD_PRICE_OUT_OF_RANGE, {**LIMIT, **asks(would_price_e9=9_999 * TICK), "side": Side.SELL},
     {}, "constraints.would_price_e9", 9_999 * TICK, f"at least the limit {10_000 * TICK}"),
    (R.VENUE_LIST_CONFLICT, lists("V1", excluded=("V1",)), {"venues": VENUES},
     "constraints.venue_ids", "V1", "venue_ids and excluded_venue_ids together name a venue once"),
    (R.VENUE_LIST_CONFLICT, lists("V1", "V1"), {"venues": VENUES},
     "constraints.venue_ids", "V1", "venue_ids and excluded_venue_ids together name a venue once"),
    (R.NO_VENUE_ALLOWED, lists("V2"), {"venues": VENUES},
     "constraints.venue_ids", "V2", "an enabled venue"),
    (R.NO_VENUE_ALLOWED, {**lists("D1"), "is_dark_allowed": False}, {"venues": VENUES},
     "constraints.venue_ids", "D1", "an enabled venue that is not dark"),
    (R.NO_VENUE_ALLOWED, lists(excluded=("V1", "D1")), {"venues": VENUES},
     "constraints.venue_ids", "excluded_venue_ids", "an enabled venue"),
    (R.LIST_TOO_LONG, lists(*["V1"] * 33), {"venues": VENUES},
     "constraints.venue_ids", 33, "at most 32"),
    (R.LOCATE_MISSING, {**SHORT, "locate_id": ""}, {}, "locate_id", "", "a short sale has one"),
    (R.SHORT_SALE_NOT_ALLOWED, {**SHORT, "side": Side.BUY}, {},
     "is_short_sale", "true", "a BUY sells nothing"),
    (R.SHORT_SALE_NOT_ALLOWED, SHORT, {"account": account(is_short_sale_allowed=False)},
     "is_short_sale", "true", "not by account A1"),
    (R.SHORT_SALE_NOT_ALLOWED, SHORT,
     {"instrument": instrument(lot=5, is_short_sale_allowed=False)},
     "is_short_sale", "true", "not in ACME"),
    (R.VALUE_OUT_OF_RANGE, {"locate_id": "L1"}, {},
     "locate_id", "L1", "empty: the order is no short sale"),
    (R.VALUE_OUT_OF_RANGE, {"time_in_force": T.AT_CLOSE, "end_ns": CLOSE_NS}, {},
     "end_ns", CLOSE_NS, "0: AT_CLOSE has the times of its auction"),
    (R.VALUE_OUT_OF_RANGE, {"start_ns": -1}, {}, "start_ns", -1, "at least 0"),
    (R.VALUE_OUT_OF_RANGE, {"time_in_force": T.GTD, "expire_ns": YEAR_2100_NS + 1}, {},
     "expire_ns", YEAR_2100_NS + 1, f"at most {YEAR_2100_NS}"),
    (R.VALUE_OUT_OF_RANGE,
     {**LIMIT, "limit_price_e9": 900_000_000_000 * TICK, "quantity": 9 * 10**18},
     {"instrument": instrument(lot=5, maximum_quantity=2**63 - 1)},
     "limit_price_e9", 900_000_000_000 * TICK,
     f"such that quantity {9 * 10**18} times it is at most {VALUE_MAX_E9}"),
    (R.TEXT_NOT_PRINTABLE, {"source": "OMS\n"}, {}, "source", "OMS\\n", "printable"),
    (R.TEXT_NOT_PRINTABLE, {"source": "O\u202eSM"}, {}, "source", "O\\u202eSM", "printable"),
    (R.TEXT_NOT_PRINTABLE, {"client_order_id": "c\0"}, {},
     "client_order_id", "c\\x00", "printable"),
    (R.PRICE_COLLAR, {}, {"breach": Breach(R.PRICE_COLLAR, "B1", "limit_price_e9", "7", "5..6")},
     "limit_price_e9", "7", "5..6"),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: f"{row[0]}: {row[3]}={row[4]}"[:60])
def test_an_order_that_breaks_a_rule_is_refused_with_field_value_and_bound(
    row: tuple[RejectReason, dict[str, Any], dict[str, Any], str, Any, str],
) -> None:
    reason, changes, around, field, value, bound = row
    command = submit(**{"client_order_id": "c1", **changes}, around=around)
    case = given(INTAKE, prepare=named).when(command)
    (answer,) = case.events()
    assert isinstance(answer, OrderRejected), answer
    assert (answer.reason, answer.field, answer.value) == (reason, field, str(value))
    assert answer.bound == (bound if len(bound) <= 80 else bound[:79] + "…")
    assert answer.text.startswith(field)
    assert answer.received_ns == command.at_ns
    case.then(answer)


def test_the_limit_that_refuses_is_named_with_its_version() -> None:
    breach = Breach(R.CREDIT_LIMIT, "B1", "quantity", "101 EUR", "100 EUR")
    command = submit(around={"breach": breach, "limits_version": 9})
    (answer,) = given(INTAKE, prepare=named).when(command).events()
    assert (answer.limit_id, answer.limits_version) == ("B1", 9)


def accepted(**fields: Any) -> OrderAccepted:
    (event,) = given(INTAKE, prepare=named).when(submit(**fields)).events()
    assert isinstance(event, OrderAccepted), event
    return event


def test_what_reference_data_and_limits_say_stands_in_the_acceptance() -> None:
    around = {
        "account": account(client_id="C7", owner_id="W7", is_house=True),
        "limits_version": 3,
        "unit_value_e9": 11,
    }
    event = accepted(around=around)
    assert (event.client_id, event.owner_id, event.is_house) == ("C7", "W7", True)
    assert (event.limits_version, event.unit_value_e9) == (3, 11)


@pytest.mark.parametrize(
    "changes",
    [
        asks(display_quantity=10),
        asks(minimum_quantity=10),
        asks(would_price_e9=TICK),
        lists("V1"),
        lists(excluded=("V1",)),
        {**SHORT},
        {"time_in_force": T.GTC},
        {"time_in_force": T.AT_CLOSE},
    ],
)
def test_a_mandate_makes_another_group(changes: dict[str, Any]) -> None:
    around = {"venues": VENUES}
    plain = accepted(side=changes.get("side", Side.BUY))
    assert accepted(around=around, **changes).group_id != plain.group_id


def test_an_order_with_a_minimum_shares_its_fills_with_nobody() -> None:
    def group(client_order_id: str, **constraints: int) -> str:
        around = {"venues": VENUES}
        return accepted(
            client_order_id=client_order_id, around=around, **asks(**constraints)
        ).group_id

    assert group("c1", minimum_quantity=10) != group("c2", minimum_quantity=10)
    assert group("c1", display_quantity=10) == group("c2", display_quantity=10)


def test_constraints_that_ask_nothing_are_none() -> None:
    event = accepted(constraints=Constraints(), around={"venues": VENUES})
    assert event.constraints is None
    assert event.group_id == accepted().group_id


def test_a_short_sale_keeps_its_locate() -> None:
    event = accepted(**SHORT)
    assert (event.is_short_sale, event.locate_id) == (True, "L1")


def test_an_order_of_the_pre_open_waits_for_the_open() -> None:
    event = accepted(around={"instrument": AUCTIONS, "at_ns": OPEN_NS - 20 * MINUTE})
    assert (event.start_ns, event.end_ns) == (OPEN_NS, CLOSE_NS)


# time in force, entered at, what the instrument has, start, end
@pytest.mark.parametrize(
    ("tif", "at_ns", "terms", "start_ns", "end_ns"),
    [
        (T.AT_OPEN, OPEN_NS - 2 * MINUTE, AUCTIONS, OPEN_NS - 2 * MINUTE, OPEN_NS + 5 * MINUTE),
        (T.AT_OPEN, OPEN_NS - SECOND, instrument(entry_open_ns=1), OPEN_NS, OPEN_NS + 5 * MINUTE),
        (T.AT_CLOSE, OPEN_NS - 2 * MINUTE, AUCTIONS, OPEN_NS, CLOSE_NS),
        (T.AT_CLOSE, NOW_NS, AUCTIONS, NOW_NS, CLOSE_NS),
        (T.AT_CLOSE, NOW_NS, instrument(lot=5), CLOSE_NS - 5 * MINUTE, CLOSE_NS),
        (T.AT_CLOSE, CLOSE_NS - SECOND, instrument(lot=5), CLOSE_NS - SECOND, CLOSE_NS),
        (T.GTC, NOW_NS, instrument(lot=5), NOW_NS, CLOSE_NS),
    ],
)
def test_an_order_for_an_auction_has_its_times(
    tif: T, at_ns: int, terms: Any, start_ns: int, end_ns: int
) -> None:
    event = accepted(time_in_force=tif, around={"instrument": terms, "at_ns": at_ns}, **SWEEP)
    assert (event.start_ns, event.end_ns) == (start_ns, end_ns)


@pytest.mark.parametrize(
    ("expire_ns", "end_ns"), [(CLOSE_NS + MINUTE, CLOSE_NS), (NOW_NS + MINUTE, NOW_NS + MINUTE)]
)
def test_a_gtd_order_works_until_the_close_or_its_expiry(expire_ns: int, end_ns: int) -> None:
    event = accepted(time_in_force=T.GTD, expire_ns=expire_ns)
    assert (event.end_ns, event.expire_ns) == (end_ns, expire_ns)


@pytest.mark.parametrize("strategy", [kind for kind in StrategyKind if kind not in STRATEGIES])
def test_a_strategy_that_no_engine_knows_is_refused(strategy: StrategyKind) -> None:
    (answer,) = given(INTAKE, prepare=named).when(submit(strategy=strategy)).events()
    assert answer.reason is R.UNSUPPORTED_STRATEGY


def test_a_hostile_value_is_told_short() -> None:
    message = {"account_id": "x\u202e" * 500_000}
    command = submit(around={"account": None}, **message)
    (answer,) = given(INTAKE, prepare=named).when(command).events()
    assert answer.reason is R.UNKNOWN_ACCOUNT
    assert len(answer.value) < 600 and answer.text.isprintable()
