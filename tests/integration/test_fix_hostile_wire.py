"""A wire under attack by raw sockets lives, and its other sessions go on."""

import random
from functools import partial
from pathlib import Path

import pytest

from infra.broker.ports import pick_ports
from tests.support.broker import Cluster
from tests.support.counted_run import eventually
from tests.support.fix_attacks import ATTACKS, Target
from tests.support.fix_peer import FixPeer
from tests.support.fix_wire import Desk, WireProcess, acceptor_toml, order, report, session_toml

pytestmark = pytest.mark.broker
ROUNDS = 2
NUMBER = 13


def test_no_attack_ends_the_wire_or_another_session(tmp_path: Path, broker: Cluster) -> None:
    (port,) = pick_ports(1)
    good = session_toml("good", "GOOD")
    evil = session_toml("evil", "EVIL", more="messages_per_s = 100")
    toml = acceptor_toml(NUMBER, port, good, evil)
    desk = Desk(broker, NUMBER)
    chance = random.Random(20260321)
    target = Target(port, "EVIL", "PENSTOCK")
    with (
        WireProcess(tmp_path, broker.bootstrap, toml) as wire,
        FixPeer(tmp_path / "peer", port, sender="GOOD", target="PENSTOCK") as peer,
    ):
        peer.await_logon()
        names = [*ATTACKS] * ROUNDS
        chance.shuffle(names)
        for number, name in enumerate(names, 1):
            ATTACKS[name](target, chance)
            assert wire.ended() is None, f"{name} ended the wire: {wire.words()[-3000:]}"
            peer.send("D", order(f"good{number}"))
            desk.send("good", "8", report(number))
            assert peer.take("8").get(17) == f"E{number}", name
            wanted = partial(_has_orders, desk, number)
            eventually(wanted, f"an order after {name}")
        target.close()
        good_ids = [f"11=good{number}\x01".encode() for number in range(1, len(names) + 1)]
        texts = [each.text for each in desk.received("good")]
        assert all(own in text for own, text in zip(good_ids, texts, strict=True))
        refused = [each for each in desk.received("evil") if each.refusal == "MESSAGE_RATE"]
        assert refused, "the flood was not throttled"
        assert wire.stop() == 0, wire.words()[-3000:]


def _has_orders(desk: Desk, count: int) -> bool:
    return len(desk.received("good")) == count
