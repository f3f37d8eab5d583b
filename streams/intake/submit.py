"""Accept or refuse a new order."""

from hashlib import blake2b

import msgspec

from schemas.messages.core import Constraints, OrderType, StrategyParameters
from schemas.messages.intake import NewOrder, OrderAccepted, OrderRejected
from streams.intake.commands import SubmitOrder
from streams.intake.ladder import check_order
from streams.intake.mandate import normal
from streams.intake.refusal import Refusal
from streams.intake.state import IntakeState
from streams.intake.times import working_time
from streams.parameters import normal as normal_parameters

__all__ = ["accept", "group_id", "refused", "submit"]

ENCODER = msgspec.msgpack.Encoder()


def group_id(
    terms: NewOrder | OrderAccepted,
    *,
    start_ns: int,
    end_ns: int,
    order_type: OrderType,
    limit_price_e9: int | None,
    constraints: Constraints | None,
    parameters: StrategyParameters | None,
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
        terms.is_short_sale,
        constraints,
        # Shared fills could be too small for an owner's minimum: such an order has its own parent.
        (terms.source, terms.client_order_id)
        if constraints is not None and constraints.minimum_quantity
        else None,
    )
    if parameters is not None:  # ids of groups without any are those of older records
        return blake2b(ENCODER.encode((*shared, parameters)), digest_size=8).hexdigest()
    return blake2b(ENCODER.encode(shared), digest_size=8).hexdigest()


def submit(
    state: IntakeState, command: SubmitOrder, *, is_duplicate: bool
) -> OrderAccepted | OrderRejected:
    """Return the acceptance, or the refusal by the first rule that the order breaks."""
    refusal = check_order(command, is_duplicate=is_duplicate)
    if refusal is not None:
        return refused(command, refusal)
    return accept(state.id_prefix, state.orders_count + 1, command)


def accept(id_prefix: str, ordinal: int, command: SubmitOrder) -> OrderAccepted:
    """Return the acceptance of an order that keeps every rule."""
    message, terms, account = command.message, command.instrument, command.account
    assert terms is not None and account is not None  # unknown ones were refused
    start_ns, end_ns = working_time(message, terms, command.at_ns)
    constraints = normal(message.constraints)
    parameters = normal_parameters(message.parameters)
    return OrderAccepted(
        order_id=f"O{id_prefix}{ordinal}",
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
            constraints=constraints,
            parameters=parameters,
        ),
        accepted_ns=command.at_ns,
        arrival_price_e9=command.arrival_price_e9,
        reference_version=command.reference_version,
        command_digest=command.digest,
        expire_ns=message.expire_ns,
        is_short_sale=message.is_short_sale,
        locate_id=message.locate_id,
        basket_id=message.basket_id,
        constraints=constraints,
        client_id=account.client_id,
        owner_id=account.owner_id,
        is_house=account.is_house,
        limits_version=command.limits_version,
        unit_value_e9=command.unit_value_e9,
        parameters=parameters,
    )


def refused(command: SubmitOrder, refusal: Refusal) -> OrderRejected:
    """Return the refusal of a new order."""
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
        basket_id=message.basket_id,
    )
