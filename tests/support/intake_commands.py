"""Intake's commands with defaults, as the shard would build them."""

from hashlib import blake2b
from typing import Any

import msgspec

from streams.intake.commands import SubmitCancel, SubmitOrder, SubmitReplace
from streams.intake.state import IntakeState
from tests.support.builders import (
    OPEN_NS,
    SECOND,
    TICK,
    account,
    cancel_order,
    instrument,
    new_order,
    replace_order,
)

NOW_NS = OPEN_NS + 10 * SECOND


def digest_of(message: Any) -> bytes:
    return blake2b(msgspec.msgpack.encode(message), digest_size=16).digest()


def submit(
    client_order_id: str = "c1", *, around: dict[str, Any] | None = None, **changes: Any
) -> SubmitOrder:
    """Return the submission of `new_order`; `around` overrides what the shard adds to it."""
    message = new_order(client_order_id, **changes)
    return SubmitOrder(
        **{
            "message": message,
            "at_ns": NOW_NS,
            "digest": digest_of(message),
            "is_own_partition": True,
            "instrument": instrument(lot=5),
            "account": account(),
            "arrival_price_e9": 10_000 * TICK,
            "reference_version": 7,
            **(around or {}),
        }
    )


def cancel(
    client_order_id: str = "c2", *, around: dict[str, Any] | None = None, **changes: Any
) -> SubmitCancel:
    message = cancel_order(client_order_id, **changes)
    return SubmitCancel(
        **{
            "message": message,
            "at_ns": NOW_NS,
            "digest": digest_of(message),
            "is_own_partition": True,
            **(around or {}),
        }
    )


def replace(
    client_order_id: str = "c2", *, around: dict[str, Any] | None = None, **changes: Any
) -> SubmitReplace:
    message = replace_order(client_order_id, **changes)
    return SubmitReplace(
        **{
            "message": message,
            "at_ns": NOW_NS,
            "digest": digest_of(message),
            "is_own_partition": True,
            "instrument": instrument(lot=5),
            **(around or {}),
        }
    )


def named(state: IntakeState) -> None:
    """Give the state the prefix that the shard sets."""
    state.id_prefix = "abcdef.0."
