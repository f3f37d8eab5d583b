"""The independent checker: every law over every record, partition by partition as they come."""

from collections import deque
from collections.abc import Iterable

from services.audit import crosses, exposure, orders, parents, replaces, shares, terms, windows
from services.audit.answers import check_answers
from services.audit.findings import CheckReport, Code, Findings
from services.audit.hedges import HedgeLaws
from services.audit.journal import Writer
from services.audit.kills import Kills
from services.audit.limits import LimitLaws, check_leases
from services.audit.market import Market
from services.audit.records import Entry, Partition, RawRecord, Reader
from services.audit.settlements import Settlements
from services.audit.state import Parent, ShardState
from services.audit.venue_side import VenueSide

__all__ = ["BEFORE_FIX", "TOPICS", "Checker", "check_records"]

ENGINE_JOURNAL = "engine.journal.v1"
VENUES_JOURNAL = "venues.journal.v1"
SHARED_INPUTS = ("kill.commands.v1", "control.commands.v1", "plans.events.v1")
KEYED_INPUTS = ("venues.reports.v1", "market.data.v1", "orders.commands.v1")
OUTPUTS = (
    "orders.events.v1",
    "aggregations.events.v1",
    "strategies.events.v1",
    "children.events.v1",
    "fills.events.v1",
    "allocations.events.v1",
    "decisions.events.v1",
    "dead.letters.v1",
)
# What clients and venues say before FIX gateways carry it on; only the simulator knows these.
BEFORE_FIX = ("venues.orders.v1", "oms.orders.v1", "venues.executions.v1")
SIMULATOR_INPUTS = ("children.events.v1", "control.commands.v1", "venues.orders.v1")
SIMULATOR_OUTPUTS = (*KEYED_INPUTS, *SHARED_INPUTS, *BEFORE_FIX)  # among what others write there
TOPICS = (ENGINE_JOURNAL, VENUES_JOURNAL, *SHARED_INPUTS, *KEYED_INPUTS, *OUTPUTS, *BEFORE_FIX)
GATEWAY_SHARDS = range(65_000, 65_016)  # of FIX gateways, which have journals of their own
HANDLERS = {
    **orders.HANDLERS,
    **parents.HANDLERS,
    **exposure.HANDLERS,
    **replaces.HANDLERS,
    **shares.HANDLERS,
}


class ShardLaws:
    """The business laws of one engine shard, batch by batch."""

    def __init__(self, findings: Findings, reader: Reader, shard: int, shards: int | None) -> None:
        self.state = ShardState(findings)
        self.limits = LimitLaws(findings, shard, shards)
        self._market = Market(reader.book, self.state.reference)
        self._venues = VenueSide(findings)
        self._kills = Kills(self.state)
        self._hedges = HedgeLaws(self.state)
        self._settlements = Settlements(self.state)

    def on_batch(self, journal: Entry, inputs: list[Entry], outputs: list[Entry]) -> None:
        """Check what one journal record read and wrote."""
        check_answers(self.state.findings, inputs, outputs)
        now_ns = journal.message["now_ns"]
        self.state.reference.advance(now_ns)
        self._market.begin()
        refused = {
            (entry.message["topic"], entry.message["partition"], entry.message["offset"])
            for entry in outputs
            if entry.name == "runtime.DeadLetter"
        }
        for entry in _as_applied(journal, inputs):
            raw = entry.raw
            if (raw.topic, raw.partition, raw.offset) not in refused:
                self._read(entry, now_ns)
        for entry in outputs:
            self._wrote(entry)
            self._kills.wrote(entry)
        self._kills.end_batch(journal, inputs, outputs)
        self._settlements.end_batch(outputs, refused)
        self._hedges.end_batch(journal)
        windows.end_round(self.state)
        if outputs or inputs:
            self._end_batch(journal, outputs)

    def _read(self, entry: Entry, now_ns: int) -> None:
        m, state = entry.message, self.state
        state.reference.read(entry, now_ns)
        self._settlements.read(entry)
        self.limits.read(entry)
        match entry.name:
            case "market.BookUpdated":
                self._market.keep_book(entry)
            case "market.TradingStatusChanged":
                self._market.keep_status(entry)
            case "venues.ExecutionReport":
                self._venues.read(entry)
            case "control.InstrumentDefined":
                known = state.reference.units.get(m["instrument_id"])
                if known is not None:  # a definition that does not add up is used by nobody
                    state.scales[m["instrument_id"]] = known[1]

    def _wrote(self, entry: Entry) -> None:
        m, state = entry.message, self.state
        self._venues.wrote(entry)
        self._settlements.wrote(entry)
        self._hedges.wrote(entry)
        self.limits.wrote(entry)
        match entry.name:
            case "netting.CrossExecuted":
                crosses.executed(state, self._market, m, entry)
            case "allocation.CrossAllocated":
                crosses.allocated(state, m, entry)
            case _:
                handler = HANDLERS.get(entry.name)
                if handler is not None:
                    handler(state, m, entry)
                rounds = windows.HANDLERS.get(entry.name)
                if rounds is not None:
                    rounds(state, m, entry)
        in_force = terms.HANDLERS.get(entry.name)
        if in_force is not None:
            in_force(state, m, entry)

    def _end_batch(self, journal: Entry, outputs: list[Entry]) -> None:
        state = self.state
        touched: dict[str, Parent] = {}
        for entry in outputs:
            if entry.name in ("routing.FillBooked", "routing.FillBusted", "routing.FillCorrected"):
                fill = state.fills.get(entry.message["fill_id"])
                if fill is not None:
                    shares.check_unpaid(state, fill, entry)
                    touched[fill.parent_id] = state.parents[fill.parent_id]
            elif entry.name == "netting.ParentClosed":
                closed = state.parents.get(entry.message["parent_id"])
                if closed is not None:
                    touched[closed.parent_id] = closed
        for parent in touched.values():
            self._check_parent(parent, journal)
        for cross_id in list(state.crosses):
            state.crosses.pop(cross_id)
            text = "was executed and given to nobody"
            state.findings.add(Code.CONSERVATION_SHARES, cross_id, text, journal)
        self._venues.end_batch(state.busted)

    def _check_parent(self, parent: Parent, journal: Entry) -> None:
        state = self.state
        for epoch in parent.epochs.values():
            subject = f"{parent.parent_id} epoch {epoch.number}"
            for house in epoch.houses():
                shares.check_house(state, subject, house, journal)
            shares.check_cash(state, subject, epoch, parent.is_closed, journal)


def _is_simulators(entry: Entry) -> bool:
    """Return whether it is of a transaction, and of no gateway's."""
    return entry.envelope["seq"] >= 0 and entry.envelope["shard"] not in GATEWAY_SHARDS


def _as_applied(journal: Entry, inputs: list[Entry]) -> list[Entry]:
    """Return the inputs in the order of application: on a tape by time, after the shared ones."""
    if journal.message["mode"] != "TAPE":
        return inputs
    shared = [entry for entry in inputs if entry.raw.topic in SHARED_INPUTS]
    keyed: list[tuple[int, str, int, int, Entry]] = []
    times: dict[Partition, int] = {}
    for entry in inputs:
        if entry.raw.topic not in SHARED_INPUTS:
            partition = entry.partition
            if entry.envelope:  # one that cannot be read goes with the one before it
                times[partition] = entry.envelope["source_ns"]
            place = (times.get(partition, 0), entry.raw.topic, entry.raw.partition)
            keyed.append((*place, entry.raw.offset, entry))
    keyed.sort(key=lambda each: each[:4])
    return [*shared, *(each[4] for each in keyed)]


class Checker:
    """Takes records in any interleaving of partitions, each partition in offset order.

    `shards`: how many the log has; without it a shard's part of a limit is taken as the whole.
    """

    def __init__(self, shards: int | None = None) -> None:
        self.findings = Findings()
        self._shards = shards
        self._reader = Reader()
        self._laws: dict[int, ShardLaws] = {}
        self._engines: dict[int, Writer] = {}
        self._shared: dict[Partition, list[Entry]] = {}
        self._simulator = Writer("simulator", self.findings, lambda *_: None)
        self._records = 0

    def add(self, raw: RawRecord) -> None:
        """Take one record; nothing is checked before `advance`."""
        self._records += 1
        entry = self._reader.read(raw)
        topic, partition = raw.topic, entry.partition
        if topic in SHARED_INPUTS:
            self._shared.setdefault(partition, []).append(entry)
            for engine in self._engines.values():
                engine.inputs.setdefault(partition, deque()).append(entry)
        elif topic == VENUES_JOURNAL:
            if self._is_readable(entry):
                self._simulator.journal.append(entry)
        elif topic not in BEFORE_FIX:
            self._keyed(self._engine(raw.partition), entry)
        if topic in SIMULATOR_INPUTS:
            self._simulator.inputs.setdefault(partition, deque()).append(entry)
        if topic in SIMULATOR_OUTPUTS and entry.name and _is_simulators(entry):
            self._simulator.outputs.setdefault(partition, deque()).append(entry)

    def _keyed(self, engine: Writer, entry: Entry) -> None:
        topic, partition = entry.raw.topic, entry.partition
        if topic in KEYED_INPUTS:
            engine.inputs.setdefault(partition, deque()).append(entry)
        elif self._is_readable(entry):
            if topic == ENGINE_JOURNAL:
                engine.journal.append(entry)
            elif topic in OUTPUTS:
                engine.outputs.setdefault(partition, deque()).append(entry)

    def _is_readable(self, entry: Entry) -> bool:
        if not entry.name:
            text = "a record of our own cannot be read"
            self.findings.add(Code.UNDECODABLE, str(entry.partition), text, entry)
        return bool(entry.name)

    def _engine(self, shard: int) -> Writer:
        engine = self._engines.get(shard)
        if engine is None:
            laws = self._laws[shard] = ShardLaws(self.findings, self._reader, shard, self._shards)
            engine = Writer(f"engine {shard}", self.findings, laws.on_batch)
            engine.inputs = {p: deque(entries) for p, entries in self._shared.items()}
            self._engines[shard] = engine
        return engine

    def advance(self) -> None:
        """Check what is complete; call it now and then, so that queues stay short."""
        self._simulator.advance()
        for engine in self._engines.values():
            engine.advance()

    def waiting(self) -> dict[Partition, int]:
        """Return how many records of each partition wait for others."""
        counts: dict[Partition, int] = {}
        writers = list(self._engines.values())
        if self._simulator.journal_records:
            writers.append(self._simulator)
        for writer in writers:
            for partition, queue in (*writer.inputs.items(), *writer.outputs.items()):
                counts[partition] = max(counts.get(partition, 0), len(queue))
        return counts

    def finish(self, *, is_quiet: bool = True) -> CheckReport:
        """Check the rest and return the verdict."""
        if self._simulator.journal or self._simulator.journal_records:
            self._simulator.finish(is_quiet=is_quiet)
        unread = sum(engine.finish(is_quiet=is_quiet) for engine in self._engines.values())
        writers = [self._simulator, *self._engines.values()]
        log_ids = sorted({writer.log_id.hex() for writer in writers if writer.log_id})
        if len(log_ids) > 1:
            self.findings.add(Code.JOURNAL_CHAIN, "log", f"journals of {log_ids}", "the whole log")
        if len(self._laws) == self._shards:
            check_leases(self.findings, [laws.limits for laws in self._laws.values()])
        states = [laws.state for laws in self._laws.values()]
        fills = [fill for state in states for fill in state.fills.values()]
        return CheckReport(
            findings=tuple(self.findings.kept),
            counts={str(code): count for code, count in self.findings.counts.items()},
            records=self._records,
            journal_records=sum(writer.journal_records for writer in writers),
            events=sum(writer.events for writer in writers),
            orders=sum(len(state.orders) for state in states),
            parents=sum(len(state.parents) for state in states),
            children=sum(len(state.children) for state in states),
            fills=len(fills),
            crosses=sum(state.crosses_given for state in states),
            filled_quantity=sum(fill.quantity for fill in fills),
            allocated_quantity=sum(fill.quantity for fill in fills if fill.house is not None),
            crossed_quantity=sum(state.crossed_quantity for state in states),
            error_quantity=sum(fill.error_quantity for fill in fills),
            unconsumed_inputs=unread,
        )


def check_records(
    records: Iterable[RawRecord], *, is_quiet: bool = True, shards: int | None = None
) -> CheckReport:
    """Check a log held in memory or read by anybody; each partition in offset order."""
    checker = Checker(shards)
    for count, record in enumerate(records, 1):
        checker.add(record)
        if count % 5_000 == 0:
            checker.advance()
    return checker.finish(is_quiet=is_quiet)
