"""Venues from files: every term of theirs, exact, and what is wrong with them."""

from pathlib import Path

import pytest

from schemas.messages.control import VenueDefined
from schemas.messages.core import FeeTier, OrderType, SelfTradeRule, VenueKind
from services.config.files import read
from tests.unit.test_config_files import REFERENCE, folder, problems

TEXT = """
[[venue]]
venue_id = "V"
kind = "LIT"
taker_fee = "0.003"
latency_ms = "1.5"
order_types = ["LIMIT"]
tick = "0.05"
lot = 10
month_quantity = 7
self_trade_rule = "NONE"
cancel_after_ms = "250"
messages_per_s = 40
slow_after_ms = "800"
fee_tiers = [
  { from_quantity = 0, taker_fee = "0.003" },
  { from_quantity = 1000, taker_fee = "0.002", maker_fee = "-0.001" },
]
"""
BAD = {
    "tiers in disorder": (
        {
            "venues": '[[venue]]\nvenue_id = "V"\nkind = "LIT"\n'
            "fee_tiers = [{ from_quantity = 5 }, { from_quantity = 5 }]\n"
        },
        (
            "PARAMETER_OUT_OF_RANGE",
            "venues.toml venue 1 V",
            "fee_tiers.from_quantity",
            "5",
            "above 5",
        ),
    ),
    "more messages than are counted": (
        {"venues": '[[venue]]\nvenue_id = "V"\nkind = "LIT"\nmessages_per_s = 10001\n'},
        (
            "PARAMETER_OUT_OF_RANGE",
            "venues.toml venue 1 V",
            "messages_per_s",
            "10001",
            "0..10000",
        ),
    ),
    "an odd tick of a venue": (
        {"venues": '[[venue]]\nvenue_id = "V"\nkind = "LIT"\ntick = "0.000000003"\n'},
        ("PRICE_OFF_TICK", "venues.toml venue 1 V", "tick_e9", "3", "even"),
    ),
    "an unknown calendar of a venue": (
        {"venues": '[[venue]]\nvenue_id = "V"\nkind = "LIT"\ncalendar_id = "Z"\n'},
        ("UNKNOWN_CALENDAR", "venues.toml venue 1 V", "calendar_id", "Z", "defined calendars"),
    ),
}


def test_every_term_of_a_venue_comes_from_its_file(tmp_path: Path) -> None:
    (definition,) = read(folder(tmp_path, venues=TEXT)).definitions
    assert definition.message == VenueDefined(
        venue_id="V",
        name="V",
        kind=VenueKind.LIT,
        taker_fee_e9=3_000_000,
        maker_fee_e9=0,
        taker_fee_ppm=0,
        maker_fee_ppm=0,
        minimum_quantity=1,
        latency_ns=1_500_000,
        order_types=(OrderType.LIMIT,),
        tick_e9=50_000_000,
        lot=10,
        fee_tiers=(
            FeeTier(from_quantity=0, taker_fee_e9=3_000_000, maker_fee_e9=0),
            FeeTier(from_quantity=1_000, taker_fee_e9=2_000_000, maker_fee_e9=-1_000_000),
        ),
        self_trade_rule=SelfTradeRule.NONE,
        cancel_after_ns=250_000_000,
        messages_per_s=40,
        slow_after_ns=800_000_000,
        month_quantity=7,
    )


def test_the_sample_shows_tiers_and_a_throttle() -> None:
    venues = {
        definition.message.venue_id: definition.message
        for definition in read(REFERENCE).definitions
        if isinstance(definition.message, VenueDefined)
    }
    assert len(venues["NORD"].fee_tiers) == 2
    assert venues["TIEF"].order_types == (OrderType.MIDPOINT,)


@pytest.mark.parametrize("name", BAD)
def test_a_problem_of_a_venue_says_where_what_and_why(name: str, tmp_path: Path) -> None:
    files, (code, place, field, value, bound) = BAD[name]
    (found,) = problems(tmp_path, **files)
    assert (found.code, found.field) == (code, field)
    assert place in " ".join(found.place)
    assert value in found.value
    assert bound in found.bound
