"""What the shard tells risk of a client's message, and what risk then tells intake and the log."""

from typing import Any, Final

from schemas.messages.core import CommandKind, ReferencePrice
from schemas.messages.intake import (
    NewOrder,
    OrderAccepted,
    OrderCancelRejected,
    OrderPendingReplace,
    OrderRejected,
    OrderReplaced,
    ReplaceOrder,
)
from schemas.messages.risk import LeaseRecalled as Recalled
from schemas.messages.risk import LimitsApproved, PositionSet, ThrottleReleased
from streams import risk
from streams.core.market import Account, Instrument, Quote
from streams.intake.change import order_named
from streams.risk.commands import ApproveLimits, RecordVerdict, ReduceLease, ReleaseFlow
from streams.risk.request import Reference, Request, Verdict
from streams.shard.knowledge import Knowledge

__all__ = [
    "UNJUDGED",
    "assess_new",
    "assess_replace",
    "control_command",
    "record_of",
    "request_of",
    "request_of_new",
    "take_control",
]

_ACCEPTED: Final = (OrderAccepted, OrderReplaced, OrderPendingReplace)
_REFUSED: Final = (OrderRejected, OrderCancelRejected)
UNJUDGED: Final = Verdict(breach=None, version=0, unit_value_e9=0)


def reference_price(knows: Knowledge, instrument_id: str) -> Reference:
    """Return the midpoint of the live quote, else what is newer of the last quote and trade.

    The last ones count while trading is interrupted or the market is quiet, up to an age; without
    any of them the price that an auction would make counts as the last quote.
    """
    quote = knows.quote(instrument_id)
    known = knows.references.get(instrument_id)
    if known is None or known[0] != knows.at_ns or known[1] is not quote:
        known = (knows.at_ns, quote, _reference(knows, instrument_id, quote))
        knows.references[instrument_id] = known
    return known[2]


def _reference(knows: Knowledge, instrument_id: str, quote: Quote | None) -> Reference:
    if quote is not None:
        evidence = (quote.bid_event_id, quote.ask_event_id)
        return Reference(ReferencePrice.MIDPOINT, quote.midpoint_e9, evidence)
    state = knows.state
    age_max_ns = state.risk.limits.reference_age_max_ns
    trade = state.market.last_trade(instrument_id)
    venues = state.reference.venues
    quote, _ = state.market.quote(instrument_id, venues, knows.at_ns, age_max_ns)
    if trade is not None and knows.at_ns - trade.at_ns > age_max_ns:
        trade = None
    if quote is not None and (trade is None or quote.at_ns >= trade.at_ns):
        evidence = (quote.bid_event_id, quote.ask_event_id)
        return Reference(ReferencePrice.LAST_QUOTE, quote.midpoint_e9, evidence)
    if trade is not None:
        return Reference(ReferencePrice.LAST_TRADE, trade.price_e9, (trade.event_id,))
    # Before the first trade of a day its opening auction says what the market thinks.
    auction = state.market.auction_price(instrument_id, knows.at_ns, age_max_ns)
    if auction is not None and auction.likely_price_e9 is not None:
        return Reference(ReferencePrice.LAST_QUOTE, auction.likely_price_e9, (auction.event_id,))
    return Reference()


def request_of_new(
    knows: Knowledge, message: NewOrder, instrument: Instrument, account: Account
) -> Request:
    """Return what risk is asked about a new order."""
    return Request(
        tenant=message.tenant,
        source=message.source,
        client_order_id=message.client_order_id,
        client_id=account.client_id,
        account_id=message.account_id,
        desk_id=message.desk_id,
        strategy=message.strategy,
        instrument=instrument,
        side=message.side,
        quantity=message.quantity,
        limit_price_e9=message.limit_price_e9,
        trade_date=message.trade_date,
        at_ns=knows.at_ns,
        reference=reference_price(knows, message.instrument_id),
        is_short_sale=message.is_short_sale,
        locate_id=message.locate_id,
    )


def request_of(knows: Knowledge, message: NewOrder | ReplaceOrder) -> Request | None:
    """Return what risk is asked about the message; None when intake refuses what it names."""
    instrument = knows.instrument(message.instrument_id)
    if isinstance(message, ReplaceOrder):
        return request_of_replace(knows, message, instrument)
    account = knows.account(message.account_id, message.tenant)
    if instrument is None or account is None:
        return None
    return request_of_new(knows, message, instrument, account)


def assess_new(
    knows: Knowledge,
    message: NewOrder,
    digest: bytes,
    instrument: Instrument | None,
    account: Account | None,
) -> Verdict:
    """Return what the limits say; nothing of an order that intake refuses for what it names."""
    if instrument is None or account is None:
        return UNJUDGED
    request = request_of_new(knows, message, instrument, account)
    return _assess(knows, request, digest, CommandKind.NEW)


def assess_replace(
    knows: Knowledge, message: ReplaceOrder, digest: bytes, instrument: Instrument | None
) -> Verdict:
    """Return what the limits say of the order as the replace would make it."""
    request = request_of_replace(knows, message, instrument)
    return UNJUDGED if request is None else _assess(knows, request, digest, CommandKind.REPLACE)


def request_of_replace(
    knows: Knowledge, message: ReplaceOrder, instrument: Instrument | None
) -> Request | None:
    """Return what risk is asked about a replace; None when intake refuses what it names."""
    order = order_named(knows.state.intake, message)
    if instrument is None or order is None:
        return None
    terms = order.terms
    return Request(
        tenant=terms.tenant,
        source=message.source,
        client_order_id=message.client_order_id,
        client_id=terms.client_id,
        account_id=terms.account_id,
        desk_id=terms.desk_id,
        strategy=terms.strategy,
        instrument=instrument,
        side=terms.side,
        quantity=message.quantity,
        limit_price_e9=(
            order.limit_price_e9 if message.limit_price_e9 is None else message.limit_price_e9
        ),
        trade_date=knows.state.risk.orders[terms.order_id].trade_date,
        at_ns=knows.at_ns,
        reference=reference_price(knows, message.instrument_id),
        is_short_sale=terms.is_short_sale,
        locate_id=terms.locate_id,
        order_id=terms.order_id,
    )


def _assess(knows: Knowledge, request: Request, digest: bytes, command: CommandKind) -> Verdict:
    verdict = knows.gate.assess(request)
    if not verdict.is_plain:
        knows.verdicts[digest] = RecordVerdict(
            request=request, verdict=verdict, command=command, order_id=""
        )
    return verdict


def record_of(knows: Knowledge, event: Any) -> RecordVerdict | None:
    """Return what is to be recorded beside intake's answer to a command.

    An order that another rule refuses was never risk's to judge.
    """
    if isinstance(event, _ACCEPTED):
        order_id = event.order_id
    elif isinstance(event, _REFUSED) and event.limit_id:
        order_id = ""
    else:
        return None
    pending = knows.verdicts.pop(event.command_digest, None)
    if pending is None:
        return None
    return RecordVerdict(
        request=pending.request,
        verdict=pending.verdict,
        command=pending.command,
        order_id=order_id,
    )


def take_control(knows: Knowledge, message: Any, actor: str) -> None:
    """Keep what a control message of risk says. Raises DecodeError when it has no effect."""
    state = knows.state
    refusal = risk.refusal_of(state.risk, message, actor)
    if refusal is not None:
        raise refusal
    client_id = ""
    if isinstance(message, PositionSet):
        account = knows.account(message.account_id, message.tenant)
        client_id = "" if account is None else account.client_id
    risk.apply(state.risk, message, actor, client_id)


def control_command(message: Any, actor: str, at_ns: int) -> tuple[Any, str] | None:
    """Return the command that a control message leads to and its key, if it leads to any."""
    match message:
        case LimitsApproved():
            return ApproveLimits(message=message, actor=actor), message.proposal_id
        case ThrottleReleased():
            return ReleaseFlow(message=message, actor=actor, at_ns=at_ns), message.flow_id
        case Recalled():
            return ReduceLease(message=message), message.limit_id
        case _:
            return None
