"""The limits: what one says, what a whole set says, and the set that holds before any other."""

from typing import Final

import msgspec

from schemas.messages.core import LimitKind, LimitScope, Side

__all__ = [
    "BUILT_IN",
    "Limit",
    "LimitSet",
    "canonical",
    "parse",
]

SECOND_NS: Final = 1_000_000_000
LENGTH_MAX: Final = 64
LIMITS_MAX: Final = 10_000
E9: Final = 1_000_000_000
BPS_MAX: Final = 10_000


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One limit. The unit of `value` follows from the kind:

    ORDER_QUANTITY, POSITION     whole units (shares, coins); a position is per instrument
    ORDER_NOTIONAL, CREDIT       whole units of the set's currency
    ADV_BPS, PRICE_COLLAR_BPS    basis points of daily volume, of the reference price
    DUPLICATE_FLOW               equal orders within the window that may come
    MESSAGE_RATE                 messages a second and source; `burst` at once
    REPEATED_EXECUTION           orders of one flow within the window, the next disables it
    ORDER_TO_TRADE               messages an execution, from `burst` messages of the day on
    RESTRICTED, LOCATE           none
    """

    limit_id: str
    kind: LimitKind
    scope: LimitScope
    subject: str = "*"  # an id of the scope, or each; an id takes the place of "*" for itself
    value: int = 0
    window_ns: int = 0
    burst: int = 0
    is_shadow: bool = False
    instrument_ids: tuple[str, ...] = ()  # RESTRICTED: which; empty for all
    sides: tuple[Side, ...] = ()  # RESTRICTED: which; empty for both
    from_ns: int = 0  # RESTRICTED: in force from then on
    until_ns: int = 0  # RESTRICTED: and before this; 0 for ever


class LimitSet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All limits in force together. Cash of every currency is counted in `currency`."""

    limits: tuple[Limit, ...]
    currency: str = ""  # empty: every currency counts at par
    rates_e9: dict[str, int] = {}  # value of one unit of a currency in `currency`, 1e-9
    market_buffer_bps: int = 100  # a market order is valued so much beyond the reference price
    reference_age_max_ns: int = 4 * 86_400 * SECOND_NS  # a last trade older than that is none

    def rate_e9(self, currency: str) -> int | None:
        """Return what one unit of the currency counts; None when the set does not say."""
        if not self.currency or currency == self.currency:
            return E9
        return self.rates_e9.get(currency)


_WINDOWED: Final = (LimitKind.DUPLICATE_FLOW, LimitKind.REPEATED_EXECUTION)
_BURSTING: Final = (LimitKind.MESSAGE_RATE, LimitKind.ORDER_TO_TRADE)
_POSITIONED: Final = (LimitScope.FIRM, LimitScope.CLIENT, LimitScope.ACCOUNT)
_VALUELESS: Final = (LimitKind.RESTRICTED, LimitKind.LOCATE)


def canonical(limits: LimitSet) -> str:
    """Return the one JSON text of a set; equal sets have equal texts."""
    return msgspec.json.encode(limits, order="deterministic").decode()


def parse(content: str) -> LimitSet:
    """Return the set. Raises msgspec.MsgspecError for what is no set of limits."""
    limits = msgspec.json.decode(content, type=LimitSet)
    ids = [limit.limit_id for limit in limits.limits]
    if len(ids) > LIMITS_MAX:
        raise msgspec.ValidationError(f"{len(ids)} limits, at most {LIMITS_MAX}")
    if len(set(ids)) != len(ids):
        raise msgspec.ValidationError("a limit_id stands twice")
    if not 0 <= limits.market_buffer_bps <= BPS_MAX or limits.reference_age_max_ns <= 0:
        raise msgspec.ValidationError(f"market_buffer_bps 0..{BPS_MAX}, reference_age_max_ns > 0")
    if any(rate <= 0 for rate in limits.rates_e9.values()):
        raise msgspec.ValidationError("every rate is positive")
    seen: set[tuple[object, ...]] = set()
    for limit in limits.limits:
        _check(limit)
        place = (limit.kind, limit.scope, limit.subject, limit.is_shadow)
        if limit.kind is not LimitKind.RESTRICTED and place in seen:
            raise msgspec.ValidationError(f"{limit.limit_id}: another limit says the same")
        seen.add(place)
    return limits


def _check(limit: Limit) -> None:
    name, kind = limit.limit_id, limit.kind
    if kind is LimitKind.UNKNOWN or limit.scope is LimitScope.UNKNOWN:
        raise msgspec.ValidationError(f"{name}: kind and scope must be known")
    for text in (name, limit.subject):
        if not 0 < len(text) <= LENGTH_MAX or not text.isprintable():
            raise msgspec.ValidationError(f"{name}: ids have 1 to {LENGTH_MAX} characters")
    if (kind is LimitKind.MESSAGE_RATE) is not (limit.scope is LimitScope.SOURCE):
        raise msgspec.ValidationError(
            f"{name}: SOURCE is the scope of MESSAGE_RATE, and only of it"
        )
    if kind is LimitKind.POSITION and limit.scope not in _POSITIONED:
        raise msgspec.ValidationError(f"{name}: POSITION is of {', '.join(_POSITIONED)}")
    if limit.value < 0 or (kind in _BURSTING and limit.value == 0):
        raise msgspec.ValidationError(f"{name}: value {limit.value} is too small")
    if limit.value > 0 and kind in _VALUELESS:
        raise msgspec.ValidationError(f"{name}: a {kind} has no value")
    if (limit.window_ns > 0) is not (kind in _WINDOWED):
        raise msgspec.ValidationError(f"{name}: window_ns belongs to {', '.join(_WINDOWED)}")
    if (limit.burst > 0) is not (kind in _BURSTING):
        raise msgspec.ValidationError(f"{name}: burst belongs to {', '.join(_BURSTING)}")
    if kind is LimitKind.REPEATED_EXECUTION and limit.value == 0:
        raise msgspec.ValidationError(f"{name}: value is at least 1")
    if kind is LimitKind.MESSAGE_RATE and limit.value > SECOND_NS:
        raise msgspec.ValidationError(f"{name}: at most {SECOND_NS} a second")


def _limit(kind: LimitKind, scope: LimitScope, value: int = 0, **more: int) -> Limit:
    limit_id = f"default-{scope.value}-{kind.value}".lower().replace("_", "-")
    return Limit(limit_id=limit_id, kind=kind, scope=scope, value=value, **more)  # type: ignore[arg-type]


# Version 0: on before anybody has published limits. Wide enough for an institutional desk's
# ordinary day, narrow enough to stop a slipped finger and a loop gone wild.
BUILT_IN: Final = LimitSet(
    limits=(
        _limit(LimitKind.ORDER_QUANTITY, LimitScope.FIRM, 1_000_000),
        _limit(LimitKind.ORDER_NOTIONAL, LimitScope.FIRM, 100_000_000),
        _limit(LimitKind.ADV_BPS, LimitScope.FIRM, 2_500),
        _limit(LimitKind.PRICE_COLLAR_BPS, LimitScope.FIRM, 1_000),
        _limit(LimitKind.CREDIT, LimitScope.FIRM, 10_000_000_000),
        _limit(LimitKind.CREDIT, LimitScope.CLIENT, 4_000_000_000),
        _limit(LimitKind.CREDIT, LimitScope.ACCOUNT, 2_000_000_000),
        _limit(LimitKind.POSITION, LimitScope.ACCOUNT, 10_000_000),
        _limit(LimitKind.DUPLICATE_FLOW, LimitScope.FIRM, 20, window_ns=SECOND_NS),
        _limit(LimitKind.MESSAGE_RATE, LimitScope.SOURCE, 1_000, burst=2_000),
        _limit(LimitKind.REPEATED_EXECUTION, LimitScope.FIRM, 1_000, window_ns=60 * SECOND_NS),
        _limit(LimitKind.ORDER_TO_TRADE, LimitScope.ACCOUNT, 1_000, burst=10_000),
        _limit(LimitKind.LOCATE, LimitScope.FIRM),
    )
)
