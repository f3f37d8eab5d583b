"""Laws of limits: two persons, and credit and position held at everything that was let in.

Held of an order: what it has on its day and may still get, valued as its record says. Each shard
keeps to its part of a credit limit: an equal one, more what it read as granted, less what it gave
back; that all grants come out of what was given back is checked over the whole log.
"""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from services.audit.findings import Code, Findings
from services.audit.records import Entry, cash

__all__ = ["LimitLaws", "check_leases"]

E9: Final = 1_000_000_000
SCOPES: Final = ("FIRM", "CLIENT", "ACCOUNT", "DESK", "STRATEGY", "INSTRUMENT")
POSITIONED: Final = SCOPES[:3]
# What holds before anybody has approved limits; stated here again on purpose.
BUILT_IN: Final = (
    {"limit_id": "default-firm-credit", "scope": "FIRM", "kind": "CREDIT", "value": 10**10},
    {"limit_id": "default-client-credit", "scope": "CLIENT", "kind": "CREDIT", "value": 4 * 10**9},
    {
        "limit_id": "default-account-credit",
        "scope": "ACCOUNT",
        "kind": "CREDIT",
        "value": 2 * 10**9,
    },
    {
        "limit_id": "default-account-position",
        "scope": "ACCOUNT",
        "kind": "POSITION",
        "value": 10**7,
    },
)
Place = tuple[str, str, str]  # scope, tenant, subject


@dataclass(slots=True)
class Held:
    """An order as limits count it."""

    places: tuple[Place, ...]
    instrument_id: str
    is_buy: bool
    trade_date: int
    quantity: int
    unit_e9: int
    asked: int = 0
    asked_unit_e9: int = 0
    filled: int = 0
    filled_before: int = 0
    is_open: bool = True
    counted: tuple[int, int] = (0, 0)  # quantity and cash as they stand in the sums


@dataclass(slots=True)
class Sums:
    """Of one place and instrument."""

    buys: int = 0
    sells: int = 0
    bought: int = 0
    sold: int = 0
    start: int = 0
    today: dict[int, int] = field(default_factory=dict)  # net executed by trade date


class LimitLaws:
    """One shard's limits. `shards`: how many share a limit; None when that is not known."""

    def __init__(self, findings: Findings, shard: int, shards: int | None) -> None:
        self._findings = findings
        self._shard = shard
        self._shards = shards
        self._limits: list[dict[str, Any]] = [dict(each) for each in BUILT_IN]
        self._version = 0
        self._proposals: dict[str, tuple[str, str]] = {}  # content, who
        self._orders: dict[str, Held] = {}
        self._used: dict[Place, dict[int, int]] = {}
        self._sums: dict[tuple[Place, str], Sums] = {}
        self._adjusted: dict[tuple[str, str, str], int] = {}
        self._clients: dict[str, str] = {}
        self._scales: dict[str, int] = {}
        self._grants: set[str] = set()
        self.granted: dict[tuple[str, str, str], int] = {}
        self.reduced: dict[tuple[str, str, str], int] = {}

    def read(self, entry: Entry) -> None:
        """Take in a control message that the shard consumed."""
        m = entry.message
        match entry.name:
            case "control.InstrumentDefined":
                self._scales[m["instrument_id"]] = m["quantity_scale"]
            case "control.AccountDefined":
                self._clients[m["account_id"]] = m["client_id"]
            case "risk.LimitsProposed":
                who = entry.envelope["actor"]
                self._proposals.setdefault(m["proposal_id"], (m["content"], who))
            case "risk.PositionSet":
                self._set_position(m)
            case "risk.LeaseGranted" if m["grant_id"] not in self._grants:
                self._grants.add(m["grant_id"])
                key, amount_e9 = _lease(m), cash(m["amount_e9"])
                self.granted[key] = self.granted.get(key, 0) + amount_e9
                if m["shard"] == self._shard:
                    self._adjusted[key] = self._adjusted.get(key, 0) + amount_e9

    def wrote(self, entry: Entry) -> None:
        """Check one event of the shard."""
        rule = _RULES.get(entry.name)
        if rule is not None:
            rule(self, entry.message, entry)

    def in_force(self, m: dict[str, Any], entry: Entry) -> None:
        subject, content = f"limits {m['version']}", m["content"]
        proposed = self._proposals.get(m["proposal_id"])
        if m["version"] != self._version + 1:
            self._add(Code.LIMITS, subject, f"follows version {self._version}", entry)
        if proposed != (content, m["proposed_by"]):
            self._add(Code.LIMITS, subject, f"is not what {m['proposed_by']} proposed", entry)
        if m["approved_by"] in ("", m["proposed_by"]):
            self._add(Code.LIMITS, subject, f"{m['approved_by']} approved it alone", entry)
        if sha256(content.encode()).hexdigest() != m["sha256"]:
            self._add(Code.LIMITS, subject, f"has not the hash {m['sha256']}", entry)
        self._version = m["version"]
        self._limits = [
            each
            for each in json.loads(content)["limits"]
            if each["kind"] in ("CREDIT", "POSITION") and not each["is_shadow"]
        ]

    def accepted(self, m: dict[str, Any], entry: Entry) -> None:
        unit_e9 = m.get("unit_value_e9", 0)
        tenant = m["tenant"]
        subjects = (
            tenant,
            m.get("client_id", ""),
            m["account_id"],
            m["desk_id"],
            m["strategy"],
            m["instrument_id"],
        )
        places = tuple(
            (scope, tenant, subject) for scope, subject in zip(SCOPES, subjects, strict=True)
        )
        held = self._orders[m["order_id"]] = Held(
            places,
            m["instrument_id"],
            m["side"] == "BUY",
            m["trade_date"],
            m["quantity"],
            unit_e9,
        )
        self._count(held)
        if "unit_value_e9" in m:  # older records were not held to limits
            self._check(held, m["order_id"], entry)

    def pending(self, m: dict[str, Any], entry: Entry) -> None:
        held = self._orders.get(m["order_id"])
        if held is not None:
            held.asked, held.asked_unit_e9 = m["quantity"], m.get("unit_value_e9", 0)
            self._more(held, m["order_id"], entry)

    def replaced(self, m: dict[str, Any], entry: Entry) -> None:
        held = self._orders.get(m["order_id"])
        if held is not None:
            unit_e9 = m.get("unit_value_e9", 0) or held.asked_unit_e9 or held.unit_e9
            held.unit_e9 = max(unit_e9, held.unit_e9) if held.filled else unit_e9
            held.quantity, held.asked, held.asked_unit_e9 = m["quantity"], 0, 0
            self._more(held, m["order_id"], entry)

    def ended(self, m: dict[str, Any], entry: Entry) -> None:
        held = self._orders.get(m["order_id"])
        if held is not None:
            held.is_open, held.asked, held.asked_unit_e9 = False, 0, 0
            self._count(held)

    def restated(self, m: dict[str, Any], entry: Entry) -> None:
        held = self._orders.get(m["order_id"])
        if held is not None:
            held.is_open = m["status"] in ("NEW", "PARTIALLY_FILLED")
            self._count(held)

    def resumed(self, m: dict[str, Any], entry: Entry) -> None:
        """What it may still get is of its new date; what it got stays on the old one."""
        held = self._orders.get(m["order_id"])
        if held is not None:
            quantity, cash_e9 = held.counted
            open_e9 = cash_e9 - (held.filled - held.filled_before) * held.unit_e9
            for place in held.places:
                self._used[place][held.trade_date] -= open_e9
            held.trade_date, held.filled_before = m["trade_date"], held.filled
            held.counted = (quantity, 0)
            self._count(held)

    def given(self, m: dict[str, Any], entry: Entry) -> None:
        entries = m["entries"] if "entries" in m else [*m["buys"], *m["sells"]]
        for each in entries:
            held = self._orders.get(each["order_id"])
            if held is None:
                continue
            held.filled += each["quantity"]
            held.filled_before = min(held.filled_before, held.filled)
            for place in held.places[:3]:
                sums = self._sums[place, held.instrument_id]
                net = each["quantity"] if held.is_buy else -each["quantity"]
                sums.today[held.trade_date] = sums.today.get(held.trade_date, 0) + net
                if held.is_buy:
                    sums.bought += each["quantity"]
                else:
                    sums.sold += each["quantity"]
            self._count(held)

    def gave_back(self, m: dict[str, Any], entry: Entry) -> None:
        key, amount_e9 = _lease(m), cash(m["amount_e9"])
        self._adjusted[key] = self._adjusted.get(key, 0) - amount_e9
        self.reduced[key] = self.reduced.get(key, 0) + amount_e9
        if amount_e9 < 0:
            self._add(Code.LIMITS, "/".join(key), f"gives back {amount_e9}", entry)

    def _more(self, held: Held, order_id: str, entry: Entry) -> None:
        before = held.counted
        self._count(held)
        if "unit_value_e9" in entry.message:
            larger = tuple(now > then for now, then in zip(held.counted, before, strict=True))
            self._check(held, order_id, entry, larger)

    def _count(self, held: Held) -> None:
        """Bring the sums to what the order holds now."""
        quantity, unit_e9 = held.filled, held.unit_e9
        if held.is_open:
            quantity = max(held.quantity, held.asked)
            unit_e9 = max(unit_e9, held.asked_unit_e9)
        cash_e9 = (quantity - held.filled_before) * unit_e9
        more, more_e9 = quantity - held.counted[0], cash_e9 - held.counted[1]
        held.counted = (quantity, cash_e9)
        for place in held.places:
            used = self._used.setdefault(place, {})
            used[held.trade_date] = used.get(held.trade_date, 0) + more_e9
        for place in held.places[:3]:
            sums = self._sums.setdefault((place, held.instrument_id), Sums())
            if held.is_buy:
                sums.buys += more
            else:
                sums.sells += more

    def _check(
        self,
        held: Held,
        order_id: str,
        entry: Entry,
        larger: tuple[bool, ...] = (True, True),
    ) -> None:
        """Hold quantity and cash against the limits, each if the order has more of it now."""
        is_more, is_dearer = larger
        for place in held.places:
            scope, tenant, subject = place
            for limit in self._applying(scope, subject):
                if limit["kind"] == "CREDIT" and is_dearer:
                    used = self._used[place].items()
                    used_e9 = sum(e9 for day, e9 in used if day >= held.trade_date)
                    bound_e9 = self._part(limit, scope, f"{tenant}/{subject}")
                    if used_e9 > bound_e9:
                        text = f"{limit['limit_id']} {subject}: {used_e9} open and executed"
                        self._add(Code.CREDIT, order_id, f"{text}, {bound_e9} allowed", entry)
                elif limit["kind"] == "POSITION" and is_more:
                    sums = self._sums[place, held.instrument_id]
                    buying = sums.start + sums.buys - sums.sold
                    selling = sums.sells - sums.bought - sums.start
                    worst = buying if held.is_buy else selling
                    bound = limit["value"] * self._scales.get(held.instrument_id, 1)
                    if worst > bound:
                        text = f"{limit['limit_id']} {subject}: {worst} of {held.instrument_id}"
                        self._add(Code.POSITION, order_id, f"{text}, {bound} allowed", entry)

    def _applying(self, scope: str, subject: str) -> list[dict[str, Any]]:
        mine = [each for each in self._limits if each["scope"] == scope]
        own = {each["kind"] for each in mine if each.get("subject", "*") == subject}
        return [
            each
            for each in mine
            if each.get("subject", "*") == (subject if each["kind"] in own else "*")
        ]

    def _part(self, limit: dict[str, Any], scope: str, subject: str) -> int:
        whole_e9: int = limit["value"] * E9
        if scope == "INSTRUMENT" or not self._shards or self._shards == 1:
            return whole_e9
        each, rest = divmod(whole_e9, self._shards)
        part = each + (1 if self._shard < rest else 0)
        return part + self._adjusted.get((limit["limit_id"], scope, subject), 0)

    def _set_position(self, m: dict[str, Any]) -> None:
        tenant, account_id, instrument_id = m["tenant"], m["account_id"], m["instrument_id"]
        account: Place = ("ACCOUNT", tenant, account_id)
        own = self._sums.setdefault((account, instrument_id), Sums())
        later = sum(net for day, net in own.today.items() if day >= m["trade_date"])
        change = m["quantity"] - (own.bought - own.sold - later) - own.start
        client: Place = ("CLIENT", tenant, self._clients.get(account_id, ""))
        for place in (account, client, ("FIRM", tenant, tenant)):
            self._sums.setdefault((place, instrument_id), Sums()).start += change

    def _add(self, code: Code, subject: str, text: str, entry: Entry) -> None:
        self._findings.add(code, subject, text, entry)


def check_leases(findings: Findings, laws: list[LimitLaws]) -> None:
    """What was granted of a limit came out of what its shards had given back."""
    reduced: dict[tuple[str, str, str], int] = {}
    granted: dict[tuple[str, str, str], int] = {}
    for each in laws:
        for key, amount_e9 in each.reduced.items():
            reduced[key] = reduced.get(key, 0) + amount_e9
        for key, amount_e9 in each.granted.items():  # every shard reads all of them
            granted[key] = max(granted.get(key, 0), amount_e9)
    for key, amount_e9 in granted.items():
        if amount_e9 > reduced.get(key, 0):
            text = f"{amount_e9} granted, {reduced.get(key, 0)} given back"
            findings.add(Code.CREDIT, "/".join(key), text, "the whole log")


def _lease(m: dict[str, Any]) -> tuple[str, str, str]:
    return m["limit_id"], m["scope"], m["subject"]


_RULES: Final = {
    "risk.LimitsInForce": LimitLaws.in_force,
    "risk.LeaseReduced": LimitLaws.gave_back,
    "intake.OrderAccepted": LimitLaws.accepted,
    "intake.OrderPendingReplace": LimitLaws.pending,
    "intake.OrderReplaced": LimitLaws.replaced,
    "intake.OrderCanceled": LimitLaws.ended,
    "intake.OrderClosed": LimitLaws.ended,
    "intake.OrderRestated": LimitLaws.restated,
    "intake.OrderResumed": LimitLaws.resumed,
    "allocation.FillAllocated": LimitLaws.given,
    "allocation.AllocationRestated": LimitLaws.given,
    "allocation.CrossAllocated": LimitLaws.given,
}
