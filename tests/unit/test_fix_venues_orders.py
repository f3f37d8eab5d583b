"""What goes to a venue: each profile and version writes the same child in its own dialect."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.messages.core import OrderType, TimeInForce
from services.fix.codes.versions import Version
from services.fix.dictionary import Version as DictionaryVersion
from services.fix.dictionary import dictionary
from services.fix.fields import Fields
from services.fix.venues import orders
from services.fix.venues.ids import ClientId, cancel_id, read_id, replace_id
from services.fix.venues.state import Child, child_of
from services.fix.venues.terms import PROFILES, VenueTerms, read_terms
from tests.support.fix_venues import ACME, START_NS, child, terms

SCALE = 1
USER_DEFINED = 5_000  # and above: tags of one's own
NAMES = sorted(path.stem for path in PROFILES.glob("*.toml"))
FULL: dict[str, Any] = {
    "minimum_quantity": 10, "display_quantity": 50, "is_post_only": True, "is_short_sale": True,
}  # fmt: skip
BASE = "11=P.1.1|55=ACME|54=1|38=100|40=2|59=0|44=99.99|528=A|60=20260302-14:30:00.000"

# terms, child, the D
ORDERS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {}, BASE),
    (
        {"version": "FIX42", "capacity_tag": 47},
        {},
        "11=P.1.1|21=1|55=ACME|54=1|38=100|40=2|59=0|44=99.99|47=A|60=20260302-14:30:00.000",
    ),
    (
        {"version": "FIX50SP2", "display_tag": 1138, "capacity_tag": 0, "time_digits": 6},
        {"display_quantity": 50},
        "11=P.1.1|55=ACME|54=1|38=100|40=2|59=0|44=99.99|1138=50|60=20260302-14:30:00.000000",
    ),
    (
        {"account": "A1", "exchange": "XV", "constants": ("9303=X",), "self_trade_tag": 7928},
        {},
        "11=P.1.1|1=A1|55=ACME|207=XV|54=1|38=100|40=2|59=0|44=99.99|528=A|7928=STP|9303=X"
        "|60=20260302-14:30:00.000",
    ),
    (
        {"symbols": {ACME: {"symbol": "ACM", "security_id": "US1", "id_source": "4"}}},
        {"order_type": OrderType.MARKET, "price_e9": None, "time_in_force": TimeInForce.IOC},
        "11=P.1.1|55=ACM|48=US1|22=4|54=1|38=100|40=1|59=3|528=A|60=20260302-14:30:00.000",
    ),
    (
        {"order_types": ("MIDPOINT",)},
        {"order_type": OrderType.MIDPOINT, "minimum_quantity": 20, "is_post_only": True},
        "11=P.1.1|55=ACME|54=1|38=100|40=P|59=0|44=99.99|110=20|528=A|18=M 6"
        "|60=20260302-14:30:00.000",
    ),
    (
        {"midpoint": ("40=P", "1094=2")},
        {"order_type": OrderType.MIDPOINT, "price_e9": None},
        "11=P.1.1|55=ACME|54=1|38=100|40=P|59=0|528=A|1094=2|60=20260302-14:30:00.000",
    ),
    (
        {"short_sale": ("54=5", "114=N")},
        {"side": "SELL", "is_short_sale": True},
        "11=P.1.1|55=ACME|54=5|38=100|40=2|59=0|44=99.99|528=A|114=N|60=20260302-14:30:00.000",
    ),
    (
        {"version": "FIX42", "capacity_tag": 0},
        {"time_in_force": TimeInForce.AT_CLOSE},
        "11=P.1.1|21=1|55=ACME|54=1|38=100|40=B|59=0|44=99.99|60=20260302-14:30:00.000",
    ),
    (
        {},
        {"time_in_force": TimeInForce.AT_CLOSE},
        "11=P.1.1|55=ACME|54=1|38=100|40=2|59=7|44=99.99|528=A|60=20260302-14:30:00.000",
    ),
]

# terms, child, why it is not sent
REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"order_types": ("LIMIT",)}, {"order_type": OrderType.MARKET}, "takes no MARKET order"),
    ({}, {"time_in_force": TimeInForce.AT_OPEN}, "takes no AT_OPEN"),
    ({"minimum_tag": 0}, {"minimum_quantity": 1}, "takes no minimum quantity"),
    ({"display_tag": 0}, {"display_quantity": 1}, "takes no display quantity"),
    ({"post_only": ()}, {"is_post_only": True}, "takes no post-only order"),
    ({"short_sale": ()}, {"is_short_sale": True}, "takes no short sale"),
    (
        {"opens": "14:30:01", "closes": "21:00:00"},
        {},
        "orders are taken from 14:30:01 to 21:00:00",
    ),
    ({"opens": "22:00:00", "closes": "14:30:00"}, {}, "orders are taken from 22:00:00 to 14:30:00"),
    ({"opens": "14:30:00", "closes": "14:30:01"}, {}, ""),
    ({"opens": "09:30:00", "closes": "16:00:00", "time_zone": "America/New_York"}, {}, ""),
    (
        {"opens": "09:00:00", "closes": "15:30:00", "time_zone": "Europe/Berlin"},
        {},
        "orders are taken from 09:00:00 to 15:30:00 Europe/Berlin",
    ),
    ({"opens": "22:00:00", "closes": "14:31:00"}, {}, ""),
    ({}, FULL, ""),
    ({}, {"instrument_id": "\u682a"}, "its symbol cannot be written in FIX"),
    ({"symbols": {"\u682a": {"symbol": "KABU"}}}, {"instrument_id": "\u682a"}, ""),
    ({}, {"self_trade_id": "a\x01b"}, "its self-trade id cannot be written in FIX"),
]


def sent(child_changes: dict[str, Any]) -> Child:
    return child_of(child(**child_changes), "V1")


@pytest.mark.parametrize(("changes", "of_child", "text"), ORDERS)
def test_a_child_is_written_as_the_profile_says(
    changes: dict[str, Any], of_child: dict[str, Any], text: str
) -> None:
    fields = orders.new_order(terms(**changes), sent(of_child), "P.1.1", SCALE, START_NS)
    assert repr(fields) == text


def test_quantities_are_whole_units_whatever_the_log_counts() -> None:
    fields = orders.new_order(terms(), sent({"quantity": 12_345}), "P.1.1", 10_000, START_NS)
    assert fields.get(38) == "1.2345"


@pytest.mark.parametrize(("changes", "of_child", "text"), REFUSED)
def test_what_a_venue_does_not_take_is_not_sent(
    changes: dict[str, Any], of_child: dict[str, Any], text: str
) -> None:
    assert orders.refusal(terms(**changes), sent(of_child), START_NS) == text


def test_a_venue_opens_by_its_own_clock_in_summer_and_winter() -> None:
    hours = terms(opens="09:00:00", closes="17:30:00", time_zone="Europe/Berlin")
    closed = "orders are taken from 09:00:00 to 17:30:00 Europe/Berlin"
    for day, opens in (("2026-03-27", 8), ("2026-03-30", 7), ("2026-10-23", 7), ("2026-10-26", 8)):
        start = datetime.fromisoformat(f"{day}T{opens:02}:00:00+00:00")
        start_ns = int(start.timestamp()) * 10**9
        told = [orders.refusal(hours, sent({}), at_ns) for at_ns in (start_ns - 1, start_ns)]
        assert told == [closed, ""], day


def test_requests_refer_to_the_newest_id_that_the_venue_took() -> None:
    known = sent({})
    known.venue_order_id, known.replaced = "V-1", 2
    known.asked_quantity, known.asked_price_e9 = 80, 99_980_000_000

    def text(changes: dict[str, Any], write: Any, request: int) -> str:
        return repr(write(terms(**changes), known, "P.1.1", request, scale=SCALE, at_ns=START_NS))

    assert text({}, orders.cancel_request, 1) == (
        "41=P.1.1/5|11=P.1.1/2|37=V-1|55=ACME|54=1|38=100|60=20260302-14:30:00.000"
    )
    assert text({"original_id": "first"}, orders.replace_request, 3) == (
        "41=P.1.1|11=P.1.1/7|37=V-1|55=ACME|54=1|38=80|40=2|59=0|44=99.98|528=A"
        "|60=20260302-14:30:00.000"
    )
    question = orders.status_request(terms(), known, "P.1.1", 4)
    assert repr(question) == "11=P.1.1/5|37=V-1|790=P.1.1/S4|55=ACME|54=1"
    old = orders.status_request(terms(version="FIX42"), known, "P.1.1", 4)
    assert repr(old) == "11=P.1.1/5|37=V-1|55=ACME|54=1"


def test_ids_of_cancels_and_replaces_never_meet() -> None:
    ids = [make("P.1.1", n) for n in range(1, 50) for make in (cancel_id, replace_id)]
    assert len(set(ids)) == len(ids)
    assert read_id(cancel_id("P.1.1", 7)) == ClientId("P.1.1", cancel=7)
    assert read_id(replace_id("P.1.1", 7)) == ClientId("P.1.1", replace=7)
    for text in ("P.1.1", "X/", "X/abc", "", "X/1234567890", "X/\u0661"):
        assert read_id(text) == ClientId(text)


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_writes_what_its_version_knows(name: str) -> None:
    profile = read_terms({"profile": name})
    assert profile.venue_id == name
    rules = dictionary(DictionaryVersion(profile.version))
    for kind, fields in written(profile):
        layout = rules.layout(kind)
        assert layout is not None
        for tag in layout.required():
            assert tag in fields, f"{kind} lacks {tag}"
        for tag, value in fields.pairs:
            assert tag >= USER_DEFINED or layout.find(tag) is not None, f"{kind} knows no {tag}"
            allowed = rules.fields[tag].values if tag in rules.fields else {}
            assert not allowed or all(part in allowed for part in value.split()), f"{tag}={value}"


def written(profile: VenueTerms) -> list[tuple[str, Fields]]:
    """Every order that a profile takes, and what may be asked about it."""
    found: list[tuple[str, Fields]] = []
    for order_type in profile.order_types:
        for time_in_force in profile.times_in_force:
            for extra in ({}, FULL):
                known = sent({**extra, "order_type": order_type, "time_in_force": time_in_force})
                if orders.refusal(profile, known, START_NS):
                    continue
                order = orders.new_order(profile, known, "P.1.1", SCALE, START_NS)
                found.append(("D", order))
                change = orders.replace_request(
                    profile, known, "P.1.1", 1, scale=SCALE, at_ns=START_NS
                )
                found.append(("G", change))
    assert found
    cancel = orders.cancel_request(profile, known, "P.1.1", 1, scale=SCALE, at_ns=START_NS)
    return [*found, ("F", cancel), ("H", orders.status_request(profile, known, "P.1.1", 1))]


def test_a_session_may_change_its_profile() -> None:
    changed = read_terms({"profile": "OST", "messages_per_s": 7})
    assert (changed.messages_per_s, changed.fee_tag) == (7, 137)


@pytest.mark.parametrize(
    "changes",
    [
        {"opens": "09:00:00"},
        {"time_zone": "Europe/Berlin"},
        {"opens": "09:00:00", "closes": "17:00:00", "time_zone": "Europe/Atlantis"},
        {"opens": "09:00:00", "closes": "17:00:00", "time_zone": "../etc"},
        {"symbols": {ACME: {"security_id": "US1"}}},
        {"constants": ("no tag",)},
        {"order_types": ("MIDPOINT",), "midpoint": ()},
        {"version": "FIX43"},
        {"version": "FIX42", "status_requests": "mass"},
        {"unknown": 1},
    ],
)
def test_terms_that_do_not_add_up_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        terms(**changes)


def test_a_profile_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_terms({"profile": "NOBODY"}, tmp_path)
    assert Version.FIX42 in {read_terms({"profile": name}).version for name in NAMES}
