"""Goal: whatever is killed between child and venue, no child is sent twice or lost.

Method: wire, gateway and venue are processes, QuickFIX on both sides; kill -9 where it hurts most:
between the engine's commit and the send, between send and answer, between answer and the commit of
what follows. Venues ask for resends, and are asked; those of odd seeds get gap fills for orders.
The dice are seeded; the moments are the machine's. PENSTOCK_FIX_KILLS=50 in the environment makes
it 51 kills, three a test, instead of a handful.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from infra.broker.ports import pick_ports
from tests.support.broker import own_broker  # noqa: F401  # fixture
from tests.support.fix_kills import KilledDesk
from tests.support.own_broker import OwnBroker

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(600)]
KILLS = int(os.environ.get("PENSTOCK_FIX_KILLS", "9"))
KILLS_A_RUN = 3
VICTIMS = ("wire", "wire", "gateway", "both", "venue")
MOMENTS = ("placed", "arrived", "answered")


@pytest.mark.parametrize("seed", range(-(-KILLS // KILLS_A_RUN)))
def test_no_child_is_sent_twice_or_lost_whatever_is_killed(
    tmp_path: Path,
    own_broker: OwnBroker,  # noqa: F811  # the fixture
    seed: int,
) -> None:
    (port,) = pick_ports(1)
    with KilledDesk(own_broker.bootstrap, tmp_path, port, seed=seed) as desk:
        for _ in range(KILLS_A_RUN):
            kill_once(desk)
            desk.settle()
        (tmp_path / "figures.json").write_text(json.dumps(desk.figures()))
        fills = sum(len(order.executions) for order in desk.venue.orders.values())
        assert fills > 0, "a venue that fills nothing proves nothing"
        if desk.asked_again and not desk.is_gap_filled:
            assert desk.repeats > 0, "the venue asked for messages again and got none"


def kill_once(desk: KilledDesk) -> None:
    """Let a few children flow, and kill somebody at a moment."""
    dice = desk.dice
    victim, moment = dice.choice(VICTIMS), dice.choice(MOMENTS)
    desk.kills.append(f"{victim}/{moment}")
    for _ in range(dice.randint(2, 4)):
        desk.engine.place(waits=(0,))
    desk.engine.cancel()
    if moment != "placed":
        desk.await_arrival()
        for _ in range(3):
            desk.venue.act()
    if moment == "answered":
        desk.answer()
        desk.let_run(dice.choice((0.0, 0.002, 0.02)))
    if victim in ("wire", "both"):
        desk.wire.kill()
    if victim in ("gateway", "both"):
        desk.kill_gateway()
    if victim == "venue":
        desk.peer.kill()
        desk.peer.start()
    desk.engine.place(waits=(0,))
    desk.work()
    desk.venue.act()
    if victim in ("wire", "both"):
        desk.peer.await_logout()
        if dice.randrange(2):
            desk.ask_for_resend(dice.randint(8, 20))
        desk.wire.start()
    if victim in ("gateway", "both"):
        desk.start_gateway()
    desk.peer.await_logon()


def test_a_wire_that_lost_its_files_asks_and_does_not_send_again(
    tmp_path: Path,
    own_broker: OwnBroker,  # noqa: F811  # the fixture
) -> None:
    (port,) = pick_ports(1)
    with KilledDesk(own_broker.bootstrap, tmp_path, port, seed=0) as desk:
        for _ in range(2):
            for _ in range(3):
                desk.engine.place(waits=(0,))
            desk.await_arrival()
            desk.wire.kill()
            desk.peer.await_logout()
            shutil.rmtree(desk.wire.store)
            for _ in range(3):
                desk.venue.act()
            desk.answer()
            desk.may_be_asked = True  # what nobody can know is ended by the venue's answer
            desk.wire.start()
            desk.settle()
        assert desk.engine.executions, "a venue that fills nothing proves nothing"
