"""Ask the limits in force about a request: which apply is looked up once, then remembered."""

from typing import Final

from schemas.messages.core import LimitKind, LimitMeasure, LimitScope, Side
from streams.risk.checks import (
    CHECKS,
    UNMEASURED,
    Ask,
    Check,
    Found,
    Rule,
    is_tripping,
)
from streams.risk.lease import bound_e9, is_leased, part_e9
from streams.risk.limits import E9, Limit, LimitSet
from streams.risk.request import LeaseWish, Request, Verdict
from streams.risk.shortcut import Shortcut
from streams.risk.state import RiskState, lease_key, scope_key
from streams.risk.words import breach_of, measure_of

__all__ = ["Gate"]

BPS: Final = 10_000
REMEMBERED_MAX: Final = 50_000
SCOPES: Final = (
    LimitScope.FIRM,
    LimitScope.CLIENT,
    LimitScope.ACCOUNT,
    LimitScope.DESK,
    LimitScope.STRATEGY,
    LimitScope.INSTRUMENT,
    LimitScope.SOURCE,
)
Rules = tuple[tuple[Check, Rule], ...]
Known = tuple[Rules, Shortcut]


class Gate:
    """Questions on the state; it changes nothing. What it remembers follows from the limits."""

    __slots__ = ("_index", "_known", "_limits", "state")

    def __init__(self, state: RiskState) -> None:
        self.state = state
        self._limits: LimitSet | None = None
        self._index: dict[LimitKind, list[Limit]] = {}
        self._known: dict[tuple[str, ...], Known] = {}

    def assess(self, request: Request) -> Verdict:
        """Return the first limit that the request breaks, and what else is to be recorded."""
        state = self.state
        unit_e9 = unit_value_e9(state.limits, request)
        rules, shortcut = self._known_for(request)
        if shortcut.is_open(request, unit_e9, request.quantity * unit_e9):
            return Verdict(breach=None, version=state.version, unit_value_e9=unit_e9)
        return self._ask_each(request, rules)

    def _ask_each(self, request: Request, rules: Rules) -> Verdict:
        state, ask = self.state, self._ask(request)
        broken: list[tuple[Rule, Found]] = []
        wishes: list[LeaseWish] = []
        tripping = ""
        for check, rule in rules:
            found = check(state, rule, ask)
            kind = rule.limit.kind
            if found is not None and found.value > found.bound:
                broken.append((rule, found))
            if kind is LimitKind.CREDIT:
                if found is not None and 4 * found.value > 3 * found.bound:
                    wishes.extend(_wish(state, rule, found))
            elif kind is LimitKind.REPEATED_EXECUTION and ask.order is None:
                limit = rule.limit
                if not limit.is_shadow and is_tripping(state, limit, request):
                    tripping = tripping or limit.limit_id
        if not broken:
            return Verdict(
                breach=None,
                version=state.version,
                unit_value_e9=ask.unit_e9,
                wishes=tuple(wishes),
                tripping=tripping,
            )
        hard = [each for each in broken if not each[0].limit.is_shadow]
        return Verdict(
            breach=breach_of(*hard[0], ask) if hard else None,
            version=state.version,
            unit_value_e9=ask.unit_e9,
            shadows=tuple(
                (breach_of(rule, found, ask), measure_of(rule, found))
                for rule, found in broken
                if rule.limit.is_shadow
            ),
            measures=self.measure(request),
            wishes=tuple(wishes),
            tripping="" if hard else tripping,
        )

    def measure(self, request: Request) -> tuple[LimitMeasure, ...]:
        """Return every limit that has something to say of the request, in the order asked."""
        ask = self._ask(request)
        asked = (
            (rule, check(self.state, rule, ask)) for check, rule in self._known_for(request)[0]
        )
        return tuple(measure_of(rule, found) for rule, found in asked if found is not None)

    def _ask(self, request: Request) -> Ask:
        unit_e9 = unit_value_e9(self.state.limits, request)
        return Ask(
            request,
            request.quantity * unit_e9,
            unit_e9,
            request.reference.price_e9 > 0,
            self.state.orders.get(request.order_id) if request.order_id else None,
        )

    def _known_for(self, request: Request) -> Known:
        limits = self.state.limits
        if limits is not self._limits:
            self._limits = limits
            self._known.clear()
            self._index = {
                kind: [limit for limit in limits.limits if limit.kind is kind] for kind in CHECKS
            }
        who = (
            request.tenant,
            request.client_id,
            request.account_id,
            request.desk_id,
            request.strategy,
            request.instrument.instrument_id,
            request.source,
        )
        known = self._known.get(who)
        if known is None:
            if len(self._known) >= REMEMBERED_MAX:
                self._known.clear()
            rules = self._find(who)
            shortcut = Shortcut(self.state, [rule for _, rule in rules], who[0], who[-1])
            known = self._known[who] = (rules, shortcut)
        return known

    def _find(self, who: tuple[str, ...]) -> Rules:
        tenant = who[0]
        found: list[tuple[Check, Rule]] = []
        for kind, check in CHECKS.items():
            for scope, subject in zip(SCOPES, who, strict=True):
                limits = [each for each in self._index[kind] if each.scope is scope]
                for limit in _applying(limits, subject):
                    total, lease = scope_key(scope, tenant, subject), ""
                    if kind is LimitKind.CREDIT:
                        lease = lease_key(limit, tenant, subject)
                    found.append((check, Rule(limit, subject, total, lease)))
        return tuple(found)


def _applying(limits: list[Limit], subject: str) -> list[Limit]:
    """Return those of one kind and scope that count the subject: its own, else everybody's."""
    own = {limit.is_shadow for limit in limits if limit.subject == subject}
    return [
        limit
        for limit in limits
        if limit.subject == subject
        or (
            limit.subject == "*"
            and (limit.kind is LimitKind.RESTRICTED or limit.is_shadow not in own)
        )
    ]


def unit_value_e9(limits: LimitSet, request: Request) -> int:
    """Return what one smallest unit of the request counts; 0 when nothing says it.

    A limit counts at its price, a sale at no less than the market; a market order at the
    reference price and the set's buffer beyond it.
    Units:  1e-9 units of the limits' currency.
    Rounds: up, so that a unit never counts less than it is worth.
    """
    rate_e9 = limits.rate_e9(request.instrument.currency)
    reference_e9 = request.reference.price_e9
    price_e9 = request.limit_price_e9
    if price_e9 is None:
        price_e9 = -(-reference_e9 * (BPS + limits.market_buffer_bps) // BPS)
    elif request.side is Side.SELL and reference_e9 > price_e9:
        price_e9 = reference_e9
    if rate_e9 is None or price_e9 <= 0:
        return 0
    scale = request.instrument.quantity_scale
    if rate_e9 == E9:
        return -(-price_e9 // scale)
    return -(-price_e9 * rate_e9 // (scale * E9))


def _wish(state: RiskState, rule: Rule, found: Found) -> list[LeaseWish]:
    limit = rule.limit
    if found is UNMEASURED or not is_leased(limit, state.partitions) or rule.lease in state.asked:
        return []
    part = part_e9(limit.value, state.shard, state.partitions)
    bound = bound_e9(state, limit, rule.lease)
    amount = max(part, 2 * (found.value - bound))
    return [LeaseWish(rule.lease, bound, found.value, amount)]
