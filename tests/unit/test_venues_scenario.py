"""What follows from a scenario before anybody trades: reference data and the clients' orders."""

from collections import Counter
from pathlib import Path

import pytest

from schemas.messages.control import (
    AccountDefined,
    CrossingDeclared,
    InstrumentDefined,
    VenueDefined,
    VolumeCurveDefined,
)
from schemas.messages.core import StrategyKind
from schemas.messages.intake import CancelOrder, NewOrder, ReplaceOrder
from services.venues.curves import HALF_HOURS, day_fractions
from services.venues.scenario import Scenario, definitions, plan_day
from services.venues.tapes import TapeError, open_tape
from streams.core.murmur import partition_of
from streams.models.volume import forecast_volumes
from tests.support.shared import shared

SCENARIO = Scenario(seed=3, minutes=30)
MINUTE = 60_000_000_000


def test_definitions_name_every_instrument_venue_and_account_once() -> None:
    counts = Counter(type(message) for message in definitions(SCENARIO))
    assert counts == {
        InstrumentDefined: 8,
        VenueDefined: 4,
        AccountDefined: 40,
        CrossingDeclared: 1,
        VolumeCurveDefined: 8,
    }


def test_equal_scenarios_give_equal_days_and_another_seed_another() -> None:
    assert definitions(SCENARIO) == definitions(SCENARIO)
    assert plan_day(SCENARIO).commands == plan_day(SCENARIO).commands
    assert plan_day(SCENARIO).commands != plan_day(Scenario(seed=4, minutes=30)).commands


def test_every_tick_times_lot_is_a_whole_and_even_number_of_cash_units() -> None:
    for terms in plan_day(SCENARIO).terms.instruments.values():
        assert terms.tick_e9 * terms.lot % (2 * terms.quantity_scale) == 0


def test_the_instruments_occupy_every_partition() -> None:
    instruments = plan_day(SCENARIO).terms.instruments
    assert {partition_of(each, 4) for each in instruments} == {0, 1, 2, 3}


def test_the_flow_is_two_thousand_orders_of_forty_accounts_in_few_groups() -> None:
    day = plan_day(SCENARIO)
    orders = [each.message for each in day.commands if isinstance(each.message, NewOrder)]
    assert len({order.client_order_id for order in orders}) == 2_000
    assert len({order.account_id for order in orders} - {"A999"}) == 40
    assert len({order.source for order in orders}) == 3
    kinds = Counter(order.strategy for order in orders)
    assert set(kinds) == set(StrategyKind) - {StrategyKind.UNKNOWN}
    assert kinds[StrategyKind.VWAP] > kinds[StrategyKind.TWAP] > 2_000 // 4
    groups = {
        (o.instrument_id, o.side, o.strategy, o.end_ns, o.limit_price_e9)
        for o in orders
        if o.strategy is not StrategyKind.IMMEDIATE
    }
    assert len(groups) < 120
    assert len({order.end_ns for order in orders if order.end_ns > day.terms.start_ns}) == 2


def test_the_flow_has_cancels_replaces_repeats_and_faults() -> None:
    commands = [each.message for each in plan_day(SCENARIO).commands]
    kinds = Counter(type(each) for each in commands)
    assert kinds[CancelOrder] > 10 and kinds[ReplaceOrder] > 10
    repeats = Counter(each for each in commands if isinstance(each, NewOrder))
    assert sum(count == 2 for count in repeats.values()) > 5
    faults = [each for each in repeats if each.quantity == 0 or each.instrument_id == "NOSUCH"]
    assert faults


def test_orders_come_within_the_day_and_in_order_of_time() -> None:
    day = plan_day(SCENARIO)
    times = [command.at_ns for command in day.commands]
    assert times == sorted(times)
    assert times[0] > day.terms.start_ns
    assert times[-1] < day.terms.start_ns + 30 * MINUTE


def test_client_orders_are_small_beside_the_market() -> None:
    day = plan_day(SCENARIO)
    ordered = Counter[str]()
    for command in day.commands:
        if isinstance(command.message, NewOrder) and command.message.quantity <= 10_000:
            ordered[command.message.instrument_id] += command.message.quantity
    for curve in day.curves:
        volume = sum(forecast_volumes(curve, (), 0)[:30])
        assert 0 < ordered[curve.instrument_id] < volume / 4


def test_the_assumed_curve_resembles_the_measured_ones() -> None:
    facts = shared("facts/us_equity_volume_curves.json")
    _, assumed = day_fractions(None, 0)
    assert sum(HALF_HOURS) == 1_000
    assert sum(assumed) == pytest.approx(1e9, rel=1e-6)
    for ordinal in range(2):
        name, measured = day_fractions(facts, ordinal)
        assert name.startswith("us_equity_volume_curves/") and len(measured) == len(assumed)
        # Half the sum of differences is the part of a day's volume that would have to move.
        moved = sum(abs(a - b) for a, b in zip(assumed, measured, strict=True)) / 2
        assert moved < 0.2e9


def test_the_volume_model_expects_the_volume_it_was_made_from() -> None:
    day = plan_day(SCENARIO)
    _, fractions = day_fractions(None, 0)
    forecast = forecast_volumes(day.curves[0], (), 0)
    wanted = 2_100_000 * sum(fractions[:30]) / 1e9
    assert sum(forecast[:30]) == pytest.approx(wanted, rel=0.05)


def test_a_folder_without_a_tape_is_named(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match=str(tmp_path)):
        open_tape(tmp_path, 1)
