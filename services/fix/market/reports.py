"""What a venue says, as its session writes it: 8, 9 and j by version."""

from typing import Final

from schemas.messages.core import ExecType, OrderStatus
from schemas.messages.venues import ExecutionReport, OrderCancelReject
from services.fix import values
from services.fix.codes import Version, reason_codes
from services.fix.codes.enums import is_known
from services.fix.fields import Fields
from services.fix.market.state import Order
from services.fix.market.terms import MarketSession

__all__ = [
    "cancel_reject",
    "execution_report",
    "order_refused",
    "request_refused",
    "unknown_status",
    "unsupported",
]

# FIX 150 from 4.4 on; before, an execution is told by FIX 20 and 150 is the status.
EXEC_TYPES: Final = {
    ExecType.NEW: "0",
    ExecType.CANCELED: "4",
    ExecType.REPLACED: "5",
    ExecType.REJECTED: "8",
    ExecType.EXPIRED: "C",
    ExecType.RESTATED: "D",
    ExecType.TRADE: "F",
    ExecType.TRADE_CORRECT: "G",
    ExecType.TRADE_CANCEL: "H",
    ExecType.ORDER_STATUS: "I",
}
TRANSACTIONS: Final = {  # FIX 20 of 4.2
    ExecType.TRADE_CANCEL: "1",
    ExecType.TRADE_CORRECT: "2",
    ExecType.ORDER_STATUS: "3",
}
EXECUTED: Final = (ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL)
NO_ORDER: Final = "NONE"  # FIX 37 where there is no order
REJECTED: Final = values.ORDER_STATUS_TEXTS[OrderStatus.REJECTED]
# FIX 103 and 102 by how the venue's words begin; "other" where none fits.
ORDER_WORDS: Final = (("not traded here", 1), ("market is", 2), ("quantity", 13), ("price", 18))
CANCEL_WORDS: Final = (("too late", 0), ("unknown order", 1), ("price", 18))
EXCHANGE_OPTION, CANCEL_OTHER = 0, 2  # known to all versions
UNSUPPORTED: Final = "3"  # FIX 380
MS_NS: Final = 1_000_000


def execution_report(
    session: MarketSession, order: Order, report: ExecutionReport, scale: int
) -> Fields:
    """Return an 8 of an order as it stands after the report."""
    terms, version = session.terms, session.version
    is_executed = report.exec_type in EXECUTED
    fields = Fields().add(37, report.venue_order_id).add(11, _client_order_id(order, report))
    fields.add(41, _original_id(order, report)).add(17, report.exec_id)
    if version is Version.FIX42:
        fields.add(20, TRANSACTIONS.get(report.exec_type, "0"))
    if report.exec_ref_id:
        fields.add(19, report.exec_ref_id)
    status = values.ORDER_STATUS_TEXTS[report.order_status]
    fields.add(150, _exec_type(version, report.exec_type, status)).add(39, status)
    if report.exec_type is ExecType.REJECTED:
        fields.add(103, _code(version, 103, ORDER_WORDS, report.text, EXCHANGE_OPTION))
    if report.exec_type is ExecType.ORDER_STATUS and version is not Version.FIX42:
        fields.add(790, order.questions[0] or None if order.questions else None)
    fields.add(1, order.account or None).add(55, order.symbol).add(54, order.side)
    quantity, price_e9 = _terms_in_force(order, report)
    fields.add(38, values.quantity_text(quantity, scale)).add(40, order.order_type)
    fields.add(44, None if price_e9 is None else values.price_text(price_e9))
    fields.add(59, order.time_in_force or None)
    if is_executed:
        fields.add(32, values.quantity_text(report.last_quantity, scale))
        fields.add(31, values.price_text(report.last_price_e9 or 0)).add(30, report.venue_id)
        fields.add(851, values.LIQUIDITY_TEXTS.get(report.liquidity))
    fields.add(151, values.quantity_text(report.leaves_quantity, scale))
    fields.add(14, values.quantity_text(report.cumulative_quantity, scale))
    fields.add(6, values.price_text(order.average_e9(report)))
    fields.add(60, _time(session, report.transact_ns))
    if is_executed and terms.fee_tag == 12:  # Commission
        fields.add(12, values.price_text(report.fee_e9)).add(13, "3")  # absolute
    if report.text:
        fields.add(58, values.printable(report.text))
    if is_executed and terms.fee_tag == 137:  # MiscFeeAmt
        fields.add(136, 1).add(137, values.price_text(report.fee_e9)).add(139, "4")  # exchange fees
    return fields


def cancel_reject(session: MarketSession, order: Order, reject: OrderCancelReject) -> Fields:
    """Return a 9."""
    asked = order.asked[reject.request - 1]
    code = _code(session.version, 102, CANCEL_WORDS, reject.text, CANCEL_OTHER)
    status = values.ORDER_STATUS_TEXTS[order.status]
    fields = Fields().add(37, reject.venue_order_id).add(11, asked.client_order_id)
    fields.add(41, order.client_order_id).add(39, status)
    fields.add(434, "2" if asked.is_replace else "1").add(102, code)
    fields.add(60, _time(session, reject.transact_ns))
    return fields.add(58, values.printable(reject.text))


def order_refused(
    session: MarketSession, fields: Fields, error: values.FixValueError, exec_id: str
) -> Fields:
    """Return an 8 for a D that does not become an order."""
    answer = Fields().add(37, NO_ORDER).add(11, fields.get(11)).add(17, exec_id)
    if session.version is Version.FIX42:
        answer.add(20, "0")
    answer.add(150, EXEC_TYPES[ExecType.REJECTED]).add(39, REJECTED)
    answer.add(103, reason_codes(error.reason, session.version).order)
    answer.add(55, fields.get(55) or None).add(54, fields.get(54) or None)
    answer.add(38, fields.get(38) or None).add(151, "0").add(14, "0").add(6, "0")
    return answer.add(58, values.printable(str(error)))


def request_refused(
    session: MarketSession,
    fields: Fields,
    error: values.FixValueError,
    order: Order | None,
    *,
    is_replace: bool,
) -> Fields:
    """Return a 9 for an F or G that does not reach the book."""
    status = REJECTED if order is None else values.ORDER_STATUS_TEXTS[order.status]
    answer = Fields().add(37, NO_ORDER if order is None else fields.get(37) or NO_ORDER)
    answer.add(11, fields.get(11)).add(41, fields.get(41) or fields.get(11)).add(39, status)
    answer.add(434, "2" if is_replace else "1")
    answer.add(102, reason_codes(error.reason, session.version).cancel)
    return answer.add(58, values.printable(str(error)))


def unknown_status(session: MarketSession, fields: Fields, exec_id: str) -> Fields:
    """Return the 8 for an H of an order that nobody knows."""
    answer = Fields().add(37, NO_ORDER).add(11, fields.get(11)).add(17, exec_id)
    if session.version is Version.FIX42:
        answer.add(20, TRANSACTIONS[ExecType.ORDER_STATUS])
    exec_type = _exec_type(session.version, ExecType.ORDER_STATUS, REJECTED)
    answer.add(150, exec_type).add(39, REJECTED).add(103, "5")
    if session.version is not Version.FIX42:
        answer.add(790, fields.get(790) or None)
    answer.add(55, fields.get(55) or None).add(54, fields.get(54) or None)
    return answer.add(151, "0").add(14, "0").add(6, "0").add(58, "unknown order")


def unsupported(sequence: int, message_type: str) -> Fields:
    """Return a j."""
    answer = Fields().add(45, sequence).add(372, message_type).add(380, UNSUPPORTED)
    return answer.add(58, f"35={message_type} is not taken here")


def _time(session: MarketSession, at_ns: int) -> str:
    """Return FIX 60: three digits where they say it exactly. Rounds: down to the session's."""
    return values.utc_text(at_ns, 3 if at_ns % MS_NS == 0 else session.terms.time_digits)


def _exec_type(version: Version, exec_type: ExecType, status: str) -> str:
    is_by_status = exec_type in (*EXECUTED, ExecType.ORDER_STATUS)
    return status if version is Version.FIX42 and is_by_status else EXEC_TYPES[exec_type]


def _terms_in_force(order: Order, report: ExecutionReport) -> tuple[int, int | None]:
    if report.exec_type is ExecType.REPLACED:
        return report.order_quantity, report.price_e9
    return order.quantity, order.price_e9


def _client_order_id(order: Order, report: ExecutionReport) -> str:
    """Return FIX 11: of the request that it answers, else by which the order is known."""
    match report.exec_type:
        case ExecType.CANCELED if asked := order.pending(is_replace=False):
            return asked.client_order_id
        case ExecType.REPLACED:
            return order.asked[report.request - 1].client_order_id
    return order.client_order_id


def _original_id(order: Order, report: ExecutionReport) -> str | None:
    own = _client_order_id(order, report)
    return None if own == order.client_order_id else order.client_order_id


def _code(
    version: Version, tag: int, words: tuple[tuple[str, int], ...], text: str, other: int
) -> int:
    code = next((code for begin, code in words if text.startswith(begin)), other)
    return code if is_known(version, tag, str(code)) else other
