"""Laws of netting rounds: drawn instants kept, quantities told true, and what waiting cost."""

from typing import Any

from services.audit.findings import Code
from services.audit.records import Entry, cash
from services.audit.state import Order, Round, ShardState, cash_of

__all__ = ["HANDLERS", "end_round"]

Message = dict[str, Any]


def window_opened(state: ShardState, m: Message, entry: Entry) -> None:
    """A drawn instant lies within what the firm declared."""
    subject = f"{m['tenant']} {m['instrument_id']} window {m['window']}"
    first_ns = m["opened_ns"] + m["window_ns"]
    declared = state.reference.crossing(m["tenant"])
    random_ns = 0 if declared is None else declared.get("random_ns", 0)
    if m["random_ns"] != random_ns or m["opened_ns"] != entry.envelope["at_ns"]:
        text = f"opened at {m['opened_ns']} with {m['random_ns']} ns of chance, {random_ns} asked"
        state.findings.add(Code.CROSS, subject, text, entry)
    if not first_ns <= m["due_ns"] <= first_ns + m["random_ns"]:
        text = f"closes at {m['due_ns']}, {first_ns} to {first_ns + m['random_ns']} allowed"
        state.findings.add(Code.CROSS, subject, text, entry)
    state.due[m["tenant"], m["instrument_id"]] = m["due_ns"]


def window_closed(state: ShardState, m: Message, entry: Entry) -> None:
    """A round ends when it may, and says what waiting cost each order that leaves."""
    end_round(state)
    key = (m["tenant"], m["instrument_id"])
    subject = f"{m['tenant']} {m['instrument_id']} window {m['window']}"
    at_ns = entry.envelope["at_ns"]
    due_ns = state.due.get(key, 0) if m["cause"] == "WINDOW_TIME" else 0
    if at_ns < due_ns:
        state.findings.add(Code.CROSS, subject, f"closes at {at_ns}, drawn for {due_ns}", entry)
    if m["cause"] != "WINDOW_ZERO":
        state.due.pop(key, None)
    state.round = Round(m, entry)
    if "waits" not in m:
        return  # a first version
    waits = {wait["order_id"]: wait for wait in m["waits"]}
    known = {each: state.orders[each] for each in m["order_ids"] if each in state.orders}
    late = [each for each, order in known.items() if order.joined_ns < at_ns]
    if list(waits) != late:
        text = f"tells the waits of {list(waits)}, {late} waited"
        state.findings.add(Code.LINEAGE, subject, text, entry)
    scale = state.scales.get(m["instrument_id"], 0)
    for order_id, wait in waits.items():
        if order_id in known and scale:
            _check_wait(state, known[order_id], wait, (at_ns, scale), entry)


def _check_wait(
    state: ShardState, order: Order, wait: Message, known: tuple[int, int], entry: Entry
) -> None:
    at_ns, scale = known
    arrival_e9, price_e9 = wait["arrival_price_e9"], wait["price_e9"]
    wanted = (at_ns - order.joined_ns, order.bound - order.filled, order.arrival_price_e9)
    told = (wait["waited_ns"], wait["quantity"], arrival_e9)
    if told != wanted:
        text = f"wait, quantity, arrival price {told}, its events say {wanted}"
        state.findings.add(Code.LINEAGE, order.order_id, text, entry)
    cost_e9 = 0
    if arrival_e9 is not None and price_e9 is not None:
        moved_e9 = price_e9 - arrival_e9 if order.side == "BUY" else arrival_e9 - price_e9
        cost_e9 = cash_of(moved_e9, wait["quantity"], scale)
    if cash(wait["cost_e9"]) != cost_e9:
        text = f"waiting cost {cash(wait['cost_e9'])}, {told} at {price_e9} makes {cost_e9}"
        state.findings.add(Code.CONSERVATION_CASH, order.order_id, text, entry)


def end_round(state: ShardState) -> None:
    """Hold what a round said it crossed and netted against the crosses that followed."""
    done = state.round
    if done is None:
        return
    state.round = None
    m = done.message
    told = (m["crossed_quantity"], m.get("netted_quantity", 0))
    if told != (done.crossed, done.netted):
        subject = f"{m['tenant']} {m['instrument_id']} window {m['window']}"
        text = f"crossed and netted {told}, its crosses sum to {(done.crossed, done.netted)}"
        state.findings.add(Code.CONSERVATION_SHARES, subject, text, done.entry)


def member_left(state: ShardState, m: Message, entry: Entry) -> None:
    """Whoever left a parent may join a window again."""
    order = state.orders.get(m["order_id"])
    if order is not None:
        order.is_out = True


def joined_again(state: ShardState, m: Message, entry: Entry) -> None:
    """It waits anew; what it had arrived at is not of this wait."""
    order = state.orders.get(m["order_id"])
    if order is not None and (order.is_out or entry.name == "intake.OrderResumed"):
        order.joined_ns = m["replaced_ns"] if "replaced_ns" in m else m["resumed_ns"]
        order.start_ns = m.get("start_ns", order.start_ns)
        order.arrival_price_e9 = None
        order.is_out = False


HANDLERS = {
    "netting.WindowOpened": window_opened,
    "netting.WindowClosed": window_closed,
    "netting.MemberLeft": member_left,
    "intake.OrderReplaced": joined_again,
    "intake.OrderResumed": joined_again,
}
