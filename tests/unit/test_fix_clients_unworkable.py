"""Fields that would make another order of it are refused with tag, value and bound."""

import pytest

from schemas.messages.core import Constraints, RejectReason
from schemas.messages.intake import NewBasket, NewOrder, ReplaceOrder
from streams.core import topics
from tests.support.builders import SECOND, account_defined, instrument_defined, venue_defined
from tests.support.fix_clients import SEATS, ClientDesk, pipes, seat

ORDER = "11=x|1=A1|55=ACME|54=1|38=100|40=1"
ABSENT = "absent: it is not worked here"

# A field of a D; its tag; the bound that the refusal tells.
REFUSED = [
    ("65=WI", 65, ABSENT),
    ("167=OPT", 167, "one of CS, PS, ETF"),
    ("207=XLON", 207, ABSENT),
    ("854=1", 854, "one of 0"),
    ("152=1000", 152, ABSENT),
    ("516=50", 516, ABSENT),
    ("423=1", 423, "one of 2"),
    ("99=100", 99, ABSENT),
    ("211=0.05", 211, ABSENT),
    ("388=1", 388, ABSENT),
    ("389=0.01", 389, ABSENT),
    ("386=1|336=2", 386, ABSENT),
    ("210=50", 210, ABSENT),
    ("1094=4", 1094, ABSENT),
    ("1100=1", 1100, ABSENT),
    ("1084=3", 1084, "one of 1"),
    ("117=q1", 117, ABSENT),
    ("797=Y", 797, "one of N"),
    ("63=3", 63, "one of 0"),
    ("64=20250620", 64, ABSENT),
    ("78=1|79=A9|80=100", 78, ABSENT),
    ("12=0.01", 12, ABSENT),
    ("120=USD", 120, "one of EUR"),
    ("440=C", 440, ABSENT),
    ("775=1", 775, "one of 0"),
    ("544=2", 544, "one of 1"),
    ("528=P", 528, "one of A, I, W"),
    ("47=P", 47, "one of A, I, K, W, Y"),
    ("204=1", 204, "one of 0"),
    ("114=Y", 114, "one of N"),
]  # fmt: skip

# What says no more than is done anyhow, or changes nothing.
TAKEN = (
    "167=CS|854=0|423=2|797=N|63=0|120=EUR|775=0|544=1|528=A|47=A|204=0|114=N|81=0|121=N",
    "58=note|526=y|583=z|453=1|448=p|447=D|452=11|377=Y|376=c|581=1|582=4|529=1|22=4|48=US1",
)


@pytest.fixture(scope="module")
def desk() -> ClientDesk:
    return ClientDesk()


@pytest.mark.parametrize(("field", "tag", "bound"), REFUSED)
def test_a_field_that_is_not_worked_refuses_the_order(
    desk: ClientDesk, field: str, tag: int, bound: str
) -> None:
    value = field.partition("=")[2].partition("|")[0]
    for name in SEATS:
        desk.pass_ns(SECOND)  # every order has an id of its own
        desk.news(name)
        desk.say(name, "D", f"{ORDER}|{field}".replace("11=x", f"11=x{desk.clock.at_ns}"))
        (answer,) = desk.news(name)
        code = "0" if name == "OMS42" else "11"
        assert pipes(answer, 35, 150, 39, 103) == f"35=8|150=8|39=8|103={code}"
        text = answer.get(58)
        assert text.startswith(f"VALUE_OUT_OF_RANGE: {bound} {value} ")
        assert text.endswith(f"({tag})")
        refused = desk.refusals()[-1]
        assert (refused.reason, refused.value) == (RejectReason.VALUE_OUT_OF_RANGE, value)
        assert refused.bound == bound
    assert not desk.messages(topics.ORDERS_COMMANDS, NewOrder)


@pytest.mark.parametrize("fields", TAKEN)
def test_a_field_that_asks_for_no_more_is_taken(fields: str) -> None:
    for name in SEATS:
        desk = ClientDesk()
        desk.say(name, "D", f"{ORDER}|{fields}")
        (answer,) = desk.news(name)
        assert pipes(answer, 150, 39) == "150=0|39=0"


@pytest.mark.parametrize("name", SEATS)
def test_a_field_that_is_not_worked_refuses_a_replace(name: str) -> None:
    desk = ClientDesk()
    desk.say(name, "D", ORDER)
    desk.say(name, "G", "11=y|41=x|55=ACME|54=1|38=120|40=1|99=100")
    _, answer = desk.news(name)
    code = "2" if name == "OMS42" else "99"
    assert pipes(answer, 35, 39, 434, 102) == f"35=9|39=0|434=2|102={code}"
    assert answer.get(58) == f"VALUE_OUT_OF_RANGE: {ABSENT} 100 StopPx (99)"


@pytest.mark.parametrize("name", SEATS)
def test_a_field_that_is_not_worked_refuses_its_order_of_a_list(name: str) -> None:
    desk = ClientDesk()
    rest = "67=1|1=A1|55=ACME|54=1|38=10|40=1"
    desk.say(name, "E", f"66=L|394=3|68=2|73=2|11=a|{rest}|152=1000|11=b|{rest}")
    refused = desk.news(name)[0]
    assert pipes(refused, 11, 66, 39) == "11=a|39=8|66=L"
    assert refused.get(58) == f"VALUE_OUT_OF_RANGE: {ABSENT} 1000 CashOrderQty (152)"
    (basket,) = desk.messages(topics.ORDERS_COMMANDS, NewBasket)
    assert [each.client_order_id for each in basket.entries] == ["b"]


@pytest.mark.parametrize("name", SEATS)
def test_who_has_no_locate_is_told_to_bring_one(name: str) -> None:
    desk = ClientDesk()
    short = ORDER.replace("54=1", "54=5")
    desk.say(name, "D", f"{short}|114=Y")
    (answer,) = desk.news(name)
    assert answer.get(103) == ("22" if name == "OMS50" else "0")
    assert answer.get(58) == ("LOCATE_MISSING: N, with the locate in tag 5700 Y LocateReqd (114)")


@pytest.mark.parametrize("name", SEATS)
def test_a_destination_is_the_only_venue(name: str) -> None:
    venues = [venue_defined(f"V{number}") for number in (1, 2, 3)]
    desk = ClientDesk(instrument_defined(), *venues, account_defined("A1"))
    desk.say(name, "D", f"{ORDER}|100=V2")
    (command,) = desk.messages(topics.ORDERS_COMMANDS, NewOrder)
    assert command.constraints == Constraints(venue_ids=("V2",))
    desk.say(name, "G", "11=y|41=x|55=ACME|54=1|38=120|40=1|100=V3")
    (replace,) = desk.messages(topics.ORDERS_COMMANDS, ReplaceOrder)
    assert replace.constraints == Constraints(venue_ids=("V3",))
    ack, replaced = desk.news(name)
    assert [pipes(each, 39, 100) for each in (ack, replaced)] == (
        ["39=0|100=V2", "39=0|100=V3"] if name == "OMS50" else ["39=0", "39=0"]
    )
    desk.say(name, "D", ORDER.replace("11=x", "11=z") + "|100=XLON")
    (refused,) = desk.news(name)
    assert refused.get(58) == "UNKNOWN_VENUE: defined venues XLON constraints.venue_ids"


def test_the_terms_say_where_instruments_are_listed() -> None:
    who = seat(exchanges=("XPAR", "XAMS"))
    desk = ClientDesk(seats={**SEATS, "OMS44": who})
    desk.say("OMS44", "D", f"{ORDER}|207=XAMS")
    desk.say("OMS44", "D", ORDER.replace("11=x", "11=y") + "|207=XLON")
    taken, refused = desk.news("OMS44")
    assert taken.get(39) == "0"
    assert refused.get(58) == ("VALUE_OUT_OF_RANGE: one of XPAR, XAMS XLON SecurityExchange (207)")


def test_a_name_of_another_kind_is_not_read() -> None:
    who = seat(symbol_tag=48, symbol_source="4", symbols={"US1": "ACME"})
    desk = ClientDesk(seats={**SEATS, "OMS44": who})
    desk.say("OMS44", "D", f"{ORDER}|48=US1|22=1")
    (refused,) = desk.news("OMS44")
    assert refused.get(58).startswith("VALUE_OUT_OF_RANGE: one of 4 1 ")
    assert refused.get(58).endswith("(22)")
