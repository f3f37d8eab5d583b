"""What befalls whole venues on a day, as a scenario says: one disappears, or answers late.

A venue that is gone lives on, but nothing passes between it and us: what we send is lost, its books
and trades are not heard, and what it has to say of our orders comes when it is back, all at once.
A slow venue works in time and answers late.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from schemas.messages.market import BookUpdated, TradePrinted
from schemas.messages.routing import ChildCancelRequested, ChildPlaced, ChildStatusRequested
from schemas.messages.venues import ConnectionChanged, ExecutionReport, OrderCancelReject
from services.venues.outbox import Said
from services.venues.state import Late, SimulatorState
from streams.core.topics import VENUES_REPORTS

__all__ = ["Trouble", "TroubleKind", "delivered", "heard_of", "links", "parse_troubles"]

NOTICED_S = 15  # after which the gateway says that a venue is gone


class TroubleKind(StrEnum):
    GONE = "GONE"
    SLOW = "SLOW"


class Trouble(NamedTuple):
    """One trouble, in seconds since the first step. `delay_s` is what a slow answer takes."""

    venue_id: str
    kind: TroubleKind
    from_s: int
    until_s: int
    delay_s: int = 0

    def is_on(self, since_ns: int) -> bool:
        return self.from_s * SECOND_NS < since_ns <= self.until_s * SECOND_NS


SECOND_NS = 1_000_000_000
ToVenue = ChildPlaced | ChildCancelRequested | ChildStatusRequested


def parse_troubles(text: str) -> tuple[Trouble, ...]:
    """Return the troubles in words as `NORD:GONE:300-420,OST:SLOW:60-600:3`, seconds each.

    Raises: ValueError naming the word.
    """
    found = []
    for word in text.split(",") if text else ():
        try:
            venue_id, kind, span, *delay = word.split(":")
            from_s, until_s = (int(part) for part in span.split("-"))
            trouble = Trouble(venue_id, TroubleKind(kind), from_s, until_s, *map(int, delay))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{word} is not VENUE:GONE:FROM-UNTIL or VENUE:SLOW:..:DELAY"
            ) from error
        if not venue_id or not 0 <= from_s < until_s or len(delay) > 1:
            raise ValueError(f"{word} is not a venue and a span of seconds")
        if (trouble.kind is TroubleKind.SLOW) != (trouble.delay_s > 0):
            raise ValueError(f"{word}: a slow venue has a delay, and only that")
        found.append(trouble)
    return tuple(found)


def heard_of(message: ToVenue, troubles: Iterable[Trouble], since_ns: int) -> bool:
    """Return whether a message of ours reaches its venue."""
    return not any(
        each.kind is TroubleKind.GONE and each.venue_id == message.venue_id and each.is_on(since_ns)
        for each in troubles
    )


def delivered(
    said: Sequence[Said],
    state: SimulatorState,
    troubles: Sequence[Trouble],
    *,
    start_ns: int,
    end_ns: int,
    is_over: bool,
) -> list[Said]:
    """Return what is heard outside of what venues say in the step that ends at `end_ns`.

    The rest waits in the state; what waited and is due comes first. Nothing waits when the day
    `is_over`.
    """
    on = [each for each in troubles if each.is_on(end_ns - start_ns)] if not is_over else []
    gone = {each.venue_id for each in on if each.kind is TroubleKind.GONE}
    delays = {each.venue_id: each.delay_s for each in on if each.kind is TroubleKind.SLOW}
    due = [
        late for late in state.late if is_over or (late.due_ns <= end_ns and late.actor not in gone)
    ]
    state.late = [late for late in state.late if not any(late is each for each in due)]
    begin_ns = min((each.source_ns for each in said), default=end_ns)
    heard = [_said(late, max(min(late.due_ns, end_ns), begin_ns)) for late in due]
    for each in said:
        message = each.message
        if isinstance(message, ExecutionReport | OrderCancelReject):
            if each.actor in gone:
                state.late.append(_late(each, 0))
                continue
            if each.actor in delays:
                state.late.append(_late(each, each.source_ns + delays[each.actor] * SECOND_NS))
                continue
        elif isinstance(message, BookUpdated | TradePrinted) and message.venue_id in gone:
            continue
        heard.append(each)
    return sorted(heard, key=lambda each: each.source_ns)


def links(
    troubles: Iterable[Trouble], since_ns: int, step_ns: int, at_ns: int
) -> list[ConnectionChanged]:
    """Return what the gateway says of its links in the step that ends at `at_ns`."""
    found = []
    for each in troubles:
        if each.kind is not TroubleKind.GONE:
            continue
        lost_s = min(each.from_s + NOTICED_S, each.until_s)
        for seconds, is_connected in ((lost_s, False), (each.until_s, True)):
            instant_ns = seconds * SECOND_NS + step_ns  # the first step that is after it
            if since_ns - step_ns < instant_ns <= since_ns:
                text = "link is back" if is_connected else "link lost"
                found.append(
                    ConnectionChanged(
                        venue_id=each.venue_id,
                        is_connected=is_connected,
                        text=text,
                        transact_ns=at_ns,
                    )
                )
    return found


def _late(said: Said, due_ns: int) -> Late:
    message = said.message
    return Late(
        due_ns=due_ns,
        instrument_id=said.instrument_id,
        report=message if isinstance(message, ExecutionReport) else None,
        reject=message if isinstance(message, OrderCancelReject) else None,
        causation_id=said.causation_id,
        correlation_id=said.correlation_id,
        actor=said.actor,
    )


def _said(late: Late, at_ns: int) -> Said:
    message = late.report or late.reject
    assert message is not None
    return Said(
        at_ns,
        VENUES_REPORTS,
        late.instrument_id,
        message,
        late.causation_id,
        late.correlation_id,
        late.actor,
    )
