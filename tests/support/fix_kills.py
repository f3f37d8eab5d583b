"""A gateway to a venue with real processes, a real log and a QuickFIX venue, for kills."""

import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any, Self

from confluent_kafka import Producer

from infra.topics import create_topics
from schemas.messages.control import InstrumentDefined
from schemas.messages.core import Envelope, JournalKind
from schemas.messages.fix import FixReceived, FixSending
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core import topics
from streams.runtime.history import decode_own, read_to_end
from streams.runtime.ports import TopicPartition
from tests.support.audit_log import Batch, Writer, make
from tests.support.counted_run import eventually
from tests.support.fix_model_engine import ModelEngine
from tests.support.fix_model_venue import ModelVenue
from tests.support.fix_peer import FixPeer
from tests.support.fix_venues import ACME
from tests.support.fix_wire import WireProcess

__all__ = ["NUMBER", "KilledDesk"]

CODEC = AvroCodec()
NUMBER = 4
ROOT = Path(__file__).parents[2]
ORDERS = ("D", "F", "G", "H")


def gateway_toml(port: int, gap_filled: tuple[str, ...]) -> str:
    """Return a gateway's file with one session to a venue that waits on a port."""
    return f"""
name = "venues"
number = {NUMBER}
kind = "venues"
[quickfix]
ConnectionType = "initiator"
SocketConnectHost = "127.0.0.1"
SocketConnectPort = "{port}"
ReconnectInterval = "1"
HeartBtInt = "30"
[[session]]
session_id = "V1"
gap_filled = {list(gap_filled)}
[session.quickfix]
BeginString = "FIX.4.4"
SenderCompID = "PENSTOCK"
TargetCompID = "V1"
[session.terms]
venue_id = "V1"
version = "FIX44"
ack_timeout_ms = 3000
"""


class KilledDesk:
    """Engine and venue live in the test; wire, gateway, broker and QuickFIX are processes."""

    def __init__(self, bootstrap: str, folder: Path, port: int, seed: int) -> None:
        self.dice = Random(seed)
        self.bootstrap = bootstrap
        create_topics(bootstrap, partitions=1)
        self._folder = folder
        self._log = KafkaLog(KafkaSettings(bootstrap=bootstrap))
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 1, "log_level": 0})
        self._writer = Writer()
        self._writer.batch(JournalKind.OWNER_STARTED, Batch())
        self._written = 0
        self._read = 0
        self._given = 0
        self._heard = 0
        self._recorded = 0
        self._known: set[str] = set()
        self.sendings: list[FixSending] = []
        self.kills: list[str] = []
        self.asked_again = 0  # times that the venue asked for messages that it had
        self.repeats = 0  # messages that QuickFIX sent again (43=Y) and the venue had already
        self.is_gap_filled = seed % 2 == 1
        self.may_be_asked = self.is_gap_filled  # instead of being sent
        gap_filled = ("D", "F", "G") if self.is_gap_filled else ()
        self.wire = WireProcess(folder, bootstrap, gateway_toml(port, gap_filled))
        self.venue = ModelVenue(self.dice)
        self.engine = ModelEngine(self.dice, self.commit)
        self.peer = FixPeer(folder / "venue", port, sender="V1", target="PENSTOCK", acceptor=True)
        self._gateway: subprocess.Popen[bytes] | None = None
        self._define()

    def __enter__(self) -> Self:
        self.peer.start()
        self.wire.start()
        self.start_gateway()
        self.peer.await_logon()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_gateway()
        self.wire.kill()
        self.peer.kill()

    # Processes

    def start_gateway(self) -> None:
        with (self._folder / "gateway.log").open("ab") as log:
            self._gateway = subprocess.Popen(
                [
                    *(sys.executable, "-m", "services.fix.gateway"),
                    *(f"--bootstrap={self.bootstrap}", f"--file={self.wire.file}"),
                    *("--snapshot-batches=20", "--transaction-timeout-ms=2000"),
                ],
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )

    def kill_gateway(self) -> None:
        if self._gateway is not None:
            assert self._gateway.poll() is None, (self._folder / "gateway.log").read_text()[-2000:]
            self._gateway.kill()
            self._gateway.wait()
            self._gateway = None

    # The engine's side

    def commit(self, *messages: Any) -> None:
        """Commit a batch of the engine."""
        events = [(topics.CHILDREN_EVENTS, message) for message in messages]
        self._writer.batch(JournalKind.BATCH, Batch(outputs=events, now_ns=time.time_ns()))
        for record in self._writer.records[self._written :]:
            self._producer.produce(record.topic, record.value, record.key, record.partition)
        self._written = len(self._writer.records)
        assert self._producer.flush(30) == 0

    def hear(self) -> None:
        """Let the engine read what it is told, and see what was given to the wire."""
        self.engine.fold(self._new(topics.VENUES_REPORTS, 0, "_read"))
        self.sendings += self._new(topics.FIX_SENDING, NUMBER, "_given")

    # The venue's side

    def work(self, *, answers: bool = True) -> int:
        """Let the venue read what came, and answer; return how many messages were new."""
        new = 0
        seen = self.peer.seen
        while self._heard < len(seen):
            fields = seen[self._heard]
            self._heard += 1
            kind = fields.get(35)
            if kind not in ORDERS:
                continue
            name = f"{kind} {fields.get(11)} {fields.get(790)}"
            is_known = kind != "H" and name in self._known
            if fields.get(43) == "Y" and is_known:
                self.repeats += 1
                continue
            assert not is_known, f"{name} came twice"
            assert 97 not in fields or kind != "D", f"{name} may have been sent before"
            self._known.add(name)
            self.venue.take(kind, fields)
            new += 1
        if answers:
            self.answer()
        return new

    def await_arrival(self) -> None:
        """Return when something new came to the venue, which says nothing yet.

        What finds no session is refused by the gateway, so more is placed until one goes out.
        """

        def has_arrived() -> bool:
            self.hear()
            if not self.engine.open():
                self.engine.place(waits=(0,))
            return self.work(answers=False) > 0

        eventually(has_arrived, "something arrives")

    def answer(self) -> None:
        """Say what the venue has to say; a session that is down says it after its logon."""
        for kind, fields in self.venue.outbox:
            self.peer.send(kind, fields)
        self.venue.outbox = []

    def let_run(self, seconds: float) -> None:
        """Let the processes go on for a moment, so that a kill hits them further on."""
        time.sleep(seconds)

    def ask_for_resend(self, count: int) -> None:
        """Let the venue ask for its newest messages again: it must be logged out."""
        self.asked_again += 1
        _, expected = self.peer.numbers()
        self.peer.set_numbers(target=max(1, expected - count))

    # The end

    def settle(self, deadline_s: float = 45.0) -> None:
        """Go on until both have the same picture. Raises AssertionError at the deadline."""
        deadline = time.monotonic() + deadline_s
        asked = time.monotonic()
        while True:
            self.work()
            self.hear()
            found = self.engine.differences(self.venue, is_gap_filled=self.may_be_asked)
            if not found:
                break
            assert time.monotonic() < deadline, found
            if time.monotonic() - asked > 2.0:
                asked = time.monotonic()
                self.engine.ask_all()
            time.sleep(0.02)
        sent = [each.subject for each in self.sendings if each.message_type in ("D", "F", "G")]
        assert len(set(sent)) == len(sent), "given to the wire twice"
        arrived = self.venue.arrived
        assert len(set(arrived)) == len(arrived), "a ClOrdID came twice"
        ordinals = [each.ordinal for each in self.sendings]
        assert ordinals == list(range(1, len(ordinals) + 1))

    def figures(self) -> dict[str, object]:
        """Return what happened, for the record."""
        received = self._new(topics.FIX_RECEIVED, NUMBER, "_recorded")
        heard = [each for each in received if isinstance(each, FixReceived)]
        return {
            "kills": " ".join(self.kills),
            "children": len(self.engine.placed),
            "arrived": len(self.venue.orders),
            "executions": len(self.engine.executions),
            "repeats_to_venue": self.repeats,
            "repeats_from_venue": sum(each.is_possible_duplicate for each in heard),
            "gap_filled": self.is_gap_filled,
        }

    def _new(self, topic: str, partition: int, position: str) -> list[Any]:
        found = []
        for record in read_to_end(
            self._log, TopicPartition(topic, partition), getattr(self, position)
        ):
            found.append(decode_own(CODEC, record)[1])
            setattr(self, position, record.offset + 1)
        return found

    def _define(self) -> None:
        message = make(InstrumentDefined, instrument_id=ACME, quantity_scale=1, currency="USD")
        envelope = make(Envelope, shard=-1, seq=-1, topic_seq=-1)
        value = CODEC.encode(envelope, message)
        self._producer.produce(topics.CONTROL_COMMANDS, value, b"", 0)
        assert self._producer.flush(30) == 0
