"""Where an order's time goes between its client's two sockets: stamps that stand at the log.

Each event names its cause, so that an order is followed by ids: FixReceived, NewOrder,
OrderAccepted, FixSending, FixSent. One machine has one clock; the client's own stamps join them.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final, NamedTuple

from schemas.messages.core import Envelope
from schemas.messages.fix import FixReceived, FixSending, FixSent
from schemas.messages.intake import NewOrder, OrderAccepted
from services.cli.log import read_to_end
from streams.core.topics import FIX_RECEIVED, FIX_SENDING, ORDERS_COMMANDS, ORDERS_EVENTS

__all__ = ["STAGES", "Stamps", "stamps", "table"]

NS_MS: Final = 1_000_000
S_MS: Final = 1_000
# Each up to the clock reading of the batch that takes it, so it holds the transaction before it.
STAGES: Final = (
    "client -> wire",
    "wire -> gateway",
    "gateway -> engine",
    "engine -> gateway",
    "gateway -> wire",
    "wire -> client",
)


class Stamps(NamedTuple):
    """One order. Units: ms, wall clock."""

    due: float
    received: float  # by the wire
    ordered: float  # read by the gateway
    accepted: float  # read by the engine
    answered: float  # its acceptance read by the gateway
    sent: float  # by the wire, QuickFIX's store included
    acked: float

    def stages(self) -> tuple[float, ...]:
        """Return how long each stage took."""
        return tuple(after - before for before, after in pairwise(self))


class _Found:
    """What the log says, by event id and ordinal."""

    def __init__(self) -> None:
        self.received_ns: dict[bytes, int] = {}
        self.ordered: dict[bytes, tuple[Envelope, bytes]] = {}
        self.accepted: dict[bytes, Envelope] = {}
        self.answered: dict[bytes, tuple[int, int]] = {}  # ordinal and time, by cause
        self.sent_ns: dict[int, int] = {}

    def add(self, envelope: Envelope, message: object) -> None:
        match message:
            case FixReceived():
                self.received_ns[envelope.event_id] = message.received_ns
            case NewOrder():
                self.ordered[envelope.event_id] = (envelope, message.client_order_id.encode())
            case OrderAccepted():
                self.accepted[envelope.event_id] = envelope
            case FixSending():
                said = (message.ordinal, envelope.at_ns)
                self.answered.setdefault(envelope.causation_id, said)
            case FixSent():
                self.sent_ns[message.ordinal] = message.sent_ns


def stamps(
    bootstrap: str, due_s: Mapping[bytes, float], acked_s: Mapping[bytes, float]
) -> list[Stamps]:
    """Return the way of each order in `due_s`. Units: wall clock, s, by ClOrdID.

    Raises: KeyError for an order whose way has a hole.
    """
    found = _Found()
    for entry in read_to_end(
        bootstrap, (FIX_RECEIVED, ORDERS_COMMANDS, ORDERS_EVENTS, FIX_SENDING)
    ):
        if entry.envelope is not None:
            found.add(entry.envelope, entry.message)
    ways = []
    for event_id, accepted in found.accepted.items():
        ordered, name = found.ordered[accepted.causation_id]
        if name not in due_s:
            continue
        ordinal, answered_ns = found.answered[event_id]
        times_ns = (
            found.received_ns[ordered.causation_id],
            ordered.at_ns,
            accepted.at_ns,
            answered_ns,
            found.sent_ns[ordinal],
        )
        at_log = (at_ns / NS_MS for at_ns in times_ns)
        ways.append(Stamps._make((due_s[name] * S_MS, *at_log, acked_s[name] * S_MS)))
    if len(ways) != len(due_s):
        raise KeyError(f"{len(due_s) - len(ways)} orders have no acceptance at the log")
    return ways


def table(ways: list[Stamps]) -> list[str]:
    """Return a line for each stage: p50, p99, worst, and its part of the slowest hundredth."""
    slowest = sorted(ways, key=lambda way: way.due - way.acked)[: max(1, len(ways) // 100)]
    lines = []
    for place, name in enumerate(STAGES):
        took = sorted(way.stages()[place] for way in ways)
        p50, p99 = (took[(len(took) - 1) * q // 100] for q in (50, 99))
        slow = sum(way.stages()[place] for way in slowest) / len(slowest)
        lines.append(
            f"  {name:<17} p50 {p50:6.1f} ms, p99 {p99:6.1f} ms, worst {took[-1]:6.1f} ms; "
            f"{slow:6.1f} ms of the slowest 1 %"
        )
    return lines
