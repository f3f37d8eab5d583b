"""A simulated day with FIX at its edges in one thread: gateways, and a wire without sockets."""

from dataclasses import dataclass, field
from typing import Any

from schemas.messages.core import Envelope
from services.fix.codes import version_of
from services.fix.fields import Fields
from services.fix.gateway.host import gateway_host, gateway_settings
from services.fix.kinds import make_gateway
from services.fix.settings import GatewayFile
from services.fix.venues.terms import read_terms
from services.venues.assumptions import TENANT
from services.venues.host import is_over
from services.venues.scenario import Scenario
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.runtime.host import ShardHost
from tests.support.fix_edges import EdgedMarket
from tests.support.fix_layout import problems
from tests.support.market_shards import LOG_ID, PARTITIONS
from tests.support.memory_wire import End, MemoryWire

__all__ = ["CLIENTS", "FixDay", "full_day", "gateway_file", "market_sessions", "venue_sessions"]

CODEC = AvroCodec()
VENUES = {"NORD": "FIX.4.2", "OST": "FIX.4.4", "SUED": "FIXT.1.1", "DUSK": "FIX.4.4"}
CLIENTS = {
    "OMS-A": ("FIX.4.2", "target"),
    "OMS-B": ("FIX.4.4", "group"),
    "OMS-C": ("FIXT.1.1", "times"),
}
START_NS = 1_795_000_000_000_000_000
OWN_TAGS = 5_000  # from there on tags are the parties' own
TURNS_MAX = 30  # of everybody until nothing moves


def gateway_file(kind: str, number: int, sessions: list[dict[str, object]]) -> GatewayFile:
    """Return a gateway's file."""
    return GatewayFile.model_validate(
        {"name": kind, "number": number, "kind": kind, "session": sessions}
    )


def session(session_id: str, begin: str, terms: dict[str, object]) -> dict[str, object]:
    identity = {"BeginString": begin, "SenderCompID": "US", "TargetCompID": session_id}
    return {"session_id": session_id, "quickfix": identity, "terms": terms}


def venue_sessions() -> list[dict[str, object]]:
    """Return the sessions of a gateway to the venues, by their profiles."""
    return [session(name, begin, {"profile": name}) for name, begin in VENUES.items()]


def market_sessions(
    misbehavior: dict[str, int], *, is_canceling: bool = False
) -> list[dict[str, object]]:
    """Return the sessions of the venues themselves, with the fee tags of the profiles."""
    return [
        session(
            f"{name}-SIM",
            begin,
            {
                "venue_id": name,
                "fee_tag": read_terms({"profile": name}).fee_tag,
                "misbehavior": misbehavior,
                "cancel_on_disconnect": is_canceling,
            },
        )
        for name, begin in VENUES.items()
    ]


def client_sessions() -> list[dict[str, object]]:
    """Return our side of the sessions of three order systems.

    The wire in memory has no clock: nothing that comes by it has an age.
    """
    terms = {"tenant": TENANT, "desk_id": "CASH", "accounts": ["*"], "order_age_max_ms": 0}
    return [session(name, begin, {**terms, "source": name}) for name, (begin, _) in CLIENTS.items()]


def oms_sessions() -> list[dict[str, object]]:
    """Return theirs, each in another style of parameters."""
    return [
        session(f"{name}-SIM", begin, {"source": name, "style": style})
        for name, (begin, style) in CLIENTS.items()
    ]


def full_day(
    scenario: Scenario, misbehavior: dict[str, int], *, is_canceling: bool = False
) -> "FixDay":
    """Return a day with all four gateways."""
    market = market_sessions(misbehavior, is_canceling=is_canceling)
    return FixDay(
        scenario,
        files=[
            gateway_file("venues", 1, venue_sessions()),
            gateway_file("market", 2, market),
            gateway_file("oms", 3, oms_sessions()),
            gateway_file("clients", 4, client_sessions()),
        ],
        pairs=[
            *((End(1, n, begin), End(2, f"{n}-SIM", begin)) for n, begin in VENUES.items()),
            *((End(4, n, begin), End(3, f"{n}-SIM", begin)) for n, (begin, _) in CLIENTS.items()),
        ],
    )


class MsClock:
    """Implements ports.Clock: goes on by a millisecond at each reading."""

    def __init__(self) -> None:
        self._now_ns = START_NS

    def now_ns(self) -> int:
        self._now_ns += 1_000_000
        return self._now_ns

    def floor(self, now_ns: int) -> None:
        self._now_ns = max(self._now_ns, now_ns)


@dataclass
class FixDay(EdgedMarket):
    """`pairs` of sessions between gateways; what has no gateway is carried word for word."""

    files: list[GatewayFile] = field(default_factory=list)
    pairs: list[tuple[End, End]] = field(default_factory=list)
    carried: tuple[tuple[str, str], ...] = ()
    gateways: dict[str, ShardHost] = field(default_factory=dict)
    wire: MemoryWire = field(init=False)
    problems: list[str] = field(default_factory=list)

    def make_log(self, counts: dict[str, int]) -> MemoryLog:
        fix = [n for n in vars(topics).values() if isinstance(n, str) and n.startswith("fix.")]
        return MemoryLog(counts | dict.fromkeys(fix, 16))

    def start(self) -> None:
        super().start()
        self.wire = MemoryWire(self.log, self.pairs, self.look)
        for file in self.files:
            self.start_gateway(file)
        self.wire.log_on()

    def start_gateway(self, file: GatewayFile) -> None:
        """Let a gateway take over, the first or another one."""
        settings = gateway_settings(
            make_gateway(file),
            name=file.name,
            log_id=LOG_ID,
            partitions=PARTITIONS,
            config_version="test",
            snapshot_batches=100,
        )
        host = gateway_host(self.log, CODEC, settings, lambda: make_gateway(file), clock=MsClock())
        host.take_over()
        self.gateways[file.name] = host

    def run(self) -> None:
        self.start()
        while not is_over(self.simulator):
            self.step()

    def step(self) -> None:
        """Run one step of the market."""
        self.simulator.turn()
        self.settle()
        for engine in self.engines:
            engine.turn()
        self.settle()

    def say(self, message: Any) -> None:
        """Let a simulated client say something that its scenario does not have."""
        self.put(topics.OMS_ORDERS, 0, b"", message)

    def lose(self, session_id: str) -> None:
        """Say on both sides that a session was lost."""
        for pair in self.pairs:
            if session_id in (end.session_id for end in pair):
                for end in pair:
                    self.wire.change(end, is_logged_on=False)
        self.settle()

    def entries(self, topic: str) -> list[tuple[Envelope, Any]]:
        """Return what stands on a topic, with envelopes."""
        records = [record for record in self._committed() if record.topic == topic]
        return [CODEC.decode(record.value) for record in records]

    def settle(self) -> None:
        """Let gateways and wire work until nothing moves."""
        for _ in range(TURNS_MAX):
            for source, target in self.carried:
                for message, key, partition in self.new(source):
                    self.put(target, partition, key, message)
            moved = [host.turn() for host in self.gateways.values()]
            if not self.wire.turn() and not any(moved):
                return

    def look(self, begin: str, message_type: str, body: Fields) -> None:
        """Hold a message against its version's dictionary, without tags of the parties' own."""
        kept = Fields(pair for pair in body.pairs if pair[0] < OWN_TAGS)
        found = problems(version_of(begin), message_type, kept)
        self.problems += [f"{message_type} of {begin}: {each}" for each in found]
