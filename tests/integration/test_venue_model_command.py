"""`penstock venues` and `penstock venue-model` on a real broker, and an engine that obeys."""

import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from infra.topics import create_topics, read_log_id
from schemas.messages.core import ClockMode
from schemas.messages.scorecard import VenueModelInForce
from services.cli.log import read_to_end
from services.cli.main import app
from services.demo.publish import publish
from services.venuemodel.children import Observed, write
from services.venuemodel.fit import fit
from services.venuemodel.work import content_of
from streams.adapters.clock import WallClock
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core import topics
from streams.core.proposals import digest
from streams.runtime.host import ShardHost
from streams.runtime.inbox import LiveInbox
from streams.runtime.settings import engine_settings
from streams.scorecard.model import parse
from streams.shard import EngineShard
from tests.support.day import Day
from tests.support.own_broker import OwnBroker
from tests.support.venue_model import PRICES, VENUES, Truth, street

pytestmark = pytest.mark.broker


def penstock(*arguments: str, code: int = 0) -> Any:
    """Run a command with --json and return its object; nothing where it is refused."""
    told = CliRunner().invoke(app, [*arguments, "--json"])
    assert told.exit_code == code, told.output
    return json.loads(told.stdout) if code == 0 else told.output


def record_day(bootstrap: str, seed: int) -> Day:
    """Write a day of the engine as it was in memory: its definitions and its events."""
    day = Day(seed, is_calm=True)
    day.run()
    codec, producer = AvroCodec(), Producer({"bootstrap.servers": bootstrap})
    for inputs in day.host.inputs:
        for each in inputs:
            if each.record.topic == topics.CONTROL_COMMANDS and each.envelope is not None:
                value = codec.encode(each.envelope, each.message)
                producer.produce(each.record.topic, value, partition=0)
    for batch in day.host.batches:
        for event in batch.outputs:
            value = codec.encode(event.envelope, event.message)
            producer.produce(event.topic, value, partition=0)
        producer.poll(0)
    assert producer.flush(60) == 0
    return day


def test_a_day_is_shown_fitted_and_its_model_approved_by_another(
    own_broker: OwnBroker, tmp_path: Path
) -> None:
    create_topics(own_broker.bootstrap, partitions=1)
    bootstrap = f"--bootstrap={own_broker.bootstrap}"
    record_day(own_broker.bootstrap, seed=3)

    rows = penstock("venues", bootstrap, "--kind=passive")["venues"]
    assert {row["kind"] for row in rows} == {"PASSIVE"}
    ranks = [(row["side"], row["rank"], row["shrunk_e9"]) for row in rows]
    assert ranks == sorted(ranks)
    assert penstock("venues", bootstrap, "--instrument=ACME")["venues"]

    out, report, archive = (tmp_path / name for name in ("model.json", "report.md", "day.jsonl"))
    dry = penstock("venue-model", "fit", bootstrap, "--dry-run", f"--report={report}")
    assert dry["against"] == "terms" and dry["what_if"]["weighed"] > 0
    assert "decisions" in dry["what_if"]
    assert "## Out of sample, against the venues' terms" in report.read_text()
    assert penstock("venue-model", "show", bootstrap) == {"shards": {}, "waiting": []}

    fitted = penstock("venue-model", "fit", bootstrap, f"--out={out}", "--name=day3")
    assert parse(out.read_text()).name == fitted["model"] == "day3"
    told = CliRunner().invoke(app, ["venue-model", "observe", str(archive), bootstrap])
    assert told.exit_code == 0 and archive.read_text().count("\n") == fitted["children"]
    again = penstock("venue-model", "fit", bootstrap, f"--archive={archive}")
    assert again["children"] == fitted["children"], "its own archive adds nothing"

    proposed = penstock("venue-model", "propose", str(out), bootstrap, "--actor=ana")
    proposal_id = proposed["proposal_id"]
    assert penstock("venue-model", "show", bootstrap)["waiting"] == [proposal_id]
    same = penstock("venue-model", "approve", proposal_id, bootstrap, "--actor=ana", code=3)
    assert "another person must approve" in same
    penstock("venue-model", "approve", "no-such", bootstrap, "--actor=ben", code=3)
    penstock("venue-model", "approve", proposal_id, bootstrap, "--actor=ben")
    assert penstock("venue-model", "show", bootstrap)["waiting"] == []


def test_a_model_that_is_worse_than_the_one_in_force_is_not_proposed(
    own_broker: OwnBroker, tmp_path: Path
) -> None:
    create_topics(own_broker.bootstrap, partitions=1)
    bootstrap = f"--bootstrap={own_broker.bootstrap}"
    log_id = read_log_id(own_broker.bootstrap)
    said = [(venue_id, 0, message) for venue_id, message in VENUES.items()]
    publish(
        own_broker.bootstrap, topics.CONTROL_COMMANDS, said, at_ns=1, actor="ann", log_id=log_id
    )
    true, turned = {"V1": Truth(0.8, -0.5)}, {"V1": Truth(0.1, 4.0)}
    good, archive = tmp_path / "good.json", tmp_path / "days.jsonl"
    good.write_text(content_of(fit(street(true, 200, seed=9), VENUES, PRICES, name="good")))
    # Days in which the venue was otherwise, then days as the model in force expects them.
    children = [*street(turned, 80), *street(true, 40, seed=2, start=80)]
    write(Observed(children=children), archive)
    asked = ("venue-model", "fit", bootstrap, f"--archive={archive}", f"--against={good}")
    fitted = penstock(*asked, "--split=0.6")
    assert (fitted["against"], fitted["verdict"]) == ("good", "worse")
    told = penstock(*asked, "--split=0.6", "--propose", "--actor=ana", code=3)
    assert "worse than what is in force" in told
    assert penstock("venue-model", "show", bootstrap)["waiting"] == []


def test_an_engine_uses_an_approved_model_and_its_heir_too(
    own_broker: OwnBroker, tmp_path: Path
) -> None:
    create_topics(own_broker.bootstrap, partitions=1)
    bootstrap = f"--bootstrap={own_broker.bootstrap}"
    model = fit(street({"V1": Truth(0.6, 0.5)}, 20), VENUES, PRICES, name="street")
    file = tmp_path / "model.json"
    file.write_text(content_of(model))
    proposed = penstock("venue-model", "propose", str(file), bootstrap, "--actor=ana")
    penstock("venue-model", "approve", proposed["proposal_id"], bootstrap, "--actor=ben")

    host = engine(own_broker.bootstrap)
    host.take_over()
    try:
        turn_until_in_force(host, own_broker.bootstrap)
        shards = penstock("venue-model", "show", bootstrap)["shards"]
        assert shards["0"]["approved_by"] == "ben"
        assert (shards["0"]["version"], shards["0"]["sha256"]) == (1, digest(content_of(model)))
        model = msgspec.structs.replace(model, name="street2")
        file.write_text(content_of(model))
        second = penstock("venue-model", "propose", str(file), bootstrap, "--actor=ben")
        penstock("venue-model", "approve", second["proposal_id"], bootstrap, "--actor=ana")
        turn_until_in_force(host, own_broker.bootstrap, version=2)
        (shard,) = penstock("venue-model", "show", bootstrap)["shards"].values()
        assert (shard["version"], shard["approved_by"]) == (2, "ana")
        assert shard["sha256"] == digest(content_of(model))
    finally:
        host.close()
    heir = engine(own_broker.bootstrap)
    heir.take_over()
    try:
        assert isinstance(heir.application, EngineShard)
        assert heir.application.state.scorecard.model == model
        assert heir.application.snapshot() == host.application.snapshot()
    finally:
        heir.close()


def engine(bootstrap: str) -> ShardHost:
    log, codec, clock = KafkaLog(KafkaSettings(bootstrap=bootstrap)), AvroCodec(), WallClock()
    log_id = read_log_id(bootstrap)
    settings = engine_settings(0, ClockMode.LIVE, log_id, seed=7)
    return ShardHost(
        log,
        codec,
        settings,
        make_application=lambda: EngineShard(0, 1, log_id),
        inbox=LiveInbox(log, codec, settings, clock),
        clock=clock,
    )


def turn_until_in_force(host: ShardHost, bootstrap: str, version: int = 1) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        host.turn()
        found = [entry.message for entry in read_to_end(bootstrap, [topics.DECISIONS_EVENTS])]
        models = [each for each in found if isinstance(each, VenueModelInForce)]
        if any(each.version == version for each in models):
            return
    raise AssertionError(f"no model of version {version} in force within a minute")
