"""Lists of orders: fragments, start, cancel, status, and what of them is refused."""

import pytest

from schemas.messages.core import BasketMode
from schemas.messages.intake import CancelOrder, NewBasket
from services.fix.fields import Fields
from streams.core import topics
from tests.support.builders import SECOND
from tests.support.fix_clients import SEATS, ClientDesk, pipes, seat

BOTH = pytest.mark.parametrize("name", SEATS)


def entry(name: str, account: str = "A1", symbol: str = "ACME") -> str:
    return f"11={name}|67=1|1={account}|55={symbol}|54=1|38=10|40=1"


def fragment(list_id: str, *entries: str, total: int = 0, more: str = "") -> str:
    count = len(entries)
    return f"66={list_id}|394=3|{more}68={total or count}|73={count}|" + "|".join(entries)


def statuses(messages: list[Fields]) -> list[str]:
    """Return kind and status of every N, with each order's status."""
    return [
        f"{each.get(429)} {each.get(431)} " + "".join(row.get(39) for row in each.groups(73))
        for each in messages
        if each.get(35) == "N"
    ]


@BOTH
def test_a_list_is_acknowledged_with_its_orders(name: str) -> None:
    desk = ClientDesk()
    desk.say(name, "E", fragment("L", entry("a"), entry("b")))
    first, second, status = desk.news(name)
    for ack, own in ((first, "a"), (second, "b")):
        assert pipes(ack, 11, 66, 39) == f"11={own}|66=L|39=0"
    assert pipes(status, 35, 66, 429, 82, 431, 83, 68, 73) == (
        "35=N|66=L|429=1|82=1|431=3|83=1|68=2|73=2"
    )
    assert statuses([status]) == ["1 3 00"]


@BOTH
def test_fragments_wait_for_the_last_one(name: str) -> None:
    desk = ClientDesk()
    is_marked = name != "OMS42"  # 4.2 has no 893: the total says when the list is whole
    more = "893=N|" if is_marked else ""
    desk.say(name, "E", fragment("L", entry("a"), total=2, more=more))
    assert not desk.news(name)
    desk.crash()
    last = "893=Y|" if is_marked else ""
    desk.say(name, "E", fragment("L", entry("b"), total=2, more=last))
    assert statuses(desk.news(name)) == ["1 3 00"]
    (basket,) = desk.messages(topics.ORDERS_COMMANDS, NewBasket)
    assert [each.client_order_id for each in basket.entries] == ["a", "b"]


@BOTH
def test_a_list_starts_when_it_is_told_to(name: str) -> None:
    desk = ClientDesk()
    desk.say(name, "E", fragment("L", entry("a"), entry("b"), more="433=2|"))
    assert statuses(desk.news(name)) == ["1 2 AA"]
    assert not desk.messages(topics.ORDERS_COMMANDS, NewBasket)
    desk.crash()
    desk.say(name, "L", "66=L")
    assert statuses(desk.news(name)) == ["4 3 00"]
    desk.say(name, "L", "66=L")  # it was
    (refused,) = desk.news(name)
    assert pipes(refused, 35, 372, 379, 380) == "35=j|372=L|379=L|380=1"


@BOTH
def test_a_list_that_waits_can_be_withdrawn(name: str) -> None:
    desk = ClientDesk()
    desk.say(name, "E", fragment("L", entry("a"), more="433=2|"))
    desk.news(name)
    desk.say(name, "K", "66=L")
    (done,) = desk.news(name)
    assert statuses([done]) == ["5 6 4"]
    assert done.groups(73)[0].get(84) == "10"
    desk.say(name, "L", "66=L")
    assert desk.news(name)[0].get(35) == "j"
    desk.crash()
    desk.say(name, "M", "66=L")
    assert statuses(desk.news(name)) == ["2 6 4"]


@BOTH
def test_an_order_that_waits_in_its_list_is_known(name: str) -> None:
    desk = ClientDesk()
    desk.say(name, "E", fragment("L", entry("a"), entry("b"), more="433=2|"))
    desk.news(name)
    desk.crash()
    desk.say(name, "H", "11=b|55=ACME|54=1")
    (waits,) = desk.news(name)
    tags = (37, 11, 39, 66, 38, 151, 14)
    assert sorted(pipes(waits, *tags).split("|")) == sorted(
        ["37=NONE", "11=b", "39=A", "38=10", "66=L", "151=10", "14=0"]
    )
    for kind in ("F", "G"):
        desk.say(name, kind, f"11=c{kind}|41=b|55=ACME|54=1|38=20|40=1")
        (refused,) = desk.news(name)
        assert pipes(refused, 35, 37, 41, 39, 102) == "35=9|37=NONE|41=b|39=A|102=3"
        bound = "started: list L waits for L, or K for all of it"
        assert refused.get(58) == f"ALREADY_PENDING: {bound} b OrigClOrdID"
    desk.say(name, "K", "66=L")
    desk.say(name, "H", "11=b|55=ACME|54=1")
    desk.say(name, "F", "11=d|41=b|55=ACME|54=1")
    _, gone, refused = desk.news(name)
    assert pipes(gone, 37, 11, 39, 151) == "37=NONE|11=b|39=4|151=0"
    assert pipes(refused, 35, 39, 102) == "35=9|39=4|102=0"
    assert not desk.messages(topics.ORDERS_COMMANDS, CancelOrder)


@BOTH
@pytest.mark.parametrize("more", ["", "433=2|"])
def test_the_rest_of_a_list_that_was_canceled_stays_here(name: str, more: str) -> None:
    desk = ClientDesk()
    part, last = ("", "") if name == "OMS42" else ("893=N|", "893=Y|")
    desk.say(name, "E", fragment("L", entry("a"), total=2, more=more + part))
    desk.say(name, "K", "66=L")
    assert statuses(desk.news(name)) == ["5 6 4"]
    desk.crash()
    desk.say(name, "E", fragment("L", entry("b"), total=2, more=more + last))
    (refused,) = desk.news(name)
    assert pipes(refused, 35, 372, 379, 380) == "35=j|372=E|379=L|380=0"
    assert refused.get(58) == "TOO_LATE: a list that is not canceled L ListID"
    desk.say(name, "L", "66=L")
    (refused,) = desk.news(name)
    assert pipes(refused, 35, 372, 379, 380) == "35=j|372=L|379=L|380=1"
    desk.say(name, "M", "66=L")
    assert statuses(desk.news(name)) == ["2 6 4"]
    assert not desk.messages(topics.ORDERS_COMMANDS, NewBasket)


@BOTH
def test_a_part_of_a_list_does_not_start(name: str) -> None:
    desk = ClientDesk()
    part, last = ("", "") if name == "OMS42" else ("893=N|", "893=Y|")
    desk.say(name, "E", fragment("L", entry("a"), total=2, more="433=2|" + part))
    desk.say(name, "L", "66=L")
    (refused,) = desk.news(name)
    assert pipes(refused, 35, 372, 379, 380) == "35=j|372=L|379=L|380=1"
    assert not desk.messages(topics.ORDERS_COMMANDS, NewBasket)
    desk.crash()
    desk.say(name, "E", fragment("L", entry("b"), total=2, more="433=2|" + last))
    assert statuses(desk.news(name)) == ["1 2 AA"]
    desk.say(name, "L", "66=L")
    assert statuses(desk.news(name)) == ["4 3 00"]


@BOTH
def test_a_list_is_canceled_order_by_order(name: str) -> None:
    desk = ClientDesk()
    desk.say(name, "E", fragment("L", entry("a"), entry("b")))
    desk.say(name, "D", entry("c"))
    desk.news(name)
    desk.say(name, "K", "66=L")
    told = desk.news(name)
    assert statuses(told) == ["2 4 00", "5 6 44"]
    canceled = [pipes(each, 11, 39) for each in told if each.get(35) == "8"]
    assert canceled == ["11=a|39=4", "11=b|39=4"]
    desk.say(name, "M", "66=L")
    assert statuses(desk.news(name)) == ["2 6 44"]


def test_orders_that_come_after_the_cancel_are_canceled_too() -> None:
    desk = ClientDesk()
    desk.record("OMS44", "E", fragment("L", entry("a")))
    desk.record("OMS44", "K", "66=L")  # before the engine has answered
    desk.both()
    assert [pipes(each, 150) for each in desk.news("OMS44") if each.get(35) == "8"] == [
        "150=0",
        "150=4",
    ]


@BOTH
def test_orders_that_cannot_be_are_refused_and_the_others_taken(name: str) -> None:
    desk = ClientDesk()
    desk.say(name, "E", fragment("L", entry("a"), entry("b", account="A9"), entry("c", symbol="X")))
    refused, other, ack, status = desk.news(name)
    assert pipes(refused, 11, 66, 39) == "11=b|39=8|66=L"
    assert pipes(other, 11, 39, 103) == "11=c|39=8|103=1"
    assert pipes(ack, 11, 39) == "11=a|39=0"
    assert statuses([status]) == ["1 3 088"]
    assert status.groups(73)[2].get(58).startswith("UNKNOWN_INSTRUMENT: ")


@BOTH
def test_all_or_none_is_none(name: str) -> None:
    seats = {**SEATS, name: seat(name, basket_mode=BasketMode.ALL_OR_NONE)}
    desk = ClientDesk(seats=seats)
    desk.say(name, "E", fragment("L", entry("a"), entry("b", account="A9")))
    assert statuses(desk.news(name)) == ["1 7 88"]
    assert not desk.messages(topics.ORDERS_COMMANDS, NewBasket)
    desk.say(name, "E", fragment("M", entry("c"), entry("d").replace("38=10", "38=2000000")))
    told = desk.news(name)
    assert statuses(told) == ["1 7 88"]
    assert [each.get(39) for each in told if each.get(35) == "8"] == ["8", "8"]


@BOTH
def test_a_list_that_is_sent_again_is_told_as_it_stands(name: str) -> None:
    desk = ClientDesk()
    body = fragment("L", entry("a"))
    desk.say(name, "E", body)
    desk.news(name)
    desk.say(name, "E", body, resend=True)
    assert statuses(desk.news(name)) == ["2 3 0"]
    desk.say(name, "E", fragment("L", entry("b")))
    (refused,) = desk.news(name)
    assert pipes(refused, 35, 372, 379) == "35=j|372=E|379=L"
    assert refused.get(58).startswith("DUPLICATE_ORDER: ")
    assert len(desk.application.state.intake.orders) == 1


@pytest.mark.parametrize(
    ("kind", "body", "codes"),
    [
        ("E", "394=3|68=1|73=1|11=a", "380=5"),
        ("E", "66=L|394=3|68=1|73=2|11=a", "380=0"),
        ("E", "66=L|394=3|68=0", "380=0"),
        ("E", f"66=L|394=1|68=1|73=1|{entry('a')}", "380=0"),
        ("M", "66=none", "380=1"),
        ("K", "66=none", "380=1"),
        ("L", "66=none", "380=1"),
    ],
)
def test_lists_that_make_no_sense_are_refused(kind: str, body: str, codes: str) -> None:
    desk = ClientDesk()
    for name in SEATS:
        desk.say(name, kind, body)
        (answer,) = desk.news(name)
        assert pipes(answer, 35, 372, 380) == f"35=j|372={kind}|{codes}"


# 433, 68 and number of orders of the last fragment after one with 433=1, 68=3 and one order.
WRONG_LISTS = [
    ("433=3|", 3, 2, "one of 1, 2 3 ListExecInstType"),
    ("433=2|", 3, 2, "1, as in its first fragment 2 ListExecInstType"),
    ("", 4, 2, "3, as in its first fragment 4 TotNoOrders"),
    ("", 3, 1, "2: as many orders have come 3 TotNoOrders"),
    ("", 3, 3, "4: as many orders have come 3 TotNoOrders"),
]


@pytest.mark.parametrize(("more", "total", "count", "text"), WRONG_LISTS)
def test_a_list_that_contradicts_itself_is_refused(
    more: str, total: int, count: int, text: str
) -> None:
    desk = ClientDesk()
    entries = [entry(each) for each in "bcd"]
    desk.say("OMS44", "E", fragment("L", entry("a"), total=3, more="893=N|433=1|"))
    desk.say("OMS44", "E", fragment("L", *entries[:count], total=total, more="893=Y|" + more))
    (refused,) = desk.news("OMS44")
    assert pipes(refused, 35, 372, 379, 380) == "35=j|372=E|379=L|380=0"
    assert refused.get(58) == f"VALUE_OUT_OF_RANGE: {text}"
    assert not desk.messages(topics.ORDERS_COMMANDS, NewBasket)
    desk.crash()
    desk.say("OMS44", "E", fragment("L", *entries[:2], total=3, more="893=Y|"))  # as it should be
    assert statuses(desk.news("OMS44")) == ["1 3 000"]


def test_a_long_list_has_a_long_status() -> None:
    desk = ClientDesk()
    entries = [entry(f"n{number}") for number in range(450)]
    desk.say("OMS44", "E", fragment("L", *entries))
    parts = [each for each in desk.news("OMS44") if each.get(35) == "N"]
    assert [pipes(each, 82, 83, 68, 893, 73) for each in parts] == [
        "82=3|83=1|68=450|893=N|73=200",
        "82=3|83=2|68=450|893=N|73=200",
        "82=3|83=3|68=450|893=Y|73=50",
    ]


def test_a_list_is_done_when_its_last_order_is() -> None:
    desk = ClientDesk()
    desk.say("OMS44", "E", fragment("L", entry("a"), entry("b")))
    desk.say("OMS44", "F", "11=c|41=a|55=ACME|54=1")
    assert statuses(desk.news("OMS44")) == ["1 3 00"]
    desk.pass_ns(SECOND // 1_000)
    desk.say("OMS44", "F", "11=d|41=b|55=ACME|54=1")
    assert statuses(desk.news("OMS44"))[-1:] == ["5 6 44"]
