"""The story of an id: what names it, what led to it, causes before effects."""

from schemas.messages.core import Envelope
from services.cli.explain import story_of
from services.cli.log import LogEntry
from streams.core.topics import ORDERS_COMMANDS, ORDERS_EVENTS
from tests.support.builders import new_order, order_accepted

NOBODY = bytes(16)


def entry(topic: str, number: int, cause: int, message: object, *, seq: int) -> LogEntry:
    envelope = Envelope(
        event_id=number.to_bytes(16, "big"),
        shard=0,
        seq=seq,
        index=0,
        topic_seq=number,
        at_ns=1_000,
        source_ns=0,
        actor="test",
        causation_id=cause.to_bytes(16, "big") if cause else NOBODY,
        correlation_id="",
    )
    return LogEntry(topic, 0, number, 0, envelope, message)


COMMAND = entry(ORDERS_COMMANDS, 1, 0, new_order("c1"), seq=9)
ACCEPTED = entry(ORDERS_EVENTS, 2, 1, order_accepted("Oabcdef.0.1"), seq=4)
OTHER = entry(ORDERS_EVENTS, 3, 0, order_accepted("Oabcdef.0.2", client_order_id="c2"), seq=5)


def test_a_story_holds_what_led_to_it_first_and_nothing_else() -> None:
    assert story_of("Oabcdef.0.1", [ACCEPTED, OTHER, COMMAND]) == [COMMAND, ACCEPTED]


def test_an_event_id_is_an_id_too() -> None:
    assert story_of((2).to_bytes(16, "big").hex(), [ACCEPTED, OTHER, COMMAND]) == [
        COMMAND,
        ACCEPTED,
    ]


def test_an_unknown_id_has_no_story() -> None:
    assert story_of("Oabcdef.0.9", [ACCEPTED, OTHER, COMMAND]) == []
