"""After the day: decide it again, check it independently, and count it, side by side."""

import multiprocessing
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NamedTuple

from schemas.messages.control import InstrumentDefined
from schemas.messages.core import StrategyKind, TcaLevel
from schemas.messages.intake import NewOrder, OrderAccepted
from schemas.messages.netting import EpochOpened
from schemas.messages.routing import ChildPlaced
from schemas.messages.tca import TcaRow
from services.audit import CheckReport, check
from services.clearing.once import Cleared, clear_and_reconcile
from services.cli.log import DECISION_TOPICS, read_to_end
from services.cli.replay import replay_shard
from services.demo.summary import DaySummary
from streams.core.topics import (
    AGGREGATIONS_EVENTS,
    CHILDREN_EVENTS,
    CONTROL_COMMANDS,
    MARKET_DATA,
    ORDERS_COMMANDS,
    ORDERS_EVENTS,
)
from streams.runtime.replay import ReplayReport
from streams.views.tca import TCA_TOPICS, TcaView


class Latency(NamedTuple):
    """Order to child at the venue gateway, of orders that are worked at once."""

    orders: int
    p50_ms: float
    p99_ms: float


class Proof(NamedTuple):
    summary: DaySummary
    check: CheckReport
    replays: list[ReplayReport]
    latency: Latency
    rows: list[TcaRow]
    instruments: Mapping[str, InstrumentDefined]
    example_order_id: str
    cleared: Cleared | None  # None on a cluster where clearing is somebody else's


def prove(
    bootstrap: str,
    partitions: int,
    seen_ms: Mapping[tuple[int, int], float],
    *,
    is_cleared: bool = True,
) -> Proof:
    """Read the finished log four times over. `seen_ms`: arrival by (partition, offset).

    `is_cleared`: whether to report it to a clearer that accepts, and to reconcile the two sides.
    """
    workers = min(partitions + 1, os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        checking = pool.submit(check, bootstrap)
        clearing = pool.submit(clear_and_reconcile, bootstrap) if is_cleared else None
        replaying = [
            pool.submit(replay_shard, bootstrap, shard, partitions, from_snapshot=False)
            for shard in range(partitions)
        ]
        reading = Reading()
        reading.read(bootstrap, seen_ms)
        return Proof(
            summary=reading.summary,
            check=checking.result(),
            replays=[run.result() for run in replaying],
            latency=reading.latency(),
            rows=reading.view.rows(),
            instruments=reading.instruments,
            example_order_id=reading.example_order_id(),
            cleared=None if clearing is None else clearing.result(),
        )


class Reading:
    """One pass over the log: totals, costs, and when each immediate order met a venue."""

    def __init__(self) -> None:
        self.summary = DaySummary()
        self.view = TcaView()
        self.instruments: dict[str, InstrumentDefined] = {}
        self._sent_ms: dict[tuple[str, str], int] = {}
        self._orders: dict[str, tuple[str, str]] = {}  # immediate order -> (source, client id)
        self._parent_of: dict[str, str] = {}  # by order, of those that opened their parent
        self._first_seen_ms: dict[str, float] = {}  # by parent

    def read(self, bootstrap: str, seen_ms: Mapping[tuple[int, int], float]) -> None:
        topics = {CONTROL_COMMANDS, ORDERS_COMMANDS, MARKET_DATA, *DECISION_TOPICS, *TCA_TOPICS}
        for entry in read_to_end(bootstrap, sorted(topics)):
            if entry.envelope is None:
                continue
            message: Any = entry.message
            if isinstance(message, InstrumentDefined):
                self.instruments[message.instrument_id] = message
            if entry.topic in DECISION_TOPICS:
                self.summary.add(message)
            if entry.topic in TCA_TOPICS:
                self.view.fold(entry.topic, entry.partition, entry.envelope, message)
            if entry.topic in (ORDERS_COMMANDS, ORDERS_EVENTS, AGGREGATIONS_EVENTS):
                self._note(message, entry.timestamp_ms)
            elif entry.topic == CHILDREN_EVENTS and isinstance(message, ChildPlaced):
                at_ms = seen_ms.get((entry.partition, entry.offset))
                if at_ms is not None:
                    first = self._first_seen_ms.get(message.parent_id, at_ms)
                    self._first_seen_ms[message.parent_id] = min(first, at_ms)

    def _note(self, message: Any, timestamp_ms: int) -> None:
        match message:
            case NewOrder(strategy=StrategyKind.IMMEDIATE):
                key = message.source, message.client_order_id
                self._sent_ms.setdefault(key, timestamp_ms)
            case OrderAccepted(strategy=StrategyKind.IMMEDIATE):
                self._orders[message.order_id] = message.source, message.client_order_id
            case EpochOpened(epoch=1):
                for member in message.members:
                    self._parent_of.setdefault(member.order_id, message.parent_id)
            case _:
                pass

    def latency(self) -> Latency:
        """Return the quantiles over immediate orders that reached a venue, in ms."""
        samples = sorted(
            self._first_seen_ms[parent] - self._sent_ms[key]
            for order, key in self._orders.items()
            if (parent := self._parent_of.get(order, "")) in self._first_seen_ms
            and key in self._sent_ms
        )
        if not samples:
            return Latency(0, 0.0, 0.0)
        p50, p99 = (samples[min(len(samples) - 1, len(samples) * q // 100)] for q in (50, 99))
        return Latency(len(samples), round(p50, 1), round(p99, 1))

    def example_order_id(self) -> str:
        """Return a worked order that a person may want to look at; "" when there is none."""
        done = (r for r in self.view.rows() if r.level is TcaLevel.ORDER and r.quantity)
        return max(done, key=lambda row: (row.quantity, row.id)).id if self.view.rows() else ""
