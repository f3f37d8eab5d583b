"""What an instruction says, and whether it can be done. Pure."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final, NamedTuple

from schemas.messages.core import AccountShare, ClearingTransaction, RejectReason
from schemas.messages.fix import FixAllocationInstructed
from services.fix.clearers.instructions.book import Instructions, Orders, ReportedOrder
from services.fix.clearers.terms import ClearerSession
from services.fix.fields import Fields
from services.fix.values import E9, FixValueError, date, price_e9, quantity, side

__all__ = ["Known", "Refused", "check_instruction", "digest"]

TRANSACTIONS: Final = {
    "0": ClearingTransaction.NEW,
    "1": ClearingTransaction.REPLACE,
    "2": ClearingTransaction.CANCEL,
}
BLOCK, ACCOUNT = 1, 2  # FIX 87: which level is wrong
# FIX 88, the first that the version knows.
UNKNOWN_ACCOUNT, QUANTITY, AVERAGE_PRICE, UNKNOWN_ORDER = (0,), (1,), (2,), (5,)
ALLOCATED_QUANTITY, MISMATCHED, OTHER = (8, 1), (11, 7), (7,)


# What changes when the same is said again: FIX header, TransactTime, trailer.
ENVELOPE: Final = (8, 9, 10, 34, 43, 49, 50, 52, 56, 57, 60, 97, 122, 1128)


class Refused(NamedTuple):
    """Why an instruction cannot be done."""

    level: int  # FIX 87
    codes: tuple[int, ...]  # FIX 88
    reason: RejectReason
    field: str
    value: str
    bound: str
    account_id: str = ""  # at account level


class RefusedError(Exception):
    """Carries the first rule that is broken out of the checks."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.bound)
        self.refused = refused


class Known(NamedTuple):
    """What the checks look at."""

    session: ClearerSession
    orders: Orders
    instructions: Instructions
    accounts: Mapping[str, str]  # client by account that may trade
    symbols: Mapping[str, str]  # by instrument


def check_instruction(known: Known, fields: Fields) -> FixAllocationInstructed | Refused:
    """Return the instruction, or the first rule that it breaks.

    Order: what it names, what it says of the block, then each account.
    """
    try:
        return _checked(known, fields)
    except RefusedError as error:
        return error.refused
    except FixValueError as error:
        return Refused(BLOCK, OTHER, error.reason, error.field, error.value, error.bound)


def digest(fields: Fields) -> str:
    """Return what an instruction says as a hash: everything but the header and the times."""
    said = Fields(pair for pair in fields.pairs if pair[0] not in ENVELOPE)
    return blake2b(repr(said).encode(), digest_size=16).hexdigest()


def _checked(known: Known, fields: Fields) -> FixAllocationInstructed:
    transaction = TRANSACTIONS.get(fields.get(71))
    if transaction is None:
        raise _block(OTHER, RejectReason.VALUE_OUT_OF_RANGE, "71", fields.get(71), "0, 1 or 2")
    previous = _previous(known, fields, transaction)
    if transaction is ClearingTransaction.CANCEL:
        assert previous is not None
        return FixAllocationInstructed(
            session_id=known.session.session_id,
            instruction_id=fields.get(70),
            previous_id=previous.instruction_id,
            transaction=transaction,
            order_ids=previous.order_ids,
            instrument_id=previous.instrument_id,
            side=previous.side,
            quantity=previous.quantity,
            trade_date=previous.trade_date,
            digest=digest(fields),
            shares=(),
        )
    orders = _orders(known, fields)
    total = _block_of(known, fields, orders)
    return FixAllocationInstructed(
        session_id=known.session.session_id,
        instruction_id=fields.get(70),
        previous_id="" if previous is None else previous.instruction_id,
        transaction=transaction,
        order_ids=tuple(order.order_id for order in orders),
        instrument_id=orders[0].instrument_id,
        side=orders[0].side,
        quantity=total,
        trade_date=orders[0].trade_date,
        digest=digest(fields),
        shares=_shares(known, fields, orders[0], total),
    )


def _previous(
    known: Known, fields: Fields, transaction: ClearingTransaction
) -> FixAllocationInstructed | None:
    """Return what a replace or a cancel is about."""
    if transaction is ClearingTransaction.NEW:
        return None
    name = fields.get(72)
    found = known.instructions.find(known.session.session_id, name)
    if found is None or not known.instructions.stands(found):
        bound = "an instruction of this session that stands"
        raise _block(OTHER, RejectReason.UNKNOWN_REPORT, "72", name, bound)
    return found


def _orders(known: Known, fields: Fields) -> list[ReportedOrder]:
    """Return the orders that are named, each once, filled and of this session's clients."""
    found: list[ReportedOrder] = []
    groups = _groups(fields, 73)
    if not groups:
        raise _block(UNKNOWN_ORDER, RejectReason.UNKNOWN_ORDER, "73", "0", "the orders, each once")
    for group in groups:
        client_order_id, order_id = group.get(11), group.get(37)
        fitting = [
            order
            for order in known.orders.named(client_order_id, order_id)
            if known.session.is_client(order.client_id, order.account_id) and order.records
        ]
        dated = [order for order in fitting if str(order.trade_date) == fields.get(75)]
        order = next(iter(dated or fitting), None)
        if order is None or order in found:
            value = order_id or client_order_id
            bound = "a filled order of this session's client, once"
            raise _block(UNKNOWN_ORDER, RejectReason.UNKNOWN_ORDER, "73", value, bound)
        found.append(order)
    return found


def _block_of(known: Known, fields: Fields, orders: list[ReportedOrder]) -> int:
    """Return the block's quantity; it must be what the orders were given, to the unit."""
    first = orders[0]
    for order in orders:
        if (order.instrument_id, order.side, order.client_id) != (
            first.instrument_id,
            first.side,
            first.client_id,
        ):
            bound = "orders of one client, instrument and side"
            raise _block(MISMATCHED, RejectReason.REPORT_CONTRADICTS, "73", order.order_id, bound)
    names = (first.instrument_id, known.symbols.get(first.instrument_id, ""))
    if fields.get(55) not in names:
        reason = RejectReason.UNKNOWN_INSTRUMENT
        raise _block(MISMATCHED, reason, "55", fields.get(55), names[1] or names[0])
    if side(fields.get(54))[0] is not first.side:
        reason = RejectReason.UNSUPPORTED_SIDE
        raise _block(MISMATCHED, reason, "54", fields.get(54), f"the side of {first.order_id}")
    if date(fields.get(75), "75") != first.trade_date:
        reason = RejectReason.TRADE_DATE_MISMATCH
        raise _block(MISMATCHED, reason, "75", fields.get(75), str(first.trade_date))
    reports = [report for order in orders for report in order.reports()]
    total = sum(report.quantity for report in reports)
    said = quantity(fields.get(53), first.quantity_scale, "53")
    if said != total:
        reason = (
            RejectReason.QUANTITY_BELOW_FILLED if said < total else RejectReason.QUANTITY_TOO_LARGE
        )
        bound = f"{total} units, as they were given"
        raise _block(QUANTITY, reason, "53", fields.get(53), bound)
    cash_e9 = sum(report.cash_e9 for report in reports)
    if not _is_average(fields.get(6), cash_e9, total, first.quantity_scale):
        shown = cash_e9 * first.quantity_scale // total
        bound = f"{shown // E9}.{shown % E9:09d} in the digits given"
        reason = RejectReason.VALUE_OUT_OF_RANGE
        raise _block(AVERAGE_PRICE, reason, "6", fields.get(6), bound)
    return total


def _shares(
    known: Known, fields: Fields, order: ReportedOrder, total: int
) -> tuple[AccountShare, ...]:
    """Return who gets what: accounts of the same client, each once; sums to the block."""
    shares: dict[str, int] = {}
    for group in _groups(fields, 78):
        account_id = group.get(79)
        if known.accounts.get(account_id) != order.client_id or account_id in shares:
            bound = f"an account of {order.client_id}, once"
            reason = RejectReason.UNKNOWN_ACCOUNT
            raise _account(UNKNOWN_ACCOUNT, reason, "79", account_id, bound)
        units = quantity(group.get(80), order.quantity_scale, "80")
        if units <= 0:
            reason = RejectReason.QUANTITY_NOT_POSITIVE
            raise _account(ALLOCATED_QUANTITY, reason, "80", account_id, f"{group.get(80)} above 0")
        shares[account_id] = units
    if sum(shares.values()) != total:
        value, bound = str(sum(shares.values())), f"{total} units"
        raise _block(ALLOCATED_QUANTITY, RejectReason.REPORT_CONTRADICTS, "80", value, bound)
    return tuple(AccountShare(account_id=name, quantity=units) for name, units in shares.items())


def _groups(fields: Fields, tag: int) -> list[Fields]:
    try:
        return fields.groups(tag)
    except ValueError as error:
        value = fields.get(tag)
        raise _block(OTHER, RejectReason.VALUE_OUT_OF_RANGE, str(tag), value, str(error)) from error


def _is_average(text: str, cash_e9: int, total: int, scale: int) -> bool:
    """Return whether a price is cash by quantity in as many digits as it has, rounded or cut."""
    said_e9: int = price_e9(text, "6")
    digits = min(len(text.partition(".")[2]), 9)
    unit: int = 10 ** (9 - digits)
    exact, rest = divmod(cash_e9 * scale, total * unit)
    return said_e9 == exact * unit or (rest > 0 and said_e9 == (exact + 1) * unit)


def _block(
    codes: tuple[int, ...], reason: RejectReason, field: str, value: str, bound: str
) -> RefusedError:
    return RefusedError(Refused(BLOCK, codes, reason, field, value, bound))


def _account(
    codes: tuple[int, ...], reason: RejectReason, field: str, account_id: str, bound: str
) -> RefusedError:
    return RefusedError(Refused(ACCOUNT, codes, reason, field, account_id, bound, account_id))
