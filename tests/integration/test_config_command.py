"""`penstock config` on a real broker: load, compare, load again, and an engine that obeys."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from infra.topics import create_topics
from schemas.messages.control import ConfigLoaded, InstrumentDefined
from schemas.messages.core import ClockMode, OrderType
from schemas.messages.intake import OrderRejected
from services.cli.log import read_to_end
from services.cli.main import app
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core import topics
from streams.core.envelope import outside_envelope
from streams.runtime.host import ShardHost
from streams.runtime.inbox import LiveInbox
from streams.runtime.settings import engine_settings
from streams.shard import EngineShard
from tests.support.builders import book_updated, new_order
from tests.support.own_broker import OwnBroker
from tests.unit.test_config_files import ACCOUNT, REFERENCE, folder

pytestmark = pytest.mark.broker
HOUR_NS = 3_600_000_000_000
MINUTE_NS = 60_000_000_000
VENUE = '[[venue]]\nvenue_id = "V1"\nkind = "LIT"\n'


class Clock:
    """Implements ports.Clock: stands until it is set."""

    def __init__(self, now_ns: int) -> None:
        self.now = now_ns

    def now_ns(self) -> int:
        return self.now

    def floor(self, now_ns: int) -> None:
        self.now = max(self.now, now_ns)


def penstock(*arguments: str, code: int = 0) -> Any:
    """Run a command with --json and return its object."""
    told = CliRunner().invoke(app, ["config", *arguments, "--json"])
    assert told.exit_code == code, told.output
    return json.loads(told.stdout)


def test_the_samples_are_loaded_once(own_broker: OwnBroker) -> None:
    bootstrap = f"--bootstrap={own_broker.bootstrap}"
    create_topics(own_broker.bootstrap, partitions=1)
    first = penstock("load", str(REFERENCE), bootstrap, "--actor=ann")
    assert first["published"] == len(first["changes"]) > 20
    assert penstock("diff", str(REFERENCE), bootstrap)["changes"] == []
    assert penstock("load", str(REFERENCE), bootstrap)["published"] == 0
    entries = list(read_to_end(own_broker.bootstrap, [topics.CONTROL_COMMANDS]))
    assert len(entries) == first["published"] + 1, "one more says what was loaded"
    event = entries[-1].message
    assert isinstance(event, ConfigLoaded)
    assert len(event.definitions) == first["published"]
    assert {entry.envelope.actor for entry in entries if entry.envelope} == {"ann"}
    hashes = {(row["kind"], row["subject"]): row["sha256"] for row in penstock("show", bootstrap)}
    assert all(hashes[d.kind, d.subject] for d in event.definitions)
    venues = penstock("show", bootstrap, "--kind=VenueDefined")
    assert [row["subject"] for row in venues] == ["COIN_SPOT", "NORD", "SUED", "TIEF"]


def test_an_engine_uses_new_terms_from_their_instant_on(
    own_broker: OwnBroker, tmp_path: Path
) -> None:
    now_ns = time.time_ns()
    create_topics(own_broker.bootstrap, partitions=1)
    bootstrap = f"--bootstrap={own_broker.bootstrap}"
    change_ns = (now_ns + HOUR_NS) // 1_000_000_000 * 1_000_000_000
    _load(tmp_path, bootstrap, now_ns, tick="0.01")
    clock = Clock(now_ns + MINUTE_NS)
    host = _host(own_broker.bootstrap, clock)
    host.take_over()
    try:
        assert _ask(host, own_broker.bootstrap, clock, "c1") == "OK"
        effective = f"--effective={datetime.fromtimestamp(change_ns // 10**9, UTC).isoformat()}"
        _load(tmp_path, bootstrap, now_ns, effective, tick="0.02")
        assert _ask(host, own_broker.bootstrap, clock, "c2") == "OK"
        clock.now = change_ns - 1
        assert _ask(host, own_broker.bootstrap, clock, "c3") == "OK"
        clock.now = change_ns
        assert _ask(host, own_broker.bootstrap, clock, "c4") == "PRICE_OFF_TICK"
    finally:
        host.close()
    again = _host(own_broker.bootstrap, clock)
    again.take_over()
    try:
        assert again.application.snapshot() == host.application.snapshot()
        assert _ask(again, own_broker.bootstrap, clock, "c5") == "PRICE_OFF_TICK"
    finally:
        again.close()


def _load(path: Path, bootstrap: str, now_ns: int, *options: str, tick: str) -> None:
    times = [datetime.fromtimestamp(now_ns // 10**9 + s, UTC) for s in (-3_600, 36_000)]
    instrument = f"""
[[instrument]]
instrument_id = "ACME"
currency = "EUR"
tick = "{tick}"
lot = "1"
maximum_quantity = "1000000"
session_open = {times[0].isoformat()}
session_close = {times[1].isoformat()}
trade_date = 20250615
"""
    folder(path, instruments=instrument, accounts=ACCOUNT, venues=VENUE)
    told = penstock("load", str(path), bootstrap, *options)
    changed = [change["subject"] for change in told["changes"]]
    assert changed[-1] == "InstrumentDefined ACME"
    assert len(changed) == (1 if options else 3)


def _host(bootstrap: str, clock: Clock) -> ShardHost:
    from infra.topics import read_log_id

    log, codec = KafkaLog(KafkaSettings(bootstrap=bootstrap)), AvroCodec()
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


def _ask(host: ShardHost, bootstrap: str, clock: Clock, client_order_id: str) -> str:
    """Send a book, then an order at 100.01; return OK, or why it is refused."""
    order = new_order(client_order_id, order_type=OrderType.LIMIT, limit_price_e9=100_010_000_000)
    _send(bootstrap, topics.MARKET_DATA, book_updated("V1"), clock.now)
    application = host.application
    assert isinstance(application, EngineShard)
    books = application.state.market
    _turn_until(host, lambda: books.instruments["ACME"].books["V1"].at_ns == clock.now)
    _send(bootstrap, topics.ORDERS_COMMANDS, order, clock.now)
    answers: list[Any] = []

    def is_answered() -> bool:
        found = [entry.message for entry in read_to_end(bootstrap, [topics.ORDERS_EVENTS])]
        answers.extend(m for m in found if getattr(m, "client_order_id", "") == client_order_id)
        return bool(answers)

    _turn_until(host, is_answered)
    answer = answers[0]
    return answer.reason.value if isinstance(answer, OrderRejected) else "OK"


def _turn_until(host: ShardHost, is_done: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        host.turn()
        with suppress(KeyError):
            if is_done():
                return
    raise AssertionError("nothing comes of it within a minute")


def _send(bootstrap: str, topic: str, message: Any, at_ns: int) -> None:
    identity = blake2b(f"{type(message)} {at_ns}".encode(), digest_size=16).digest()
    value = AvroCodec().encode(outside_envelope(identity, at_ns, "test"), message)
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(topic, value, b"ACME", partition=0)
    assert producer.flush(30) == 0


def test_what_cannot_be_loaded_is_told_with_its_code(own_broker: OwnBroker, tmp_path: Path) -> None:
    create_topics(own_broker.bootstrap, partitions=1)
    bootstrap = f"--bootstrap={own_broker.bootstrap}"
    folder(tmp_path, accounts=ACCOUNT + "colour = 1\n")
    (problem,) = penstock("load", str(tmp_path), bootstrap, code=1)["problems"]
    assert (problem["code"], problem["field"]) == ("EXTRA_FORBIDDEN", "colour")
    assert list(read_to_end(own_broker.bootstrap, [topics.CONTROL_COMMANDS])) == []
    told = CliRunner().invoke(app, ["config", "load", str(tmp_path), bootstrap])
    assert (told.exit_code, "[EXTRA_FORBIDDEN]" in told.output) == (1, True)


def test_definitions_of_a_load_are_all_there_or_none(own_broker: OwnBroker) -> None:
    """A load that is fenced in the middle leaves nothing behind."""
    from services.config.publish import TRANSACTIONAL_ID

    bootstrap = own_broker.bootstrap
    create_topics(bootstrap, partitions=1)
    cut = Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": TRANSACTIONAL_ID,
            "transaction.timeout.ms": 10_000,
        }
    )
    cut.init_transactions(30)
    cut.begin_transaction()
    envelope = outside_envelope(b"half a load".ljust(16), 1, "test")
    definition = InstrumentDefined(
        instrument_id="ACME", symbol="", currency="EUR", tick_e9=2, lot=1, quantity_scale=1,
        maximum_quantity=1, session_open_ns=1, session_close_ns=2, trade_date=20250615,
    )  # fmt: skip
    cut.produce(topics.CONTROL_COMMANDS, AvroCodec().encode(envelope, definition), partition=0)
    cut.flush(30)
    assert penstock("load", str(REFERENCE), f"--bootstrap={bootstrap}")["published"] > 20
    entries = list(read_to_end(bootstrap, [topics.CONTROL_COMMANDS]))
    assert all(entry.envelope and entry.envelope.at_ns > 1 for entry in entries)
