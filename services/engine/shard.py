"""One shard as a process. Exit: 0 stopped, 1 corrupt or refused, 75 fenced."""

import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable

from infra.topics import read_log_id
from schemas.messages.core import ClockMode
from services.ending import KILLED, Stop, run_to_end
from services.engine.plans import plan_answered, plans_asked
from services.engine.settings import ShardSettings
from services.garbage import spare_collections
from services.metrics.health import Health
from streams.adapters.clock import ScaledClock, WallClock
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog
from streams.adapters.latch import FileLatch
from streams.core import topics
from streams.runtime.answers import Answers
from streams.runtime.host import ShardHost
from streams.runtime.inbox import LiveInbox, TapeInbox
from streams.runtime.observer import NOBODY, Observer
from streams.runtime.ports import Application, Clock, Inbox

__all__ = ["run_shard"]

PR_SET_PDEATHSIG = 1
BEAT_NS = 200_000_000
MakeShard = Callable[[int, int, bytes], Application]
log = logging.getLogger("penstock.engine")


class Turns:
    """Asked at each turn: whether to stop; tells the supervisor and `health` of each."""

    def __init__(self, watch_fd: int, health: Health) -> None:
        self._watch_fd = watch_fd
        self._health = health
        self._told_ns = 0
        self._stop = Stop()

    def should_stop(self) -> bool:
        self._health.turned()
        now_ns = time.monotonic_ns()
        if self._watch_fd >= 0 and now_ns - self._told_ns > BEAT_NS:
            self._told_ns = now_ns
            os.write(self._watch_fd, b".")
        return self._stop.is_asked


def run_shard(settings: ShardSettings, make_shard: MakeShard) -> int:
    """Own the shard until stopped; return the exit code."""
    end_with_parent(settings.parent_pid)
    spare_collections()
    health = Health(
        silent_s_max=settings.hang_timeout_s, starting_s_max=settings.recovery_timeout_s
    )
    turns = Turns(settings.watch_fd, health)
    observer = observe(settings, health)
    return run_to_end(lambda: make_host(settings, make_shard, observer).run(turns.should_stop), log)


def observe(settings: ShardSettings, health: Health) -> Observer:
    """Serve this shard's metrics on its loopback port; its supervisor asks there."""
    port = settings.metrics_port_of(settings.shard)
    if not port:
        return NOBODY
    from prometheus_client import CollectorRegistry

    from services.metrics.engine import EngineCounts
    from services.metrics.host import HostMetrics
    from services.metrics.server import serve

    registry = CollectorRegistry()
    counts = EngineCounts(registry, settings.shard)
    observer = HostMetrics(registry, "engine", settings.shard, count=counts)
    serve(registry, health, "127.0.0.1", port)
    return observer


def make_host(
    settings: ShardSettings, make_shard: MakeShard, observer: Observer = NOBODY
) -> ShardHost:
    """Join the runtime to Kafka, the codec and the clock."""
    store = KafkaLog(settings.kafka())
    codec = AvroCodec()
    log_id = read_log_id(settings.bootstrap)
    host_settings = settings.host(settings.shard, log_id)
    clock: Clock = WallClock()
    if settings.speed:
        clock = ScaledClock(settings.clock_start_ns or time.time_ns(), settings.speed)
    inbox: Inbox = LiveInbox(store, codec, host_settings, clock)
    tape = TapeInbox(store, codec, host_settings)
    if settings.mode is ClockMode.TAPE:
        inbox = tape
    partitions = store.partitions(topics.ORDERS_COMMANDS)
    latch = FileLatch(settings.kill_dir)
    latch.listen(f"engine-{settings.shard}")
    host = ShardHost(
        store,
        codec,
        host_settings,
        make_application=lambda: make_shard(settings.shard, partitions, log_id),
        inbox=inbox,
        clock=clock,
        observer=observer,
        latch=latch,
    )
    if settings.planner_wait_ms:
        tape.answers = Answers(
            lambda: plans_asked(host.application),
            lambda record: plan_answered(codec, record),
            settings.planner_wait_ms,
        )
    return host


def end_with_parent(parent_pid: int) -> None:
    """Ask the kernel to kill us when our parent dies."""
    if not parent_pid:
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before the kernel knew
        os._exit(KILLED)


def main() -> int:
    from streams.shard import EngineShard

    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    return run_shard(ShardSettings(_cli_parse_args=True), EngineShard)  # type: ignore[call-arg]  # fields come from the command line


if __name__ == "__main__":
    sys.exit(main())
