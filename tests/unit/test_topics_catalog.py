"""The catalog of topics is the one list, and code names the same topics."""

import pytest
from pydantic import ValidationError

from infra.topics import read_catalog, topic_names
from infra.topics.catalog import TopicSpec
from infra.topics.drift import Drift, drift_of
from streams.core import topics as constants


def spec(**changes: object) -> TopicSpec:
    fields = {"name": "orders.events.v1", "keyed": True, "role": "output", "writers": "engine"}
    return TopicSpec.model_validate(fields | changes)


def test_code_and_catalog_name_the_same_topics() -> None:
    named = [value for name, value in vars(constants).items() if name.isupper()]
    assert sorted(named) == sorted(topic_names())


def test_no_topic_is_listed_twice() -> None:
    assert len(set(topic_names())) == len(topic_names())


def test_only_pointers_to_snapshots_are_compacted() -> None:
    compacted = [t.name for t in read_catalog().topic if t.cleanup == "compact"]
    owners = ("engine", "venues", "clearing", "fix")
    assert compacted == [f"{owner}.snapshot-pointers.v1" for owner in owners]


def test_every_topic_is_kept_for_ever() -> None:
    kept = {(t.retention_ms, t.retention_bytes) for t in read_catalog().topic}
    assert kept == {(-1, -1)}


def test_a_keyed_topic_has_as_many_partitions_as_shards_and_another_one() -> None:
    assert spec(keyed=True).partitions(6) == 6
    assert spec(keyed=False).partitions(6) == 1


@pytest.mark.parametrize(
    "change",
    [{"name": "Orders"}, {"name": "orders.events"}, {"retention_ms": -2}, {"role": "x"}, {"k": 1}],
    ids=["no context", "no version", "retention below -1", "unknown role", "unknown field"],
)
def test_a_wrong_entry_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        spec(**change)


def test_a_cluster_as_listed_has_no_drift() -> None:
    topic = spec()
    assert drift_of([topic], {topic.name: 4}, {topic.name: topic.config()}, 4) == []


def test_drift_names_topic_setting_wanted_and_found() -> None:
    missing, wrong = spec(name="fills.events.v1"), spec()
    config = wrong.config() | {"retention.ms": "604800000", "cleanup.policy": "compact"}
    found = drift_of([missing, wrong], {wrong.name: 3}, {wrong.name: config}, 4)
    assert found == [
        Drift("fills.events.v1", "exists", "yes", "no", True),
        Drift("orders.events.v1", "partitions", "4", "3", True),
        Drift("orders.events.v1", "cleanup.policy", "delete", "compact", False),
        Drift("orders.events.v1", "retention.ms", "-1", "604800000", False),
    ]


def test_keyed_topics_that_disagree_among_themselves_are_drift() -> None:
    first, second = spec(), spec(name="fills.events.v1")
    configs = {t.name: t.config() for t in (first, second)}
    found = drift_of([first, second], {first.name: 4, second.name: 5}, configs)
    assert found == [Drift("fills.events.v1", "partitions", "4", "5", True)]
