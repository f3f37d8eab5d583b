"""Which shards run here: an ordinary consumer group on orders.commands decides."""

import logging
import signal

from confluent_kafka import Consumer, KafkaException, TopicPartition

from services.ending import CORRUPT, STOPPED, Stop
from services.engine.children import Children
from services.engine.settings import EngineSettings
from services.metrics.health import Health
from streams.adapters.latch import FileLatch
from streams.core import topics

__all__ = ["Supervisor"]

POLL_S = 0.1
log = logging.getLogger("penstock.engine")


class Supervisor:
    """Runs the engines of the shards that the group gives to this host.

    The group is asked for the assignment only: nothing is read or committed through it. Ownership
    itself is a matter of the transactional ids, so two hosts that both believe to own a shard do no
    harm.
    """

    def __init__(self, settings: EngineSettings, children: Children) -> None:
        self._settings = settings
        self._children = children
        self._member: Consumer | None = None
        self._is_assigned = False  # by the group, though it may have given nothing

    def run(self) -> int:
        """Run until SIGTERM; return 1 when a shard stopped for good, else 0."""
        stop = Stop()
        latch = FileLatch(self._settings.kill_dir)
        latch.listen("engine")
        health = Health(
            silent_s_max=self._settings.hang_timeout_s,
            starting_s_max=self._settings.hang_timeout_s,
            is_ready=lambda: self._is_assigned and not self._children.silent,
        )
        if self._settings.metrics_port:
            from services.engine.watch import watch

            watch(self._settings, self._children, health)
        self._join()
        try:
            while not stop.is_asked:
                health.turned()
                if not latch.is_written:
                    self._children.pass_on(signal.SIGUSR1)
                    latch.is_written = True
                self._turn()
        finally:
            self._children.release(sorted(self._children.wanted))
            self._leave()
        return CORRUPT if self._children.corrupt else STOPPED

    def _turn(self) -> None:
        assert self._member is not None
        try:
            self._member.poll(POLL_S)
        except KafkaException as error:
            log.warning("group: %s", error)
        ended = self._children.look()
        if ended.fenced:
            # Whoever fenced it may be a newer member: leave, and take what a fresh assignment
            # gives. A hung engine is another reason to let somebody else try.
            self._children.release(sorted(self._children.wanted))
            self._leave()
            self._join()

    def _join(self) -> None:
        self._member = Consumer(
            {
                "bootstrap.servers": self._settings.bootstrap,
                "group.id": self._settings.group,
                "enable.auto.commit": False,
                "auto.offset.reset": "latest",
                "partition.assignment.strategy": "range",
                "session.timeout.ms": 10_000,
                "log_level": 2,
                "error_cb": _pass_over,
            }
        )
        self._member.subscribe(
            [topics.ORDERS_COMMANDS],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )

    def _leave(self) -> None:
        if self._member is not None:
            self._member.close()
            self._member = None

    def _on_assign(self, member: Consumer, partitions: list[TopicPartition]) -> None:
        member.assign(partitions)
        member.pause(partitions)  # the assignment is all that is wanted
        shards = sorted(partition.partition for partition in partitions)
        log.info("assigned shards %s", shards)
        self._is_assigned = True
        for shard in shards:
            self._children.want(shard)

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        shards = sorted(partition.partition for partition in partitions)
        log.info("released shards %s", shards)
        self._children.release(shards)


def _pass_over(_: object) -> None:
    """Drop what tells of a broker out of reach; the client reconnects."""
