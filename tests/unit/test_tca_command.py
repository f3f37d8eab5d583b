"""The table that `penstock tca` and the demo print, and its JSON."""

from io import StringIO
from typing import Any

from rich.console import Console

from schemas.messages.core import Cause, Side, StrategyKind, TcaLevel
from schemas.messages.netting import WindowClosed
from schemas.messages.tca import TcaRow
from services.cli.tca import as_json, delay_line, render
from tests.support import netting as n
from tests.support.builders import ACME, SECOND, TICK, instrument_defined
from tests.support.costs import E9, child_filled, child_placed, log, printed, view_of
from tests.support.parents import PARENT, parent_opened


def text(table: Any) -> str:
    written = StringIO()
    Console(width=200, file=written).print(table)
    return written.getvalue()


def rows() -> list[TcaRow]:
    opened = parent_opened(StrategyKind.VWAP, quantity=300, arrival_price_e9=100 * E9)
    fill = child_filled(1, "E1", 100, 99_990_000_000, fee_e9=1_234_567_890)
    events = ((1, opened), (1, child_placed(1, 300)), (2, printed(100 * E9, 50)), (3, fill))
    return view_of(log(*events)).rows()


def row(name: str, **changes: Any) -> TcaRow:
    return TcaRow(
        **{
            "level": TcaLevel.PARENT,
            "id": name,
            "instrument_id": ACME,
            "side": Side.SELL,
            "ordered_quantity": 100,
            "quantity": 100,
            "crossed_quantity": 0,
            "average_price_e9": 99 * E9,
            "arrival_price_e9": 100 * E9,
            "interval_vwap_e9": None,
            "others_vwap_e9": None,
            "arrival_performance_e9": -100 * E9,
            "vwap_performance_e9": None,
            "fee_e9": -5_000_000,
            **changes,
        }
    )


def test_a_trader_sees_what_was_asked_done_and_paid() -> None:
    lines = text(render(rows(), {ACME: instrument_defined()})).splitlines()
    assert lines[0].strip() == "Cost of 1 parent (+ is a gain)"
    assert lines[2].split() == [
        PARENT,
        "buy",
        "Acme",
        "300",
        "100",
        "99.9900",
        "100.0000",
        "100.0000",
        "+1.0",
        "+1.0",
        "1.23",
    ]


def test_the_largest_come_first_and_the_total_covers_all() -> None:
    small = [row(f"P.{n}", quantity=n) for n in range(1, 10)]
    found = text(render([*small, row("P.big", quantity=9_000)], top=3))
    lines = [line.split() for line in found.splitlines() if line.strip()]
    assert " ".join(lines[0]) == "Cost of 10 parents, the largest 3 (+ is a gain)"
    assert [line[0] for line in lines[2:]] == ["P.big", "P.9", "P.8", "total"]
    sums = "total 1,000 9,045 99.0000 100.0000 - -100.0 - -0.05"
    assert " ".join(lines[-1]) == sums


def test_amounts_that_do_not_add_are_not_added() -> None:
    other = row("P.2", instrument_id="BETA", side=Side.BUY)
    terms = {
        ACME: instrument_defined(),
        "BETA": instrument_defined(instrument_id="BETA", currency="USD"),
    }
    lines = text(render([row("P.1"), other], terms)).splitlines()
    # Prices and quantities of two instruments, fees of two currencies; performance does add.
    assert lines[-1].split() == ["total", "0.0", "-"]


def test_fractional_quantities_are_shown_in_whole_units() -> None:
    terms = {ACME: instrument_defined(quantity_scale=100_000)}
    found = text(render([row("P.1", quantity=123_456)], terms))
    assert "1.23456" in found


def test_json_holds_integers_and_totals() -> None:
    found = as_json(rows())
    assert [entry["level"] for entry in found["rows"]] == ["PARENT", "CHILD"]
    assert found["totals"]["PARENT"]["quantity"] == 100
    assert found["rows"][0]["average_price_e9"] == 99_990_000_000
    assert found["totals"]["ORDER"]["arrival_performance_e9"] is None


def test_a_wait_for_a_window_is_a_line_with_its_gain() -> None:
    wait = n.wait("A", 300, waited_ns=SECOND, price_e9=10_002 * TICK, cost_e9=600 * TICK)
    closed = WindowClosed(
        tenant="T1",
        instrument_id=ACME,
        window=1,
        cause=Cause.WINDOW_TIME,
        order_ids=("A",),
        buy_quantity=300,
        sell_quantity=0,
        crossed_quantity=0,
        no_cross_reason="",
        waits=(wait,),
    )
    view = view_of([*log((1, closed)), *log((1, closed))])  # a repeat changes nothing
    assert view.waits("A") == (wait,)
    assert view.waits("B") == ()
    assert delay_line(wait) == "waited 1.000 s to be netted: mid 100.0000 to 100.0200, gain -6.00"
