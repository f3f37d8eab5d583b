"""Accept or refuse a new order."""

from hashlib import blake2b

import msgspec

from schemas.messages.core import OrderType
from schemas.messages.intake import NewOrder, OrderAccepted, OrderRejected
from streams.intake.commands import SubmitOrder
from streams.intake.ladder import Refusal, check_order
from streams.intake.state import IntakeState

__all__ = ["accept", "group_id"]

ENCODER = msgspec.msgpack.Encoder()


def group_id(
    terms: NewOrder | OrderAccepted,
    *,
    start_ns: int,
    end_ns: int,
    order_type: OrderType,
    limit_price_e9: int | None,
) -> str:
    """Return the digest of everything that orders of one parent must share.

    Units:  16 hex digits of BLAKE2b; start_ns 0 stands for "at once".
    Source: DESIGN section 11, grouping key.
    """
    shared = (
        terms.tenant,
        terms.instrument_id,
        terms.side,
        terms.strategy,
        terms.urgency,
        terms.time_in_force,
        order_type,
        limit_price_e9,
        start_ns,
        end_ns,
        terms.participation_cap_bps,
        terms.is_dark_allowed,
    )
    return blake2b(ENCODER.encode(shared), digest_size=8).hexdigest()


def accept(
    state: IntakeState, command: SubmitOrder, *, is_duplicate: bool
) -> OrderAccepted | OrderRejected:
    """Return the acceptance, or the refusal by the first rule that the order breaks."""
    message, terms = command.message, command.instrument
    refusal = check_order(command, is_duplicate=is_duplicate)
    if refusal is not None:
        return _reject(command, refusal)
    assert terms is not None  # an unknown instrument was refused above
    start_ns = max(message.start_ns, command.at_ns)
    end_ns = message.end_ns or terms.session_close_ns
    return OrderAccepted(
        order_id=f"O{state.id_prefix}{state.orders_count + 1}",
        tenant=message.tenant,
        source=message.source,
        client_order_id=message.client_order_id,
        account_id=message.account_id,
        desk_id=message.desk_id,
        instrument_id=message.instrument_id,
        trade_date=message.trade_date,
        side=message.side,
        quantity=message.quantity,
        order_type=message.order_type,
        limit_price_e9=message.limit_price_e9,
        time_in_force=message.time_in_force,
        strategy=message.strategy,
        urgency=message.urgency,
        start_ns=start_ns,
        end_ns=end_ns,
        participation_cap_bps=message.participation_cap_bps,
        is_cross_allowed=message.is_cross_allowed,
        is_dark_allowed=message.is_dark_allowed,
        group_id=group_id(
            message,
            # Orders that may start at once are one group, whenever each of them came.
            start_ns=0 if start_ns == command.at_ns else start_ns,
            end_ns=end_ns,
            order_type=message.order_type,
            limit_price_e9=message.limit_price_e9,
        ),
        accepted_ns=command.at_ns,
        arrival_price_e9=command.arrival_price_e9,
        reference_version=command.reference_version,
        command_digest=command.digest,
        client_id="" if command.account is None else command.account.client_id,
        limits_version=command.limits_version,
        unit_value_e9=command.unit_value_e9,
    )


def _reject(command: SubmitOrder, refusal: Refusal) -> OrderRejected:
    message = command.message
    return OrderRejected(
        tenant=message.tenant,
        source=message.source,
        client_order_id=message.client_order_id,
        account_id=message.account_id,
        instrument_id=message.instrument_id,
        trade_date=message.trade_date,
        reason=refusal.reason,
        field=refusal.field,
        value=refusal.value,
        bound=refusal.bound,
        text=refusal.text,
        command_digest=command.digest,
        received_ns=command.at_ns,
        limit_id=refusal.limit_id,
        limits_version=command.limits_version,
    )
