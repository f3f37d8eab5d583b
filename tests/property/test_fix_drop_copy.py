"""Who watches by drop copy knows what the clients know, over random histories of orders."""

from typing import Any

import pytest

from schemas.messages.fix import FixReceived, FixSending
from services.fix.dropcopy.application import REQUESTS
from services.fix.dropcopy.make import make_gateway
from services.fix.fields import Fields, framed
from services.fix.gateway.host import gateway_host, gateway_settings
from services.fix.settings import GatewayFile
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.runtime.host import ShardHost
from streams.runtime.ports import TopicPartition
from streams.runtime.replay import replay
from tests.property.test_fix_clients import History
from tests.support.fix_clients import DAY, SEATS, ClientView, pipes
from tests.support.fix_layout import problems
from tests.support.hostile import CODEC, LOG_ID
from tests.support.hostile import framed as record_of
from tests.support.memory_shard import SteppedClock

VERSIONS = {"W42": "FIX.4.2", "W44": "FIX.4.4", "W50": "FIXT.1.1", "A1": "FIX.4.4"}
LAYOUTS = {"W42": "FIX42", "W44": "FIX44", "W50": "FIX50SP2", "A1": "FIX44"}
READ = (
    *(topics.ORDERS_EVENTS, topics.AGGREGATIONS_EVENTS, topics.FILLS_EVENTS),
    *(topics.ALLOCATIONS_EVENTS, topics.ENGINE_JOURNAL, topics.CONTROL_COMMANDS),
)


def watchers() -> GatewayFile:
    """Return four sessions that watch every source; one of them account A1 alone."""
    return GatewayFile.model_validate(
        {
            "name": "watchers",
            "number": 0,
            "kind": "drop-copy",
            "session": [
                {
                    "session_id": name,
                    "quickfix": {
                        "BeginString": begin,
                        "SenderCompID": "PENSTOCK",
                        "TargetCompID": name,
                    },
                    "terms": {
                        "tenant": "T1",
                        "sources": list(SEATS),
                        "accounts": ["A1"] if name == "A1" else [],
                        "requests_of": dict.fromkeys(SEATS, 1),
                    },
                }
                for name, begin in VERSIONS.items()
            ],
        }
    )


class Watch:
    """A gateway of drop copies over what a history left; `sent` by session."""

    def __init__(self, history: History, snapshot_batches: int = 3) -> None:
        source = history.desk.log
        names = [value for name, value in vars(topics).items() if name.isupper()]
        self.log = MemoryLog({n: 2 if n == topics.FIX_RECEIVED else 1 for n in names})
        said = source.partition(TopicPartition(topics.FIX_RECEIVED, 0)).read(0, 10**9)[0]
        for record in said:  # the clients' gateway is number 1 here
            self.log.append(topics.FIX_RECEIVED, 1, record.key, record.value)
        for topic in READ:
            for record in source.partition(TopicPartition(topic, 0)).read(0, 10**9)[0]:
                self.log.append(topic, 0, record.key, record.value)
        self.settings = gateway_settings(
            make_gateway(watchers()),
            name="watchers",
            log_id=LOG_ID,
            partitions=1,
            config_version="1",
            snapshot_batches=snapshot_batches,
        )
        self.clock = SteppedClock()
        self.said = 0

    def run(self) -> ShardHost:
        host = gateway_host(
            self.log, CODEC, self.settings, lambda: make_gateway(watchers()), clock=self.clock
        )
        host._pause = lambda _: None
        host.take_over()
        for _ in range(30):
            host.turn()
        return host

    def sent(self) -> dict[str, list[Fields]]:
        found: dict[str, list[Fields]] = {name: [] for name in VERSIONS}
        for record in self.log.partition(TopicPartition(topics.FIX_SENDING, 0)).read(0, 10**9)[0]:
            message = CODEC.decode(record.value)[1]
            if isinstance(message, FixSending):
                body = Fields.parse(message.body)
                wrong = problems(LAYOUTS[message.session_id], message.message_type, body)
                # What clients say is copied as it is; these leave out 60.
                is_request = message.message_type in REQUESTS
                assert is_request or not wrong, (
                    f"{message.session_id} {message.message_type} {body}: {wrong}"
                )
                whole = Fields([(35, message.message_type), *body.pairs])
                found[message.session_id].append(whole)
        return found

    def say(self, session_id: str, kind: str, fields: Fields) -> None:
        self.said += 1
        header = Fields().add(35, kind).add(34, self.said)
        message = FixReceived(
            session_id=session_id,
            session_day=DAY,
            session_epoch=1,
            sequence=self.said,
            message_type=kind,
            is_possible_duplicate=False,
            is_possible_resend=False,
            text=framed(VERSIONS[session_id], header, fields.body()),
            refusal="",
            sent_ns=1,
            received_ns=1,
        )
        value = record_of(message, 5_000 + self.said)
        self.log.append(topics.FIX_RECEIVED, 0, b"", value)


def known(messages: list[Fields]) -> ClientView:
    view = ClientView()
    for message in messages:
        view.fold(message)
    return view


def of_clients(history: History) -> ClientView:
    """Return what all clients know together."""
    whole = ClientView()
    for view in history.views.values():
        whole.executions |= view.executions
        whole.status |= view.status
        whole.leaves |= view.leaves
    return whole


def accounts(messages: list[Fields]) -> set[str]:
    return {each.get(1) for each in messages if each.get(1)}


def requests(messages: list[Fields]) -> list[str]:
    """Return the requests among messages, as text."""
    return [repr(m) for m in messages if m.get(35) in REQUESTS]


def said_by(history: History, session_id: str) -> list[str]:
    """Return what a client asked for, each number once, without header and trailer."""
    place = TopicPartition(topics.FIX_RECEIVED, 0)
    found: dict[int, str] = {}
    for record in history.desk.log.partition(place).read(0, 10**9)[0]:
        message = CODEC.decode(record.value)[1]
        if isinstance(message, FixReceived) and message.session_id == session_id:
            pairs = Fields.parse(message.text).pairs
            body = [(35, message.message_type)]
            body += [each for each in pairs if each[0] not in (8, 9, 10, 34, 35, 97)]
            found.setdefault(message.sequence, repr(Fields(body)))
    kinds = tuple(f"35={kind}|" for kind in REQUESTS)
    return [text for text in found.values() if text.startswith(kinds)]


def execs(messages: list[Fields]) -> set[str]:
    """Return the ExecIDs of trades and of what changes them."""
    return {m.get(17) for m in messages if m.get(35) == "8" and m.get(32)}


def trades(messages: list[Fields]) -> dict[str, dict[int, str]]:
    """Return what is told of each execution's place, way and time, by ExecID."""
    return {
        m.get(17): {tag: m.get(tag) for tag in (30, 29, 851, 60, 32, 31)}
        for m in messages
        if m.get(35) == "8" and m.get(32)
    }


@pytest.mark.parametrize("seed", range(100, 108))
def test_a_watcher_knows_what_the_clients_know(seed: int) -> None:
    history = History(seed)
    history.run()
    watch = Watch(history)
    host = watch.run()
    sent = watch.sent()
    due = of_clients(history)
    for name in ("W42", "W44", "W50"):
        assert {m.get(797) for m in sent[name] if m.get(35) == "8"} == {"Y"}
        view = known(sent[name])
        assert view.executions == {k: v for k, v in due.executions.items() if k in view.executions}
        assert {k for k, v in due.executions.items() if v} <= set(view.executions)
        assert view.leaves == due.leaves
        assert view.status == due.status
    clients = [m for name in SEATS for m in history.desk.sent(name)]
    assert execs(sent["W44"]) == execs(sent["W50"]) == execs(clients)
    copied = [m for m in sent["A1"] if m.get(35) in "89"]
    assert accounts(copied) <= {"A1"}
    for name, source in (("W42", "OMS42"), ("W44", "OMS44"), ("W50", "OMS50")):
        assert requests(sent[name]) == said_by(history, source)
    own = {k for k in due.status if any(m.get(37) == k and m.get(1) == "A1" for m in clients)}
    assert set(known(sent["A1"]).status) == own
    again = gateway_host(
        watch.log, CODEC, watch.settings, lambda: make_gateway(watchers()), clock=watch.clock
    )
    again._pause = lambda _: None
    again.take_over()
    assert again.application.snapshot() == host.application.snapshot()
    report = replay(watch.log, CODEC, watch.settings, lambda: make_gateway(watchers()))
    assert report.difference is None, report.difference


def test_a_watcher_that_lost_its_store_asks_and_has_every_fill_again() -> None:
    history = History(7)
    history.run()
    watch = Watch(history)
    watch.run().close()
    before = {name: len(messages) for name, messages in watch.sent().items()}
    watch.say("W44", "AF", Fields().add(584, "again").add(585, "7"))
    watch.run().close()
    sent = watch.sent()
    fresh = sent["W44"][before["W44"] :]
    assert fresh, "nothing came"
    assert {(m.get(797), m.get(584), m.get(911)) for m in fresh} == {
        ("Y", "again", str(len(fresh)))
    }
    assert [m.get(912) for m in fresh].index("Y") == len(fresh) - 1
    view, due = known(fresh), of_clients(history)
    assert view.executions == due.executions
    live = trades([m for name in SEATS for m in history.desk.sent(name)])
    again = trades(fresh)
    assert again, "a history without trades proves nothing"
    assert again == {exec_id: live[exec_id] for exec_id in again}
    assert all(told[60] for told in again.values())
    assert {told[30] for told in again.values()} - {""}
    assert {told[29] for told in again.values()} - {""}
    assert {told[851] for told in again.values()} - {""}
    assert (view.status, view.leaves) == (due.status, due.leaves)
    assert {name: len(m) for name, m in sent.items() if name != "W44"} == {
        name: count for name, count in before.items() if name != "W44"
    }


def test_a_watcher_without_orders_is_told_that_there_are_none() -> None:
    watch = Watch(History(1))
    watch.say("W50", "AF", Fields().add(584, "none").add(585, "7"))
    watch.run().close()
    (answer,) = watch.sent()["W50"]
    assert pipes(answer, 35, 797, 150, 39, 584, 911, 912) == (
        "35=8|797=Y|150=I|39=8|584=none|911=0|912=Y"
    )
    assert answer.get(58) == "UNKNOWN_ORDER: an order in the session's terms none MassStatusReqID"


ORDER = Fields().add(11, "x").add(55, "ACME").add(54, "1").add(38, "5").add(40, "1")
SAID: list[tuple[str, str, Fields]] = [
    ("W44", "D", ORDER),
    ("W50", "D", ORDER),
    ("W42", "D", ORDER),
    ("W44", "F", Fields().add(11, "y").add(41, "x").add(55, "ACME").add(54, "1")),
    ("W44", "AF", Fields().add(584, "part").add(585, "1").add(55, "ACME")),
    ("W44", "J", Fields().add(70, "x").add(71, "0")),
]


@pytest.mark.parametrize("session_id, kind, fields", SAID)
def test_a_watcher_may_say_nothing(session_id: str, kind: str, fields: Fields) -> None:
    history = History(1)
    watch = Watch(history)
    watch.say(session_id, kind, fields)
    watch.run().close()
    (answer,) = watch.sent()[session_id]
    said: dict[str, Any] = {"45": answer.get(45), "372": answer.get(372), "380": answer.get(380)}
    code = "0" if session_id == "W42" else "6"  # 4.2 has no word for "not authorized"
    assert answer.get(35) == "j"
    assert said == {"45": "1", "372": kind, "380": code}, pipes(answer)
    decisions = watch.log.partition(TopicPartition(topics.FIX_DECISIONS, 0)).read(0, 10**9)[0]
    assert [CODEC.decode(each.value)[1].reason for each in decisions] == ["NOT_ENTITLED"]
