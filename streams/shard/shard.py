"""The engine of one shard: an Application that the runtime hosts."""

from contextlib import suppress
from functools import partial
from typing import Any, Final

from schemas.messages.control import ChildSettled
from schemas.messages.core import Cause, RejectReason
from schemas.messages.intake import NewOrder, ReplaceOrder
from schemas.messages.market import (
    AuctionIndicated,
    BookUpdated,
    TradePrinted,
    TradingStatusChanged,
)
from schemas.messages.plans import ImpactFitted, PlacementSolved, PlanPublished
from schemas.messages.venues import ConnectionChanged, ExecutionReport, OrderCancelReject
from streams import kill, netting, risk, routing, scorecard
from streams.core import topics
from streams.core.errors import DecodeError
from streams.core.murmur import partition_of
from streams.core.timers import Timer, Timers
from streams.intake.ladder import PARTITION_RULE
from streams.risk.request import Request
from streams.routing.commands import ChangeConnection, ReportUndecodable, WakeRouting
from streams.runtime.ports import Emitter, Inbound, RecordedBatch
from streams.shard import policies, wide
from streams.shard.knowledge import Knowledge
from streams.shard.limits import control_command, request_of, take_control
from streams.shard.orders import (
    ORDER_MESSAGES,
    is_refused,
    order_command,
    timer_command,
    waking_commands,
)
from streams.shard.pegs import note_book, reprices
from streams.shard.reference import CONTROL_MESSAGES
from streams.shard.routes import OUTPUT_TOPICS
from streams.shard.rules import close_window
from streams.shard.scoring import approve_command, scoring_command
from streams.shard.sight import see
from streams.shard.state import ShardState
from streams.shard.stopping import flag_command, kill_command
from streams.shard.venue_words import report_command, settle_command, settling_shard
from streams.shard.work import Work, set_timers

__all__ = ["EngineShard"]

NO_EVENT: Final = bytes(16)
_EXPECTED: Final[dict[str, tuple[type[Any], ...]]] = {
    topics.ORDERS_COMMANDS: ORDER_MESSAGES,
    topics.MARKET_DATA: (BookUpdated, TradePrinted, TradingStatusChanged, AuctionIndicated),
    topics.VENUES_REPORTS: (ExecutionReport, OrderCancelReject, ConnectionChanged),
    topics.KILL_COMMANDS: kill.MESSAGES,
    topics.CONTROL_COMMANDS: (
        *CONTROL_MESSAGES,
        *risk.CONTROL_MESSAGES,
        *scorecard.CONTROL_MESSAGES,
        ChildSettled,
    ),
    topics.PLANS_EVENTS: (PlanPublished, ImpactFitted, PlacementSolved),
}
# Read by every shard, so that one of them must answer for what cannot be used.
_UNSHARDED: Final = (topics.KILL_COMMANDS, topics.CONTROL_COMMANDS, topics.PLANS_EVENTS)


class EngineShard:
    """Implements runtime.ports.Application over the eight deciders."""

    output_topics: tuple[str, ...] = OUTPUT_TOPICS
    restore_inputs: tuple[str, ...] = (
        topics.CONTROL_COMMANDS,
        topics.PLANS_EVENTS,
        topics.MARKET_DATA,
    )
    restore_outputs = True
    _seen_version: int
    _moved: dict[str, bytes]  # newest book of the batch where a child follows, by instrument

    def __init__(self, shard: int, partitions: int, log_id: bytes) -> None:
        self.shard = shard
        self.partitions = partitions
        self._adopt(ShardState())
        prefix = f"{log_id.hex()[:6]}.{shard}"
        self.state.intake.id_prefix = f"{prefix}."
        self.state.netting.id_prefix = prefix
        limits = self.state.risk
        limits.shard, limits.partitions, limits.id_prefix = shard, partitions, f"{prefix}."
        self._use_settings()

    def apply(self, inbound: Inbound, out: Emitter) -> None:
        """Decide one input to its end. What cannot be used is answered and kept, never raised."""
        self._now(out)
        topic = inbound.record.topic
        if inbound.error is not None:
            self._refuse(inbound, out, inbound.error)
            return
        message: Any = inbound.message
        if type(message) not in _EXPECTED.get(topic, ()):
            reason, name = RejectReason.UNEXPECTED_MESSAGE, type(message).__name__
            self._refuse(inbound, out, DecodeError(reason, "message", name, f"not for {topic}"))
        elif topic == topics.ORDERS_COMMANDS:
            self._apply_order(inbound, out)
        elif topic == topics.CONTROL_COMMANDS:
            self._apply_control(inbound, out)
        elif topic == topics.KILL_COMMANDS:
            self._apply_kill(inbound, out)
        elif topic == topics.PLANS_EVENTS:
            self._apply_plan(inbound, out)
        elif isinstance(message, ConnectionChanged):
            self._apply_connection(inbound, out)
        elif not self._is_own(inbound):
            reason, instrument_id = RejectReason.WRONG_PARTITION, message.instrument_id
            error = DecodeError(reason, "instrument_id", instrument_id, PARTITION_RULE)
            self._refuse(inbound, out, error)
        elif topic == topics.MARKET_DATA:
            try:
                see(self._knows, inbound, out.at_ns)
            except DecodeError as error:
                self._refuse(inbound, out, error)
            else:
                note_book(self._knows, self._moved, inbound)
                self._tell_policies(inbound, out)
        else:
            self._apply_report(inbound, out)

    def unheard(self, standing: tuple[str, ...]) -> tuple[str, ...]:
        """Return what the local flags say that the state does not know: raised, then gone."""
        return kill.unheard(kill.flags_of(self.state.kill), standing)

    def signal(self, text: str, out: Emitter) -> None:
        """Decide what a local flag leads to."""
        self._run(flag_command(self._now(out), text), out, "", NO_EVENT)

    def pop_due(self, now_ns: int) -> Timer | None:
        return self._timers.pop_due(now_ns)

    def next_due_ns(self) -> int | None:
        return self._timers.next_due_ns()

    def fire(self, timer: Timer, out: Emitter) -> None:
        """Decide what a due timer leads to."""
        knows = self._now(out)
        context, _, rest = timer.timer_id.partition(":")
        subject = rest.partition(":")[2]
        if context == "netting":
            window = netting.window_of(self.state.netting, timer.timer_id)
            if window is not None:
                cause = Cause.WINDOW_TIME
                command: Any = close_window(knows, window.tenant, window.instrument_id, cause)
                self._run(command, out, window.instrument_id, NO_EVENT)
        elif context == "strategy":
            parent = self.state.parents.get(subject)
            if parent is not None:
                command = policies.timer_command(knows, timer.timer_id, subject)
                self._run(command, out, parent.instrument_id, NO_EVENT)
        elif context == "intake":
            command, key = timer_command(knows, timer.timer_id)
            self._run(command, out, key, NO_EVENT)
        elif context == "scorecard":
            self._run(scoring_command(knows, timer.timer_id), out, "", NO_EVENT)
        else:
            instrument_id = knows.instrument_of(subject)
            market = knows.books(instrument_id)
            if market is not None:
                command = WakeRouting(
                    timer_id=timer.timer_id,
                    at_ns=out.at_ns,
                    market=market,
                    is_stopped=knows.is_stopped(subject.rpartition(".")[0]),
                )
                self._run(command, out, instrument_id, NO_EVENT)

    def finish(self, out: Emitter) -> None:
        """Close the windows that urgent orders of this batch stand in, once for all of them.

        Before that: definitions that were read may bring a session to orders done for the day.
        """
        knows = self._now(out)
        version = self.state.reference.version
        if version != self._seen_version:
            self._seen_version = version
            for command, key in waking_commands(knows):
                self._run(command, out, key, NO_EVENT)
        urgent, knows.urgent = knows.urgent, {}
        for (tenant, instrument_id), event_id in urgent.items():
            if netting.is_urgent_waiting(self.state.netting, tenant, instrument_id):
                command = close_window(knows, tenant, instrument_id, Cause.WINDOW_ZERO)
                self._run(command, out, instrument_id, event_id)
        moved, self._moved = self._moved, {}
        for command, key, event_id in reprices(knows, moved):
            self._run(command, out, key, event_id)

    def restore(self, batch: RecordedBatch) -> None:
        """Fold a recorded batch: definitions and market as read, everything else as written."""
        at_ns = batch.journal.now_ns
        self._advance(at_ns)
        for inbound in batch.inputs:
            topic = inbound.record.topic
            if inbound.error is not None or type(inbound.message) not in _EXPECTED.get(topic, ()):
                continue
            if topic == topics.CONTROL_COMMANDS:
                with suppress(DecodeError):  # refused then, refused now
                    self._define(inbound, at_ns)
            elif topic == topics.PLANS_EVENTS:
                if isinstance(inbound.message, ImpactFitted):
                    self.state.impact = inbound.message
                elif isinstance(inbound.message, PlacementSolved):
                    self.state.keep_placement(inbound.message)
            elif self._is_own(inbound):
                with suppress(DecodeError):
                    see(self._knows, inbound, at_ns)
        for event in batch.outputs:
            if event.topic != topics.DEAD_LETTERS:
                set_timers(self._timers, self.state, event.message)
        for fired in batch.journal.timers:
            self._timers.clear_if(Timer(fired.due_ns, fired.timer_id))

    def limits_request(self, message: NewOrder | ReplaceOrder, at_ns: int) -> Request | None:
        """Return what the limits are asked about a message at an instant; it changes no order."""
        self._knows.at_ns = at_ns
        self._advance(at_ns)
        return request_of(self._knows, message)

    def snapshot(self) -> bytes:
        """Return the state's bytes. Dicts keep their order: the deciders' iteration is state."""
        self.state.timers = dict(sorted(self._timers.due_by_id.items()))
        return wide.encode(self.state)

    def load(self, data: bytes) -> None:
        self._adopt(wide.decode(data, ShardState))

    def _adopt(self, state: ShardState) -> None:
        self.state = state
        self._timers = Timers(state.timers)
        self._knows = Knowledge(state)
        self._moved = {}
        # Of reference data, when orders that are done for the day were last asked.
        self._seen_version = -1

    def _run(
        self, command: Any, out: Emitter, key: str, causation_id: bytes, source_ns: int = 0
    ) -> list[Any]:
        return Work(self._knows, self._timers, out, key, source_ns).run(command, causation_id)

    def _is_own(self, inbound: Inbound) -> bool:
        assert inbound.message is not None
        instrument_id = inbound.message.instrument_id
        return self._is_here(instrument_id, inbound.record.partition)

    def _is_here(self, instrument_id: str, partition: int) -> bool:
        return partition_of(instrument_id, self.partitions) == partition

    def _apply_order(self, inbound: Inbound, out: Emitter) -> None:
        message, envelope = inbound.message, inbound.envelope
        assert message is not None and envelope is not None
        is_here = partial(self._is_here, partition=inbound.record.partition)
        command, key = order_command(self._knows, message, is_here)
        events = self._run(command, out, key, envelope.event_id, envelope.source_ns)
        for event in events:
            if is_refused(event):
                # One letter keeps the command whole, however many entries of it are refused.
                out.dead_letter(inbound, event.reason, event.field, event.value, event.bound)
                break
        self._knows.verdicts.clear()  # of a repeat, or of an order that another rule refused

    def _apply_report(self, inbound: Inbound, out: Emitter) -> None:
        message, envelope = inbound.message, inbound.envelope
        assert message is not None and envelope is not None
        command = report_command(self._knows, message)
        self._run(command, out, message.instrument_id, envelope.event_id, envelope.source_ns)

    def _apply_connection(self, inbound: Inbound, out: Emitter) -> None:
        message, envelope = inbound.message, inbound.envelope
        assert isinstance(message, ConnectionChanged) and envelope is not None
        venue_id = message.venue_id
        if venue_id not in self.state.reference.venues:
            error = DecodeError(RejectReason.UNKNOWN_VENUE, "venue_id", venue_id, "defined venues")
            out.dead_letter(inbound, error.reason, error.field, error.value, error.bound)
            return
        command = ChangeConnection(
            venue_id=venue_id, is_connected=message.is_connected, at_ns=out.at_ns
        )
        self._run(command, out, venue_id, envelope.event_id, envelope.source_ns)

    def _apply_kill(self, inbound: Inbound, out: Emitter) -> None:
        message, envelope = inbound.message, inbound.envelope
        assert message is not None and envelope is not None
        command = kill_command(self._knows, message, envelope.actor)
        self._run(command, out, "", envelope.event_id, envelope.source_ns)

    def _apply_plan(self, inbound: Inbound, out: Emitter) -> None:
        message, envelope = inbound.message, inbound.envelope
        assert envelope is not None
        if isinstance(message, ImpactFitted):
            self.state.impact = message
        elif isinstance(message, PlacementSolved):
            self.state.keep_placement(message)
        elif isinstance(message, PlanPublished) and message.shard == self.shard:
            command = policies.adoption(self._knows, message)
            if command is not None:
                self._run(command, out, "", envelope.event_id, envelope.source_ns)

    def _tell_policies(self, inbound: Inbound, out: Emitter) -> None:
        message, envelope = inbound.message, inbound.envelope
        if isinstance(message, TradingStatusChanged) and envelope is not None:
            for command in policies.interrupted(self._knows, message):
                key = message.instrument_id
                self._run(command, out, key, envelope.event_id, envelope.source_ns)

    def _apply_control(self, inbound: Inbound, out: Emitter) -> None:
        message, envelope = inbound.message, inbound.envelope
        assert envelope is not None
        if isinstance(message, ChildSettled):
            self._apply_settlement(inbound, out)
            return
        is_risk = isinstance(message, risk.CONTROL_MESSAGES)
        try:
            self._define(inbound, out.at_ns)
        except DecodeError as error:
            if not is_risk:
                self._refuse(inbound, out, error)
            elif risk.is_for_shard(self.state.risk, message):
                out.dead_letter(inbound, error.reason, error.field, error.value, error.bound)
            return
        found = approve_command(message, envelope.actor)
        if is_risk:
            found = control_command(message, envelope.actor, out.at_ns)
        if found is not None:
            command, key = found
            self._run(command, out, key, envelope.event_id, envelope.source_ns)

    def _apply_settlement(self, inbound: Inbound, out: Emitter) -> None:
        message, envelope = inbound.message, inbound.envelope
        assert isinstance(message, ChildSettled) and envelope is not None
        if settling_shard(message.child_id, self.partitions) != self.shard:
            return
        command = settle_command(self._knows, message, envelope.actor)
        error = routing.settlement_refused(self.state.routing, command)
        if error is not None:
            out.dead_letter(inbound, error.reason, error.field, error.value, error.bound)
            return
        self._run(command, out, message.instrument_id, envelope.event_id, envelope.source_ns)

    def _refuse(self, inbound: Inbound, out: Emitter, error: DecodeError) -> None:
        topic, letter_id = inbound.record.topic, NO_EVENT
        is_answered = inbound.error is not None  # the runtime has kept what it could not decode
        if not is_answered and (topic not in _UNSHARDED or self.shard == 0):
            letter_id = out.dead_letter(
                inbound, error.reason, error.field, error.value, error.bound
            )
        if topic == topics.VENUES_REPORTS:
            venue_id = getattr(inbound.message, "venue_id", "")
            command = ReportUndecodable(venue_id=venue_id, reason=error.reason, at_ns=out.at_ns)
            self._run(command, out, venue_id, letter_id)

    def _now(self, out: Emitter) -> Knowledge:
        """Return what is known at the batch's instant; definitions due by then are in force."""
        knows = self._knows
        knows.at_ns = out.at_ns
        knows.entropy = out.entropy
        self._advance(out.at_ns)
        return knows

    def _advance(self, at_ns: int) -> None:
        reference = self.state.reference
        if reference.is_due(at_ns):
            reference.advance(at_ns)
            self._knows.forget()

    def _define(self, inbound: Inbound, at_ns: int) -> None:
        assert inbound.envelope is not None
        if isinstance(inbound.message, risk.CONTROL_MESSAGES):
            take_control(self._knows, inbound.message, inbound.envelope.actor)
            return
        if isinstance(inbound.message, ChildSettled):
            return  # what it leads to is recorded
        if isinstance(inbound.message, scorecard.CONTROL_MESSAGES):
            scorecard.take(self.state.scorecard, inbound.message, inbound.envelope.actor)
            return
        self.state.reference.apply(inbound.message, inbound.envelope.at_ns, at_ns)
        self._knows.forget()
        self._use_settings()

    def _use_settings(self) -> None:
        settings, state = self.state.reference.settings, self.state
        state.netting.window_ns = settings.window_ns
        state.netting.window_count = settings.window_count
        state.market.crossed_max_ns = settings.crossed_max_ns
        state.routing.settings = state.reference.routing
        state.strategy.settings = settings.strategy_settings()
        state.strategy.policy_settings = settings.policy_settings()
        state.strategy.settings.overfill_bps = state.reference.routing.overfill_bps
