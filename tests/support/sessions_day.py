"""A seeded day of three short sessions: orders of every time in force, baskets, mass cancels."""

from typing import Any

from schemas.messages.control import CalendarDefined
from schemas.messages.core import (
    BasketMode,
    Constraints,
    MassCancelScope,
    PhaseKind,
    Session,
    SessionPhase,
    Side,
    StrategyKind,
    TimeInForce,
)
from tests.support.builders import (
    OPEN_NS,
    SECOND,
    TRADE_DATE,
    basket_entry,
    cancel_order,
    instrument_defined,
    mass_cancel_order,
    new_basket,
    new_order,
    replace_order,
)
from tests.support.day import NAMES, TRADING_SECONDS, Day

__all__ = ["SessionsDay"]

# Seconds: entry opens, open, close. The last one ends before the venue only clears up.
SESSIONS = ((0, 2, 50), (60, 65, 105), (115, 118, 150))


def calendar() -> CalendarDefined:
    return CalendarDefined(
        calendar_id="CAL",
        first_date=TRADE_DATE,
        last_date=TRADE_DATE + len(SESSIONS) - 1,
        sessions=tuple(
            Session(
                trade_date=TRADE_DATE + day,
                phases=(
                    _phase(PhaseKind.PRE_OPEN, entry, open_),
                    _phase(PhaseKind.CONTINUOUS, open_, close),
                ),
            )
            for day, (entry, open_, close) in enumerate(SESSIONS)
        ),
    )


def _phase(kind: PhaseKind, start: int, end: int) -> SessionPhase:
    return SessionPhase(kind=kind, start_ns=at(start), end_ns=at(end))


def at(second: int) -> int:
    return OPEN_NS + second * SECOND


class SessionsDay(Day):
    """The day of tests/support/day.py with nights in between."""

    def __init__(self, seed: int, *, is_calm: bool) -> None:
        instruments = [instrument_defined(instrument_id=n, calendar_id="CAL") for n in NAMES]
        super().__init__(seed, is_calm=is_calm, definitions=[calendar(), *instruments])

    @property
    def trade_date(self) -> int:
        """The date of the session that clients count: the one under way, else the next."""
        second = (self.host.now_ns - OPEN_NS) // SECOND + 1
        days = [day for day, (_, _, close) in enumerate(SESSIONS) if second < close]
        return TRADE_DATE + (days[0] if days else len(SESSIONS) - 1)

    def _publish_market(self) -> None:
        super()._publish_market()
        if TRADING_SECONDS <= (self.host.now_ns - OPEN_NS) // SECOND < SESSIONS[-1][-1]:
            self._trade_clients()  # until the last session ends

    def _trade_clients(self) -> None:
        random = self.random
        for _ in range(random.randrange(3)):
            self._send(self._new_order())
        if self.sent and random.randrange(5) == 0:
            self._send(cancel_order(self._id(), random.choice(self.sent), **self._other()))
        if self.sent and random.randrange(3) == 0:
            self._send(self._replacement())
        if random.randrange(20) == 0:
            mode = random.choice((BasketMode.ALL_OR_NONE, BasketMode.VALID_ONES))
            entries = [self._entry() for _ in range(random.randrange(1, 6))]
            dated = {"basket_id": self._id(), "trade_date": self.trade_date}
            self._send(new_basket(*entries, mode=mode, **dated))
        if random.randrange(25) == 0:
            scope, scope_id = random.choice(
                (
                    (MassCancelScope.SIDE, "BUY"),
                    (MassCancelScope.ACCOUNT, "A1"),
                    (MassCancelScope.INSTRUMENT, "BOLT"),
                    (MassCancelScope.STRATEGY, "TWAP"),
                )
            )
            changes = {"scope": scope, "scope_id": scope_id, "trade_date": self.trade_date}
            self._send(mass_cancel_order(self._id(), **changes))

    def _replacement(self) -> Any:
        random = self.random
        name = self._id()
        changes: dict[str, Any] = {"quantity": random.randrange(1, 400), **self._other()}
        if random.randrange(3) == 0:
            changes["constraints"] = Constraints(display_quantity=random.randrange(0, 50))
        message = replace_order(name, random.choice(self.sent), **changes)
        self.sent.append(name)  # the newest id in force, should it be accepted
        return message

    def _other(self) -> dict[str, Any]:
        return {**super()._other(), "trade_date": self.trade_date}

    def _entry(self) -> Any:
        name = self._id()
        self.sent.append(name)
        return basket_entry(name, **self._terms())

    def _new_order(self) -> Any:
        name = self._id()
        self.sent.append(name)
        return new_order(name, trade_date=self.trade_date, **self._terms())

    def _terms(self) -> dict[str, Any]:
        random = self.random
        tif = random.choice(
            (
                TimeInForce.DAY,
                TimeInForce.GTC,
                TimeInForce.GTC,
                TimeInForce.GTD,
                TimeInForce.AT_OPEN,
                TimeInForce.AT_CLOSE,
                TimeInForce.IOC,
            )
        )
        is_swept = tif in (TimeInForce.AT_OPEN, TimeInForce.IOC)
        kinds = (StrategyKind.VWAP, StrategyKind.TWAP, StrategyKind.IMMEDIATE)
        is_gtd = tif is TimeInForce.GTD
        return {
            "account_id": f"A{random.randrange(1, 10)}",
            "instrument_id": random.choice(NAMES),
            "side": random.choice((Side.BUY, Side.SELL)),
            "quantity": random.randrange(0, 3_000),  # now and then none at all
            "time_in_force": tif,
            "expire_ns": at(random.choice((20, 48, 55, 62, 90, 110))) if is_gtd else 0,
            "strategy": StrategyKind.IMMEDIATE if is_swept else random.choice(kinds),
        }
