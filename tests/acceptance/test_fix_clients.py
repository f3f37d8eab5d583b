"""Clients trade by FIX: three QuickFIX sessions, wire, gateway, Kafka, and a live engine."""

from pathlib import Path
from typing import Any

import pytest

from infra.broker.ports import pick_ports
from schemas.messages.core import ExecType, OrderStatus
from schemas.messages.routing import ChildCancelRequested, ChildPlaced
from services.fix.clients.make import make_gateway
from services.fix.fields import Fields
from services.fix.settings import read_gateway
from streams.core import topics
from tests.support.builders import TICK, execution_report
from tests.support.counted_run import eventually
from tests.support.fix_peer import FixPeer
from tests.support.live_desk import LiveDesk
from tests.support.live_fix import gateway
from tests.support.own_broker import OwnBroker

pytestmark = pytest.mark.broker
ROOT = Path(__file__).parents[2]
VERSIONS = ("FIX.4.2", "FIX.4.4", "FIXT.1.1")
AT = "60=20261121-10:00:00"
ORDER = f"1=A1|55=ACME|54=1|38=100|40=2|44=100.01|21=1|{AT}"


def file_text(port: int) -> str:
    """Return a gateway's file with a session for each version."""
    head = f"""
name = "clients"
number = 1
kind = "clients"
[quickfix]
ConnectionType = "acceptor"
SocketAcceptPort = "{port}"
"""
    return head + "".join(
        f"""
[[session]]
session_id = "S{number}"
quickfix = {{ BeginString = "{begin}", SenderCompID = "PENSTOCK", TargetCompID = "C{number}" }}
[session.terms]
tenant = "T1"
source = "C{number}"
desk_id = "DESK"
accounts = ["A1", "A2"]
default_strategy = "IMMEDIATE"
default_urgency = "URGENT"
has_pending_new = true
"""
        for number, begin in enumerate(VERSIONS)
    )


class Client:
    """One session and what it trades."""

    def __init__(self, desk: LiveDesk, peer: FixPeer, begin: str) -> None:
        self.desk, self.peer = desk, peer
        self.is_old = begin == "FIX.4.2"

    def reports(self, name: str, kind: str, **tags: str) -> Fields:
        """Return the next report of an order; `kind` is 150 as 4.4 has it."""
        wanted = {11: name} | {int(tag[1:]): value for tag, value in tags.items()}
        if not self.is_old:
            return self.peer.take("8", {**wanted, 150: kind})
        transaction = {"H": "1", "G": "2", "I": "3"}.get(kind, "0")
        if kind == "F":
            return self.peer.take(
                "8", {**wanted, 20: "0"}, where=lambda each: each.get(150) in ("1", "2")
            )
        same = {} if transaction != "0" else {150: kind}
        return self.peer.take("8", {**wanted, 20: transaction, **same})

    def says(self, child: ChildPlaced, name: str, quantity: int = 0, **changes: Any) -> None:
        """Let the venue report on a child."""
        self.desk.say(
            topics.VENUES_REPORTS,
            [
                execution_report(
                    child.child_id,
                    f"{name}-{child.child_id}",
                    **{
                        "venue_id": child.venue_id,
                        "side": child.side,
                        "order_status": OrderStatus.PARTIALLY_FILLED,
                        "last_quantity": quantity,
                        "last_price_e9": 10_000 * TICK,
                        **changes,
                    },
                )
            ],
        )

    def new_child(self, name: str, before: set[str]) -> ChildPlaced:
        """Return the child that was placed since."""

        def found() -> list[ChildPlaced]:
            self.desk.quote()
            placed = self.desk.messages(topics.CHILDREN_EVENTS, ChildPlaced)
            return [each for each in placed if each.child_id not in before]

        eventually(lambda: bool(found()), f"no child of {name}")
        return found()[0]

    def children(self) -> set[str]:
        return {each.child_id for each in self.desk.messages(topics.CHILDREN_EVENTS, ChildPlaced)}


def trade(client: Client) -> None:
    """New, partial, fill, bust."""
    before = client.children()
    client.peer.send("D", f"11=a|{ORDER}")
    client.reports("a", "A", t39="A")
    new = client.reports("a", "0", t39="0", t151="100", t14="0")
    child = client.new_child("a", before)
    client.says(child, "e1", 40, cumulative_quantity=40, leaves_quantity=60)
    first = client.reports("a", "F", t39="1", t32="40", t31="100", t14="40", t151="60", t6="100")
    done = {"order_status": OrderStatus.FILLED, "last_price_e9": 10_001 * TICK}
    client.says(child, "e2", 60, cumulative_quantity=100, leaves_quantity=0, **done)
    second = client.reports("a", "F", t39="2", t31="100.01", t14="100", t151="0", t6="100.006")
    bust = {"exec_type": ExecType.TRADE_CANCEL, "exec_ref_id": f"e1-{child.child_id}"}
    client.says(child, "x1", 0, cumulative_quantity=60, leaves_quantity=0, **bust)
    taken = client.reports("a", "H", t14="60", t6="100.01")
    assert taken.get(19) == first.get(17)
    assert len({each.get(17) for each in (new, first, second, taken)}) == 4
    client.reports("a", "D", t14="60")  # it was over, and is restated


def change(client: Client) -> None:
    """Replace, cancel, and what is refused."""
    before = client.children()
    client.peer.send("D", f"11=b|{ORDER}".replace("44=100.01", "44=98.5"))
    client.reports("b", "0")
    client.peer.send(
        "G", f"11=c|41=b|{ORDER}".replace("44=100.01", "44=98.5").replace("=100|", "=150|")
    )
    client.reports("c", "5", t41="b", t38="150", t39="0")
    child = client.new_child("b", before)
    client.peer.send("F", f"11=d|41=c|55=ACME|54=1|38=150|{AT}")
    client.reports("d", "6", t41="c", t39="6")
    desk = client.desk

    def is_asked() -> bool:
        asked = desk.messages(topics.CHILDREN_EVENTS, ChildCancelRequested)
        return any(each.child_id == child.child_id for each in asked)

    eventually(is_asked, "the child is not asked back")
    over: dict[str, Any] = {"exec_type": ExecType.CANCELED, "order_status": OrderStatus.CANCELED}
    for each in desk.messages(topics.CHILDREN_EVENTS, ChildPlaced):
        if each.child_id not in before:
            client.says(each, "cx", cumulative_quantity=0, leaves_quantity=0, **over)
    client.reports("d", "4", t41="c", t39="4", t151="0")
    client.peer.send("F", f"11=e|41=nothing|55=ACME|54=1|38=100|{AT}")
    assert client.peer.take("9", {11: "e"}).get(102) == "1"
    client.peer.send("D", f"11=f|{ORDER}".replace("1=A1|", "1=A9|"))
    refused = client.reports("f", "8", t39="8")
    assert refused.get(58) == f"NOT_ENTITLED: accounts of {client.peer.seen[0].get(56)} A9 account"
    client.peer.send("D", f"11=b|{ORDER}")
    assert client.reports("b", "8").get(103) == "6"
    client.peer.send("H", "11=c|55=ACME|54=1")
    client.reports("c", "I", t39="4")


def many(client: Client) -> None:
    """A list and a mass cancel."""
    low = f"{ORDER}".replace("44=100.01", "44=98")
    rows = [low.replace("1=A1", "67={}|1=A1", 1).format(number) for number in (1, 2)]
    entries = "|".join(f"11=l{number}|{row}" for number, row in enumerate(rows, 1))
    entries = entries.replace("21=1|", "")
    client.peer.send("E", f"66=L|394=3|68=2|73=2|{entries}")
    status = client.peer.take("N", {66: "L"})
    assert [status.get(tag) for tag in (429, 431, 73)] == ["1", "3", "2"]
    client.reports("l1", "0", t66="L")
    client.reports("l2", "0", t66="L")
    if client.is_old:  # which has no mass cancel
        client.peer.send("K", f"66=L|{AT}")
        assert client.peer.take("N", {66: "L"}).get(431) == "4"
    else:
        client.peer.send("q", f"11=m|530=7|{AT}")
        answer = client.peer.take("r", {11: "m"})
        assert [answer.get(tag) for tag in (530, 531)] == ["7", "7"]
    for name in ("l1", "l2"):
        client.peer.take("8", {11: name}, where=lambda each: each.get(39) in ("4", "6"))


def test_clients_of_every_version_trade(tmp_path: Path, own_broker: OwnBroker) -> None:
    (port,) = pick_ports(1)
    desk = LiveDesk(bootstrap=own_broker.bootstrap, kill_dir=tmp_path / "kill", logs=tmp_path)
    desk.open()
    desk.start()
    try:
        with gateway(tmp_path, own_broker.bootstrap, port, file_text(port)):
            for number, begin in enumerate(VERSIONS):
                desk.quote()
                folder, name = tmp_path / f"peer{number}", f"C{number}"
                with FixPeer(folder, port, sender=name, target="PENSTOCK", begin=begin) as peer:
                    peer.await_logon()
                    client = Client(desk, peer, begin)
                    trade(client)
                    change(client)
                    many(client)
                    assert not peer.count("3"), "a session reject"
                    rejects = [each for each in peer.seen if each.get(35) == "j"]
                    assert not rejects, rejects
    finally:
        desk.stop()


def test_the_example_gateway_can_be_made() -> None:
    file = read_gateway(ROOT / "infra" / "fix" / "clients.toml")
    make_gateway(file)
    assert [each.session_id for each in file.session] == ["alpha-42", "beta-44", "gamma-50"]
