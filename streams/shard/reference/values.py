"""From messages to the values that deciders are told."""

import msgspec

from schemas.messages.control import (
    AccountDefined,
    ClientDefined,
    InstrumentDefined,
    VenueDefined,
)
from schemas.messages.core import PhaseKind
from streams.core.calendar import Moment
from streams.core.market import Account, Instrument, Venue

__all__ = ["account", "in_session", "instrument", "venue"]


def instrument(m: InstrumentDefined) -> Instrument:
    """Return the terms. With a calendar, the session comes with `in_session`."""
    return Instrument(
        instrument_id=m.instrument_id,
        currency=m.currency,
        tick_e9=m.tick_e9,
        lot=m.lot,
        quantity_scale=m.quantity_scale,
        maximum_quantity=m.maximum_quantity,
        session_open_ns=0 if m.calendar_id else m.session_open_ns,
        session_close_ns=0 if m.calendar_id else m.session_close_ns,
        trade_date=0 if m.calendar_id else m.trade_date,
        tick_bands=m.tick_bands,
        is_short_sale_allowed=m.is_short_sale_allowed,
        average_daily_volume=m.average_daily_volume,
        allocation_lot=m.allocation_lot or m.lot,
        calendar_id=m.calendar_id,
        settlement_calendar_id=m.settlement_calendar_id or m.calendar_id,
        settlement_days=m.settlement_days,
    )


def in_session(terms: Instrument, moment: Moment) -> Instrument:
    """Return the terms in the session of that moment; as they are when the calendar knows none."""
    session, following = moment.session, moment.following
    if session is None:
        return terms
    opening = session.auction(PhaseKind.OPENING_AUCTION)
    closing = session.auction(PhaseKind.CLOSING_AUCTION)
    return msgspec.structs.replace(
        terms,
        session_open_ns=session.open_ns,
        session_close_ns=session.close_ns,
        trade_date=session.trade_date,
        entry_open_ns=session.start_ns,
        open_cutoff_ns=0 if opening is None else opening.cutoff_ns or opening.end_ns,
        opening_auction_start_ns=0 if opening is None else opening.start_ns,
        close_cutoff_ns=0 if closing is None else closing.cutoff_ns or closing.end_ns,
        closing_auction_end_ns=0 if closing is None else closing.end_ns,
        next_open_ns=0 if following is None else following.open_ns,
        phase=moment.phase,
        is_half_day=session.is_half_day,
    )


def account(m: AccountDefined, client: ClientDefined | None, *, is_registered: bool) -> Account:
    """Return who trades. `is_registered`: the tenant has a register of clients."""
    return Account(
        account_id=m.account_id,
        tenant=m.tenant,
        client_id=m.client_id,
        owner_id=m.owner_id or m.account_id,
        desk_ids=m.desk_ids,
        is_enabled=m.is_enabled,
        is_house=m.is_house,
        is_cross_allowed=m.is_cross_allowed and (client is None or client.is_cross_allowed),
        is_short_sale_allowed=m.is_short_sale_allowed,
        is_client_known=client is not None or not is_registered,
        is_client_enabled=client is None or client.is_enabled,
    )


def venue(m: VenueDefined) -> Venue:
    """Return a venue's terms."""
    return Venue(
        venue_id=m.venue_id,
        kind=m.kind,
        taker_fee_e9=m.taker_fee_e9,
        maker_fee_e9=m.maker_fee_e9,
        taker_fee_ppm=m.taker_fee_ppm,
        maker_fee_ppm=m.maker_fee_ppm,
        minimum_quantity=m.minimum_quantity,
        latency_ns=m.latency_ns,
        is_enabled=m.is_enabled,
        order_types=m.order_types,
        tick_e9=m.tick_e9,
        lot=m.lot,
        fee_tiers=m.fee_tiers,
        month_quantity=m.month_quantity,
        self_trade_rule=m.self_trade_rule,
        cancel_after_ns=m.cancel_after_ns,
        messages_per_s=m.messages_per_s,
        slow_after_ns=m.slow_after_ns,
        calendar_id=m.calendar_id,
    )
