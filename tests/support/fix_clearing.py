"""Clearing, a gateway to clearers and a FIX clearer on one memory log; the wire is a loop here."""

from typing import Any

import msgspec

from schemas.messages.fix import FixReceived, FixSending, FixSent, FixSessionChanged
from services.fix.clearers.application import Clearers
from services.fix.clearers.make import make_gateway
from services.fix.fields import Fields, framed
from services.fix.gateway.host import gateway_host, gateway_settings
from services.fix.settings import GatewayFile
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.runtime.host import ShardHost
from streams.runtime.replay import replay
from tests.support.clearing_day import CODEC, LOG_ID, ClearingDay, outside
from tests.support.fix_clearer import FixClearer
from tests.support.memory_shard import SteppedClock

__all__ = ["FixClearingDay", "gateway_file"]

BEGIN = {"FIX42": "FIX.4.2", "FIX44": "FIX.4.4", "FIX50SP2": "FIXT.1.1"}
DAY = 20260227


def gateway_file(**sessions: tuple[str, dict[str, Any]]) -> GatewayFile:
    """Return a file of kind "clearers": version and terms by session."""
    return GatewayFile.model_validate(
        {
            "name": "clearers",
            "number": 0,
            "kind": "clearers",
            "session": [
                {
                    "session_id": name,
                    "quickfix": {
                        "BeginString": BEGIN[version],
                        "SenderCompID": "PENSTOCK",
                        "TargetCompID": name.upper(),
                    },
                    "terms": terms,
                }
                for name, (version, terms) in sessions.items()
            ],
        }
    )


class FixClearingDay(ClearingDay):
    """As ClearingDay, the clearer behind a FIX session. `peers`: by session."""

    def __init__(
        self,
        log: MemoryLog,
        partitions: int,
        file: GatewayFile,
        peers: dict[str, FixClearer],
        *,
        batches: int = 50,
    ) -> None:
        super().__init__(log, partitions, is_silent=True, batches=batches)
        self.file = file
        self.peers = peers
        self.sent: list[FixSending] = []  # as the peers got it
        self.clock = SteppedClock()
        self._numbers: dict[str, list[int]] = {}  # ours, theirs, by session
        self._written = 0
        self._read = 0
        self._batches = batches
        self.gateway: ShardHost | None = None
        self.clearing: ShardHost
        for session_id in peers:
            self._write(
                FixSessionChanged(
                    session_id=session_id,
                    session_day=DAY,
                    session_epoch=1,
                    is_logged_on=True,
                    text="",
                    transact_ns=1,
                )
            )

    @property
    def application(self) -> Clearers:
        assert self.gateway is not None
        application = self.gateway.application
        assert isinstance(application, Clearers)
        return application

    def host(self) -> ShardHost:
        """Return clearing's host; the gateway is begun anew with it."""
        self.gateway = self.gateway_host()
        self.gateway.take_over()
        return super().host()

    def gateway_host(self) -> ShardHost:
        settings = gateway_settings(
            make_gateway(self.file),
            name="clearers",
            log_id=LOG_ID,
            partitions=self.partitions,
            config_version="1",
            snapshot_batches=self._batches,
        )
        host = gateway_host(
            self.log, CODEC, settings, lambda: make_gateway(self.file), clock=self.clock
        )
        host._pause = lambda seconds: None
        return host

    def hear(self, session_id: str, message_type: str, fields: Fields, **changes: Any) -> None:
        """Write what a counterparty sends, as the wire does."""
        numbers = self._numbers.setdefault(session_id, [0, 0])
        numbers[1] += 1
        header = Fields([(35, message_type), (34, str(numbers[1])), (49, session_id.upper())])
        version = next(
            e.quickfix["BeginString"] for e in self.file.session if e.session_id == session_id
        )
        message = FixReceived(
            session_id=session_id,
            session_day=DAY,
            session_epoch=1,
            sequence=numbers[1],
            message_type=message_type,
            is_possible_duplicate=False,
            is_possible_resend=False,
            text=framed(version, header, fields.body()),
            refusal="",
            sent_ns=1,
            received_ns=1,
        )
        self._write(msgspec.structs.replace(message, **changes))

    def turn(self, count: int) -> None:
        """Let time pass: the gateway and the wire only, then clearing."""
        for _ in range(count):
            self._answer()
        self._turn(self.clearing)

    def work(self) -> None:
        """Let everything that was written be read by all."""
        self._turn(self.clearing)

    def run(self) -> ShardHost:
        self.clearing = super().run()
        return self.clearing

    def told(self, session_id: str = "clearer", *kinds: str) -> list[tuple[str, Fields]]:
        """Return what a session was sent, of those kinds if any are named."""
        return [
            (message.message_type, Fields.parse(message.body))
            for message in self.sent
            if message.session_id == session_id and (not kinds or message.message_type in kinds)
        ]

    def prove(self) -> None:
        """A recovery comes to the same state, a replay to the same decisions."""
        assert self.gateway is not None
        before = self.gateway.application.snapshot()
        self.gateway.close()
        self.gateway = self.gateway_host()
        self.gateway.take_over()
        assert self.gateway.application.snapshot() == before
        settings = self.gateway._settings
        report = replay(self.log, CODEC, settings, lambda: make_gateway(self.file))
        assert report.difference is None, report.difference

    def decisions(self) -> list[Any]:
        return [CODEC.decode(r.value)[1] for r in self._committed(topics.FIX_DECISIONS, 0)]

    def _answer(self) -> bool:
        """Let the gateway decide and the wire carry, once."""
        assert self.gateway is not None
        batches = self._batches_of(self.gateway)
        self.gateway.turn()
        is_moved = self._batches_of(self.gateway) != batches  # heartbeats do not count
        return self._carry() or is_moved

    def _batches_of(self, host: ShardHost) -> tuple[int, int]:
        return host._generation, host._batches_unsaved

    def _carry(self) -> bool:
        """Take what is to be sent to the peers and write what they answer."""
        records = self._committed(topics.FIX_SENDING, 0)
        fresh = [CODEC.decode(record.value)[1] for record in records[self._read :]]
        self._read = len(records)
        for message in fresh:
            self._deliver(message)
        if fresh:
            return True
        late = [(name, reply) for name, peer in self.peers.items() for reply in peer.flush()]
        for name, reply in late:
            self.hear(name, reply.message_type, reply.fields)
        return bool(late)

    def _deliver(self, message: FixSending) -> None:
        self.sent.append(message)
        numbers = self._numbers.setdefault(message.session_id, [0, 0])
        numbers[0] += 1
        sent = FixSent(
            session_id=message.session_id,
            session_day=DAY,
            session_epoch=1,
            ordinal=message.ordinal,
            sequence=numbers[0],
            is_possible_resend=message.is_possible_resend,
            sent_ns=1,
        )
        self._write(sent)
        peer = self.peers.get(message.session_id)
        if peer is None:
            return
        fields = Fields.parse(message.body)
        for reply in peer.feed(message.message_type, fields, message.is_possible_resend):
            self.hear(message.session_id, reply.message_type, reply.fields)

    def _write(self, message: Any) -> None:
        self._written += 1
        envelope = outside(1_000_000 + self._written, "wire")
        value = CODEC.encode(envelope, message)
        self.log.append(topics.FIX_RECEIVED, 0, b"", value)
