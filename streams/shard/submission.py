"""What the shard adds to a client's message before intake decides on it."""

from hashlib import blake2b
from typing import Any, Final

import msgspec

from schemas.messages.core import Constraints
from schemas.messages.intake import (
    CancelOrder,
    MassCancelOrder,
    NewOrder,
    ReplaceOrder,
)
from streams.core.market import Venue
from streams.intake.commands import (
    SubmitCancel,
    SubmitMassCancel,
    SubmitOrder,
    SubmitReplace,
)
from streams.shard import stops
from streams.shard.knowledge import Knowledge
from streams.shard.limits import UNJUDGED, assess_new, assess_replace

__all__ = ["digest_of", "submission", "submit_mass_cancel", "submit_order"]

ENCODER: Final = msgspec.msgpack.Encoder()


def submission(
    knows: Knowledge, message: NewOrder | CancelOrder | ReplaceOrder, *, is_own: bool
) -> SubmitOrder | SubmitCancel | SubmitReplace:
    """Return the command that asks intake to decide on the message."""
    match message:
        case NewOrder():
            return submit_order(knows, message, is_own=is_own)
        case CancelOrder():
            return SubmitCancel(
                message=message,
                at_ns=knows.at_ns,
                digest=digest_of(message),
                is_own_partition=is_own,
            )
        case _:
            return submit_replace(knows, message, is_own=is_own)


def submit_replace(knows: Knowledge, message: ReplaceOrder, *, is_own: bool) -> SubmitReplace:
    """Return a replace with the instrument and what the limits say of the order it would make."""
    digest, instrument = digest_of(message), knows.instrument(message.instrument_id)
    verdict = assess_replace(knows, message, digest, instrument)
    return SubmitReplace(
        message=message,
        at_ns=knows.at_ns,
        digest=digest,
        is_own_partition=is_own,
        instrument=instrument,
        venues=_venues(knows, message.constraints),
        killed=stops.replace_kill(knows.state, message),
        breach=verdict.breach,
        limits_version=verdict.version,
        unit_value_e9=verdict.unit_value_e9,
    )


def submit_order(
    knows: Knowledge, message: NewOrder, *, is_own: bool, is_judged: bool = True
) -> SubmitOrder:
    """Return a new order with its instrument, account, market and what the limits say of it.

    `is_judged` False: the limits are asked later.
    """
    digest, instrument = digest_of(message), knows.instrument(message.instrument_id)
    account = knows.account(message.account_id, message.tenant)
    verdict = UNJUDGED
    if is_judged:
        verdict = assess_new(knows, message, digest, instrument, account)
    return SubmitOrder(
        message=message,
        at_ns=knows.at_ns,
        digest=digest,
        is_own_partition=is_own,
        instrument=instrument,
        account=account,
        is_desk_known=knows.is_desk_known(message.desk_id, message.tenant),
        venues=_venues(knows, message.constraints),
        arrival_price_e9=knows.midpoint_e9(message.instrument_id),
        reference_version=knows.state.reference.version,
        killed=stops.order_kill(knows.state, message, "" if account is None else account.client_id),
        breach=verdict.breach,
        limits_version=verdict.version,
        unit_value_e9=verdict.unit_value_e9,
    )


def submit_mass_cancel(knows: Knowledge, message: MassCancelOrder) -> SubmitMassCancel:
    """Return a mass cancel; each shard that reads it looks among its own orders."""
    return SubmitMassCancel(message=message, at_ns=knows.at_ns, digest=digest_of(message))


def digest_of(message: Any) -> bytes:
    """Return BLAKE2b-128 of the message's name and content, envelope excluded."""
    content = ENCODER.encode((type(message).__name__, message))
    return blake2b(content, digest_size=16).digest()


def _venues(knows: Knowledge, constraints: Constraints | None) -> tuple[Venue, ...]:
    return () if constraints is None else tuple(knows.state.reference.venues.values())
