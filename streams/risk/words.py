"""What a broken limit is told as: reason, field, value and bound."""

from typing import Final

from schemas.messages.core import LimitKind, LimitMeasure, LimitScope, RejectReason, Side
from streams.core.limits import Breach
from streams.risk.checks import UNMEASURED, Ask, Found, Rule

__all__ = ["breach_of", "measure_of"]

BPS: Final = 10_000
_SCOPES: Final = {scope: scope.value.lower() for scope in LimitScope}
_REASONS: Final[dict[LimitKind, tuple[RejectReason, str]]] = {
    LimitKind.ORDER_QUANTITY: (RejectReason.ORDER_QUANTITY_LIMIT, "quantity"),
    LimitKind.ORDER_NOTIONAL: (RejectReason.ORDER_NOTIONAL_LIMIT, "quantity"),
    LimitKind.ADV_BPS: (RejectReason.ADV_LIMIT, "quantity"),
    LimitKind.PRICE_COLLAR_BPS: (RejectReason.PRICE_COLLAR, "limit_price_e9"),
    LimitKind.CREDIT: (RejectReason.CREDIT_LIMIT, "quantity"),
    LimitKind.POSITION: (RejectReason.POSITION_LIMIT, "quantity"),
    LimitKind.RESTRICTED: (RejectReason.RESTRICTED_INSTRUMENT, "instrument_id"),
    LimitKind.DUPLICATE_FLOW: (RejectReason.DUPLICATE_FLOW, "client_order_id"),
    LimitKind.MESSAGE_RATE: (RejectReason.MESSAGE_RATE, "source"),
    LimitKind.REPEATED_EXECUTION: (RejectReason.REPEATED_EXECUTION, "strategy"),
    LimitKind.ORDER_TO_TRADE: (RejectReason.ORDER_TO_TRADE_RATIO, "source"),
    LimitKind.LOCATE: (RejectReason.LOCATE_EXCEEDED, "quantity"),
}


def measure_of(rule: Rule, found: Found) -> LimitMeasure:
    """Return the record of one limit held against one request."""
    limit = rule.limit
    return LimitMeasure(
        limit_id=limit.limit_id,
        kind=limit.kind,
        scope=limit.scope,
        subject=rule.subject,
        value="" if found is UNMEASURED else str(found.value),
        bound="" if found is UNMEASURED else str(found.bound),
        is_shadow=limit.is_shadow,
        is_breached=found.value > found.bound,
    )


def breach_of(rule: Rule, found: Found, ask: Ask) -> Breach:
    """Return the breach in the words of a refusal."""
    limit, request = rule.limit, ask.request
    if found is UNMEASURED:
        return _unmeasured(rule, ask)
    reason, field = _REASONS[limit.kind]
    whose = f"{_SCOPES[limit.scope]} {rule.subject}"
    value, bound = str(found.value), f"at most {found.bound} for {whose}"
    match limit.kind:
        case LimitKind.PRICE_COLLAR_BPS:
            value, bound = str(request.limit_price_e9), _collar(rule, ask)
        case LimitKind.ADV_BPS:
            bound = f"{limit.value} bp of {request.instrument.average_daily_volume}"
        case LimitKind.RESTRICTED:
            value, bound = request.instrument.instrument_id, f"{limit.limit_id} for {whose}"
        case LimitKind.DUPLICATE_FLOW:
            value = request.client_order_id
            bound = f"{limit.value} equal orders within {limit.window_ns} ns"
        case LimitKind.MESSAGE_RATE:
            value, bound = request.source, f"{limit.value} a second, {limit.burst} at once"
        case LimitKind.REPEATED_EXECUTION:
            value = request.strategy.value
            bound = f"{limit.value} orders of one flow within {limit.window_ns} ns"
        case LimitKind.LOCATE:
            bound = str(found.bound)
        case _:
            pass
    return Breach(reason, limit.limit_id, field, value, bound)


def _collar(rule: Rule, ask: Ask) -> str:
    request = ask.request
    price_e9, bps = request.reference.price_e9, rule.limit.value
    source = request.reference.kind.value.lower().replace("_", " ")
    if request.side is Side.BUY:
        return f"at most {price_e9 * (BPS + bps) // BPS}, {bps} bp from the {source} {price_e9}"
    least_e9 = -(-price_e9 * (BPS - bps) // BPS)
    return f"at least {least_e9}, {bps} bp from the {source} {price_e9}"


def _unmeasured(rule: Rule, ask: Ask) -> Breach:
    limit, request = rule.limit, ask.request
    if limit.kind is LimitKind.LOCATE:
        bound = f"locates of account {request.account_id} in {request.instrument.instrument_id}"
        reason = RejectReason.UNKNOWN_LOCATE
        return Breach(reason, limit.limit_id, "locate_id", request.locate_id, bound)
    bound = "neither a two-sided quote nor a trade of late"
    if ask.is_referenced:
        bound = f"the limits have no rate for {request.instrument.currency}"
    reason = RejectReason.NO_REFERENCE_PRICE
    instrument_id = request.instrument.instrument_id
    return Breach(reason, limit.limit_id, "instrument_id", instrument_id, bound)
