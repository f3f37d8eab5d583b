"""Wire processes for tests, and the log as they see it: what was recorded, what is to be sent."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from confluent_kafka import Producer

from schemas.messages.fix import FixReceived, FixSending, FixSent, FixSessionChanged
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.envelope import outside_envelope
from streams.core.topics import FIX_RECEIVED, FIX_SENDING
from streams.runtime.history import decode_own, read_to_end
from streams.runtime.ports import TopicPartition
from tests.support.broker import Cluster
from tests.support.fix_peer import soh

CODEC = AvroCodec()
STOP_S = 20.0
# Where a wire may be told to kill itself (fix_crashing_wire.py), in its environment: "POINT:N".
CRASH = "PENSTOCK_TEST_CRASH"
CRASH_POINTS = ("before-intent", "intent", "persisted", "sent", "noted", "heard", "produced")
ROOT = Path(__file__).parents[2]


def session_toml(name: str, target: str, begin: str = "FIX.4.4", more: str = "") -> str:
    """Return one [[session]] of a gateway's file; `more`: lines of it, in front of its settings."""
    return f"""
[[session]]
session_id = "{name}"
{more}
[session.quickfix]
BeginString = "{begin}"
SenderCompID = "PENSTOCK"
TargetCompID = "{target}"
"""


def acceptor_toml(
    number: int, port: int, *sessions: str, kind: str = "clients", name: str = "gate"
) -> str:
    """Return a gateway's file whose sessions wait for counterparties."""
    head = f"""
name = "{name}"
number = {number}
kind = "{kind}"
[quickfix]
ConnectionType = "acceptor"
SocketAcceptPort = "{port}"
"""
    return head + "".join(sessions)


class WireProcess:
    """One wire, and another after it on the same store."""

    def __init__(self, folder: Path, bootstrap: str, toml: str) -> None:
        self._folder = folder
        self._bootstrap = bootstrap
        self.file = folder / "gateway.toml"
        self.file.write_text(toml)
        self.store = folder / "stores"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._process is None:
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.kill()

    def start(self, module: str = "services.fix.wire", **environment: str) -> None:
        """Start it; it is up when it listens."""
        log = (self._folder / "wire.log").open("ab")
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", module, f"--bootstrap={self._bootstrap}"),
                *(f"--file={self.file}", f"--store={self.store}"),
            ],
            stdout=log,
            stderr=log,
            cwd=ROOT,
            env={**os.environ, **environment},
        )
        log.close()

    def stop(self) -> int:
        """End it as an operator does; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(STOP_S)
        self._process = None
        return code

    def kill(self) -> None:
        """End it at once, as kill -9 does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_S)
        self._process = None

    def ended(self) -> int | None:
        """Return the exit code when it has ended by itself."""
        assert self._process is not None
        return self._process.poll()

    def words(self) -> str:
        """Return what it logged."""
        return (self._folder / "wire.log").read_text()


class Desk:
    """The log beside a wire: reads fix.received and writes fix.sending of one gateway."""

    def __init__(self, cluster: Cluster | Any, number: int) -> None:
        self._log = KafkaLog(KafkaSettings(bootstrap=cluster.bootstrap))
        self._producer = Producer(
            {"bootstrap.servers": cluster.bootstrap, "enable.idempotence": True, "linger.ms": 1}
        )
        self._number = number
        self._position = self._log.stable_offset(TopicPartition(FIX_RECEIVED, number))
        self._ordinals: dict[str, int] = {}
        self.records: list[Any] = []

    def send(self, session_id: str, message_type: str, body: str, subject: str = "x") -> int:
        """Ask for a message to be sent, and see it in the log; return its ordinal."""
        ordinal = self.queue(session_id, message_type, body, subject)
        assert self._producer.flush(30) == 0
        return ordinal

    def queue(self, session_id: str, message_type: str, body: str, subject: str = "x") -> int:
        """Ask for one of many messages to be sent; `send` flushes them all."""
        ordinal = self._ordinals.get(session_id, 0) + 1
        self._ordinals[session_id] = ordinal
        message = FixSending(
            session_id=session_id,
            ordinal=ordinal,
            message_type=message_type,
            body=soh(body).encode("latin-1"),
            subject=subject,
        )
        envelope = outside_envelope(ordinal.to_bytes(16, "big"), 0, "test")
        value = CODEC.encode(envelope, message)
        self._producer.produce(FIX_SENDING, value, session_id.encode(), self._number)
        return ordinal

    def read(self) -> list[Any]:
        """Return everything recorded since this desk began."""
        place = TopicPartition(FIX_RECEIVED, self._number)
        for record in read_to_end(self._log, place, self._position):
            self.records.append(decode_own(CODEC, record)[1])
            self._position = record.offset + 1
        return self.records

    def received(self, session_id: str) -> list[FixReceived]:
        """Return the messages of a session's counterparty."""
        return [e for e in self.read() if isinstance(e, FixReceived) and e.session_id == session_id]

    def sent(self, session_id: str) -> list[FixSent]:
        """Return the marks of what went out to a session."""
        return [e for e in self.read() if isinstance(e, FixSent) and e.session_id == session_id]

    def changes(self, session_id: str) -> list[FixSessionChanged]:
        """Return the logons and lost connections of a session."""
        found = [each for each in self.read() if isinstance(each, FixSessionChanged)]
        return [each for each in found if each.session_id == session_id]


def order(number: object, **fields: str) -> str:
    """Return the body of a NewOrderSingle."""
    values = {"11": str(number), "55": "ACME", "54": "1", "60": "20261121-10:00:00", "38": "100"}
    values |= {"40": "1", **{tag.removeprefix("t"): text for tag, text in fields.items()}}
    return "|".join(f"{tag}={text}" for tag, text in values.items())


def report(number: object) -> str:
    """Return the body of an ExecutionReport: new."""
    return f"37=O{number}|17=E{number}|150=0|39=0|55=ACME|54=1|151=100|14=0|6=0|11={number}"
