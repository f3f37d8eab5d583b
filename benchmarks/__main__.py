"""`make bench`: netting, chain, latency, replay, allocation, routing, models, by their limits."""

import argparse
import os
import platform
import time

from benchmarks import allocation, chain, latency, models, netting, routing
from benchmarks.cluster import cluster


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--netting-orders", type=int, default=200_000)
    parser.add_argument("--chain-orders", type=int, default=20_000)
    parser.add_argument("--per-second", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=20)
    parts = ("netting", "chain", "latency", "allocation", "routing", "models")
    parser.add_argument("--only", choices=parts)
    parser.add_argument("--model-calls", type=int, default=1_000)
    parser.add_argument("--restated-fills", type=int, default=1_000)
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, one broker, one shard")
    if given.only in (None, "netting"):
        show_netting(given.netting_orders)
    if given.only in (None, "chain"):
        show_chain(given.chain_orders)
    if given.only in (None, "latency"):
        show_latency(given.per_second, given.seconds)
    if given.only in (None, "allocation"):
        allocation.show(given.restated_fills)
    if given.only in (None, "routing"):
        routing.show()
    if given.only in (None, "models"):
        models.show(given.model_calls)


def show_netting(orders: int) -> None:
    with cluster() as made:
        time.sleep(2)  # the broker's own start-up work
        rates = netting.measure(made, orders=orders, batch=2_000)
    ours, limit = rates.netting.per_second, rates.copy.per_second
    print(
        f"netting slice: {orders:,} orders, 2,000 a transaction: {ours:,.0f} records/s; "
        f"raw transactional copy {limit:,.0f} records/s; ratio {ours / limit:.3f}"
    )


def show_chain(orders: int) -> None:
    with cluster() as made:
        rates = chain.measure(made, orders=orders)
    ours = rates.chain.per_second
    live_events = rates.replay.events / rates.chain.seconds
    print(
        f"whole chain: {orders:,} orders to closed: {ours:,.0f} orders/s; "
        f"{rates.replay.events:,} events, {live_events:,.0f} events/s live; "
        f"replay {rates.replay.events_per_s:,.0f} events/s, ratio "
        f"{rates.replay.events_per_s / live_events:.2f}, "
        f"{'equal' if rates.replay.is_equal else 'DIFFERS'}; engine {rates.rss_mb} MB"
    )


def show_latency(per_second: int, seconds: int) -> None:
    with cluster() as made:
        found = latency.measure(made, per_second=per_second, seconds=seconds)
    print(
        f"order to child: {found.orders:,} orders, open loop {per_second:,}/s: "
        f"p50 {found.p50:.1f} ms, p99 {found.p99:.1f} ms, worst {found.worst:.1f} ms; "
        f"engine {found.rss_mb} MB"
    )


if __name__ == "__main__":
    main()
