"""One function a kind of limit: what a request would lead to, and the most that is allowed."""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from schemas.messages.core import LimitKind, Side
from streams.risk.lease import bound_e9
from streams.risk.limits import E9, Limit
from streams.risk.request import Request
from streams.risk.state import (
    RiskState,
    Working,
    equal_key,
    flow_key,
    place_key,
    rate_key,
)

__all__ = ["CHECKS", "UNMEASURED", "Ask", "Check", "Found", "Rule", "flow_of", "is_tripping"]

SECOND_NS: Final = 1_000_000_000
BPS: Final = 10_000


class Rule(NamedTuple):
    """A limit with the one that it counts, ready to be asked."""

    limit: Limit
    subject: str
    total: str  # scope_key
    lease: str  # lease_key


class Ask(msgspec.Struct, gc=False):
    """A request with what several limits need of it."""

    request: Request
    notional_e9: int  # of the whole quantity, in the limits' currency
    unit_e9: int  # 0 when nothing says what a unit is worth
    is_referenced: bool
    order: Working | None  # the one that a replace names


class Found(NamedTuple):
    """What a limit found. It is broken when value > bound."""

    value: int
    bound: int


UNMEASURED: Final = Found(-1, -2)  # broken, for what it needs is not known


Check = Callable[[RiskState, Rule, Ask], Found | None]  # None: the limit has nothing to say


def _order_quantity(state: RiskState, rule: Rule, ask: Ask) -> Found | None:
    request = ask.request
    return Found(request.quantity, rule.limit.value * request.instrument.quantity_scale)


def _order_notional(state: RiskState, rule: Rule, ask: Ask) -> Found | None:
    if not ask.unit_e9:
        return UNMEASURED
    return Found(ask.notional_e9, rule.limit.value * E9)


def _adv(state: RiskState, rule: Rule, ask: Ask) -> Found | None:
    volume = ask.request.instrument.average_daily_volume
    if not volume:
        return None
    return Found(-(-ask.request.quantity * BPS // volume), rule.limit.value)


def _collar(state: RiskState, rule: Rule, ask: Ask) -> Found | None:
    """Hold a limit price against the market; beyond it on the cheap side nothing is risked."""
    request = ask.request
    if not ask.is_referenced:
        return UNMEASURED
    price_e9, limit_e9 = request.reference.price_e9, request.limit_price_e9
    if limit_e9 is None:
        return None
    beyond = limit_e9 - price_e9 if request.side is Side.BUY else price_e9 - limit_e9
    return Found(-(-beyond * BPS // price_e9), rule.limit.value) if beyond > 0 else None


def _credit(state: RiskState, rule: Rule, ask: Ask) -> Found | None:
    if not ask.unit_e9:
        return UNMEASURED
    order, request = ask.order, ask.request
    more_e9 = ask.notional_e9
    if order is not None:
        quantity = max(request.quantity, order.quantity)
        held_e9 = (quantity - order.filled_before) * max(ask.unit_e9, order.unit_e9)
        more_e9 = held_e9 - order.held_e9
        if more_e9 <= 0:
            return None  # it uses less: never refused, whatever others use
    total = state.totals.get(rule.total)
    used_e9 = 0
    if total is not None:
        for trade_date, amount in total.used.items():
            if trade_date >= request.trade_date:
                used_e9 += amount.value
    return Found(used_e9 + more_e9, bound_e9(state, rule.limit, rule.lease))


def _position(state: RiskState, rule: Rule, ask: Ask) -> Found | None:
    """Take the worst case: every open order of this side fills, none of the other does."""
    request = ask.request
    position = _more(ask)
    if position <= 0:
        return None
    place = place_key(rule.total, request.instrument.instrument_id)
    start = state.starts.get(place, 0)
    if request.side is Side.BUY:
        position += start
        for key in state.places.get(place, ()):
            cell = state.cells[key]
            position += cell.buys - cell.sold
    else:
        position -= start
        for key in state.places.get(place, ()):
            cell = state.cells[key]
            position += cell.sells - cell.bought
    return Found(position, rule.limit.value * request.instrument.quantity_scale)


def _more(ask: Ask) -> int:
    """Return the quantity that the request adds to what its order holds."""
    quantity, order = ask.request.quantity, ask.order
    return quantity if order is None else max(quantity, order.quantity) - order.held


def _restricted(state: RiskState, rule: Rule, ask: Ask) -> Found | None:
    limit, request = rule.limit, ask.request
    is_hit = (
        (not limit.instrument_ids or request.instrument.instrument_id in limit.instrument_ids)
        and (not limit.sides or request.side in limit.sides)
        and limit.from_ns <= request.at_ns
        and (not limit.until_ns or request.at_ns < limit.until_ns)
    )
    return Found(1, 0) if is_hit else None


def _duplicate(state: RiskState, rule: Rule, ask: Ask) -> Found | None:
    request = ask.request
    if ask.order is not None:
        return None
    key = equal_key(
        request.account_id,
        request.instrument.instrument_id,
        request.side,
        request.quantity,
        request.limit_price_e9,
    )
    times = state.equals.get(key)
    if times is None:
        return Found(1, rule.limit.value) if rule.limit.value < 1 else None
    return Found(_within(times, request.at_ns, rule.limit.window_ns) + 1, rule.limit.value)


def _rate(state: RiskState, rule: Rule, ask: Ask) -> Found | None:
    request, limit = ask.request, rule.limit
    full_ns = state.rates.get(rate_key(limit, request.tenant, request.source), 0)
    if full_ns <= request.at_ns:
        return None
    period_ns = SECOND_NS // limit.value
    return Found(-(-(full_ns - request.at_ns) // period_ns) + 1, limit.burst)


def _repeated(state: RiskState, rule: Rule, ask: Ask) -> Found | None:
    if rule.limit.is_shadow:
        return Found(_repeats(state, rule.limit, ask.request), rule.limit.value)
    if not state.disabled:
        return None
    disabled = state.disabled.get(flow_of(ask.request))
    if disabled is None or disabled.limit_id != rule.limit.limit_id:
        return None
    return Found(1, 0)


def is_tripping(state: RiskState, limit: Limit, request: Request) -> bool:
    """Return whether this order is the last one that the throttle lets through."""
    return _repeats(state, limit, request) >= limit.value


def _repeats(state: RiskState, limit: Limit, request: Request) -> int:
    times = state.flows.get(flow_of(request))
    return 1 if times is None else _within(times, request.at_ns, limit.window_ns) + 1


def flow_of(request: Request) -> str:
    """Return the key of the flow that a request belongs to."""
    return flow_key(
        request.tenant,
        request.account_id,
        request.strategy,
        request.instrument.instrument_id,
        request.side,
    )


def _within(times: list[int], at_ns: int, window_ns: int) -> int:
    horizon_ns = at_ns - window_ns
    if times[0] > horizon_ns:
        return len(times)
    return sum(1 for each in times if each > horizon_ns)


def _order_to_trade(state: RiskState, rule: Rule, ask: Ask) -> Found | None:
    total = state.totals.get(rule.total)
    limit, trade_date = rule.limit, ask.request.trade_date
    if total is None or total.trade_date < trade_date or total.messages < limit.burst:
        return None
    executions = 0
    for key in total.cells:
        cell = state.cells[key]
        if cell.trade_date >= trade_date:
            executions += cell.executions
    return Found((total.messages + 1) // max(executions, 1), limit.value)


def _locate(state: RiskState, rule: Rule, ask: Ask) -> Found | None:
    request = ask.request
    if not request.is_short_sale or not request.locate_id:
        return None  # a missing locate is for intake to refuse
    locate = state.locates.get(request.locate_id)
    if locate is None or (
        locate.tenant,
        locate.account_id,
        locate.instrument_id,
        locate.trade_date,
    ) != (
        request.tenant,
        request.account_id,
        request.instrument.instrument_id,
        request.trade_date,
    ):
        return UNMEASURED
    more = _more(ask)
    if more <= 0:
        return None
    return Found(locate.held + more, locate.granted)


# In the order of RejectReason: the first limit that is broken is told.
CHECKS: Final[dict[LimitKind, Check]] = {
    LimitKind.LOCATE: _locate,
    LimitKind.ORDER_QUANTITY: _order_quantity,
    LimitKind.ORDER_NOTIONAL: _order_notional,
    LimitKind.ADV_BPS: _adv,
    LimitKind.PRICE_COLLAR_BPS: _collar,
    LimitKind.CREDIT: _credit,
    LimitKind.POSITION: _position,
    LimitKind.RESTRICTED: _restricted,
    LimitKind.DUPLICATE_FLOW: _duplicate,
    LimitKind.MESSAGE_RATE: _rate,
    LimitKind.REPEATED_EXECUTION: _repeated,
    LimitKind.ORDER_TO_TRADE: _order_to_trade,
}
