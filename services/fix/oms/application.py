"""The gateway of the simulated clients: one initiator session for each order system."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from schemas.messages.control import InstrumentDefined
from schemas.messages.core import Envelope
from schemas.messages.fix import FixReceived, FixSending, FixSent
from schemas.messages.intake import (
    CancelOrder,
    MassCancelOrder,
    NewBasket,
    NewOrder,
    ReplaceOrder,
)
from services.fix.fields import Fields
from services.fix.gateway.application import Gateway, GatewayState, Outgoing
from services.fix.oms import orders
from services.fix.oms.book import Book
from services.fix.oms.terms import OmsSession
from services.fix.values import FixValueError
from streams.core.topics import CONTROL_COMMANDS, OMS_ORDERS

__all__ = ["OmsGateway", "OmsState"]

Command = NewOrder | CancelOrder | ReplaceOrder | MassCancelOrder | NewBasket
REFUSED = ("3", "j")  # they name the message by its number (FIX 45)


class OmsState(GatewayState):
    """The book, and which of our messages had which number."""

    book: Book = msgspec.field(default_factory=Book)
    subjects: dict[str, dict[int, str]] = msgspec.field(default_factory=dict)  # not marked sent
    sent: dict[str, dict[int, str]] = msgspec.field(default_factory=dict)  # session: FIX 34: 11


class OmsGateway(Gateway):
    """Sends what the simulator's clients say; keeps their book of what they hear."""

    keyed_topics: ClassVar[tuple[str, ...]] = (OMS_ORDERS,)
    single_topics: ClassVar[tuple[str, ...]] = (CONTROL_COMMANDS,)
    State = OmsState
    state: OmsState

    def __init__(self, number: int, sessions: Mapping[str, OmsSession]) -> None:
        super().__init__(number)
        self._by_source = {each.terms.source: each for each in sessions.values()}
        self._sources = {name: each.terms.source for name, each in sessions.items()}

    def on_event(self, envelope: Envelope, message: Any, at_ns: int) -> Iterator[Any]:
        if not isinstance(message, Command):
            return
        session = self._by_source.get(message.source)
        if session is not None:
            yield from self._commanded(session, message, envelope.source_ns or at_ns)

    def fold_event(self, envelope: Envelope, message: Any) -> None:
        if isinstance(message, InstrumentDefined):
            self.state.book.scales[message.instrument_id] = message.quantity_scale
        elif isinstance(message, Command):
            self.state.book.ask(message.source, message)

    def fold_heard(self, message: FixReceived, fields: Fields) -> None:
        source = self._sources.get(message.session_id, "")
        if message.message_type in REFUSED and 379 not in fields:
            sent = self.state.sent.get(message.session_id, {})
            number = fields.get(45)
            subject = sent.get(int(number), "") if number.isdecimal() else ""
            self.state.book.refuse(source, subject, fields.get(58))
        try:
            self.state.book.hear(source, message.message_type, fields)
        except FixValueError as error:
            # A message that does not add up ends no gateway.
            self.state.book.breaks.append(f"35={message.message_type} cannot be read: {error}")

    def fold_output(self, message: Any) -> None:
        if isinstance(message, FixSending):
            waiting = self.state.subjects.setdefault(message.session_id, {})
            waiting[message.ordinal] = message.subject

    def fold_sent(self, sent: FixSent) -> None:
        subject = self.state.subjects.get(sent.session_id, {}).pop(sent.ordinal, "")
        self.state.sent.setdefault(sent.session_id, {})[sent.sequence] = subject

    def _commanded(self, session: OmsSession, command: Command, at_ns: int) -> Iterator[Any]:
        book, source = self.state.book, command.source
        match command:
            case NewOrder():
                scale = book.scales.get(command.instrument_id, 1)
                is_again = book.known(source, command.client_order_id) is not None
                fields = orders.new_order(session, command, scale, at_ns)
                subject = command.client_order_id
                yield Outgoing(session.session_id, "D", fields, subject, is_again)
            case NewBasket():
                fields = orders.basket(session, command, book.scales, at_ns)
                yield Outgoing(session.session_id, "E", fields, command.basket_id)
            case CancelOrder() | ReplaceOrder():
                yield self._changed(session, command, at_ns)
            case MassCancelOrder():
                yield from self._canceled(session, command, at_ns)

    def _changed(
        self, session: OmsSession, command: CancelOrder | ReplaceOrder, at_ns: int
    ) -> Outgoing:
        book = self.state.book
        known = book.known(command.source, command.original_client_order_id)
        scale = book.scales.get(command.instrument_id, 1)
        if isinstance(command, ReplaceOrder):
            fields, kind = orders.replace(session, command, known, scale, at_ns), "G"
        else:
            fields, kind = orders.cancel(command, known, scale, at_ns), "F"
        return Outgoing(session.session_id, kind, fields, command.client_order_id)

    def _canceled(
        self, session: OmsSession, command: MassCancelOrder, at_ns: int
    ) -> Iterator[Outgoing]:
        """Yield a q; in 4.2, which has none, an F for each open order that is meant."""
        if orders.has_mass_cancel(session.version):
            fields = orders.mass_cancel(command, at_ns)
            yield Outgoing(session.session_id, "q", fields, command.client_order_id)
            return
        for number, known in enumerate(self.state.book.open_of(command.source), 1):
            if command.scope_id in ("", known.instrument_id):
                cancel = CancelOrder(
                    tenant=command.tenant,
                    source=command.source,
                    client_order_id=f"{command.client_order_id}-{number}",
                    original_client_order_id=known.client_order_id,
                    instrument_id=known.instrument_id,
                    trade_date=command.trade_date,
                )
                yield self._changed(session, cancel, at_ns)
