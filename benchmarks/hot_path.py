"""The netting slice without a broker: processor time of decode, decide, encode and digest."""

import argparse
import cProfile
import pstats
import sys
import time
from typing import NamedTuple

from benchmarks.cluster import DAY_NS, INSTRUMENT, last_trade, order, reference_data
from benchmarks.limits import APPROVER, approval
from schemas.messages.core import ClockMode, StrategyKind, Urgency
from streams.adapters.codec import AvroCodec
from streams.core.envelope import outside_envelope
from streams.core.topics import CONTROL_COMMANDS, MARKET_DATA, ORDERS_COMMANDS
from streams.runtime.decide import decide_batch
from streams.runtime.emitter import BatchEmitter
from streams.runtime.journal import JournalEnd
from streams.runtime.merge import decode
from streams.runtime.ports import Record
from streams.runtime.settings import engine_settings
from streams.shard import EngineShard

LOG_ID = bytes(range(16))
NOW_NS = 1_795_000_000_000_000_000


class HotPath(NamedTuple):
    """Microseconds of processor time an order."""

    orders: int
    decode: float
    decide: float  # with encoding and the output digest

    @property
    def per_second(self) -> float:
        return 1_000_000 / (self.decode + self.decide)


def measure(*, orders: int, batch: int) -> HotPath:
    """Run `orders` orders that net and wait, `batch` at once, through the engine in memory."""
    codec = AvroCodec()
    settings = engine_settings(0, ClockMode.LIVE, LOG_ID, batch_records_max=batch)
    shard, end = EngineShard(0, 1, LOG_ID), JournalEnd(log_id=LOG_ID)
    definitions = [
        *_records(codec, CONTROL_COMMANDS, reference_data(NOW_NS)),
        *_records(codec, CONTROL_COMMANDS, [approval()], APPROVER),
        *_records(codec, MARKET_DATA, [last_trade()]),
    ]
    commands = _records(
        codec,
        ORDERS_COMMANDS,
        [
            order(
                n,
                urgency=Urgency.NEUTRAL,
                strategy=StrategyKind.TWAP,
                start_ns=NOW_NS + DAY_NS // 2,
            )
            for n in range(orders)
        ],
    )
    batches = [definitions, *(commands[at : at + batch] for at in range(0, orders, batch))]
    decode_s = decide_s = 0.0
    for number, records in enumerate(batches):
        started = time.process_time()
        inbounds = [decode(codec, record) for record in records]
        decoded = time.process_time()
        out = BatchEmitter(codec, settings, end, NOW_NS + number * 50_000_000, bytes(16))
        decide_batch(settings, shard, inbounds, out)
        out.close()
        out.digest()
        end.seq += 1
        decode_s += decoded - started
        decide_s += time.process_time() - decoded
    assert len(shard.state.intake.orders) == orders
    return HotPath(orders, 1e6 * decode_s / orders, 1e6 * decide_s / orders)


def _records(
    codec: AvroCodec, topic: str, messages: list[object], actor: str = "bench"
) -> list[Record]:
    key = INSTRUMENT.encode()
    return [
        Record(
            topic,
            0,
            offset,
            0,
            key,
            codec.encode(
                outside_envelope(offset.to_bytes(16, "big"), NOW_NS + offset, actor), message
            ),
        )
        for offset, message in enumerate(messages)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hot_path", description=__doc__)
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    profiler = cProfile.Profile() if given.profile else None
    if profiler is not None:
        profiler.enable()
    found = measure(orders=given.orders, batch=2_000)
    if profiler is not None:
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(40)
    print(
        f"netting slice without a broker: {found.orders:,} orders: decode {found.decode:.1f} us, "
        f"decide and encode {found.decide:.1f} us of processor time an order, "
        f"{found.per_second:,.0f} orders/s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
