"""An order's life as its client hears of it, in every version."""

import pytest

from schemas.messages.fix import FillDisputed
from schemas.messages.intake import CancelOrder, MassCancelOrder
from schemas.messages.routing import ChildPlaced
from services.fix.fields import Fields
from streams.core import topics
from tests.support.builders import (
    CLOSE_NS,
    SECOND,
    TICK,
    crossing_declared,
    mass_cancel_order,
)
from tests.support.fix_clients import SEATS, ClientDesk, pipes, seat

URGENT = "957=1|958=Urgency|959=14|960=URGENT"
ORDER = f"1=A1|55=ACME|54=1|38=100|40=2|44=100.01|847=1002|{URGENT}"


def stated(name: str, report: Fields) -> str:
    """Return 150 as 4.4 has it."""
    if name != "OMS42":
        return report.get(150)
    told = {"1": "H", "2": "G", "3": "I"}.get(report.get(20), report.get(150))
    return "F" if report.get(20) == "0" and told in ("1", "2") else told


def working(name: str, body: str = ORDER) -> tuple[ClientDesk, ChildPlaced]:
    """Return a desk with one order whose child rests at a venue."""
    desk = ClientDesk()
    desk.say(name, "D", f"11=x|{body}")
    desk.pass_ns(SECOND)
    desk.news(name)
    return desk, desk.messages(topics.CHILDREN_EVENTS, ChildPlaced)[-1]


@pytest.mark.parametrize("name", SEATS)
def test_fills_are_told_with_where_and_how(name: str) -> None:
    desk, child = working(name)
    desk.trade(child, 40, 10_000 * TICK)
    desk.trade(child, 60, 10_001 * TICK)
    first, second = desk.news(name)
    assert [stated(name, each) for each in (first, second)] == ["F", "F"]
    tags = (11, 39, 32, 31, 30, 29, 851, 151, 14, 6)
    assert pipes(first, *tags) == ("11=x|39=1|32=40|31=100|30=V1|29=1|851=2|151=60|14=40|6=100")
    assert pipes(second, *tags) == (
        "11=x|39=2|32=60|31=100.01|30=V1|29=1|851=2|151=0|14=100|6=100.006"
    )
    if name == "OMS42":
        assert pipes(first, 20, 150) == "20=0|150=1"
        assert pipes(second, 20, 150) == "20=0|150=2"


@pytest.mark.parametrize("name", SEATS)
def test_a_bust_takes_its_execution_back(name: str) -> None:
    desk, child = working(name)
    desk.trade(child, 40)
    fill = desk.trade(child, 10, 10_000 * TICK)
    trade = desk.news(name)[-1]
    desk.change(child, fill)
    (bust,) = desk.news(name)
    assert stated(name, bust) == "H"
    assert pipes(bust, 19, 39, 32, 31, 151, 14, 6) == (
        f"19={trade.get(17)}|39=1|32=10|31=100|151=60|14=40|6=100.01"
    )
    assert bust.get(17) != trade.get(17)
    assert bust.get(58) == "the venue took it back"


@pytest.mark.parametrize("name", SEATS)
def test_a_correction_replaces_its_execution(name: str) -> None:
    desk, child = working(name)
    fill = desk.trade(child, 40)
    (trade,) = desk.news(name)
    desk.change(child, fill, 30, 10_000 * TICK)
    price, shares = desk.news(name)
    assert [stated(name, each) for each in (price, shares)] == ["G", "G"]
    tags = (19, 39, 32, 31, 151, 14, 6)
    assert pipes(price, *tags) == f"19={trade.get(17)}|39=1|32=40|31=100|151=60|14=40|6=100"
    assert pipes(shares, *tags) == f"19={price.get(17)}|39=1|32=30|31=100|151=70|14=30|6=100"


@pytest.mark.parametrize("name", SEATS)
def test_a_bust_of_an_order_that_has_ended_restates_it(name: str) -> None:
    desk, child = working(name)
    fill = desk.trade(child, 100)
    desk.news(name)
    desk.pass_ns(SECOND)
    desk.change(child, fill)
    told = desk.news(name)
    assert [stated(name, each) for each in told] == ["H", "D"]
    bust, restated = told
    assert pipes(bust, 39, 151, 14, 6) == "39=2|151=0|14=0|6=0"
    option = "4" if name == "OMS42" else "8"
    assert pipes(restated, 39, 378, 14) == f"39={restated.get(39)}|378={option}|14=0"
    assert restated.get(58) == "BUST: not at the client's request"


@pytest.mark.parametrize("name", SEATS)
def test_a_cancel_waits_for_the_venue(name: str) -> None:
    desk, child = working(name)
    desk.trade(child, 40)
    desk.news(name)
    desk.say(name, "F", "11=y|41=x|55=ACME|54=1")
    (pending,) = desk.news(name)
    assert pipes(pending, 11, 41, 150, 39, 151) == "11=y|41=x|150=6|39=6|151=60"
    desk.say(name, "F", "11=z|41=x|55=ACME|54=1")
    (refused,) = desk.news(name)
    assert pipes(refused, 35, 37, 11, 41, 39, 434, 102) == (
        f"35=9|37={pending.get(37)}|11=z|41=x|39=6|434=1|102=3"
    )
    assert refused.get(58).startswith("ALREADY_PENDING: y x original_client_order_id")
    desk.trade(child, 10)
    (meanwhile,) = desk.news(name)
    assert pipes(meanwhile, 11, 39, 14, 151) == "11=x|39=6|151=50|14=50"
    desk.confirm_cancel(child)
    (canceled,) = desk.news(name)
    assert pipes(canceled, 11, 41, 150, 39, 151, 14) == "11=y|41=x|150=4|39=4|151=0|14=50"
    desk.say(name, "F", "11=late|41=x|55=ACME|54=1")
    (late,) = desk.news(name)
    assert pipes(late, 39, 434, 102) == "39=4|434=1|102=0"


@pytest.mark.parametrize("name", SEATS)
def test_a_cancel_that_comes_too_late_is_refused_when_the_order_is_full(name: str) -> None:
    desk, child = working(name)
    desk.say(name, "F", "11=y|41=x|55=ACME|54=1")
    desk.trade(child, 100)
    pending, trade, refused = desk.news(name)
    assert (pending.get(39), trade.get(39), trade.get(151)) == ("6", "6", "0")
    assert pipes(refused, 35, 11, 41, 39, 102) == "35=9|11=y|41=x|39=2|102=0"


@pytest.mark.parametrize("name", SEATS)
def test_a_replace_waits_for_the_venue(name: str) -> None:
    desk, child = working(name)
    desk.say(name, "G", f"11=y|41=x|{ORDER.replace('100.01', '99.5').replace('38=100', '38=80')}")
    (pending,) = desk.news(name)
    assert pipes(pending, 11, 41, 150, 39, 38, 44) == "11=y|41=x|150=E|39=E|38=100|44=100.01"
    desk.confirm_cancel(child)
    (replaced,) = desk.news(name)
    assert pipes(replaced, 11, 41, 150, 39, 38, 44) == "11=y|41=x|150=5|39=0|38=80|44=99.5"
    desk.say(name, "H", "11=y|55=ACME|54=1|790=s1")
    (status,) = desk.news(name)
    assert stated(name, status) == "I"
    assert pipes(status, 11, 39, 38) == "11=y|39=0|38=80"
    assert status.get(790) == ("" if name == "OMS42" else "s1")


@pytest.mark.parametrize("name", SEATS)
def test_the_end_of_the_session_ends_orders(name: str) -> None:
    desk = ClientDesk()
    desk.say(name, "D", "11=d|1=A1|55=ACME|54=1|38=100|40=2|44=90")
    desk.say(name, "D", "11=g|1=A1|55=ACME|54=1|38=100|40=2|44=90|59=1")
    desk.news(name)
    desk.pass_ns(CLOSE_NS - desk.clock.at_ns + SECOND)
    told = {each.get(11): pipes(each, 150, 39, 151) for each in desk.news(name)}
    assert told == {"d": "150=C|39=C|151=0", "g": "150=3|39=3|151=100"}


@pytest.mark.parametrize("name", SEATS)
def test_a_desk_that_cancels_is_told_apart(name: str) -> None:
    desk, _ = working(name)
    desk.tell(topics.ORDERS_COMMANDS, mass_cancel_order("D1", source="DESK", is_every_source=True))
    (pending,) = desk.news(name)
    assert pipes(pending, 11, 150, 39, 58) == (
        "11=x|150=6|39=6|58=DESK: not at the client's request"
    )
    assert 41 not in pending


def test_crosses_are_the_clients_own_fills() -> None:
    desk = ClientDesk(crossing_declared())
    desk.say("OMS44", "D", "11=b|1=A1|55=ACME|54=1|38=100|40=1")
    desk.say("OMS50", "D", "11=s|1=A2|55=ACME|54=2|38=70|40=1")
    desk.pass_ns(60 * SECOND)
    tags = (11, 150, 39, 54, 32, 31, 29, 14, 6)
    assert pipes(desk.news("OMS44")[-1], *tags) == (
        "11=b|150=F|39=1|54=1|32=70|31=100|29=2|14=70|6=100"
    )
    assert pipes(desk.news("OMS50")[-1], *tags) == (
        "11=s|150=F|39=2|54=2|32=70|31=100|29=2|14=70|6=100"
    )


@pytest.mark.parametrize("name", SEATS)
def test_the_price_that_a_pool_of_fills_pays_is_told_at_the_end(name: str) -> None:
    desk = ClientDesk(seats={**SEATS, name: seat(name, has_final_price=True)})
    for number in (1, 2):
        desk.say(name, "D", f"11=x{number}|{ORDER}")
    desk.pass_ns(SECOND)
    children = desk.messages(topics.CHILDREN_EVENTS, ChildPlaced)
    fills = [desk.trade(each, each.quantity, (9_990 + n) * TICK) for n, each in enumerate(children)]
    told = desk.news(name)
    final = [each for each in told if each.get(150) == "B"]
    cash_e9 = 0
    for each in final:
        own = [trade for trade in told if trade.get(11) == each.get(11)]
        assert own[-1] is each and pipes(each, 39, 151, 14) == "39=2|151=0|14=100"
        assert each.get(381) == f"{float(each.get(6)) * 100:.10g}"
        cash_e9 += round(float(each.get(381)) * 10**9)
    assert len(final) == 2
    quantities = [each.quantity * (9_990 + n) * TICK for n, each in enumerate(children)]
    assert cash_e9 == sum(quantities)
    desk.change(children[0], fills[0])
    assert not [each for each in desk.news(name) if each.get(150) == "B" and each.get(14) == "100"]


@pytest.mark.parametrize("name", SEATS)
def test_who_asks_for_it_hears_that_an_order_is_pending(name: str) -> None:
    desk = ClientDesk(seats={**SEATS, name: seat(name, has_pending_new=True)})
    desk.say(name, "D", f"11=x|{ORDER}")
    pending, new = desk.news(name)
    assert pipes(pending, 37, 11, 150, 39, 151, 14, 6) == (
        "37=NONE|11=x|150=A|39=A|151=100|14=0|6=0"
    )
    assert pipes(new, 11, 150, 39) == "11=x|150=0|39=0"


@pytest.mark.parametrize("name", ["OMS44", "OMS50"])
def test_mass_status_tells_every_open_order(name: str) -> None:
    desk = ClientDesk()
    for number in range(3):
        desk.say(name, "D", f"11=x{number}|{ORDER}")
    desk.news(name)
    desk.say(name, "AF", "584=q|585=7")
    told = [pipes(each, 11, 150, 584, 911, 912) for each in desk.news(name)]
    assert told == [
        "11=x0|150=I|584=q|911=3|912=N",
        "11=x1|150=I|584=q|911=3|912=N",
        "11=x2|150=I|584=q|911=3|912=Y",
    ]
    desk.say(name, "AF", "584=q|585=1|55=NONE")
    (refused,) = desk.news(name)
    assert pipes(refused, 35, 372, 379, 380) == "35=j|372=AF|379=q|380=2"
    desk.say(name, "AF", "584=q|585=5")
    (refused,) = desk.news(name)
    assert pipes(refused, 35, 372, 379, 380) == "35=j|372=AF|379=q|380=0"


# Tags of a q; scope and its id, or 532.
SCOPES = [
    ("530=7", "ALL "),
    ("530=1|55=ACME", "INSTRUMENT ACME"),
    ("530=7|54=2", "SIDE SELL"),
    ("530=7|1=A1", "ACCOUNT A1"),
    ("530=7|847=1002", "STRATEGY IMMEDIATE"),
    ("530=1|55=NONE", "532=1"),
    ("530=7|1=A9", "532=99"),
    ("530=7|54=2|1=A1", "532=0"),
    ("530=7|847=99", "532=99"),
    *((f"530={kind}", "532=0") for kind in "2345689ABC"),
]


@pytest.mark.parametrize(("tags", "expected"), SCOPES)
@pytest.mark.parametrize("name", ["OMS44", "OMS50"])
def test_a_mass_cancel_has_the_scopes_that_the_engine_has(
    name: str, tags: str, expected: str
) -> None:
    if name == "OMS44" and tags[4] in "89ABC":
        return  # its wire refuses these values
    desk = ClientDesk()
    desk.say(name, "D", f"11=x|{ORDER}")
    desk.news(name)
    desk.say(name, "q", f"11=m|{tags}|60=20250615-15:00:00")
    answer = next(each for each in desk.news(name) if each.get(35) == "r")
    kind = tags[4]
    if expected.startswith("532"):
        assert pipes(answer, 37, 11, 530, 531, 532) == f"37=m|11=m|530={kind}|531=0|{expected}"
        assert desk.refusals()[-1].answer_type == "r"
        return
    (command,) = desk.messages(topics.ORDERS_COMMANDS, MassCancelOrder)
    assert f"{command.scope} {command.scope_id}" == expected
    count = "0" if "54=2" in tags else "1"
    assert pipes(answer, 11, 530, 531, 533) == f"11=m|530={kind}|531={kind}|533={count}"


def test_a_mass_cancel_that_is_sent_again_is_answered_again() -> None:
    desk = ClientDesk()
    for _ in range(2):
        desk.say("OMS44", "q", "11=m|530=7|60=20250615-15:00:00", resend=True)
        (answer,) = desk.news("OMS44")
        assert pipes(answer, 35, 11, 530, 531, 533) == "35=r|11=m|530=7|531=7|533=0"
    desk.say("OMS44", "q", "11=m|530=7|54=1|60=20250615-15:00:00")
    (answer,) = desk.news("OMS44")
    assert pipes(answer, 35, 11, 531, 532) == "35=r|11=m|531=0|532=99"


@pytest.mark.parametrize("name", ["OMS44", "OMS50"])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        # Refused by the gateway, and by the engine.
        ("11=m|530=7|847=99", "UNSUPPORTED_STRATEGY: one of 1, 1000, 2, 3, 1001, 1002, 1003 99"),
        ("11=\x85m|530=7", "TEXT_NOT_PRINTABLE: printable \\x85m client_order_id"),
    ],
)
def test_a_refused_mass_cancel_is_refused_again_with_its_text(
    name: str, body: str, text: str
) -> None:
    desk = ClientDesk()
    for _ in range(3):
        desk.say(name, "q", f"{body}|60=20250615-15:00:00", resend=True)
        desk.crash()
        (answer,) = desk.news(name)
        assert pipes(answer, 35, 530, 531, 532) == "35=r|530=7|531=0|532=99"
        assert answer.get(58).startswith(text)


def test_a_lost_session_loses_its_orders_where_it_says_so() -> None:
    desk = ClientDesk(seats={**SEATS, "OMS50": seat("OMS50", cancel_on_disconnect=True)})
    for name in SEATS:
        desk.say(name, "D", f"11=x|{ORDER}")
        desk.news(name)
        desk.logon(name, is_logged_on=False)
        desk.logon(name, is_logged_on=False)  # it is lost once
    commands = desk.messages(topics.ORDERS_COMMANDS, MassCancelOrder)
    assert [(each.source, each.scope) for each in commands] == [("OMS50", "SOURCE")]
    assert [each.get(39) for each in desk.news("OMS50")] == ["6"]
    assert not desk.news("OMS42") and not desk.news("OMS44")


def test_a_disputed_fill_is_in_the_log() -> None:
    desk, child = working("OMS44")
    fill = desk.trade(child, 40)
    (trade,) = desk.news("OMS44")
    own = f"37={trade.get(37)}|17={trade.get(17)}|55=ACME|54=1"
    desk.say("OMS44", "Q", f"{own}|127=E|58=not at this price")
    desk.say("OMS44", "Q", f"{own.replace(trade.get(17), 'other')}|127=D")
    known, unknown = desk.messages(topics.FIX_DECISIONS, FillDisputed)
    assert (known.exec_id, known.quantity, known.price_e9) == (trade.get(17), 40, child.price_e9)
    assert known.fill_id == f"V1/{fill}" and known.dispute == "E"
    assert known.text.endswith(": price exceeds the limit; not at this price")
    assert (unknown.fill_id, unknown.quantity) == ("", 0)
    assert unknown.text.endswith("no matching order, an execution that does not stand")
    assert not desk.news("OMS44")


def test_orders_of_others_are_passed_over() -> None:
    desk = ClientDesk()
    desk.takes_good_orders("of another gateway")  # source OMS
    desk.both()
    assert not any(desk.news(name) for name in SEATS)
    desk.say("OMS44", "D", f"11=x|{ORDER}")
    ack = desk.news("OMS44")[0]
    desk.say("OMS50", "F", f"11=y|41=x|37={ack.get(37)}|55=ACME|54=1")
    (refused,) = desk.news("OMS50")
    assert pipes(refused, 35, 39, 102) == "35=9|39=8|102=1"
    assert len(desk.messages(topics.ORDERS_COMMANDS, CancelOrder)) == 2


def test_what_came_before_is_passed_over() -> None:
    desk = ClientDesk()
    desk.say("OMS44", "D", f"11=x|{ORDER}")
    desk.say("OMS44", "D", f"11=z|{ORDER}", sequence=1)
    assert [each.get(11) for each in desk.news("OMS44")] == ["x"]
