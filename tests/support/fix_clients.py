"""A gateway of clients and the real engine shard on one memory log, and clients that know only FIX.

desk = ClientDesk()
desk.say("OMS44", "D", "11=c1|1=A1|55=ACME|54=1|38=100|40=1")
(ack,) = desk.news("OMS44")
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from schemas.messages.core import ExecType, OrderStatus
from schemas.messages.fix import FixReceived, FixRefused, FixSending, FixSessionChanged
from schemas.messages.routing import ChildPlaced
from services.fix.clients.gateway import ClientsGateway
from services.fix.clients.terms import Seat, SessionTerms
from services.fix.codes import Version
from services.fix.fields import SOH, Fields, framed
from services.fix.gateway.host import gateway_host, gateway_settings
from streams.core import topics
from streams.runtime.host import ShardHost
from streams.runtime.ports import TopicPartition
from streams.runtime.replay import replay
from tests.support.builders import cancel_confirmed, execution_report
from tests.support.fix_layout import problems
from tests.support.hostile import CODEC, LOG_ID, HostileShard
from tests.support.hostile import framed as record_of

__all__ = ["DAY", "SEATS", "ClientDesk", "ClientView", "pipes", "received", "seat"]

DAY: Final = 20250615
VERSIONS: Final = {
    "OMS42": Version.FIX42,
    "OMS44": Version.FIX44,
    "OMS50": Version.FIX50SP2,
}


def seat(session_id: str = "OMS44", **changes: Any) -> Seat:
    """Return a session that may trade A1 and A2; its source is its own name."""
    terms = {
        "tenant": "T1",
        "source": session_id,
        "desk_id": "DESK",
        "accounts": ("A1", "A2"),
        "default_strategy": "TWAP",
        **changes,
    }
    return Seat(session_id, VERSIONS[session_id], SessionTerms.model_validate(terms))


SEATS: Final = {name: seat(name) for name in VERSIONS}


def pipes(fields: Fields, *tags: int) -> str:
    """Return fields as people write them; of `tags` only, where any are named."""
    return "|".join(f"{tag}={value}" for tag, value in fields.pairs if not tags or tag in tags)


def received(
    who: Seat, kind: str, body: str, sequence: int, at_ns: int, *, resend: bool = False
) -> FixReceived:
    """Return what a wire records of a message; `body` with | for SOH."""
    header = Fields().add(35, kind).add(34, sequence)
    if resend:
        header.add(97, True)
    text = (body.replace("|", SOH) + SOH).encode("latin-1")
    return FixReceived(
        session_id=who.session_id,
        session_day=DAY,
        session_epoch=1,
        sequence=sequence,
        message_type=kind,
        is_possible_duplicate=False,
        is_possible_resend=resend,
        text=framed(who.version.begin_string, header, text),
        refusal="",
        sent_ns=at_ns,
        received_ns=at_ns,
    )


class ClientDesk(HostileShard):
    """One shard with ACME, one gateway with a session for each version."""

    def __init__(
        self, *definitions: Any, seats: Mapping[str, Seat] = SEATS, snapshot_batches: int = 5
    ) -> None:
        super().__init__(*definitions, partitions=1)
        self._seats = dict(seats)
        self._sequences: dict[str, int] = {}
        self._outside = 1_000
        self._sent: dict[str, list[Fields]] = {name: [] for name in seats}
        self._taken: dict[str, int] = dict.fromkeys(seats, 0)
        self._read = 0
        self.gateway_settings = gateway_settings(
            self.new_gateway(),
            name="clients",
            log_id=LOG_ID,
            partitions=1,
            config_version="test",
            snapshot_batches=snapshot_batches,
        )
        self.gateway = self._new_gateway_host()
        for name in seats:
            self.logon(name)

    def new_gateway(self) -> ClientsGateway:
        return ClientsGateway(0, self._seats)

    def _new_gateway_host(self) -> ShardHost:
        host = gateway_host(
            self.log, CODEC, self.gateway_settings, self.new_gateway, clock=self.clock
        )
        host._pause = lambda _: None  # a memory log is never worth waiting for
        host.take_over()
        return host

    @property
    def state(self) -> Any:
        return self.gateway.application.state  # type: ignore[attr-defined]

    def both(self) -> None:
        """Let gateway, engine and gateway again read all that is there."""
        for _ in range(20):
            moved = self._drain(self.gateway)
            moved = self._drain(self.host) or moved
            if not moved:
                self._collect()
                return
        raise AssertionError("gateway and engine turn without end")

    def say(self, session_id: str, kind: str, body: str, **changes: Any) -> None:
        """Let a client say something, and all of it be worked; `body` with | for SOH."""
        self.record(session_id, kind, body, **changes)
        self.both()

    def record(
        self, session_id: str, kind: str, body: str, *, sequence: int = 0, resend: bool = False
    ) -> None:
        """Record what a client said; `sequence` to say it again under the same number."""
        if not sequence:
            sequence = self._sequences.get(session_id, 0) + 1
            self._sequences[session_id] = sequence
        who, at_ns = self._seats[session_id], self.clock.at_ns
        message = received(who, kind, body, sequence, at_ns, resend=resend)
        self._put_outside(topics.FIX_RECEIVED, message)

    def logon(self, session_id: str, *, is_logged_on: bool = True) -> None:
        """Record that a session came or went."""
        changed = FixSessionChanged(
            session_id=session_id,
            session_day=DAY,
            session_epoch=1,
            is_logged_on=is_logged_on,
            text="",
            transact_ns=self.clock.at_ns,
        )
        self._put_outside(topics.FIX_RECEIVED, changed)
        self.both()

    def tell(self, topic: str, *messages: Any) -> None:
        """Write messages of others, and let them be worked."""
        for message in messages:
            self._put_outside(topic, message)
        self.both()

    def pass_ns(self, ns: int) -> None:
        """Let time pass with fresh books."""
        self.clock.at_ns += ns
        self.quote()
        self.both()

    def sent(self, session_id: str) -> list[Fields]:
        """Return all that a client was ever sent, 35 first."""
        return self._sent[session_id]

    def news(self, session_id: str) -> list[Fields]:
        """Return what a client was sent since the last call."""
        found = self._sent[session_id][self._taken[session_id] :]
        self._taken[session_id] += len(found)
        return found

    def refusals(self) -> list[FixRefused]:
        """Return what the gateway itself refused."""
        return self.messages(topics.FIX_DECISIONS, FixRefused)

    def trade(self, child: ChildPlaced, quantity: int, price_e9: int | None = None) -> str:
        """Report a fill of a child, and return its ExecID."""
        done = self.filled.get(child.child_id, 0) + quantity
        self.filled[child.child_id] = done
        name = f"e-{child.child_id}-{done}"
        is_full = done == child.quantity
        report = execution_report(
            child.child_id,
            name,
            venue_id=child.venue_id,
            side=child.side,
            last_quantity=quantity,
            last_price_e9=price_e9 or child.price_e9,
            cumulative_quantity=done,
            leaves_quantity=child.quantity - done,
            order_status=OrderStatus.FILLED if is_full else OrderStatus.PARTIALLY_FILLED,
            transact_ns=self.clock.at_ns,
        )
        self.tell(topics.VENUES_REPORTS, report)
        return name

    def change(self, child: ChildPlaced, name: str, quantity: int = 0, price_e9: int = 0) -> None:
        """Take a fill back, or with a quantity correct it."""
        report = execution_report(
            child.child_id,
            f"x{self._outside}-{name}",
            venue_id=child.venue_id,
            side=child.side,
            exec_ref_id=name,
            exec_type=ExecType.TRADE_CORRECT if quantity else ExecType.TRADE_CANCEL,
            last_quantity=quantity,
            last_price_e9=price_e9 or child.price_e9,
            cumulative_quantity=0,
            leaves_quantity=0,
            order_status=OrderStatus.NEW,
            transact_ns=self.clock.at_ns,
        )
        self.tell(topics.VENUES_REPORTS, report)

    def confirm_cancel(self, child: ChildPlaced) -> None:
        """Report that a child is off the book, with what it has got until then."""
        done = self.filled.get(child.child_id, 0)
        at_ns = self.clock.at_ns
        report = cancel_confirmed(
            child, side=child.side, cumulative_quantity=done, transact_ns=at_ns
        )
        self.tell(topics.VENUES_REPORTS, report)

    @property
    def filled(self) -> dict[str, int]:
        found: dict[str, int] = self.__dict__.setdefault("_filled", {})
        return found

    def crash(self) -> None:
        """Let another process take the gateway over; it comes to the same state."""
        before = self.gateway.application.snapshot()
        self.gateway.close()
        self.gateway = self._new_gateway_host()
        assert self.gateway.application.snapshot() == before, "a recovery comes to another state"

    def prove_gateway(self) -> None:
        """The gateway's journal decided again is the same."""

        def make() -> ClientsGateway:
            gateway = self.new_gateway()
            gateway.partitions = 1
            return gateway

        report = replay(self.log, CODEC, self.gateway_settings, make)
        assert report.difference is None, report.difference

    def _drain(self, host: ShardHost) -> bool:
        moved = False
        while host.turn():
            moved = True
        return moved

    def _put_outside(self, topic: str, message: Any) -> None:
        self._outside += 1
        self.put(topic, record_of(message, self._outside, at_ns=self.clock.at_ns))

    def _collect(self) -> None:
        place = TopicPartition(topics.FIX_SENDING, 0)
        records, self._read = self.log.partition(place).read(self._read, 10**6)
        for record in records:
            message = CODEC.decode(record.value)[1]
            if not isinstance(message, FixSending):
                continue
            body = Fields.parse(message.body)
            version = self._seats[message.session_id].version
            found = problems(version, message.message_type, body)
            assert not found, f"{version} {message.message_type} {pipes(body)}: {found}"
            whole = Fields([(35, message.message_type), *body.pairs])
            self._sent[message.session_id].append(whole)


class Execution(NamedTuple):
    quantity: int
    price_e9: int


class ClientView:
    """What a client makes of the 8s that it got: an order's executions, quantities and status."""

    def __init__(self) -> None:
        self.executions: dict[str, dict[str, Execution]] = {}  # by OrderID and ExecID
        self.status: dict[str, str] = {}
        self.leaves: dict[str, int] = {}
        self._seen: set[str] = set()

    def fold(self, report: Fields) -> None:
        """Take a message; an ExecID that was seen changes nothing."""
        order_id = report.get(37)
        if report.get(35) == "9" and order_id != "NONE":
            self.status[order_id] = report.get(39)
        if report.get(35) != "8" or order_id == "NONE" or report.get(17) in self._seen:
            return
        if report.get(150) == "B":  # of cash, not of what was traded
            return
        self._seen.add(report.get(17))
        own = self.executions.setdefault(order_id, {})
        kind = {"1": "H", "2": "G", "3": "I"}.get(report.get(20), report.get(150))
        if report.get(20) == "0" and kind in ("1", "2"):
            kind = "F"
        if kind in ("G", "H"):
            del own[report.get(19)]
        if kind in ("F", "G"):
            own[report.get(17)] = Execution(int(report.get(32)), e9(report.get(31)))
        self.status[order_id] = report.get(39)
        self.leaves[order_id] = int(report.get(151))
        self.check(report, own)

    def check(self, report: Fields, own: Mapping[str, Execution]) -> None:
        """The report's own sums are those of the executions that stand."""
        quantity = sum(each.quantity for each in own.values())
        value = sum(each.quantity * each.price_e9 for each in own.values())
        assert int(report.get(14)) == quantity, pipes(report)
        average = e9(report.get(6))
        # Half even: nowhere more than half of 1e-9 away.
        assert abs(2 * (average * quantity - value)) <= quantity, pipes(report)

    def cumulative(self, order_id: str) -> int:
        return sum(each.quantity for each in self.executions[order_id].values())


def e9(text: str) -> int:
    """Return a decimal number in 1e-9, by its digits."""
    whole, _, fraction = text.partition(".")
    return int(whole) * 10**9 + int(fraction.ljust(9, "0"))
