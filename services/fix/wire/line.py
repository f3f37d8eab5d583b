"""One session as the wire works it: its numbers, what waits to be sent, the thread that sends."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition, Thread, current_thread
from typing import Final, NamedTuple

from schemas.messages.fix import FixReceived, FixSending, FixSent, FixSessionChanged
from services.fix.acts import ACT
from services.fix.settings import SessionSettings
from services.fix.wire.bucket import Bucket
from services.fix.wire.epochs import Epoch
from services.fix.wire.intents import Intent, Intents
from services.fix.wire.recorder import Recorder
from services.metrics.tally import Tally
from streams.core.errors import CorruptHistoryError

__all__ = ["Line", "Waiting"]

WAITING_MAX: Final = 5_000  # beyond it the rest is read again from the log
MS_NS: Final = 1_000_000
IDLE_S: Final = 0.5
PAUSE_S: Final = 0.05  # after QuickFIX would not take a message
UNMARKED_MAX: Final = 100_000  # rows; a wire has at most so many records on their way
PASSED_MIN: Final = 10_000  # messages of others
log = logging.getLogger("penstock.fix.wire")


class Waiting(NamedTuple):
    """A message to send, and where it stands."""

    message: FixSending
    offset: int
    written_ms: int = 0  # wall clock

    @property
    def is_old(self) -> bool:
        """Return whether it could not leave for longer than it may."""
        age_max_ms = self.message.age_max_ms
        return age_max_ms > 0 and time.time_ns() // MS_NS - self.written_ms > age_max_ms


class Line:
    """A session. Live: messages are given to `offer` as they are read. Held, because nobody is
    logged on or too much waits: only the offset of the first one is kept, and when the session is
    logged on its thread reads them from there, until it has caught up.

    `carry`: gives a message to QuickFIX, whether it took it. `reread`: the messages of a session
    from an offset on, with how far the reader is and the time of the record; None in place of a
    message at its end.
    `asked_for`: types that are not sent while it is in doubt whether they went out before; their
    gateway, told by the mark, asks the counterparty instead.
    """

    def __init__(
        self,
        settings: SessionSettings,
        intents: Intents,
        recorder: Recorder,
        *,
        carry: Callable[["Line", FixSending], bool],
        reread: Callable[[str, int], Iterator[tuple[FixSending | None, int, int]]],
        asked_for: frozenset[str] = frozenset(),
    ) -> None:
        self.settings = settings
        self.name = settings.session_id
        self.epoch = Epoch(0, "")
        self.is_logged_on = False
        self.peer = ""  # address that the counterparty connects from
        self.reason = ""  # why the session ended, if anybody said
        self.incoming = b""  # the message that QuickFIX reads now, as it came
        self.bucket = Bucket(settings.messages_per_s, time.monotonic())
        self.done = intents.newest()
        self.is_new = intents.is_new  # nothing on the disk says what went out
        self.tally = Tally()  # since the start, by FIX 35
        self._intents = intents
        self._recorder = recorder
        self._carry = carry
        self._reread = reread
        self._asked_for = asked_for
        self._outgoing: Waiting | None = None
        self._sequence = 0  # that QuickFIX gave to the message under way
        self._lock = Condition()
        self._waiting: deque[Waiting] = deque()
        self._held_from: int | None = self.done.offset + 1
        self._read_to = 0  # by whoever calls `offer`
        self._doubtful_before = 0
        self._is_stopped = False
        self._thread = Thread(target=self._work, name=f"send {self.name}", daemon=True)

    def resolve(self, *, is_persisted: bool) -> None:
        """Say of the message that was under way when the last wire ended what became of it."""
        intent = self.done._replace(is_done=True)
        if is_persisted:
            self._intents.write(intent)
            self.done = intent
        else:
            before = intent._replace(ordinal=intent.ordinal - 1, sequence=0)
            self.done = before._replace(offset=intent.offset - 1)
        self._held_from = self.done.offset + 1

    def doubt(self, sent_ordinal: int, end: int) -> None:
        """Go on after what the log says was sent, as the intents are lost.

        What stands in fix.sending before `end` may have gone out as well, and says so (FIX 97).
        """
        self.done = Intent(
            is_done=True, epoch=self.done.epoch, ordinal=sent_ordinal, sequence=0, offset=-1
        )
        self._held_from = 0
        self._doubtful_before = end

    @property
    def is_in_doubt(self) -> bool:
        """Return whether the message under way may have gone out before."""
        return self._outgoing is not None and self._outgoing.offset < self._doubtful_before

    @property
    def is_ours(self) -> bool:
        """Return whether what this thread sends is from the log: QuickFIX answers some with j."""
        return current_thread() is self._thread

    def unmarked(self, sent_ordinal: int) -> list[Intent]:
        """Return what went out after that ordinal, as far as the intents know."""
        rows = {
            row.ordinal: row
            for row in self._intents.last(UNMARKED_MAX)
            if sent_ordinal < row.ordinal <= self.done.ordinal and row.sequence
        }
        return [rows[ordinal] for ordinal in sorted(rows)]

    def start(self, read_to: int) -> None:
        """Begin to send. `read_to`: what stands before it in fix.sending is not offered."""
        self._read_to = read_to
        self._thread.start()

    def stop(self) -> None:
        """Send nothing more; return when the message under way is done."""
        with self._lock:
            self._is_stopped = True
            self._lock.notify()
        self._thread.join()

    def give_up(self) -> None:
        """Send nothing more; called by the thread that sends."""
        self._is_stopped = True

    def offer(self, message: FixSending, offset: int, written_ms: int) -> None:
        """Take the next message of fix.sending that is this session's."""
        with self._lock:
            self._read_to = offset + 1
            if self._held_from is not None:
                return
            if len(self._waiting) >= WAITING_MAX:
                self._held_from = offset
                return
            self._waiting.append(Waiting(message, offset, written_ms))
            self._lock.notify()

    def passed(self, offset: int) -> None:
        """Note that fix.sending is read up to there, whoever its messages were for."""
        with self._lock:
            self._read_to = offset

    def changed(self, *, is_logged_on: bool, text: str) -> None:
        """Note and record that the session was logged on or lost."""
        with self._lock:
            self.is_logged_on = is_logged_on
            self._lock.notify()
        log.info("%s: %s: %s", self.name, "logged on" if is_logged_on else "not logged on", text)
        now_ns = time.time_ns()
        changed = FixSessionChanged(
            session_id=self.name,
            session_day=self.epoch.day,
            session_epoch=self.epoch.number,
            is_logged_on=is_logged_on,
            text=text,
            transact_ns=now_ns,
        )
        self._recorder.record(changed, now_ns, at_ns=now_ns)

    def received(self, message: FixReceived) -> None:
        """Record a message of the counterparty."""
        self.tally.heard[message.refusal or message.message_type] += 1
        self._recorder.record(
            message,
            message.session_epoch,
            message.sequence,
            at_ns=message.received_ns,
            source_ns=message.sent_ns,
        )

    def meant(self, sequence: int) -> None:
        """Write down, under QuickFIX's lock, which number the message under way will have."""
        assert self._outgoing is not None, f"{self.name}: a message that the wire does not know"
        message, offset, _ = self._outgoing
        self._sequence = sequence
        self._intents.write(
            Intent(
                is_done=False,
                epoch=self.epoch.number,
                ordinal=message.ordinal,
                sequence=sequence,
                offset=offset,
            )
        )

    def mark_sent(self, intent: Intent, *, is_possible_resend: bool = False) -> None:
        """Record that a message has gone out."""
        now_ns = time.time_ns()
        sent = FixSent(
            session_id=self.name,
            session_day=self.epoch.day,
            session_epoch=intent.epoch,
            ordinal=intent.ordinal,
            sequence=intent.sequence,
            is_possible_resend=is_possible_resend,
            sent_ns=now_ns,
        )
        self._recorder.record(sent, intent.ordinal, at_ns=now_ns)

    def _work(self) -> None:
        while not self._is_stopped:
            with self._lock:
                has_work = bool(self._waiting) or self._held_from is not None
                is_act = bool(self._waiting) and self._waiting[0].message.message_type == ACT
                if not (self.is_logged_on or is_act) or not has_work:
                    self._lock.wait(IDLE_S)
                    self._note_passed()
                    continue
                first = self._waiting[0] if self._waiting else None
            if first is None:
                is_done = self._catch_up()
            else:
                is_done = self._send(first)
                with self._lock:
                    if is_done:
                        self._waiting.popleft()
                    else:
                        self._waiting.clear()
                        self._held_from = first.offset
            if not is_done:
                with self._lock:
                    self._lock.wait(PAUSE_S)

    def _note_passed(self) -> None:
        """Write down, now and then, that what others were sent need not be read again."""
        if self._held_from is None and not self._waiting:
            passed = self._read_to - 1
            if passed - self.done.offset >= PASSED_MIN:
                self.done = self.done._replace(offset=passed)
                self._intents.write(self.done)

    def _catch_up(self) -> bool:
        """Read what was not kept, from the log, until what is offered follows on it."""
        held_from = self._held_from
        assert held_from is not None
        for message, position, written_ms in self._reread(self.name, held_from):
            if self._is_stopped or not self.is_logged_on:
                return False
            if message is not None:
                waiting = Waiting(message, position - 1, written_ms)
                if not self._send(waiting):
                    return False
            with self._lock:
                self._held_from = position
                if message is None and position >= self._read_to:
                    self._held_from = None
                    return True
        return False

    def _send(self, waiting: Waiting) -> bool:
        """Give a message to QuickFIX; whether it is dealt with."""
        message, offset, _ = waiting
        if message.ordinal <= self.done.ordinal:
            return True
        if message.ordinal != self.done.ordinal + 1:
            raise CorruptHistoryError(
                f"fix.sending@{offset}: {self.name} has ordinal {message.ordinal},"
                f" expected {self.done.ordinal + 1}"
            )
        is_act = message.message_type == ACT  # of a simulator; also while nobody is logged on
        if not (self.is_logged_on or is_act) or self._is_stopped:
            return False
        self._outgoing, self._sequence = waiting, 0
        is_in_doubt = self.is_in_doubt
        try:
            is_asked_for = is_in_doubt and message.message_type in self._asked_for
            if not (is_asked_for or waiting.is_old) and not self._carry(self, message):
                return False
        finally:
            self._outgoing = None
        intent = Intent(
            is_done=True,
            epoch=self.epoch.number,
            ordinal=message.ordinal,
            sequence=0 if is_act else self._sequence,
            offset=offset,
        )
        self._intents.write(intent)
        self.done = intent
        if not is_act:
            self.tally.told[message.message_type] += 1
            self.mark_sent(intent, is_possible_resend=is_in_doubt)
        return True
