"""What waited while nobody decided it: what asks for a trade is refused, what ends one is not."""

import pytest

from schemas.messages.core import RejectReason
from schemas.messages.intake import CancelOrder, MassCancelOrder, NewBasket, NewOrder, ReplaceOrder
from streams.core import topics
from tests.support.builders import SECOND
from tests.support.fix_clients import SEATS, ClientDesk, pipes, seat

BOTH = pytest.mark.parametrize("name", SEATS)
ORDER = "1=A1|55=ACME|54=1|38=100|40=1"
LIST = f"66={{}}|394=3|68=1|73=1|11={{}}|67=1|{ORDER}"
AGE_MAX_NS = 30 * SECOND


def late(desk: ClientDesk, name: str, kind: str, body: str, by_ns: int = AGE_MAX_NS) -> None:
    """Record a message while the gateway is down; it comes back `by_ns` later."""
    desk.record(name, kind, body)
    desk.clock.at_ns += by_ns
    desk.crash()
    desk.both()


@BOTH
def test_what_asks_for_a_trade_and_waited_too_long_is_refused(name: str) -> None:
    desk = ClientDesk()
    desk.say(name, "D", f"11=x|{ORDER}")
    desk.say(name, "E", LIST.format("W", "w") + "|433=2")
    desk.news(name)
    wait = {"D": f"11=d|{ORDER}", "E": LIST.format("L", "l"), "L": "66=W"}
    wait["G"] = f"11=g|41=x|{ORDER.replace('100', '120')}"
    published = len(desk.messages(topics.ORDERS_COMMANDS, NewOrder))
    for kind, body in wait.items():
        late(desk, name, kind, body, AGE_MAX_NS + SECOND)
        (refused,) = desk.news(name)
        reference = {"E": "L", "L": "W"}.get(kind, kind.lower())
        assert pipes(refused, 35, 372, 379, 380) == f"35=j|372={kind}|379={reference}|380=4"
        assert refused.get(58) == "TOO_LATE: at most 30000 31000 order_age_max_ms"
        told = desk.refusals()[-1]
        assert (told.reason, told.value) == (RejectReason.TOO_LATE, "31000")
    assert len(desk.messages(topics.ORDERS_COMMANDS, NewOrder)) == published
    assert not desk.messages(topics.ORDERS_COMMANDS, NewBasket)
    assert not desk.messages(topics.ORDERS_COMMANDS, ReplaceOrder)
    desk.crash()
    desk.prove_gateway()


@BOTH
def test_what_came_in_time_is_worked_though_it_waited(name: str) -> None:
    desk = ClientDesk()
    late(desk, name, "D", f"11=d|{ORDER}")
    (ack,) = desk.news(name)
    assert pipes(ack, 11, 39) == "11=d|39=0"


@BOTH
def test_nothing_was_taken_of_what_was_refused(name: str) -> None:
    desk = ClientDesk()
    late(desk, name, "D", f"11=d|{ORDER}", AGE_MAX_NS + SECOND)
    late(desk, name, "E", LIST.format("L", "l"), AGE_MAX_NS + SECOND)
    desk.news(name)
    desk.say(name, "H", "11=d|55=ACME|54=1")
    desk.say(name, "M", "66=L")
    unknown, stranger = desk.news(name)
    assert pipes(unknown, 37, 39) == "37=NONE|39=8"
    assert pipes(stranger, 35, 380) == "35=j|380=1"
    desk.say(name, "D", f"11=d|{ORDER}", resend=True)  # it may come again, under its own id
    desk.say(name, "E", LIST.format("L", "l"))
    assert [each.get(39) for each in desk.news(name) if each.get(35) == "8"] == ["0", "0"]


@BOTH
def test_what_ends_an_order_is_never_too_old(name: str) -> None:
    desk = ClientDesk()
    desk.say(name, "D", f"11=x|{ORDER}")
    late(desk, name, "F", "11=f|41=x|55=ACME|54=1", AGE_MAX_NS * 10)
    assert desk.messages(topics.ORDERS_COMMANDS, CancelOrder)
    if name != "OMS42":
        late(desk, name, "q", "11=q|530=7", AGE_MAX_NS * 10)
        assert desk.messages(topics.ORDERS_COMMANDS, MassCancelOrder)


@pytest.mark.parametrize(("most_ms", "status"), [(0, "0"), (1_000, "")])
def test_the_terms_say_how_long_an_order_may_wait(most_ms: int, status: str) -> None:
    desk = ClientDesk(seats={**SEATS, "OMS44": seat(order_age_max_ms=most_ms)})
    late(desk, "OMS44", "D", f"11=d|{ORDER}", 2 * SECOND)
    (answer,) = desk.news("OMS44")
    assert answer.get(39) == status
