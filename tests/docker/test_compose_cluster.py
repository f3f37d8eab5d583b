"""A day on three brokers, one of which is killed."""

import subprocess

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource

from streams.core.topics import ORDERS_EVENTS
from tests.support.compose import PROVED, composed
from tests.support.counted_run import eventually

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


def test_a_killed_broker_of_three_costs_nothing() -> None:
    day = {"PENSTOCK_MINUTES": "2", "PENSTOCK_ORDERS": "200", "PENSTOCK_STEP_MS": "2000"}
    day |= {"PENSTOCK_PLANNER_WAIT_MS": "0"}  # no planner here: nobody would answer
    with composed("compose.cluster.yml", "penstock-test-3", **day) as cluster:
        cluster.run("up", "-d", "--no-build", "engine", "venues")
        cluster.await_healthy({"kafka": 1, "kafka-2": 1, "kafka-3": 1, "engine": 1, "venues": 1})
        bootstrap = f"127.0.0.1:{cluster.environment['KAFKA_PORT']}"
        with cluster.started("run", "--rm", "-T", "cli", "demo") as demo:
            assert copies(bootstrap) == (3, "2")
            eventually(lambda: decided(bootstrap) > 0, "the day does not begin", 60)
            cluster.run("kill", "-s", "SIGKILL", "kafka-2")
            assert demo.poll() is None, "the day was over before the kill"
            played = finished(demo)
        assert [words for words in PROVED if words not in played] == []


def decided(bootstrap: str) -> int:
    """Return how far the events of orders have come, asked of the brokers."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "log_level": 2})
    try:
        shards = consumer.list_topics(ORDERS_EVENTS, 10).topics[ORDERS_EVENTS].partitions
        ends = [TopicPartition(ORDERS_EVENTS, shard) for shard in shards]
        return sum(consumer.get_watermark_offsets(end, timeout=10)[1] for end in ends)
    finally:
        consumer.close()


def copies(bootstrap: str) -> tuple[int, str]:
    """Return in how many copies the events of orders are, and how many acknowledge a write."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
    of_topic = ConfigResource(ConfigResource.Type.TOPIC, ORDERS_EVENTS)
    settings = admin.describe_configs([of_topic])[of_topic].result(10)
    partitions = admin.list_topics(ORDERS_EVENTS, 10).topics[ORDERS_EVENTS].partitions
    return len(partitions[0].replicas), settings["min.insync.replicas"].value


def finished(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=400)
    assert process.returncode == 0, out[-6_000:]
    return out
