"""Reports without an answer: asked again after a time, a few times, then put before people."""

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.messages.clearing import ClearingAnswered
from schemas.messages.core import ClearingStatus
from schemas.messages.fix import FixSending, FixUnanswered
from services.fix.clearers.state import ClearersState, Open
from services.fix.clearers.terms import ClearerTerms
from services.fix.fields import Fields
from services.fix.gateway.application import Outgoing, Published
from streams.core.timers import Timer, Timers
from streams.core.topics import CLEARING_STATUSES, FIX_DECISIONS

__all__ = ["Asking"]

SECOND_NS = 1_000_000_000
TIMER = "fix:answer:"


class Asking:
    """The timers of `state.ours.open`. Whatever changes `open` goes through here."""

    def __init__(self, number: int, terms: Mapping[str, ClearerTerms]) -> None:
        self._number = number
        self._terms = terms
        self.timers = Timers()

    def load(self, state: ClearersState) -> None:
        """Take the timers from a state that was loaded."""
        due = {
            f"{TIMER}{name}": each.due_ns for name, each in state.ours.open.items() if each.due_ns
        }
        self.timers = Timers(due)

    def report_id(self, timer_id: str) -> str:
        return timer_id.removeprefix(TIMER)

    def clear(self, fired: Timer) -> None:
        """Forget a timer that a recorded batch had fired."""
        self.timers.clear_if(fired)

    def put_off(self, state: ClearersState, report_id: str, at_ns: int) -> None:
        """Wait once more: what is asked, or cannot be asked now, is due later."""
        found = state.ours.open.get(report_id)
        if found is not None:
            self._set_due(report_id, found, self._wait_ns(found), at_ns)

    def due(self, state: ClearersState, report_id: str, at_ns: int) -> Iterator[Any]:
        """Yield the question, or that no answer came. Nothing while the session is away."""
        found = state.ours.open.get(report_id)
        if found is None or found.session_id not in self._terms:
            return
        if not state.sessions.of(found.session_id).is_logged_on:
            return
        terms = self._terms_of(found)
        if found.asks < terms.asks_max and not found.is_received:
            fields = Fields.parse(found.body)
            yield Outgoing(found.session_id, found.message_type, fields, report_id, True)
            return
        waited_s = (at_ns - found.asked_ns) // SECOND_NS
        said = (
            "received it and gave"
            if found.is_received
            else f"was asked {found.asks} times and gave"
        )
        silence = FixUnanswered(
            session_id=found.session_id,
            report_id=report_id,
            message_type=found.message_type,
            asks=found.asks,
            asked_ns=found.asked_ns,
        )
        key = found.session_id
        yield Published(FIX_DECISIONS, silence, key, self._number, report_id)
        # Clearing keeps it as ClearingSuspended, where the desk looks for what does not fit.
        unanswered = ClearingAnswered(
            report_id=report_id,
            clearer_id=terms.clearer_id,
            status=ClearingStatus.UNKNOWN,
            reason=f"{found.session_id} {said} no last word for {waited_s} s",
            reference="",
            answered_ns=at_ns,
        )
        yield Published(CLEARING_STATUSES, unanswered, "", 0, report_id, f"fix:{key}")

    def sent(self, state: ClearersState, message: FixSending, at_ns: int) -> None:
        """Take that a report is to go out, for the first time or again."""
        report_id = message.subject
        if state.has_last_word(report_id):
            return  # it was answered in the batch that asks
        before = state.ours.open.get(report_id)
        asks = 1 if before is None else before.asks + 1
        found = Open(message.session_id, message.message_type, message.body, asks, at_ns, 0)
        state.ours.open[report_id] = found
        self._set_due(report_id, found, self._wait_ns(found), at_ns)

    def received(self, state: ClearersState, report_id: str, at_ns: int) -> None:
        """Take that the counterparty has it: it is not asked again, and must decide some time."""
        found = state.ours.open.get(report_id)
        if found is not None and not found.is_received:
            found.is_received = True
            self._set_due(report_id, found, self._wait_ns(found), at_ns)

    def close(self, state: ClearersState, report_id: str) -> None:
        """Forget a report that has its last word, or that people look at."""
        state.ours.open.pop(report_id, None)
        self.timers.cancel(f"{TIMER}{report_id}")

    def _wait_ns(self, found: Open) -> int:
        terms = self._terms_of(found)
        return (terms.final_s if found.is_received else terms.answer_s) * SECOND_NS

    def _terms_of(self, found: Open) -> ClearerTerms:
        """Return the session's terms; the usual ones for one that the file names no more."""
        return self._terms.get(found.session_id) or ClearerTerms.model_validate({})

    def _set_due(self, report_id: str, found: Open, wait_ns: int, at_ns: int) -> None:
        if wait_ns:
            found.due_ns = at_ns + wait_ns
            self.timers.set(f"{TIMER}{report_id}", found.due_ns)
