"""The gateway of drop copies: what clients are told, told again to those who watch."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import msgspec

from schemas.messages.control import AccountDefined
from schemas.messages.core import Envelope, RejectReason
from schemas.messages.fix import FixReceived, FixSent, FixSessionChanged
from services.fix.clients.gateway import ClientsGateway
from services.fix.clients.layouts import kept
from services.fix.clients.refusals import Desk, refuse_status
from services.fix.clients.state import ClientsState, Order
from services.fix.dropcopy.replay import replayed
from services.fix.dropcopy.terms import Subscriber
from services.fix.fields import Fields
from services.fix.gateway.application import Gateway, GatewayState, Heard, Outgoing
from services.fix.gateway.sessions import Sessions
from services.fix.refusals import refused
from services.fix.values import FixValueError
from streams.core.topics import CONTROL_COMMANDS, FIX_RECEIVED
from streams.runtime.ports import Inbound

__all__ = ["DropCopies"]

EXECUTION_REPORT, CANCEL_REJECT, MASS_STATUS = "8", "9", "AF"
REQUESTS = ("D", "F", "G", "E", "q", "CA")
# What is of the session that a message came by: FIX header and trailer.
HEADER = (8, 9, 34, 35, 43, 49, 50, 52, 56, 57, 90, 91, 97, 115, 116, 122, 128, 129, 142, 143)
ENVELOPE = frozenset((*HEADER, 10, 89, 93, 144, 145, 212, 213, 347, 369, 1128, 1129, 1156))
REJECTED = "8"  # FIX 39
ALL_ORDERS = "7"  # FIX 585


class DropCopyState(GatewayState):
    """The books of services/fix/clients, which every session here is told from."""

    books: ClientsState = msgspec.field(default_factory=ClientsState)
    owners: dict[str, str] = msgspec.field(default_factory=dict)  # client by account
    watched: Sessions = msgspec.field(default_factory=Sessions)  # of clients, how far they are read


class DropCopies(Gateway):
    """Sessions of kind "drop-copy". Each has a speaker: the clients' gateway with its own seats.

    The speakers share one set of books, which follows from the engine's events alone.
    """

    engine_topics: ClassVar[tuple[str, ...]] = ClientsGateway.engine_topics
    single_topics: ClassVar[tuple[str, ...]] = (CONTROL_COMMANDS,)
    State: ClassVar[type[GatewayState]] = DropCopyState
    state: DropCopyState

    def __init__(self, number: int, subscribers: Sequence[Subscriber]) -> None:
        super().__init__(number)
        sources = {s: each.terms.tenant for each in subscribers for s in each.terms.sources}
        self._subscribers = {each.session_id: each for each in subscribers}
        self._seats = {each.session_id: each.seats(sources) for each in subscribers}
        self._speakers = {
            name: ClientsGateway(number, seats) for name, seats in self._seats.items()
        }
        numbers = {n for each in subscribers for n in each.terms.requests_of.values()}
        self.watched = tuple(sorted(numbers - {number}))
        self._share_books()

    def on_event(self, envelope: Envelope, message: Any, at_ns: int) -> Iterator[Any]:
        """Yield a copy for each session of what the client is told, or says."""
        if isinstance(message, FixReceived):
            yield from self._requested(message)
            return
        for name, speaker in self._speakers.items():
            subscriber = self._subscribers[name]
            for said in speaker.on_event(envelope, message, at_ns):
                if isinstance(said, Outgoing) and self._is_copied(subscriber, said, message):
                    yield copied(subscriber, said)

    def fold_event(self, envelope: Envelope, message: Any) -> None:
        if isinstance(message, FixReceived | FixSent | FixSessionChanged):
            if isinstance(message, FixReceived) and self.state.watched.is_new(message):
                self.state.watched.fold_received(message)
            return
        if isinstance(message, AccountDefined):
            self.state.owners[message.account_id] = message.client_id
        next(iter(self._speakers.values())).fold_event(envelope, message)

    def on_heard(self, heard: Heard) -> Iterator[Any]:
        """Yield what was missed to who asks for it; nothing else may be said here."""
        subscriber = self._subscribers.get(heard.message.session_id)
        if subscriber is None:
            return  # of a session that the file does not name any more
        kind = heard.message.message_type
        is_asking = kind == MASS_STATUS and heard.fields.get(585) == ALL_ORDERS
        if not is_asking or not heard.fields.get(584):
            yield from refused(
                subscriber.version,
                heard,
                RejectReason.NOT_ENTITLED,
                field="MsgType",
                value=kind,
                bound="drop copies are read only; AF with 585=7 asks for them again",
            )
            return
        yield from self._replay(subscriber, heard)

    def load(self, data: bytes) -> None:
        super().load(data)
        self._share_books()

    def _keep(self, inbound: Inbound) -> None:
        record = inbound.record
        if record.topic == FIX_RECEIVED and record.partition != self.number:
            self._events.append(inbound)  # of clients: an event here, and none of our sessions
            return
        # A definition that cannot be read is the engine's dead letter and holds for nobody.
        if inbound.envelope is not None or inbound.record.topic != CONTROL_COMMANDS:
            super()._keep(inbound)

    def _requested(self, message: FixReceived) -> Iterator[Outgoing]:
        """Yield a copy of a client's request to who watches its session, once."""
        if message.message_type not in REQUESTS or not self.state.watched.is_new(message):
            return
        try:
            fields = Fields.parse(message.text)
        except ValueError:
            return  # the clients' gateway says so in its log
        body = Fields(pair for pair in fields.pairs if pair[0] not in ENVELOPE and pair[1])
        for each in self._subscribers.values():
            is_same = fields.get(8) == each.version.begin_string
            if is_same and message.session_id in each.terms.requests_of and body.pairs:
                subject = fields.get(11) or message.session_id
                yield Outgoing(each.session_id, message.message_type, body, subject)

    def _share_books(self) -> None:
        for speaker in self._speakers.values():
            speaker.state = self.state.books

    def _replay(self, subscriber: Subscriber, heard: Heard) -> Iterator[Any]:
        books, asked = self.state.books, heard.fields.get(584)
        seats = {subscriber.source_of(k): v for k, v in self._seats[subscriber.session_id].items()}
        orders = [each for each in books.orders.values() if self._is_in_terms(subscriber, each)]
        if not orders:
            yield from self._nothing(subscriber, heard)
            return
        total = sum(1 + len(each.executions) for each in orders)
        told = 0
        for order in orders:
            seat = seats[order.source]
            numbers = [(584, asked), (911, str(total))]
            for said in replayed(seat, books, order, numbers=numbers, at_ns=heard.at_ns):
                told += 1
                said.fields.add(912, told == total)
                yield copied(subscriber, said)._replace(is_possible_resend=True)

    def _nothing(self, subscriber: Subscriber, heard: Heard) -> Iterator[Any]:
        """Yield what a client without orders is told: 150=I with 911=0 and 912=Y."""
        seat = next(iter(self._seats[subscriber.session_id].values()))
        asked = heard.fields.get(584)
        bound = "an order in the session's terms"
        error = FixValueError(RejectReason.UNKNOWN_ORDER, "MassStatusReqID", asked, bound)
        desk = Desk(self.state.books, seat, self.partitions, heard, self.number)
        for said in refuse_status(desk, error, [(584, asked), (911, "0"), (912, "Y")]):
            yield copied(subscriber, said) if isinstance(said, Outgoing) else said

    def _is_copied(self, subscriber: Subscriber, said: Outgoing, message: Any) -> bool:
        """Return whether what a client is told is for this session."""
        terms, kind = subscriber.terms, said.message_type
        if kind not in (EXECUTION_REPORT, CANCEL_REJECT):
            return False
        if kind == CANCEL_REJECT and not terms.has_cancel_rejects:
            return False
        order = self.state.books.orders.get(said.fields.get(37))
        if order is not None:
            return self._is_in_terms(subscriber, order)
        if said.fields.get(39) == REJECTED and not terms.has_rejections:
            return False
        # Of what never became an order, or becomes one now: the event says whose it is.
        account_id = getattr(message, "account_id", "") or said.fields.get(1)
        trade_date = getattr(message, "trade_date", terms.replay_from)
        source = subscriber.source_of(said.session_id)
        return self._is_of(subscriber, source, account_id, trade_date)

    def _is_in_terms(self, subscriber: Subscriber, order: Order) -> bool:
        return self._is_of(subscriber, order.source, order.account_id, order.trade_date)

    def _is_of(self, subscriber: Subscriber, source: str, account_id: str, trade_date: int) -> bool:
        terms = subscriber.terms
        if source not in terms.sources or trade_date < terms.replay_from:
            return False
        if terms.accounts and account_id not in terms.accounts:
            return False
        return not terms.clients or self.state.owners.get(account_id, "") in terms.clients


def copied(subscriber: Subscriber, said: Outgoing) -> Outgoing:
    """Return the same for a subscriber, marked as a copy (797) where the message has the tag."""
    marked = Fields([(797, "Y"), *said.fields.pairs])
    fields = kept(subscriber.version, said.message_type, marked)
    return Outgoing(subscriber.session_id, said.message_type, fields, said.subject)
