"""When routing is asked whether children that follow the quote should move: after their books came.

Once for an instrument and batch, and only while such a child rests: nobody else pays for it.
"""

from collections.abc import Iterator

from schemas.messages.market import BookUpdated
from streams.routing.commands import RepriceChildren
from streams.runtime.ports import Inbound
from streams.shard.knowledge import Knowledge

__all__ = ["note_book", "reprices"]


def note_book(knows: Knowledge, moved: dict[str, bytes], inbound: Inbound) -> None:
    """Keep the instrument and its newest book, if a child follows its quote."""
    message, envelope = inbound.message, inbound.envelope
    if not isinstance(message, BookUpdated) or envelope is None:
        return
    if message.instrument_id in knows.state.routing.resting.following:
        moved[message.instrument_id] = envelope.event_id


def reprices(
    knows: Knowledge, moved: dict[str, bytes]
) -> Iterator[tuple[RepriceChildren, str, bytes]]:
    """Return the question for each instrument, with what led to it."""
    for instrument_id, event_id in moved.items():
        market = knows.books(instrument_id)
        if market is not None:
            command = RepriceChildren(instrument_id=instrument_id, at_ns=knows.at_ns, market=market)
            yield command, instrument_id, event_id
