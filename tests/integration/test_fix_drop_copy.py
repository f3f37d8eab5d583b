"""A drop copy session by wire and broker: killed, gone and back, it has every copy once."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Producer

from infra.broker.ports import pick_ports
from infra.topics import create_topics
from services.fix.fields import Fields
from streams.runtime.ports import TopicPartition
from tests.property.test_fix_clients import History
from tests.property.test_fix_drop_copy import READ, execs, known, of_clients
from tests.support.broker import own_broker  # noqa: F401  # fixture
from tests.support.counted_run import eventually
from tests.support.fix_clients import SEATS
from tests.support.fix_peer import FixPeer
from tests.support.fix_wire import WireProcess, acceptor_toml, session_toml
from tests.support.own_broker import OwnBroker

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
NUMBER = 11


@contextmanager
def gateway(bootstrap: str, file: Path, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a gateway, and kill it at the end as kill -9 does."""
    with (folder / "gateway.log").open("ab") as log:
        given = (f"--bootstrap={bootstrap}", f"--file={file}", "--transaction-timeout-ms=2000")
        words = [sys.executable, "-m", "services.fix.gateway", *given]
        process = subprocess.Popen(words, stdout=log, stderr=log, cwd=ROOT)
    try:
        yield process
        assert process.poll() is None, (folder / "gateway.log").read_text()[-2_000:]
    finally:
        process.kill()
        process.wait()


def publish(bootstrap: str, history: History, done: dict[str, int], part: float) -> None:
    """Write what a history left on the engine's topics, up to a part of each; `done`: so far."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 1, "log_level": 0})
    for topic in READ:
        records = history.desk.log.partition(TopicPartition(topic, 0)).read(0, 10**9)[0]
        end = int(len(records) * part)
        for record in records[done.get(topic, 0) : end]:
            producer.produce(topic, record.value, record.key, 0)
        done[topic] = max(done.get(topic, 0), end)
    assert producer.flush(30) == 0


def copies(peer: FixPeer) -> list[Fields]:
    return [each for each in peer.seen if each.get(35) in ("8", "9")]


def test_a_watcher_comes_back_to_every_copy(
    tmp_path: Path,
    own_broker: OwnBroker,  # noqa: F811  # fixture
) -> None:
    history = History(104)
    history.run()
    due = of_clients(history)
    wanted = execs([m for name in SEATS for m in history.desk.sent(name)])
    assert len(wanted) > 5, "a history without trades proves nothing"
    bootstrap = own_broker.bootstrap
    create_topics(bootstrap, partitions=1)
    (port,) = pick_ports(1)
    terms = f'[session.terms]\ntenant = "T1"\nsources = {list(SEATS)}\n'.replace("'", '"')
    toml = acceptor_toml(NUMBER, port, session_toml("watch", "WATCH") + terms, kind="drop-copy")
    done: dict[str, int] = {}
    with (
        WireProcess(tmp_path, bootstrap, toml) as wire,
        FixPeer(tmp_path / "peer", port, sender="WATCH", target="PENSTOCK") as peer,
    ):
        peer.await_logon()
        publish(bootstrap, history, done, 0.4)
        with gateway(bootstrap, wire.file, tmp_path):
            eventually(lambda: len(copies(peer)) > 0, "the first copies")
        publish(bootstrap, history, done, 0.7)
        wire.kill()  # kill -9 of both, with copies under way
        peer.kill()
        wire.start()
        with gateway(bootstrap, wire.file, tmp_path):
            publish(bootstrap, history, done, 1.0)
            peer.start()
            peer.await_logon()
            eventually(lambda: execs(copies(peer)) >= wanted, "every trade")
            view = known(copies(peer))
            assert view.executions == {
                name: each for name, each in due.executions.items() if name in view.executions
            }
            eventually(lambda: known(copies(peer)).leaves == due.leaves, "every order's end")
            assert known(copies(peer)).status == due.status
            new = [m.get(17) for m in copies(peer) if m.get(35) == "8" and 43 not in m]
            assert len(set(new)) == len(new), "a copy came twice and does not say so"
            assert {m.get(797) for m in copies(peer) if m.get(35) == "8"} == {"Y"}
            peer.send("D", "11=x|55=ACME|54=1|60=20260302-10:00:00|38=5|40=1")
            refusal = peer.take("j")
            assert (refusal.get(372), refusal.get(380)) == ("D", "6")
            before = len(copies(peer))
            peer.send("AF", "584=again|585=7")
            peer.take("8", {584: "again", 912: "Y"})
            again = known([m for m in copies(peer)[before:] if m.get(584) == "again"])
            assert (again.executions, again.status) == (due.executions, due.status)
