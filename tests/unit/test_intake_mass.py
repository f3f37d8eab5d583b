"""A mass cancel meets the open orders of its scope, and only those of who asks."""

from typing import Any

import pytest

from schemas.messages.core import (
    Cause,
    CommandKind,
    MassCancelScope,
    Member,
    RejectReason,
    Side,
    StrategyKind,
)
from schemas.messages.intake import (
    CommandRepeated,
    MassCancelAnswered,
    MassCancelOrder,
    OrderAccepted,
    OrderCanceled,
    OrderPendingCancel,
)
from schemas.messages.netting import EpochOpened
from streams.intake import INTAKE
from streams.intake.commands import SubmitMassCancel
from streams.intake.state import NO_DIGEST
from tests.support.builders import TRADE_DATE, order_accepted
from tests.support.given import Given, given
from tests.support.intake_commands import NOW_NS, cancel, digest_of, named
from tests.support.intake_history import P1

R = RejectReason
S = MassCancelScope


def order(ordinal: int, **terms: Any) -> OrderAccepted:
    return order_accepted(
        f"Oabcdef.0.{ordinal}", client_order_id=f"c{ordinal}", client_id="C1", **terms
    )


ORDERS = (
    order(1),
    order(2, side=Side.SELL, account_id="A2"),
    order(3, desk_id="D2", strategy=StrategyKind.VWAP),
    order(4, source="FIX"),
    order(5, tenant="T2"),
    order(6, instrument_id="OTHER"),
)
# Two of them are members of a parent.
OPENED = EpochOpened(
    parent_id=P1,
    epoch=1,
    quantity=200,
    parent_quantity=200,
    members=tuple(Member(order_id=f"Oabcdef.0.{n}", quantity=100) for n in (1, 3)),
    cause=Cause.OPENED,
)
HISTORY = given(INTAKE, *ORDERS, OPENED, prepare=named)


def mass_cancel(
    scope: MassCancelScope = S.ALL, scope_id: str = "", **changes: Any
) -> SubmitMassCancel:
    message = MassCancelOrder(
        **{
            "tenant": "T1",
            "source": "OMS",
            "client_order_id": "m1",
            "trade_date": TRADE_DATE,
            "scope": scope,
            "scope_id": scope_id,
            "is_every_source": False,
            **changes,
        }
    )
    return SubmitMassCancel(message=message, at_ns=NOW_NS, digest=digest_of(message))


def met(case: Given, command: SubmitMassCancel) -> tuple[list[int], list[int], Any]:
    """Return the orders canceled at once, those pending, and the answer."""
    *events, answer = case.when(command).events()
    assert isinstance(answer, MassCancelAnswered)
    ordinals: dict[type, list[int]] = {OrderCanceled: [], OrderPendingCancel: []}
    for event in events:
        cause = Cause.DESK if command.message.is_every_source else Cause.CLIENT
        assert (event.cause, event.command_digest) == (cause, NO_DIGEST)
        ordinals[type(event)].append(int(event.order_id.rpartition(".")[2]))
        assert event.client_order_id == f"c{ordinals[type(event)][-1]}"
    return ordinals[OrderCanceled], ordinals[OrderPendingCancel], answer


# scope, its id, who asks, canceled at once, pending
@pytest.mark.parametrize(
    ("scope", "scope_id", "changes", "canceled", "pending"),
    [
        (S.ALL, "", {}, [2, 6], [1, 3]),
        (S.ALL, "", {"is_every_source": True}, [2, 4, 6], [1, 3]),
        (S.ALL, "", {"tenant": "T2"}, [5], []),
        (S.ALL, "", {"source": "FIX"}, [4], []),
        (S.INSTRUMENT, "OTHER", {}, [6], []),
        (S.INSTRUMENT, "NONE", {}, [], []),
        (S.SIDE, "SELL", {}, [2], []),
        (S.SIDE, "BUY", {}, [6], [1, 3]),
        (S.ACCOUNT, "A2", {}, [2], []),
        (S.CLIENT, "C1", {}, [2, 6], [1, 3]),
        (S.DESK, "D2", {}, [], [3]),
        (S.STRATEGY, "VWAP", {}, [], [3]),
        (S.SOURCE, "OMS", {}, [2, 6], [1, 3]),
        (S.ORDER, "Oabcdef.0.4", {"is_every_source": True}, [4], []),
        (S.ORDER, "Oabcdef.0.4", {}, [], []),
        (S.SOURCE, "FIX", {"is_every_source": True, "source": "DESK"}, [4], []),
    ],
)
def test_a_scope_means_the_open_orders_of_who_asks(
    scope: S, scope_id: str, changes: dict[str, Any], canceled: list[int], pending: list[int]
) -> None:
    command = mass_cancel(scope, scope_id, **changes)
    assert met(HISTORY, command)[:2] == (canceled, pending)
    answer = met(HISTORY, command)[2]
    assert (answer.canceled_count, answer.pending_count) == (len(canceled), len(pending))
    assert (answer.is_accepted, answer.received_ns) == (True, NOW_NS)


def test_what_ends_already_is_counted_and_not_asked_again() -> None:
    waiting, member = cancel("x1", original="c2"), cancel("x3", original="c3")
    (gone,) = HISTORY.when(waiting).events()
    (leaving,) = HISTORY.when(member).events()
    history = given(INTAKE, *ORDERS, OPENED, gone, leaving, prepare=named)
    canceled, pending, answer = met(history, mass_cancel())
    assert (canceled, pending) == ([6], [1])
    assert (answer.pending_count, answer.too_late_count) == (2, 1)


def test_a_repeat_is_answered_and_cancels_nothing_more() -> None:
    events = HISTORY.when(mass_cancel()).events()
    history = given(INTAKE, *ORDERS, OPENED, *events, order(7), prepare=named)
    (again,) = history.when(mass_cancel()).events()
    assert isinstance(again, CommandRepeated)
    assert (again.command, again.is_accepted) == (CommandKind.MASS_CANCEL, True)
    (answer,) = history.when(mass_cancel(S.SIDE, "BUY")).events()
    assert answer.reason is R.DUPLICATE_ORDER


@pytest.mark.parametrize(
    ("scope", "scope_id", "changes", "reason", "field"),
    [
        (S.UNKNOWN, "", {}, R.UNKNOWN_SCOPE, "scope"),
        (S.ALL, "ACME", {}, R.UNKNOWN_SCOPE, "scope_id"),
        (S.ACCOUNT, "", {}, R.FIELD_EMPTY, "scope_id"),
        (S.SIDE, "UP", {}, R.UNKNOWN_SCOPE, "scope_id"),
        (S.SIDE, "UNKNOWN", {}, R.UNKNOWN_SCOPE, "scope_id"),
        (S.STRATEGY, "vwap", {}, R.UNKNOWN_SCOPE, "scope_id"),
        (S.SOURCE, "FIX", {}, R.NOT_ENTITLED, "scope_id"),
        (S.ALL, "", {"source": ""}, R.FIELD_EMPTY, "source"),
        (S.ALL, "", {"client_order_id": "x" * 65}, R.FIELD_TOO_LONG, "client_order_id"),
        (S.CLIENT, "C\u202e", {}, R.TEXT_NOT_PRINTABLE, "scope_id"),
    ],
)
def test_a_scope_that_means_nothing_is_refused_with_its_reason(
    scope: S, scope_id: str, changes: dict[str, Any], reason: R, field: str
) -> None:
    command = mass_cancel(scope, scope_id, **changes)
    (answer,) = HISTORY.when(command).events()
    assert isinstance(answer, MassCancelAnswered)
    assert (answer.is_accepted, answer.reason, answer.field) == (False, reason, field)
    assert answer.text
    HISTORY.when(command).then(answer)
