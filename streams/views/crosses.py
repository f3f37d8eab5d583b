"""Crosses from the log: what each saved its orders against the market, and how fairly."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from schemas.messages.allocation import CrossAllocated
from schemas.messages.control import CrossingDeclared, InstrumentDefined, VenueDefined
from schemas.messages.core import CashEntry, CrossKind, Envelope, Member, Side
from schemas.messages.intake import OrderAccepted
from schemas.messages.netting import CrossExecuted
from streams.core.topics import (
    AGGREGATIONS_EVENTS,
    ALLOCATIONS_EVENTS,
    CONTROL_COMMANDS,
    ORDERS_EVENTS,
)
from streams.models.tca import round_half_even
from streams.views.sequence import Sequences

__all__ = ["CROSS_TOPICS", "CrossOrder", "CrossRow", "CrossTotal", "CrossesView", "total_crosses"]

CROSS_TOPICS: Final = (CONTROL_COMMANDS, ORDERS_EVENTS, AGGREGATIONS_EVENTS, ALLOCATIONS_EVENTS)
E9: Final = 10**9
PPM: Final = 10**6


class CrossOrder(NamedTuple):
    """One order's part. Cash in 1e-9 currency units, quantities in smallest units."""

    order_id: str
    account_id: str
    side: Side
    weight: int  # what it could have given or taken
    quantity: int
    cash_e9: int
    improvement_e9: int  # against the far touch: the half spread that it did not pay
    saved_fee_e9: int  # the taker's fee at that touch


class CrossRow(NamedTuple):
    """One cross. Units as in CrossExecuted; fairness in 1e-9 of an order's quantity."""

    cross_id: str
    kind: CrossKind
    trade_date: int
    tenant: str
    instrument_id: str
    currency: str
    crossed_ns: int
    quantity: int
    price_e9: int
    bid_e9: int
    ask_e9: int
    bid_venue_id: str
    ask_venue_id: str
    quote_age_ns: int
    declaration_id: str  # empty for own netting where nothing is declared
    regime: str
    declared_by: str
    is_reportable: bool  # no change of beneficial owner is no trade
    is_restricted: bool  # some could not meet, so fill rates may differ
    improvement_e9: int
    saved_fee_e9: int
    fairness_e9: int  # largest |fill rate - its side's rate|
    dispersion_e9: int  # largest |cash - price x quantity| of an order: what rounding may do
    orders: tuple[CrossOrder, ...]


class CrossTotal(NamedTuple):
    """Sums of one kind in one currency."""

    kind: CrossKind
    currency: str
    crosses: int
    orders: int
    notional_e9: int
    improvement_e9: int
    saved_fee_e9: int


@dataclass(slots=True)
class CrossesView:
    """Folds the log in any order between topics; a repeat changes nothing."""

    _sequences: Sequences = field(default_factory=Sequences)
    _executed: dict[str, CrossExecuted] = field(default_factory=dict)
    _given: dict[str, CrossAllocated] = field(default_factory=dict)
    _accounts: dict[str, str] = field(default_factory=dict)  # by order
    _instruments: dict[str, InstrumentDefined] = field(default_factory=dict)
    _declared: dict[str, tuple[CrossingDeclared, str]] = field(default_factory=dict)  # and actor
    _venues: dict[str, list[tuple[int, VenueDefined]]] = field(default_factory=dict)

    def fold(self, topic: str, partition: int, envelope: Envelope, message: Any) -> None:
        """Apply an event or definition. Raises: GapError when events before it were not shown."""
        if not self._sequences.is_new(topic, partition, envelope.topic_seq):
            return
        match message:
            case CrossExecuted():
                self._executed[message.cross_id] = message
            case CrossAllocated():
                self._given[message.cross_id] = message
            case OrderAccepted():
                self._accounts[message.order_id] = message.account_id
            case InstrumentDefined():
                self._instruments[message.instrument_id] = message
            case CrossingDeclared() if message.is_allowed:
                self._declared[message.declaration_id] = (message, envelope.actor)
            case VenueDefined():
                since_ns = message.effective_ns or envelope.at_ns
                self._venues.setdefault(message.venue_id, []).append((since_ns, message))
            case _:
                pass

    def rows(self, trade_date: int = 0) -> list[CrossRow]:
        """Return the crosses that were given to their orders, in order of time; 0: of all days."""
        found = [
            self._row(cross, self._given[cross_id])
            for cross_id, cross in self._executed.items()
            if cross_id in self._given and cross.instrument_id in self._instruments
        ]
        found.sort(key=lambda row: (row.crossed_ns, row.cross_id))
        return [row for row in found if trade_date in (0, row.trade_date)]

    def _row(self, cross: CrossExecuted, given: CrossAllocated) -> CrossRow:
        evidence, terms = cross.evidence, self._instruments[cross.instrument_id]
        sides = ((Side.BUY, cross.buys, given.buys), (Side.SELL, cross.sells, given.sells))
        orders = tuple(
            self._order(cross, terms, side, member, entry)
            for side, members, entries in sides
            for member, entry in _matched(members, entries)
        )
        declared = self._declared.get(cross.declaration_id)
        is_own = cross.kind is CrossKind.OWN_NETTING
        return CrossRow(
            cross_id=cross.cross_id,
            kind=CrossKind.OWN_NETTING if is_own else CrossKind.CLIENT_CROSS,
            trade_date=cross.trade_date or _date_of(cross.crossed_ns),
            tenant=cross.tenant,
            instrument_id=cross.instrument_id,
            currency=terms.currency,
            crossed_ns=cross.crossed_ns,
            quantity=cross.quantity,
            price_e9=cross.price_e9,
            bid_e9=evidence.bid_e9,
            ask_e9=evidence.ask_e9,
            bid_venue_id=evidence.bid_venue_id,
            ask_venue_id=evidence.ask_venue_id,
            quote_age_ns=cross.crossed_ns - evidence.quote_ns,
            declaration_id=cross.declaration_id,
            regime=declared[0].regime if declared else "",
            declared_by=(declared[0].declared_by or declared[1]) if declared else "",
            is_reportable=not is_own,
            is_restricted=bool(cross.pairs),
            improvement_e9=sum(order.improvement_e9 for order in orders),
            saved_fee_e9=sum(order.saved_fee_e9 for order in orders),
            fairness_e9=max(_deviation_e9(cross.quantity, m, e) for _, m, e in sides),
            dispersion_e9=max(_dispersion_e9(cross, terms, e) for _, _, e in sides),
            orders=orders,
        )

    def _order(
        self,
        cross: CrossExecuted,
        terms: InstrumentDefined,
        side: Side,
        member: Member,
        entry: CashEntry | None,
    ) -> CrossOrder:
        evidence = cross.evidence
        quantity = entry.quantity if entry is not None else 0
        is_buy = side is Side.BUY
        venue_id = evidence.ask_venue_id if is_buy else evidence.bid_venue_id
        touch_e9 = evidence.ask_e9 if is_buy else evidence.bid_e9
        better_e9 = touch_e9 - cross.price_e9 if is_buy else cross.price_e9 - touch_e9
        return CrossOrder(
            order_id=member.order_id,
            account_id=self._accounts.get(member.order_id, ""),
            side=side,
            weight=member.quantity,
            quantity=quantity,
            cash_e9=entry.cash_e9 if entry is not None else 0,
            improvement_e9=round_half_even(better_e9 * quantity, terms.quantity_scale),
            saved_fee_e9=self._fee_e9(
                venue_id, cross.crossed_ns, (touch_e9, quantity), terms.quantity_scale
            ),
        )

    def _fee_e9(self, venue_id: str, at_ns: int, taken: tuple[int, int], scale: int) -> int:
        """Return what taking there would have cost. Rounds: each part up, as venues do."""
        known = self._venues.get(venue_id, [])
        if not known:
            return 0
        in_force = [venue for since_ns, venue in known if since_ns <= at_ns]
        venue = in_force[-1] if in_force else known[0][1]
        price_e9, quantity = taken
        of_units = -(-venue.taker_fee_e9 * quantity // scale)
        return of_units - (-venue.taker_fee_ppm * price_e9 * quantity // (scale * PPM))


def total_crosses(rows: Iterable[CrossRow]) -> list[CrossTotal]:
    """Return the sums by kind and currency, in that order."""
    groups: dict[tuple[CrossKind, str], list[CrossRow]] = {}
    for row in rows:
        groups.setdefault((row.kind, row.currency), []).append(row)
    return [
        CrossTotal(
            kind=kind,
            currency=currency,
            crosses=len(found),
            orders=sum(1 for row in found for order in row.orders if order.quantity),
            notional_e9=sum(o.cash_e9 for row in found for o in row.orders if o.side is Side.BUY),
            improvement_e9=sum(row.improvement_e9 for row in found),
            saved_fee_e9=sum(row.saved_fee_e9 for row in found),
        )
        for (kind, currency), found in sorted(groups.items())
    ]


def _matched(
    members: Sequence[Member], entries: Sequence[CashEntry]
) -> list[tuple[Member, CashEntry | None]]:
    given = {entry.order_id: entry for entry in entries}
    return [(member, given.get(member.order_id)) for member in members]


def _deviation_e9(quantity: int, members: Sequence[Member], entries: Sequence[CashEntry]) -> int:
    """Return the largest |share / weight - quantity / all weights|, 1e-9."""
    whole = sum(member.quantity for member in members)
    deviations = []
    for member, entry in _matched(members, entries):
        share = entry.quantity if entry is not None else 0
        off = abs(share * whole - quantity * member.quantity)
        deviations.append(round_half_even(off * E9, member.quantity * whole))
    return max(deviations, default=0)


def _dispersion_e9(
    cross: CrossExecuted, terms: InstrumentDefined, entries: Sequence[CashEntry]
) -> int:
    """Return how far any order's cash lies from the one price, whole 1e-9 units."""
    scale = terms.quantity_scale
    return max(
        (abs(e.cash_e9 * scale - cross.price_e9 * e.quantity) // scale for e in entries), default=0
    )


def _date_of(at_ns: int) -> int:
    """Return the day in UTC: older crosses do not say their trade date."""
    return int(datetime.fromtimestamp(at_ns // E9, tz=UTC).strftime("%Y%m%d"))
