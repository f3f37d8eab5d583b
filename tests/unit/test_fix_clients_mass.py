"""OrderMassActionRequest (CA) of 5.0 SP2 cancels as q does, and is answered by its report (BZ)."""

import pytest

from schemas.messages.core import RejectReason
from schemas.messages.intake import MassCancelOrder
from streams.core import topics
from tests.support.fix_clients import ClientDesk, pipes

NAME = "OMS50"
AT = "60=20250615-15:00:00"
ORDER = f"1=A1|55=ACME|54=1|{AT}|38=100|40=2|44=99.5|59=0"

# Tags of a CA; scope and its id, or 1376.
ACTIONS = [
    ("1373=3|1374=7", "ALL "),
    ("1373=3|1374=1|55=ACME", "INSTRUMENT ACME"),
    ("1373=3|1374=7|54=2", "SIDE SELL"),
    ("1373=3|1374=1|55=NONE", "1376=1"),
    ("1373=3|1374=7|1301=XNYS", "1376=0"),
    ("1373=3|1374=7|336=1", "1376=0"),
    ("1373=1|1374=7", "1376=0"),
    ("1373=2|1374=7", "1376=0"),
    *((f"1373=3|1374={scope}", "1376=0") for scope in (*"2345689", "10", "11", "12")),
]


@pytest.mark.parametrize(("tags", "expected"), ACTIONS)
def test_a_mass_action_cancels_what_its_scope_says(tags: str, expected: str) -> None:
    desk = ClientDesk()
    desk.say(NAME, "D", f"11=x|{ORDER}")
    desk.news(NAME)
    desk.say(NAME, "CA", f"11=m|{tags}|{AT}")
    desk.crash()
    news = desk.news(NAME)
    (answer,) = (each for each in news if each.get(35) == "BZ")
    canceled = [each.get(11) for each in news if pipes(each, 35, 39) == "35=8|39=4"]
    action, scope = tags.split("|")[:2]
    asked = f"11=m|1369=m|{action}|{scope}"
    if expected.startswith("1376"):
        assert pipes(answer, 11, 1369, 1373, 1374, 1375, 1376, 533) == f"{asked}|1375=0|{expected}"
        assert answer.get(58)
        assert desk.refusals()[-1].answer_type == "BZ"
        assert not canceled
        assert not desk.messages(topics.ORDERS_COMMANDS, MassCancelOrder)
        return
    (command,) = desk.messages(topics.ORDERS_COMMANDS, MassCancelOrder)
    assert f"{command.scope} {command.scope_id}" == expected
    count = int("SELL" not in expected)
    assert pipes(answer, 11, 1369, 1373, 1374, 1375, 533) == f"{asked}|1375=1|533={count}"
    assert len(canceled) == count


def test_a_mass_action_sent_again_is_answered_again_and_lets_nothing_more_go() -> None:
    desk = ClientDesk()
    for number in range(2):
        desk.say(NAME, "D", f"11=x{number}|{ORDER}")
        desk.news(NAME)
        desk.say(NAME, "CA", f"11=m|1373=3|1374=7|{AT}", resend=number > 0)
        (answer,) = (each for each in desk.news(NAME) if each.get(35) == "BZ")
        assert pipes(answer, 11, 1375, 533) == f"11=m|1375=1|533={1 - number}"
    desk.say(NAME, "q", f"11=m|530=7|{AT}")
    (answer,) = desk.news(NAME)
    assert pipes(answer, 35, 11, 531, 532) == "35=r|11=m|531=0|532=99"
    assert desk.refusals()[-1].reason is RejectReason.DUPLICATE_ORDER


def test_a_mass_action_without_a_name_is_a_business_reject() -> None:
    desk = ClientDesk()
    desk.say(NAME, "CA", f"1373=3|1374=7|{AT}")
    (answer,) = desk.news(NAME)
    assert pipes(answer, 35, 372, 380) == "35=j|372=CA|380=5"
