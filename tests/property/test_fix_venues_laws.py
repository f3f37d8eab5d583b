"""Whatever crashes, repeats or overtakes: no child is sent twice or lost, and both views agree."""

from random import Random
from typing import Any

import pytest

from schemas.messages.fix import FixSending
from services.fix.fields import Fields
from streams.adapters.memory import Fault, Faults, SimulatedCrash
from tests.support.fix_model_engine import ModelEngine
from tests.support.fix_model_venue import ModelVenue
from tests.support.fix_venues import Desk, terms

SEEDS, SHARDS = 60, 4
STEPS = 120
CRASHES = (Fault.CRASH_BEFORE, Fault.CRASH_AFTER, Fault.ANSWER_LOST, Fault.REQUEST_LOST)


class Race:
    """An engine, a gateway, a wire and a venue; `dice` decide who moves."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.faults = Faults()
        bound = self.dice.choice((0, 0, 3, 20))
        self.desk = Desk({"V1": terms(messages_per_s=bound)}, faults=self.faults)
        self.venue = ModelVenue(self.dice)
        self.carried = 0  # messages that the wire has sent
        self.heard = 0  # messages of the venue that stand at the log
        self.said: list[tuple[str, Fields]] = []  # numbered by place
        self.unmarked: list[tuple[FixSending, int]] = []
        self.is_up = False
        self.crashes = 0
        self.engine = ModelEngine(self.dice, self.desk.engine)
        self.read = 0  # reports that the engine has heard

    def run(self) -> None:
        self.logon()
        for _ in range(STEPS):
            self.dice.choice(self.moves())()
            self.fold()
        self.settle()

    def moves(self) -> list[Any]:
        engine = self.engine
        usual = (engine.place, self.carry, self.carry, self.hear, self.hear, self.turn, self.turn)
        rare = (self.crash_gateway, self.crash_wire, self.crash_in_commit, self.venue.say_again)
        asking = (
            engine.cancel,
            engine.replace,
            engine.ask,
            self.pass_time,
            self.mark,
            self.venue.act,
        )
        return [*usual, *usual, *asking, self.venue.act, self.dice.choice(rare)]

    def fold(self) -> None:
        reports = self.desk.reports()
        self.engine.fold(reports[self.read :])
        self.read = len(reports)

    # The gateway

    def turn(self) -> None:
        try:
            self.desk.turn()
        except SimulatedCrash:
            self.crashes += 1
            self.faults.fault_by_call.clear()
            self.desk.host.close()
            self.desk.host = self.desk.new_host()
        self.faults.fault_by_call.clear()

    def crash_gateway(self) -> None:
        self.turn()
        self.desk.crash()

    def crash_in_commit(self) -> None:
        call = self.faults.calls + self.dice.randrange(8)
        self.faults.fault_by_call[call] = self.dice.choice(CRASHES)
        self.turn()

    def pass_time(self) -> None:
        self.desk.clock.now += self.dice.choice((1_000_000, 300_000_000, 3_000_000_000))

    # The wire

    def carry(self) -> None:
        """Send the next message; its mark comes later."""
        sendings = self.desk.sendings()
        if not self.is_up or self.carried >= len(sendings):
            return
        sending = sendings[self.carried]
        self.carried += 1
        assert sending.ordinal == self.carried
        self.venue.take(sending.message_type, Fields.parse(sending.body))
        self.unmarked.append((sending, self.carried + 1))
        self.said += self.reordered(self.venue.outbox)
        self.venue.outbox = []

    def reordered(self, said: list[tuple[str, Fields]]) -> list[tuple[str, Fields]]:
        if len(said) > 1 and self.dice.randrange(3) == 0:
            at = self.dice.randrange(len(said) - 1)
            said[at], said[at + 1] = said[at + 1], said[at]
        return said

    def mark(self) -> None:
        if self.unmarked:
            self.desk.mark(*self.unmarked.pop(0))

    def hear(self) -> None:
        """Record what the venue has said: all of it, some of it, some of it again."""
        self.said += self.venue.outbox
        self.venue.outbox = []
        if not self.is_up or self.heard >= len(self.said):
            return
        if self.heard and self.dice.randrange(4) == 0:
            again = self.dice.randint(1, self.heard)
            kind, fields = self.said[again - 1]
            self.desk.hear(fields, kind, sequence=again)  # 43=Y
        kind, fields = self.said[self.heard]
        self.heard += 1
        self.desk.hear(fields, kind, sequence=self.heard)

    def crash_wire(self) -> None:
        """The connection ends, seen or unseen; marks that were lost are said again."""
        if self.dice.randrange(2):
            self.desk.logon(is_logged_on=False)
        self.is_up = False
        self.turn()
        if self.dice.randrange(2):
            self.engine.place()
            self.turn()
        self.logon()

    def logon(self) -> None:
        self.is_up = True
        while self.unmarked:
            self.mark()
        self.desk.logon()

    # The end

    def settle(self) -> None:
        """Let everything arrive, asking as the engine does, until nothing is open to doubt."""
        self.turn()
        for _ in range(60):
            for _ in range(20):  # a bound of 3 a second
                self.desk.clock.now += 1_000_000_000
                self.turn()
            sendings = len(self.desk.sendings())
            while self.carried < sendings:
                self.carry()
                self.mark()
            while self.heard < len(self.said) or self.venue.outbox:
                self.hear()
            self.turn()
            self.fold()
            if self.engine.differences(self.venue) == []:
                break
            self.engine.ask_all()
        assert self.engine.differences(self.venue) == []
        arrived = self.venue.arrived
        assert len(set(arrived)) == len(arrived), "a ClOrdID came twice"
        self.desk.crash()


@pytest.mark.parametrize("shard", range(SHARDS))
def test_engine_and_venue_agree_whatever_crashes_in_between(shard: int) -> None:
    fills = crashes = 0
    for seed in range(shard, SEEDS, SHARDS):
        race = Race(seed)
        race.run()
        fills += sum(len(order.executions) for order in race.venue.orders.values())
        crashes += race.crashes
    assert fills > SEEDS // SHARDS, "venues that fill nothing prove nothing"
    assert crashes > 1
