"""Orders over more than one trade date, and a gateway before more than one shard."""

from typing import Any

import pytest

from schemas.messages.core import CommandKind, Envelope, PhaseKind, SessionPhase
from schemas.messages.intake import CommandRepeated, MassCancelAnswered, MassCancelOrder, NewBasket
from services.fix.clients.gateway import ClientsGateway
from services.fix.fields import Fields
from services.fix.gateway.application import Heard, Outgoing, Published
from streams.core.murmur import partition_of
from tests.support.audit_log import make
from tests.support.builders import CLOSE_NS, OPEN_NS, SECOND, instrument_defined
from tests.support.calendars import DAY, calendar_defined, session
from tests.support.fix_clients import SEATS, ClientDesk, pipes, received

ORDER = "1=A1|55=ACME|54=1|38=100|40=2|44=90"
MARKS = ("AB", "CD", "EF", "GH", "IJ")  # instruments that two shards share


def two_days() -> ClientDesk:
    """Return a desk whose instrument trades for an hour today and tomorrow."""
    phases = [
        SessionPhase(
            kind=PhaseKind.CONTINUOUS, start_ns=OPEN_NS + at, end_ns=CLOSE_NS + at, cutoff_ns=0
        )
        for at in (0, DAY)
    ]
    dates = (20250615, 20250616)
    days = [session(date, phase) for date, phase in zip(dates, phases, strict=True)]
    return ClientDesk(calendar_defined(*days), instrument_defined(calendar_id="X"))


def tomorrow(desk: ClientDesk) -> None:
    desk.pass_ns(CLOSE_NS - desk.clock.at_ns + SECOND)
    desk.pass_ns(OPEN_NS + DAY - desk.clock.at_ns + SECOND)


@pytest.mark.parametrize("name", SEATS)
def test_an_order_that_outlives_its_day_is_told_so_and_renewed(name: str) -> None:
    desk = two_days()
    desk.say(name, "D", f"11=gtc|{ORDER}|59=1")
    desk.say(name, "D", f"11=gtd|{ORDER}|59=6|432=20250616")
    desk.say(name, "D", f"11=day|{ORDER}")
    assert [each.get(59) for each in desk.news(name)] == ["1", "6", "0"]
    tomorrow(desk)
    told = [pipes(each, 11, 150, 39, 378, 151, 75) for each in desk.news(name)]
    assert told == [
        "11=gtc|150=3|39=3|151=100|75=20250615",
        "11=gtd|150=3|39=3|151=100|75=20250615",
        "11=day|150=C|39=C|151=0|75=20250615",
        "11=gtc|150=D|39=0|378=1|151=100|75=20250616",
        "11=gtd|150=D|39=0|378=1|151=100|75=20250616",
    ]
    desk.say(name, "G", f"11=more|41=gtc|{ORDER.replace('38=100', '38=150')}|59=1")
    desk.say(name, "F", "11=off|41=gtd|55=ACME|54=1")
    told = [pipes(each, 11, 41, 150, 39) for each in desk.news(name) if each.get(35) == "8"]
    assert told[0] == "11=more|41=gtc|150=5|39=0" and "41=gtd" in told[1]
    desk.crash()


@pytest.mark.parametrize("name", SEATS)
def test_ids_may_be_used_again_on_another_day(name: str) -> None:
    desk = two_days()
    desk.say(name, "D", f"11=x|{ORDER}")
    tomorrow(desk)
    desk.news(name)
    desk.say(name, "D", f"11=x|{ORDER.replace('38=100', '38=7')}")
    (ack,) = desk.news(name)
    assert pipes(ack, 11, 39, 151, 75) == "11=x|39=0|151=7|75=20250616"
    desk.say(name, "H", "11=x|55=ACME|54=1")
    (status,) = desk.news(name)
    assert status.get(37) == ack.get(37)


def test_the_newest_version_may_name_an_order_by_our_id() -> None:
    desk = ClientDesk()
    desk.say("OMS50", "D", f"11=x|{ORDER}")
    order_id = desk.news("OMS50")[0].get(37)
    desk.say("OMS50", "F", f"11=y|37={order_id}|55=ACME|54=1")
    assert pipes(desk.news("OMS50")[0], 11, 41, 39) == "11=y|41=x|39=4"
    desk.say("OMS50", "F", "11=z|37=O.unknown|55=ACME|54=1")
    (refused,) = desk.news("OMS50")
    assert pipes(refused, 35, 379, 380) == "35=j|379=z|380=5"


class TwoShards:
    """A gateway alone, before two shards."""

    def __init__(self) -> None:
        self.gateway = ClientsGateway(0, SEATS)
        self.gateway.partitions = 2
        for name in MARKS:
            definition = instrument_defined(instrument_id=name)
            self.gateway.fold_event(make(Envelope, shard=-1, at_ns=1), definition)
        self.sequence = 0

    def hear(self, kind: str, body: str) -> list[Any]:
        """Return what a message leads to."""
        self.sequence += 1
        message = received(SEATS["OMS44"], kind, body, self.sequence, OPEN_NS)
        fields = Fields.parse(message.text)
        decided = [*self.gateway.on_heard(Heard(message, fields, OPEN_NS))]
        self.gateway.fold_heard(message, fields)
        return decided

    def answered(self, shard: int, event: Any) -> list[Any]:
        """Return what a shard's answer leads to."""
        envelope = make(Envelope, shard=shard, event_id=bytes([shard] * 16), at_ns=OPEN_NS)
        decided = [*self.gateway.on_event(envelope, event, OPEN_NS)]
        self.gateway.fold_event(envelope, event)
        return decided


def test_every_shard_answers_a_mass_cancel_and_the_client_hears_once() -> None:
    desk = TwoShards()
    commands = desk.hear("q", "11=m|530=7|60=20250615-15:00:00")
    assert [each.partition for each in commands] == [0, 1]
    assert {type(each.message) for each in commands} == {MassCancelOrder}
    own = {"tenant": "T1", "source": "OMS44", "client_order_id": "m", "is_accepted": True}
    answer = make(MassCancelAnswered, **own, canceled_count=2, pending_count=1)
    assert not desk.answered(1, answer)
    assert not desk.answered(1, answer)
    (told,) = desk.answered(0, answer)
    assert isinstance(told, Outgoing)
    assert pipes(told.fields, 11, 531, 533) == "11=m|531=7|533=6"
    desk.hear("q", "11=m|530=7|60=20250615-15:00:00")
    again = make(CommandRepeated, **own, command=CommandKind.MASS_CANCEL)
    assert not desk.answered(0, again)
    (told,) = desk.answered(1, again)
    assert pipes(told.fields, 11, 531, 533) == "11=m|531=7|533=0"


def test_a_list_goes_to_the_shards_of_its_instruments() -> None:
    desk = TwoShards()
    entries = "|".join(
        f"11=o{number}|67={number}|1=A1|55={name}|54=1|38=1|40=1"
        for number, name in enumerate(MARKS)
    )
    baskets = desk.hear("E", f"66=L|394=3|68=5|73=5|{entries}")
    assert all(isinstance(each, Published) for each in baskets)
    found = {each.partition: each.message for each in baskets}
    assert set(found) == {partition_of(name, 2) for name in MARKS} == {0, 1}
    for partition, basket in found.items():
        assert isinstance(basket, NewBasket)
        assert {partition_of(each.instrument_id, 2) for each in basket.entries} == {partition}
    assert sum(len(each.entries) for each in found.values()) == len(MARKS)
