"""The examples of the page: what is said, by real code, in each version."""

from collections.abc import Callable
from typing import Final, NamedTuple

from schemas.messages.core import ExecType, OrderStatus
from services.fix.codes import Version
from services.fix.spec.rehearsal import Exchange, Rehearsal

__all__ = ["Conversation", "conversations"]

ORDER: Final = "55=ALDER|54=1|60={time}|38=500|40=2|44=100.50|59=0"


class Conversation(NamedTuple):
    """One example."""

    key: str
    title: str
    text: str
    exchanges: list[Exchange]


def _order(r: Rehearsal, name: str, more: str = "", **changes: str) -> str:
    hand = "21=1|" if r.version is Version.FIX42 else ""
    body = ORDER.format(time=r.time)
    for tag, value in changes.items():
        parts = [p for p in body.split("|") if not p.startswith(f"{tag[1:]}=")]
        body = "|".join(parts) + (f"|{tag[1:]}={value}" if value else "")
    return f"11={name}|1=A001|{hand}{body}" + (f"|{more}" if more else "")


def _life(r: Rehearsal) -> list[Exchange]:
    said = r.say("D", _order(r, "order-1", "847=1002"))
    said += r.pass_s(2)
    for number, child in enumerate(r.children(), 1):
        said += r.venue(child, f"V{number}", child.quantity, order_status=OrderStatus.FILLED)
    return said


def _change(r: Rehearsal) -> list[Exchange]:
    said = r.say("D", _order(r, "order-1", "847=1"))
    said += r.say("G", _order(r, "order-2", "41=order-1|847=1", t38="800"))
    cancel = f"11=order-3|41=order-2|1=A001|55=ALDER|54=1|60={r.time}|38=800"
    return said + r.say("F", cancel)


def _tagged(r: Rehearsal) -> list[Exchange]:
    more = "847=2|848=ParticipationCap=0.25;Urgency=PASSIVE|849=0.1"
    return r.say("D", _order(r, "order-1", more))


def _grouped(r: Rehearsal) -> list[Exchange]:
    more = "847=1000|957=2|958=Urgency|959=14|960=URGENT|958=TimeJitter|959=11|960=0.2"
    return r.say("D", _order(r, "order-1", more))


def _timed(r: Rehearsal) -> list[Exchange]:
    day = r.time[:8]
    return r.say("D", _order(r, "order-1", f"168={day}-15:30:00|126={day}-16:00:00|847=1"))


def _refused(r: Rehearsal) -> list[Exchange]:
    said = r.say("D", _order(r, "order-1", t44="100.505"))
    said += r.say("D", _order(r, "order-2", t55="OAK"))
    said += r.say("F", f"11=order-4|41=order-3|1=A001|55=ALDER|54=1|60={r.time}|38=500")
    return said + r.say("D", _order(r, "order-5", t44=""))


def _bust(r: Rehearsal) -> list[Exchange]:
    r.say("D", _order(r, "order-1", "847=1002"))
    r.pass_s(2)
    child = r.children()[0]
    said = r.venue(child, "V1", child.quantity, order_status=OrderStatus.FILLED)
    gone = {"exec_ref_id": "V1", "cumulative_quantity": 0, "leaves_quantity": 0}
    bust = {"exec_type": ExecType.TRADE_CANCEL, "order_status": OrderStatus.CANCELED}
    return said + r.venue(child, "V2", child.quantity, **gone, **bust)


def _status(r: Rehearsal) -> list[Exchange]:
    r.say("D", _order(r, "order-1", "847=1"))
    return r.say("H", "11=order-1|55=ALDER|54=1")


def _mass(r: Rehearsal) -> list[Exchange]:
    r.say("D", _order(r, "order-1", "847=1"))
    return r.say("q", f"11=mass-1|530=7|60={r.time}")


def _action(r: Rehearsal) -> list[Exchange]:
    r.say("D", _order(r, "order-1", "847=1"))
    return r.say("CA", f"11=mass-1|1373=3|1374=7|60={r.time}")


def _list(r: Rehearsal) -> list[Exchange]:
    orders = [
        f"11=order-{n}|67={n}|1=A001|" + ("21=1|" if r.version is Version.FIX42 else "")
        + f"55=ALDER|54={n}|60={r.time}|38=500|40=1|59=0"
        for n in (1, 2)
    ]  # fmt: skip
    last = "" if r.version is Version.FIX42 else "893=Y|"
    return r.say("E", f"66=list-1|394=3|68=2|{last}73=2|" + "|".join(orders))


_ALL: Final[tuple[tuple[str, str, str, Callable[[Rehearsal], list[Exchange]]], ...]] = (
    ("life", "An order's life", "Acknowledged, executed at a venue, filled.", _life),
    ("change", "Replace and cancel", "A replace names the order as it stands.", _change),
    ("tagged", "Parameters by 847 to 849", "The acknowledgment says what holds.", _tagged),
    ("grouped", "Parameters by group 957", "The same, each parameter by name.", _grouped),
    ("timed", "Begin and end by 168 and 126", "A schedule within the session.", _timed),
    ("refused", "Refusals", "Off tick; unknown symbol; unknown order; no limit.", _refused),
    ("bust", "A bust", "The venue takes an execution back, and so do we.", _bust),
    ("status", "How an order stands", "A question, and 150=I.", _status),
    ("mass", "Mass cancel", "Everything of the session.", _mass),
    ("action", "Mass cancel by CA", "The same in the words of 5.0 SP2.", _action),
    ("list", "A list", "Two orders, one answer for the list.", _list),
)
# 4.2 has no q, and 4.4 no CA.
LACKING: Final = {Version.FIX42: ("mass", "action"), Version.FIX44: ("action",)}


def conversations(version: Version) -> list[Conversation]:
    """Return every example in a version, as the code of today speaks."""
    return [
        Conversation(key, title, text, play(Rehearsal(version)))
        for key, title, text, play in _ALL
        if key not in LACKING.get(version, ())
    ]
