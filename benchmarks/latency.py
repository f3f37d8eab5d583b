"""Order to child at the venue gateway, open loop: the schedule never waits for an answer."""

import time
from bisect import bisect_left
from hashlib import blake2b
from typing import NamedTuple

from confluent_kafka import Producer

from benchmarks.cluster import INSTRUMENT, Cluster, order
from benchmarks.engine import running
from schemas.messages.core import StrategyKind, Urgency
from schemas.messages.intake import OrderAccepted
from schemas.messages.routing import ChildPlaced
from services.cli.log import read_to_end
from services.demo.received import ChildWatch
from streams.adapters.codec import AvroCodec
from streams.core.envelope import outside_envelope
from streams.core.topics import CHILDREN_EVENTS, ORDERS_COMMANDS, ORDERS_EVENTS, TCA_RESULTS

BOOKS_SECONDS = 2.0  # the venue's first books
WARM_UP_SECONDS = 10  # of the same load, not counted: the broker compiles its code meanwhile
DRAIN_SECONDS = 3.0


class Latencies(NamedTuple):
    """Milliseconds from the instant an order was due to be sent to its child's arrival."""

    orders: int
    p50: float
    p99: float
    worst: float
    rss_mb: int


def measure(made: Cluster, *, per_second: int, seconds: int) -> Latencies:
    """Send urgent immediate orders at a fixed rate and time each one's first child.

    An order's clock starts when it was *due*, so that a stalled sender hides nothing (no
    coordinated omission). Its child is the first of the transaction that accepted it, or of a
    later one. Raises RuntimeError when an order never led to a child.
    """
    # Four ids in turn: with one, the next transaction waits for the markers of the last.
    with running(made.bootstrap, "--slots=4") as processes:
        watch = ChildWatch(made.bootstrap, 1)
        watch.start()
        time.sleep(BOOKS_SECONDS)
        due_ms = _send(made.bootstrap, per_second, WARM_UP_SECONDS * per_second, seconds)
        time.sleep(DRAIN_SECONDS)
        rss_mb = processes.rss_mb()
        watch.stop()
    samples = sorted(_samples(made.bootstrap, due_ms, watch.seen_ms))
    last = len(samples) - 1
    p50, p99, worst = (samples[last * q // 1_000] for q in (500, 990, 1_000))
    return Latencies(len(samples), p50, p99, worst, rss_mb)


def _send(bootstrap: str, per_second: int, warm_up: int, seconds: int) -> dict[str, float]:
    """Send on schedule; return when each order that counts was due, wall clock ms, by its id."""
    codec = AvroCodec()
    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 0, "enable.idempotence": True}
    )
    # The client's own start (producer id, metadata) is not the engine's latency.
    producer.produce(TCA_RESULTS, b"", INSTRUMENT.encode(), 0)
    producer.flush(10)
    due_ms: dict[str, float] = {}
    started = time.time()
    for number in range(warm_up + seconds * per_second):
        due = started + number / per_second
        producer.poll(0)
        if (wait := due - time.time()) > 0:
            time.sleep(wait)
        message = order(number, urgency=Urgency.URGENT, strategy=StrategyKind.IMMEDIATE, start_ns=0)
        identity = blake2b(f"latency/{number}".encode(), digest_size=16).digest()
        value = codec.encode(outside_envelope(identity, time.time_ns(), "bench"), message)
        producer.produce(ORDERS_COMMANDS, value, INSTRUMENT.encode(), 0)
        if number >= warm_up:
            due_ms[message.client_order_id] = due * 1_000
    producer.flush(10)
    return due_ms


def _samples(
    bootstrap: str, due_ms: dict[str, float], seen_ms: dict[tuple[int, int], float]
) -> list[float]:
    accepted_seq: dict[str, int] = {}
    arrived: dict[int, float] = {}  # first arrival of a child by seq
    for entry in read_to_end(bootstrap, (ORDERS_EVENTS, CHILDREN_EVENTS)):
        if entry.envelope is None:
            continue
        if isinstance(entry.message, OrderAccepted):
            accepted_seq[entry.message.client_order_id] = entry.envelope.seq
        elif isinstance(entry.message, ChildPlaced):
            at_ms = seen_ms.get((entry.partition, entry.offset))
            if at_ms is not None:
                seq = entry.envelope.seq
                arrived[seq] = min(at_ms, arrived.get(seq, at_ms))
    seqs = sorted(arrived)
    samples = []
    for name, due in due_ms.items():
        at = bisect_left(seqs, accepted_seq[name])
        if at == len(seqs):
            raise RuntimeError(f"order {name} never led to a child")
        samples.append(arrived[seqs[at]] - due)
    return samples
