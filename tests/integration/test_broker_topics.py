"""Topics, drift and the log's identity on a real broker."""

import time

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource

from infra.topics import Drift, check_topics, create_topics, read_log_id
from infra.topics.errors import LogIdMissingError, PartitionsError
from tests.support.broker import Cluster, fresh_topics
from tests.support.own_broker import OwnBroker

pytestmark = pytest.mark.broker


def test_created_topics_have_no_drift(broker: Cluster) -> None:
    assert check_topics(broker.bootstrap, 4) == []


def test_the_log_id_is_sixteen_bytes_and_the_same_for_every_creator(broker: Cluster) -> None:
    assert len(broker.log_id) == 16
    assert create_topics(broker.bootstrap) == broker.log_id
    assert read_log_id(broker.bootstrap) == broker.log_id


def test_another_partition_count_is_refused(broker: Cluster) -> None:
    with pytest.raises(PartitionsError, match=r"orders\.commands\.v1: 4 partitions, 8 wanted"):
        create_topics(broker.bootstrap, partitions=8)


def test_an_empty_cluster_has_no_log_id(own_broker: OwnBroker) -> None:
    with pytest.raises(LogIdMissingError, match="penstock topics create"):
        read_log_id(own_broker.bootstrap)
    assert {drift.found for drift in check_topics(own_broker.bootstrap)} == {"no"}


def test_a_changed_setting_is_drift(own_broker: OwnBroker) -> None:
    create_topics(own_broker.bootstrap)
    set_config(own_broker.bootstrap, "fills.events.v1", "retention.ms", "1000")
    drift: list[Drift] = []
    deadline = time.monotonic() + 10  # the broker applies what its controller has written
    while not drift and time.monotonic() < deadline:
        drift = check_topics(own_broker.bootstrap)
    assert drift == [("fills.events.v1", "retention.ms", "-1", "1000", False)]


def test_topics_made_anew_are_another_log(own_broker: OwnBroker) -> None:
    first = create_topics(own_broker.bootstrap)
    assert fresh_topics(own_broker.bootstrap, partitions=2) != first
    assert check_topics(own_broker.bootstrap, 2) == []


def set_config(bootstrap: str, topic: str, name: str, value: str) -> None:
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.incremental_alter_configs([resource])[resource].result(10)
