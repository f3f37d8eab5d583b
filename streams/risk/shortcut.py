"""The limits of one flow of orders in numbers: an ordinary order passes them in one expression.

Saying no to a good order costs time only: the gate then asks limit by limit. Saying yes to one
that breaks a limit is what tests/property/test_risk_shortcut.py rules out.
"""

from typing import Final

from schemas.messages.core import LimitKind, Side
from streams.risk.checks import Rule, flow_of
from streams.risk.lease import is_leased, part_e9
from streams.risk.limits import E9
from streams.risk.request import Request
from streams.risk.state import RiskState, equal_key, place_key, rate_key

__all__ = ["Shortcut"]

BPS: Final = 10_000
SECOND_NS: Final = 1_000_000_000
NEVER: Final = 1 << 200  # larger than anything measured


class Shortcut:
    """Everything that holds for a new order whoever sends it under these names."""

    __slots__ = (
        "_adv_bps",
        "_collar_bps",
        "_credits",
        "_equals",
        "_flows",
        "_is_restricted",
        "_messages",
        "_notional_e9",
        "_positions",
        "_quantity",
        "_rates",
        "_state",
    )

    def __init__(self, state: RiskState, rules: list[Rule], tenant: str, source: str) -> None:
        def least(kind: LimitKind) -> int:
            return min((r.limit.value for r in rules if r.limit.kind is kind), default=NEVER)

        def each(kind: LimitKind) -> list[Rule]:
            return [rule for rule in rules if rule.limit.kind is kind]

        self._state = state
        self._quantity = least(LimitKind.ORDER_QUANTITY)
        self._notional_e9 = least(LimitKind.ORDER_NOTIONAL) * E9
        self._adv_bps = least(LimitKind.ADV_BPS)
        self._collar_bps = least(LimitKind.PRICE_COLLAR_BPS)
        self._equals = least(LimitKind.DUPLICATE_FLOW)
        self._flows = least(LimitKind.REPEATED_EXECUTION)
        self._is_restricted = bool(each(LimitKind.RESTRICTED))
        # A leased part is asked for in time: beyond three quarters the long way says how much.
        self._credits = [
            (rule.total, rule.lease, part_e9(rule.limit.value, state.shard, state.partitions))
            if is_leased(rule.limit, state.partitions)
            else (rule.total, "", rule.limit.value * E9)
            for rule in each(LimitKind.CREDIT)
        ]
        self._positions = [(r.total, r.limit.value) for r in each(LimitKind.POSITION)]
        self._messages = [(r.total, r.limit.burst) for r in each(LimitKind.ORDER_TO_TRADE)]
        self._rates = [
            (rate_key(limit, tenant, source), (limit.burst - 1) * (SECOND_NS // limit.value))
            for limit in (rule.limit for rule in each(LimitKind.MESSAGE_RATE))
        ]

    def is_open(self, request: Request, unit_e9: int, notional_e9: int) -> bool:
        """Return whether a new order keeps every limit and leaves nothing to be recorded."""
        state, instrument = self._state, request.instrument
        quantity, price_e9 = request.quantity, request.reference.price_e9
        limit_e9, is_buy = request.limit_price_e9, request.side is Side.BUY
        if not (
            unit_e9 > 0
            and price_e9 > 0
            and 0 < quantity <= self._quantity * instrument.quantity_scale
            and notional_e9 <= self._notional_e9
            and (
                not instrument.average_daily_volume
                or quantity * BPS <= self._adv_bps * instrument.average_daily_volume
            )
            and (
                limit_e9 is None
                or (limit_e9 - price_e9 if is_buy else price_e9 - limit_e9) * BPS
                <= self._collar_bps * price_e9
            )
            and not self._is_restricted
            and not state.disabled
            and not request.is_short_sale
            and not request.order_id
        ):
            return False
        return (
            self._has_credit(request.trade_date, notional_e9)
            and self._has_room(request, is_buy=is_buy)
            and self._is_seldom(request)
        )

    def _has_credit(self, trade_date: int, notional_e9: int) -> bool:
        state = self._state
        totals, adjustments = state.totals, state.adjustments
        for key, lease, bound_e9 in self._credits:
            used_e9 = notional_e9
            total = totals.get(key)
            if total is not None:
                for day, amount in total.used.items():
                    if day >= trade_date:
                        used_e9 += amount.value
            if lease:
                adjusted = adjustments.get(lease)
                part_e9 = bound_e9 if adjusted is None else bound_e9 + adjusted.value
                if 4 * used_e9 > 3 * part_e9:
                    return False
            elif used_e9 > bound_e9:
                return False
        return True

    def _has_room(self, request: Request, *, is_buy: bool) -> bool:
        state, instrument = self._state, request.instrument
        for key, most in self._positions:
            place = place_key(key, instrument.instrument_id)
            position, start = request.quantity, state.starts.get(place, 0)
            if is_buy:
                position += start
                for each in state.places.get(place, ()):
                    cell = state.cells[each]
                    position += cell.buys - cell.sold
            else:
                position -= start
                for each in state.places.get(place, ()):
                    cell = state.cells[each]
                    position += cell.sells - cell.bought
            if position > most * instrument.quantity_scale:
                return False
        return True

    def _is_seldom(self, request: Request) -> bool:
        state = self._state
        for key, slack_ns in self._rates:
            if state.rates.get(key, 0) - request.at_ns > slack_ns:
                return False
        for key, floor in self._messages:
            total = state.totals.get(key)
            if total is not None and total.messages >= floor:
                return False
        flows = state.flows.get(flow_of(request))
        if (1 if flows is None else len(flows) + 1) >= self._flows:
            return False
        equals = state.equals.get(
            equal_key(
                request.account_id,
                request.instrument.instrument_id,
                request.side,
                request.quantity,
                request.limit_price_e9,
            )
        )
        return (1 if equals is None else len(equals) + 1) <= self._equals
