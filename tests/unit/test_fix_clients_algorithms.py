"""Three styles of parameters say the same to the engine, and come back as they were applied."""

from typing import Any

import pytest

from schemas.messages.core import Aim, Constraints, StrategyKind, StrategyParameters, Urgency
from schemas.messages.intake import NewOrder, ReplaceOrder
from streams.core import topics
from tests.support.builders import MINUTE, OPEN_NS, SECOND
from tests.support.fix_clients import SEATS, ClientDesk, pipes, seat

ORDER = "11=x|1=A1|55=ACME|54=1|38=100|40=1"
START, END = "20250615-15:10:00", "20250615-15:40:00"
START_NS, END_NS = OPEN_NS + 200 * SECOND, OPEN_NS + 2_000 * SECOND
S = StrategyKind


def parameters(**given: Any) -> dict[str, Any]:
    return {"parameters": StrategyParameters(**given)}


# Tags after the order's own; what the command says of them.
STYLES: list[tuple[str, dict[str, Any]]] = [
    ("847=2|849=0.125", {"strategy": S.POV, **parameters(participation_rate_bps=1_250)}),
    ("847=2|848=ParticipationRate=0.125",
     {"strategy": S.POV, **parameters(participation_rate_bps=1_250)}),
    ("847=2|957=1|958=ParticipationRate|959=11|960=0.125",
     {"strategy": S.POV, **parameters(participation_rate_bps=1_250)}),
    ("18=D|849=0.125", {"strategy": S.POV, **parameters(participation_rate_bps=1_250)}),
    # For who does not participate 849 is a limit on volume, as FIX says.
    ("847=1|849=0.2", {"strategy": S.VWAP, "participation_cap_bps": 2_000, "parameters": None}),
    ("847=1|957=1|958=ParticipationCap|960=0.2",
     {"strategy": S.VWAP, "participation_cap_bps": 2_000}),
    ("18=W", {"strategy": S.VWAP}),
    # Who says a value twice may write it in two ways.
    ("847=1|18=W", {"strategy": S.VWAP}),
    ("847=2|849=0.10|957=1|958=ParticipationRate|959=6|960=0.1",
     {"strategy": S.POV, **parameters(participation_rate_bps=1_000)}),
    ("847=1|849=0.1|848=ParticipationCap=0.10", {"participation_cap_bps": 1_000}),
    (f"168={START}|126={END}|848=StartTime={START}.000;EndTime={END}.000000",
     {"start_ns": START_NS, "end_ns": END_NS}),
    ("847=3|957=1|958=HalfLife|959=1|960=900", {**parameters(half_life_ns=15 * MINUTE)}),
    ("", {"strategy": S.TWAP, "urgency": Urgency.NEUTRAL, "parameters": None}),
    (f"168={START}|126={END}", {"start_ns": START_NS, "end_ns": END_NS}),
    (f"957=2|958=StartTime|959=19|960={START}|958=EndTime|959=19|960={END}",
     {"start_ns": START_NS, "end_ns": END_NS}),
    # An OMS that may send 126 with 59=6 only means the end of the work by it.
    (f"59=6|168={START}|126={END}",
     {"start_ns": START_NS, "end_ns": END_NS, "time_in_force": "DAY", "expire_ns": 0}),
    ("59=6|126=20250701-15:00:00", {"end_ns": 0, "time_in_force": "GTD"}),
    ("59=3", {"strategy": S.IMMEDIATE, "time_in_force": "IOC"}),
    ("847=3|848=HalfLife=900;ClosingAuction=0.1",
     {"strategy": S.IMPLEMENTATION_SHORTFALL,
      **parameters(half_life_ns=15 * MINUTE, closing_auction_bps=1_000)}),
    ("847=3|957=2|958=RiskAversion|959=6|960=0.000001|958=CompletionFloor|959=11|960=0.9",
     {**parameters(risk_aversion_e9=1_000, completion_floor_bps=9_000)}),
    ("847=1003|957=2|958=Aim|959=14|960=ARRIVAL|958=Urgency|959=14|960=PASSIVE",
     {"strategy": S.AUTO, "urgency": Urgency.PASSIVE, **parameters(aim=Aim.ARRIVAL)}),
    ("110=10|111=20|957=1|958=WouldPrice|959=8|960=99.5",
     {"constraints": Constraints(
         minimum_quantity=10, display_quantity=20, would_price_e9=99_500_000_000)}),
    ("1138=20", {"constraints": Constraints(display_quantity=20)}),
    ("18=1 A", {"is_cross_allowed": False}),
    ("18=B", {"is_cross_allowed": True}),
]  # fmt: skip


@pytest.mark.parametrize(("tags", "expected"), STYLES)
def test_parameters_are_read_in_every_style(tags: str, expected: dict[str, Any]) -> None:
    for name in SEATS:
        desk = ClientDesk()
        desk.say(name, "D", f"{ORDER}|{tags}" if tags else ORDER)
        (command,) = desk.messages(topics.ORDERS_COMMANDS, NewOrder)
        assert {field: getattr(command, field) for field in expected} == expected
        (answer,) = desk.news(name)
        assert answer.get(39) == "0" or "59=6|126=2025" in tags, pipes(answer)


ECHO_TAGS = (168, 126, 18, 110, 111, 1138, 847, 848, 849, 957, 958, 959, 960)
# Tags of the order; what the acknowledgment says of 168, 126, 847 to 849 and the group.
ECHOES = [
    ("", "168=20250615-15:06:41.000|126=20250615-16:06:40.000|847=1000"),
    ("847=2|849=0.125|957=1|958=Urgency|960=PASSIVE",
     "168=20250615-15:06:41.000|126=20250615-16:06:40.000|847=2"
     "|848=ParticipationRate=0.125;Urgency=PASSIVE|849=0.125"
     "|957=2|958=ParticipationRate|959=11|960=0.125|958=Urgency|959=14|960=PASSIVE"),
    (f"847=3|168={START}|126={END}|848=HalfLife=900.5",
     f"168={START}.000|126={END}.000|847=3|848=HalfLife=900.5;Urgency=NEUTRAL"),
    ("847=1|849=0.2", "168=20250615-15:06:41.000|126=20250615-16:06:40.000|847=1"
     "|848=Urgency=NEUTRAL;ParticipationCap=0.2|849=0.2"),
    ("110=10|111=20|18=1 A", "168=20250615-15:06:41.000|126=20250615-16:06:40.000|18=A|110=10"
     "|111=20|847=1000"),
    ("1138=20|957=1|958=WouldPrice|959=8|960=99.50",
     "168=20250615-15:06:41.000|126=20250615-16:06:40.000|111=20|847=1000"
     "|957=2|958=Urgency|959=14|960=NEUTRAL|958=WouldPrice|959=8|960=99.5"),
    ("848=WouldPrice=99.5", "168=20250615-15:06:41.000|126=20250615-16:06:40.000|847=1000"
     "|848=Urgency=NEUTRAL;WouldPrice=99.5"),
]  # fmt: skip


@pytest.mark.parametrize(("tags", "echo"), ECHOES)
def test_what_is_applied_comes_back(tags: str, echo: str) -> None:
    for name in SEATS:
        desk = ClientDesk()
        desk.say(name, "D", f"{ORDER}|{tags}" if tags else ORDER)
        (ack,) = desk.news(name)
        shown = echo.replace("|111=", "|1138=") if name == "OMS50" else echo
        assert pipes(ack, *ECHO_TAGS) == shown


@pytest.mark.parametrize("name", SEATS)
def test_what_a_replace_applies_comes_back(name: str) -> None:
    desk = ClientDesk()
    desk.say(name, "D", f"{ORDER}|18=A|110=10")
    changed = "18=A|110=5|111=20|848=WouldPrice=99.5"
    desk.say(name, "G", f"11=y|41=x|55=ACME|54=1|38=120|40=1|{changed}")
    _, replaced = desk.news(name)
    shown = 1138 if name == "OMS50" else 111
    assert pipes(replaced, *ECHO_TAGS) == (f"18=A|110=5|{shown}=20|847=1000|848=WouldPrice=99.5")


def test_a_plain_session_gets_no_tags_of_later_versions() -> None:
    desk = ClientDesk(seats={**SEATS, "OMS42": seat("OMS42", is_plain=True)})
    desk.say("OMS42", "D", f"{ORDER}|847=2|849=0.125|957=1|958=Urgency|960=PASSIVE")
    (ack,) = desk.news("OMS42")
    assert not {tag for tag, _ in ack.pairs} & {847, 848, 849, 851, 957, 958, 959, 960}


def test_an_amendment_says_all_again() -> None:
    desk = ClientDesk()
    desk.say("OMS44", "D", f"{ORDER}|847=2|849=0.125|110=10|126={END}")
    desk.say("OMS44", "G", "11=y|41=x|55=ACME|54=1|38=120|40=1|847=2|849=0.125|110=10")
    desk.say("OMS44", "G", "11=z|41=y|55=ACME|54=1|38=120|40=1|847=2|111=5")
    first, second = desk.messages(topics.ORDERS_COMMANDS, ReplaceOrder)
    assert first.parameters == StrategyParameters(participation_rate_bps=1_250)
    assert first.constraints == Constraints(minimum_quantity=10)
    assert second.parameters == StrategyParameters()  # what it does not say is given up
    assert second.constraints == Constraints(display_quantity=5)
    _, replaced, again = desk.news("OMS44")
    assert pipes(replaced, 150, 11, 41, 38, 847, 848, 849) == (
        "11=y|41=x|150=5|38=120|847=2|848=ParticipationRate=0.125|849=0.125"
    )
    assert pipes(again, 150, 11, 41, 847, 848, 849) == "11=z|41=y|150=5|847=2"


# What a G says of an order, the order's own tags, and how it is refused.
KEPT = "as in x, for as long as it lives"
FIXED = [
    ("54=2|38=120|40=1", "", "the one of x 2 Side"),
    ("54=1|1=A2|38=120|40=1", "", "the one of x A2 Account"),
    ("54=1|38=120|40=1|847=1", "", f"{KEPT} VWAP TargetStrategy"),
    ("54=1|38=120|40=1|168=20250615-15:30:00", "", f"{KEPT} 20250615-15:30:00.000 StartTime"),
    ("54=1|38=120|40=1|59=1", "", f"{KEPT} 1 TimeInForce"),
    ("54=1|38=120|40=1|59=3", "", f"{KEPT} 3 TimeInForce"),
    ("54=1|38=120|40=1|59=6|126=20250701-15:00:00", "", f"{KEPT} 6 TimeInForce"),
    ("54=1|38=120|40=1|59=0", "|59=1", f"{KEPT} 0 TimeInForce"),
    ("54=1|38=120|40=1|59=6|126=20250702-15:00:00", "|59=6|126=20250701-15:00:00",
     f"{KEPT} 6 TimeInForce"),
    ("54=1|38=120|40=1|848=Urgency=URGENT", "", f"{KEPT} URGENT Urgency"),
    ("54=1|38=120|40=1|18=A", "", f"{KEPT} A ExecInst"),
    ("54=1|38=120|40=1", "|18=A", f"{KEPT} none ExecInst"),
    ("54=1|38=120|40=1|15=USD", "", f"{KEPT} USD Currency"),
    ("54=1|38=120|40=1|5700=L1", "", f"{KEPT} L1 LocateBroker"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "own", "text"), FIXED)
def test_what_is_fixed_cannot_be_amended(change: str, own: str, text: str) -> None:
    desk = ClientDesk()
    desk.say("OMS44", "D", ORDER + own)
    desk.say("OMS44", "G", f"11=y|41=x|55=ACME|{change}")
    answer = desk.news("OMS44")[-1]
    assert pipes(answer, 35, 11, 41, 39, 434, 102) == "35=9|11=y|41=x|39=0|434=2|102=99"
    assert answer.get(58) == f"REPLACE_NOT_ALLOWED: {text}"
    assert not desk.messages(topics.ORDERS_COMMANDS, ReplaceOrder)


SAID_AGAIN = [
    ("", "59=0|15=EUR|848=Urgency=NEUTRAL"),
    ("|18=A|848=Urgency=PASSIVE", "18=1 A"),  # an urgency that is not said stays
    ("|59=1", "59=1"),
    ("", f"59=6|126={END}"),  # the end of the work, for who may say 126 with 59=6 only
    ("|59=6|126=20250701-15:00:00", "59=6|126=20250701-15:00:00.000"),
]


@pytest.mark.parametrize(("own", "again"), SAID_AGAIN)
def test_what_is_fixed_may_be_said_again(own: str, again: str) -> None:
    desk = ClientDesk()
    desk.say("OMS44", "D", ORDER + own)
    desk.say("OMS44", "G", f"11=y|41=x|55=ACME|54=1|38=120|40=1|{again}")
    assert pipes(desk.news("OMS44")[-1], 35, 11, 150, 38) == "35=8|11=y|150=5|38=120"


def test_clients_name_instruments_as_they_like() -> None:
    mapped = seat(symbol_tag=48, symbol_source="4", symbols={"US0000000001": "ACME"})
    desk = ClientDesk(seats={**SEATS, "OMS44": mapped})
    desk.say("OMS44", "D", "11=x|1=A1|55=whatever|48=US0000000001|22=4|54=1|38=100|40=1")
    (ack,) = desk.news("OMS44")
    assert pipes(ack, 39, 55, 48, 22) == "39=0|55=US0000000001|48=US0000000001|22=4"
