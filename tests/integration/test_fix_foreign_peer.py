"""An OMS on jspurefix, an engine from npm that is not QuickFIX, trades through all of it.

What both engines were written from is FIX itself: heartbeats, an order's life, and messages lost
on the way in both directions.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from infra.broker.ports import pick_ports
from schemas.messages.core import ExecType, OrderStatus, Side
from schemas.messages.intake import OrderAccepted
from schemas.messages.routing import ChildPlaced
from streams.core import topics
from tests.support.builders import TICK, execution_report
from tests.support.foreign_peer import ForeignOms, provide_engine
from tests.support.live_desk import LiveDesk
from tests.support.live_fix import Quotes, gateway
from tests.support.own_broker import OwnBroker

pytest.importorskip("tests.support.fix_peer")  # says that QuickFIX is missing where it is
pytestmark = pytest.mark.broker


def order(name: str, price: str) -> dict[str, Any]:
    return {
        "ClOrdID": name,
        "Instrument": {"Symbol": "ACME"},
        "Side": "1",
        "TransactTime": "2026-03-02T14:30:00.000Z",
        "OrderQtyData": {"OrderQty": 100},
        "OrdType": "2",
        "Price": float(price),
        "TimeInForce": "0",
    }


def test_a_foreign_oms_trades_and_both_sides_recover_what_was_lost(
    tmp_path: Path, own_broker: OwnBroker
) -> None:
    engine = provide_engine()
    (port,) = pick_ports(1)
    desk = LiveDesk(bootstrap=own_broker.bootstrap, kill_dir=tmp_path / "kill", logs=tmp_path)
    desk.open()
    desk.start()
    quotes = Quotes(desk, is_canceling=True)
    identity: dict[str, Any] = {"sender": "FOREIGN", "target": "PENSTOCK", "heartbeat_s": 1}
    try:
        with gateway(tmp_path, own_broker.bootstrap, port):
            with ForeignOms(engine, tmp_path, port, **identity) as oms:
                oms.until_ready()
                oms.until_message("0")
                _an_orders_life(desk, quotes, oms)
                _we_ask_again(desk, oms)
                oms.do("logout")
                oms.until(lambda event: event["event"] == "ended", "an orderly end")
            told = {each.get(17) for each in oms.messages("in", "8")}
            _forget(oms.store, 4)
            with ForeignOms(engine, tmp_path, port, **identity) as oms:
                oms.until_ready()
                again = oms.until_message("8", t43="Y")
                assert again.get(17) in told
                assert oms.messages("out", "2"), "nothing was asked for"
                assert not [each for each in oms.messages("in", "8") if each.get(43) != "Y"]
    finally:
        quotes.stop()
        desk.stop()


def _an_orders_life(desk: LiveDesk, quotes: Quotes, oms: ForeignOms) -> None:
    """New, acknowledged, filled in part, canceled."""
    oms.do("send", type="D", body=order("c1", "99.50"))
    oms.until_message("8", t11="c1", t150="0")
    desk.await_children(1)
    child = desk.messages(topics.CHILDREN_EVENTS, ChildPlaced)[0]
    part = min(40, child.quantity)  # the order may be worked at several venues
    quotes.filled[child.child_id] = part
    desk.say(topics.VENUES_REPORTS, [_fill(child, "e1", part)])
    fill = oms.until_message("8", t11="c1", t150="F")
    assert (fill.get(32), float(fill.get(31)), fill.get(14)) == (str(part), 99.5, str(part))
    assert fill.get(151) == str(100 - part)
    request = {**order("c2", "99.50"), "OrigClOrdID": "c1"}
    for name in ("OrdType", "Price", "TimeInForce"):
        del request[name]
    oms.do("send", type="F", body=request)
    oms.until_message("8", t11="c2", t150="6")
    gone = oms.until_message("8", t11="c2", t150="4")
    assert (gone.get(41), gone.get(39)) == ("c1", "4")
    assert (gone.get(14), gone.get(151)) == (str(part), "0")


def _we_ask_again(desk: LiveDesk, oms: ForeignOms) -> None:
    """Two numbers and an order are lost: the order is asked for, and taken once."""
    oms.do("skip", count=2)
    oms.do("send", type="D", body=order("c3", "99.40"))
    oms.until_message("2")
    oms.until_message("8", t11="c3", t150="0")
    (fill,) = [each for each in oms.messages("out", "4") if each.get(123) == "Y"]
    assert fill.get(43) == "Y"
    assert [each.get(43) for each in oms.messages("out", "D")] == ["", "", "Y"]
    accepted = desk.messages(topics.ORDERS_EVENTS, OrderAccepted)
    assert [each.client_order_id for each in accepted] == ["c1", "c3"]


def _fill(child: ChildPlaced, exec_id: str, quantity: int) -> Any:
    """Return an execution of a part of a child."""
    return execution_report(
        child.child_id,
        exec_id,
        venue_id=child.venue_id,
        side=Side.BUY,
        exec_type=ExecType.TRADE,
        order_status=OrderStatus.PARTIALLY_FILLED,
        last_quantity=quantity,
        last_price_e9=9_950 * TICK,
        cumulative_quantity=quantity,
        leaves_quantity=child.quantity - quantity,
    )


def _forget(store: Path, count: int) -> None:
    """Let the peer have lost the newest messages that it was sent."""
    sender, target = re.findall(r"\d+", store.read_text())
    store.write_text(store.read_text().replace(target, f"{int(target) - count:0{len(target)}}"))
    assert sender != target, "the replacement would hit both"
