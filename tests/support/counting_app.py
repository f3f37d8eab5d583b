"""A small application: it counts, sets timers, asks a model, and folds its own events back."""

from collections.abc import Callable

import msgspec

from schemas.messages.control import SettingsLoaded
from schemas.messages.core import Envelope
from streams.core.envelope import outside_envelope
from streams.core.timers import Timer, Timers
from streams.runtime.ports import Emitter, Inbound, RecordedBatch

OUTPUT = "orders.events.v1"
REPORT_AFTER_NS = 2_000_000_000
NO_EVENT = bytes(16)


class Count(msgspec.Struct):
    """What is known of one name."""

    inputs: int = 0
    total: int = 0
    reports: int = 0


class CountingState(msgspec.Struct):
    """Counts by name, the errors and signals seen and the timers that stand."""

    counts: dict[str, Count] = msgspec.field(default_factory=dict)
    errors: int = 0
    signals: list[str] = msgspec.field(default_factory=list)
    due_by_id: dict[str, int] = msgspec.field(default_factory=dict)


def said(context: str, content: str) -> SettingsLoaded:
    """A message with two words in it."""
    return SettingsLoaded(context=context, content=content, sha256="")


class CountingApp:
    """Implements ports.Application. One event out for each input, more now and then."""

    output_topics: tuple[str, ...] = (OUTPUT,)
    restore_inputs: tuple[str, ...] = ()
    restore_outputs = True

    def __init__(self, *, timer_every: int = 3, model_every: int = 5, bias: int = 0) -> None:
        self._timer_every = timer_every
        self._model_every = model_every
        self._bias = bias  # a program that decides otherwise, for replay
        self.state = CountingState()
        self.timers = Timers()

    def apply(self, inbound: Inbound, out: Emitter) -> None:
        if self.state.signals:  # stopped: nothing is counted any more
            return
        if inbound.error is not None or not isinstance(inbound.message, SettingsLoaded):
            self._emit(out, "errors", str(self.state.errors + 1), NO_EVENT)
            return
        assert inbound.envelope is not None
        name = inbound.message.context
        count = self.state.counts.get(name, Count())
        inputs = count.inputs + 1
        total = count.total + int(inbound.message.content) + self._bias
        cause = inbound.envelope.event_id
        self._emit(out, "counted", f"{name} {inputs} {total}", cause)
        if self._model_every and inputs % self._model_every == 0:
            estimate = out.model("mean", lambda: said("modeled", f"{name} {total // inputs}"))
            self._emit(out, estimate.context, estimate.content, cause)

    def unheard(self, standing: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(text for text in standing if text not in self.state.signals)

    def signal(self, text: str, out: Emitter) -> None:
        self._emit(out, "signaled", text, NO_EVENT)

    def pop_due(self, now_ns: int) -> Timer | None:
        timer = self.timers.pop_due(now_ns)
        if timer is not None:
            self.state.due_by_id = self.timers.due_by_id
        return timer

    def next_due_ns(self) -> int | None:
        return self.timers.next_due_ns()

    def fire(self, timer: Timer, out: Emitter) -> None:
        name = timer.timer_id.split(":")[2]
        self._emit(out, "reported", f"{name} {out.entropy.hex()}", NO_EVENT)

    def finish(self, out: Emitter) -> None:
        """Nothing to add."""

    def restore(self, batch: RecordedBatch) -> None:
        for fired in batch.journal.timers:
            self.timers.clear_if(Timer(fired.due_ns, fired.timer_id))
        for event in batch.outputs:
            if event.topic == OUTPUT:
                self._evolve(event.message, event.envelope.at_ns)

    def snapshot(self) -> bytes:
        self.state.due_by_id = self.timers.due_by_id
        return msgspec.msgpack.encode(self.state, order="deterministic")

    def load(self, data: bytes) -> None:
        self.state = msgspec.msgpack.decode(data, type=CountingState)
        self.timers = Timers(self.state.due_by_id)

    def _emit(self, out: Emitter, context: str, content: str, cause: bytes) -> None:
        message = said(context, content)
        name = content.split(" ", maxsplit=1)[0]
        out.emit(OUTPUT, message, key=name, causation_id=cause, correlation_id=name)
        self._evolve(message, out.at_ns)

    def _evolve(self, message: SettingsLoaded, at_ns: int) -> None:
        words = message.content.split(" ")
        match message.context:
            case "counted":
                count = self.state.counts.setdefault(words[0], Count())
                count.inputs, count.total = int(words[1]), int(words[2])
                if self._timer_every and count.inputs % self._timer_every == 0:
                    self.timers.set(f"count:report:{words[0]}", at_ns + REPORT_AFTER_NS)
            case "reported":
                self.state.counts[words[0]].reports += 1
            case "signaled":
                self.state.signals.append(message.content)
            case "errors":
                self.state.errors += 1


def command(
    ordinal: int, name: str, number: int, source_ns: int
) -> tuple[Envelope, SettingsLoaded]:
    """An input from outside: `ordinal` makes its id unique."""
    envelope = outside_envelope(ordinal.to_bytes(16, "big"), source_ns, "test", correlation_id=name)
    return envelope, said(name, str(number))


MakeApp = Callable[[], CountingApp]
