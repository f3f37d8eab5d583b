"""After a day with FIX at both edges: replay the gateways, compare the books, count."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from infra.topics import read_log_id
from schemas.messages.core import Envelope
from schemas.messages.fix import FixReceived, FixRefused, FixSending
from services.cli.log import DECISION_TOPICS, read_to_end
from services.demo.fix_books import ChildBooks, client_differences, intake_states
from services.fix.acts import ACT
from services.fix.fields import Fields
from services.fix.gateway.host import gateway_settings
from services.fix.kinds import make_gateway
from services.fix.oms.application import OmsGateway
from services.fix.settings import GatewayFile, Kind
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.topics import (
    FIX_DECISIONS,
    FIX_RECEIVED,
    FIX_SENDING,
    ORDERS_COMMANDS,
    VENUES_EXECUTIONS,
    VENUES_ORDERS,
)
from streams.runtime.replay import ReplayReport, replay

__all__ = ["FixProof", "prove_fix"]


class FixProof(NamedTuple):
    """What FIX came to."""

    messages: dict[str, dict[str, int]]  # by gateway that sent them and FIX 35, of an 8 with 150
    acts: dict[str, int]  # what the venues' sessions did wrong on demand
    resend_requests: int
    resent: int  # messages that were sent again for them (43=Y)
    duplicate_executions: int  # reports whose ExecID the receiver knew
    refused: dict[str, int]  # by reason code, of what gateways refused themselves
    differences: tuple[str, ...]  # as sentences; empty is the promise kept
    replays: dict[str, ReplayReport]

    @property
    def failures(self) -> list[str]:
        """Everything that should not be, as sentences."""
        return [
            *(f"FIX {each}" for each in self.differences),
            *(
                f"REPLAY gateway {name}: {report.difference}"
                for name, report in self.replays.items()
                if not report.is_equal
            ),
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "messages": self.messages,
            "acts": self.acts,
            "resend_requests": self.resend_requests,
            "resent": self.resent,
            "duplicate_executions": self.duplicate_executions,
            "refused": self.refused,
            "differences": len(self.differences),
            "replay_equal": all(report.is_equal for report in self.replays.values()),
            "replayed_events": sum(report.events for report in self.replays.values()),
        }


def prove_fix(bootstrap: str, files: Sequence[GatewayFile], resends: tuple[int, int]) -> FixProof:
    """Read the finished log. `resends`: requests for them and messages, as the wires tell.

    Raises: LookupError, CorruptHistoryError, RetentionError.
    """
    replays, book = {}, None
    requests, resent = resends
    for file in files:
        replays[file.name], application = _replay(bootstrap, file)
        if file.kind is Kind.OMS:
            assert isinstance(application, OmsGateway)
            book = application.state.book
    assert book is not None, "no gateway of kind oms"
    books, count = ChildBooks(), Tally(files)
    events: list[tuple[Envelope, Any]] = []
    for entry in read_to_end(bootstrap, sorted((*DECISION_TOPICS, VENUES_ORDERS))):
        if entry.envelope is None:
            continue
        if entry.topic == VENUES_ORDERS:
            books.venue_heard(entry.message)
        else:
            books.engine_said(entry.message)
            events.append((entry.envelope, entry.message))
    topics = (VENUES_EXECUTIONS, FIX_DECISIONS, FIX_RECEIVED, FIX_SENDING)
    for entry in read_to_end(bootstrap, topics):
        books.venue_said(entry.message)
        count.add(entry.partition, entry.message)
    differences = [
        *client_differences(book, intake_states(events)),
        *books.differences(),
        *count.malformed,
    ]
    return FixProof(
        messages={name: dict(rows) for name, rows in count.messages.items()},
        acts=dict(count.acts),
        resend_requests=requests,
        resent=resent,
        duplicate_executions=count.duplicates,
        refused=dict(count.refused),
        differences=tuple(differences),
        replays=replays,
    )


class Tally:
    """Counts what went over the sessions."""

    def __init__(self, files: Sequence[GatewayFile]) -> None:
        self._names = {file.number: file.name for file in files}
        self.messages: dict[str, Counter[str]] = {file.name: Counter() for file in files}
        self.acts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.duplicates = 0
        self.malformed: list[str] = []  # what a session rejected as such: one of us wrote it
        self._executions: set[tuple[int, str, str]] = set()

    def add(self, number: int, message: Any) -> None:
        match message:
            case FixSending(message_type=kind) if kind == ACT:
                self.acts[Fields.parse(message.body).get(58)] += 1
            case FixSending():
                kind = message.message_type
                if kind == "8":
                    kind = f"8/{Fields.parse(message.body).get(150)}"
                self.messages[self._names[number]][kind] += 1
            case FixReceived():
                if message.message_type == "8" and not message.is_possible_duplicate:
                    self._execution(number, message)
                elif message.message_type == "3":
                    words = Fields.parse(message.text)
                    where = f"{self._names[number]} {message.session_id}"
                    text = f"tag {words.get(371)}, reason {words.get(373)}, {words.get(58)}"
                    self.malformed.append(f"{where}: our 35={words.get(372)} was rejected: {text}")
            case FixRefused():
                self.refused[message.reason] += 1

    def _execution(self, number: int, message: FixReceived) -> None:
        key = (number, message.session_id, Fields.parse(message.text).get(17))
        self.duplicates += key in self._executions
        self._executions.add(key)


def _replay(bootstrap: str, file: GatewayFile) -> tuple[ReplayReport, Any]:
    """Decide a gateway's journal again; return the verdict and the gateway at its end."""
    log = KafkaLog(KafkaSettings(bootstrap=bootstrap))
    settings = gateway_settings(
        make_gateway(file),
        name=file.name,
        log_id=read_log_id(bootstrap),
        partitions=log.partitions(ORDERS_COMMANDS),
        config_version="",
    )
    made = []

    def make_application() -> Any:
        gateway = make_gateway(file)
        gateway.partitions = log.partitions(ORDERS_COMMANDS)
        made.append(gateway)
        return gateway

    return replay(log, AvroCodec(), settings, make_application), made[-1]
