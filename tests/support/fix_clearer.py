"""A clearer that speaks FIX: keeps books by what it is told, answers as a rule says.

It shares no code with what it checks: amounts are read with Decimal.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from services.clearing.clearer import Rule
from services.fix.fields import Fields

__all__ = ["Booked", "FixClearer", "Reply"]

E9 = Decimal(10**9)
ANSWERS = {"J": "P", "AS": "AT", "AE": "AR", "AK": "AU"}
OWN_ID = {"J": 70, "AS": 755, "AE": 571, "AK": 664}
PREVIOUS_ID = {"J": 72, "AS": 795, "AE": 572, "AK": 772}
# FIX 71, 666 and 487: new, replace, cancel.
CHANGES = {
    "J": dict(zip("012", ("NEW", "REPLACE", "CANCEL"), strict=True)),
    "AE": {"0": "NEW", "2": "REPLACE", "1": "CANCEL"},
}
REJECTIONS = [str(code) for code in range(14)]  # FIX 88 of 4.4; 4.2 ends at 7
LATE_MAX = 30


class Reply(NamedTuple):
    """A message to send back."""

    message_type: str
    fields: Fields


class Booked(NamedTuple):
    """What stands. Units: 1e-9 shares, 1e-9 currency units."""

    side: str
    quantity_e9: int
    gross_e9: int
    net_e9: int | None  # an AE says none
    fee_e9: int
    accounts: tuple[tuple[str, int], ...]


@dataclass
class FixClearer:
    """Feed it what comes, in order. `books` is what it holds; `faults`, what cannot be."""

    version: str = "FIX44"
    rule: Rule = field(default_factory=Rule)
    books: dict[str, Booked] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    verdicts: dict[str, str] = field(default_factory=dict)  # code of FIX 88, or empty, by report
    resent: list[str] = field(default_factory=list)
    repaired: bool = False  # accepts everything from now on
    _previous: dict[str, str] = field(default_factory=dict)
    _seen: int = 0
    _late: list[tuple[int, Reply]] = field(default_factory=list)

    def feed(
        self, message_type: str, fields: Fields, is_possible_resend: bool = False
    ) -> Iterator[Reply]:
        """Yield what it answers now."""
        if message_type not in ANSWERS:
            self.faults.append(f"{message_type} came: {fields}")
            return
        self._seen += 1
        name = fields.get(OWN_ID[message_type])
        if name in self.verdicts:
            if not is_possible_resend:
                self.faults.append(f"{name} came twice")
            self.resent.append(name)
            yield self._reply(message_type, fields, name)
        else:
            yield from self._judge(message_type, fields, name)
        yield from self._due()

    def flush(self) -> Iterator[Reply]:
        """Yield every late answer, the last one first: out of order."""
        late, self._late = self._late, []
        yield from (reply for _, reply in reversed(late))

    def _judge(self, kind: str, fields: Fields, name: str) -> Iterator[Reply]:
        rule = self.rule
        is_rejected = not self.repaired and rule.is_drawn("reject", name, rule.rejected_ppm)
        # A cancel of what stands is taken: refused after a new report had followed it, it would
        # leave both with the clearer, which clearing shows as a rejected report to people.
        is_rejected &= self._change(kind, fields) != "CANCEL"
        last = 8 if self.version == "FIX42" else len(REJECTIONS)
        code = REJECTIONS[rule.draw("reason", name) % last] if is_rejected else ""
        self._previous[name] = fields.get(PREVIOUS_ID[kind])
        self.verdicts[name] = code
        if not code:
            self._book(kind, fields, name)
        if rule.is_drawn("received", name, rule.received_ppm):
            yield self._received(kind, fields, name)
        answers = [self._reply(kind, fields, name)] * (
            1 + rule.is_drawn("twice", name, rule.twice_ppm)
        )
        if rule.is_drawn("late", name, rule.late_ppm):
            due = self._seen + 1 + rule.draw("delay", name) % LATE_MAX
            self._late += [(due, answer) for answer in answers]
        else:
            yield from answers

    def _due(self) -> Iterator[Reply]:
        due = [reply for at, reply in self._late if at <= self._seen]
        self._late = [(at, reply) for at, reply in self._late if at > self._seen]
        yield from due

    def _book(self, kind: str, fields: Fields, name: str) -> None:
        previous = fields.get(PREVIOUS_ID[kind])
        change = self._change(kind, fields)
        if (change == "NEW") == bool(previous):
            self.faults.append(f"{name} is {change} of {previous!r}")
        # Sent before we had rejected what it refers to: what that was to replace is meant.
        while self.verdicts.get(previous):
            previous = self._previous[previous]
        if previous and self.books.pop(previous, None) is None:
            self.faults.append(f"{name} is {change} of {previous}, which does not stand")
        if change != "CANCEL":
            self.books[name] = _booked(kind, fields)
            self._check(name, fields)

    def _change(self, kind: str, fields: Fields) -> str:
        tag = {"AE": 487, "AK": 666}.get(kind, 71)
        return CHANGES["AE" if kind == "AE" else "J"][fields.get(tag)]

    def _check(self, name: str, fields: Fields) -> None:
        """Hold the parts against the whole."""
        booked = self.books[name]
        if booked.net_e9 is not None:
            fee = booked.fee_e9 if booked.side == "1" else -booked.fee_e9
            if booked.net_e9 != booked.gross_e9 + fee:
                self.faults.append(f"{name}: net {booked.net_e9}, gross {booked.gross_e9}, {fee}")
            if booked.accounts and sum(q for _, q in booked.accounts) != booked.quantity_e9:
                self.faults.append(f"{name}: {booked.accounts} of {booked.quantity_e9}")
            nets = [_e9(each.get(154)) for each in fields.groups(78)]
            if nets and sum(nets) != booked.net_e9:
                self.faults.append(f"{name}: accounts pay {nets}, all {booked.net_e9}")

    def _received(self, kind: str, fields: Fields, name: str) -> Reply:
        if kind in ("J", "AS"):
            return self._reply(kind, fields, name, status="3")
        if kind == "AK":
            return self._reply(kind, fields, name, status="1")
        return self._reply(kind, fields, name)  # an AR of 4.4 knows no "received"

    def _reply(self, kind: str, fields: Fields, name: str, status: str = "") -> Reply:
        """Return the answer: P, AT, AR or AU."""
        code = self.verdicts[name]
        reply = Fields().add(OWN_ID[kind], name)
        if kind == "AE":
            reply.add(487, fields.get(487)).add(150, "8" if code else "F")
            reply.add(939, 1 if code else 0).add(751, 99 if code else None)
            reply.add(55, fields.get(55)).add(60, "20260302-10:00:00.000")
            reply.add(58, "trade is not matched" if code else None)
            return Reply("AR", reply)
        if kind == "AK":
            reply.add(75, fields.get(75)).add(60, "20260302-10:00:00.000")
            reply.add(940, status or ("2" if code else "3")).add(774, 99 if code else None)
            return Reply("AU", reply)
        if kind == "AS":
            reply.add(70, fields.get(70))
        reply.add(75, fields.get(75)).add(60, "20260302-10:00:00.000")
        reply.add(87, status or ("1" if code else "0"))
        if code and not status:
            reply.add(88, code).add(58, "account is not known to the depository")
        return Reply(ANSWERS[kind], reply)


def _booked(kind: str, fields: Fields) -> Booked:
    quantity = fields.get({"AE": 32, "AK": 80}.get(kind, 53))
    fees = sum(_e9(value) for tag, value in fields.pairs if tag == 137)
    accounts: list[tuple[str, int]] = []
    if kind in ("J", "AS"):
        accounts = [(each.get(79), _e9(each.get(80))) for each in fields.groups(78)]
    net: Any = fields.get(118)
    return Booked(
        side=fields.get(54),
        quantity_e9=_e9(quantity),
        gross_e9=_e9(fields.get(381)),
        net_e9=_e9(net) if net else None,
        fee_e9=fees,
        accounts=tuple(accounts),
    )


def _e9(text: str) -> int:
    value = Decimal(text) * E9
    whole = int(value)
    assert value == whole, text
    return whole
