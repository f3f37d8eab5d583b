"""A scenario: the few numbers that a day follows from, and what they make of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from schemas.messages.control import (
    CrossingDeclared,
    InstrumentDefined,
    VenueDefined,
    VolumeCurveDefined,
)
from services.venues.assumptions import SHARES, TENANT, TICK_E9, share_venues
from services.venues.curves import curve_defined, day_fractions
from services.venues.flow import ClientCommand, FlowPlan, accounts, plan_flow
from services.venues.frames import MarketSource
from services.venues.generated import GeneratedMarket
from services.venues.terms import Terms
from streams.runtime.ports import Message

__all__ = ["Day", "Scenario", "Tape", "definitions", "plan_day"]

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
GRACE_STEPS = 12  # after the close: late reports, answers to the last cancels
GENERATED_OPEN_NS = int(datetime(2026, 3, 2, 14, 30, tzinfo=UTC).timestamp()) * SECOND_NS
GENERATED_DATE = 20260302
MAXIMUM_QUANTITY = 100_000  # of one client order, shares
QUOTE_AGE_MAX_NS = 2 * SECOND_NS
SPREAD_MAX_BPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a run of the simulator is told. Equal scenarios give equal days.

    `start_ns`: the generated session's open; a tape brings its own. `facts`: a file of measured
    volume curves; None takes the assumed one.
    """

    seed: int = 1
    minutes: int = 30
    tape: Path | None = None
    orders: int = 2_000
    accounts: int = 40
    step_ns: int = SECOND_NS
    start_ns: int = GENERATED_OPEN_NS
    facts: Path | None = None


class Tape(Protocol):
    """A recorded market, opened for a scenario."""

    name: str  # for people, with the seeded rule that splits one recorded book, if there is one
    start_ns: int
    seconds: int  # recorded from there on
    venues: Sequence[VenueDefined]
    prices_e9: Sequence[int]  # first midpoint of each instrument
    units: Sequence[int]  # a small order of each, smallest units

    def instruments(self, close_ns: int) -> tuple[InstrumentDefined, ...]: ...

    def volumes(self, minutes: int) -> tuple[str, list[list[int]]]:
        """Return the model's name and expected volume by minute, one row per instrument."""

    def source(self, seed: int, step_ns: int, open_steps: int) -> MarketSource: ...


class Day(NamedTuple):
    """Everything that follows from a scenario before the first engine has spoken."""

    title: str
    terms: Terms
    steps: int  # the last one carries the final watermark
    open_steps: int
    source: MarketSource
    commands: list[ClientCommand]  # of our clients, by time
    curves: tuple[VolumeCurveDefined, ...]


def plan_day(scenario: Scenario) -> Day:
    """Return the day of a scenario. Raises OSError for a tape that cannot be read."""
    if scenario.tape is not None:
        from services.venues.tapes import open_tape

        return _taped(scenario, open_tape(scenario.tape, scenario.seed))
    open_steps = scenario.minutes * MINUTE_NS // scenario.step_ns
    close_ns = scenario.start_ns + open_steps * scenario.step_ns
    instruments = tuple(
        InstrumentDefined(
            instrument_id=share.instrument_id,
            symbol=share.instrument_id.title(),
            currency="USD",
            tick_e9=TICK_E9,
            lot=1,
            quantity_scale=1,
            maximum_quantity=MAXIMUM_QUANTITY,
            session_open_ns=scenario.start_ns,
            session_close_ns=close_ns,
            trade_date=GENERATED_DATE,
        )
        for share in SHARES
    )
    volumes, curves = [], []
    for ordinal, share in enumerate(SHARES):
        name, fractions = day_fractions(scenario.facts, ordinal)
        row = [share.daily_volume * part // 1_000_000_000 for part in fractions]
        volumes.append(row)
        curves.append(curve_defined(share.instrument_id, name, scenario.start_ns, row))
    source = GeneratedMarket(
        scenario.seed,
        SHARES,
        volumes,
        start_ns=scenario.start_ns,
        step_ns=scenario.step_ns,
        open_steps=open_steps,
    )
    return _day(
        scenario,
        "generated market of 8 instruments",
        venues=share_venues(),
        instruments=instruments,
        start_ns=scenario.start_ns,
        open_steps=open_steps,
        source=source,
        curves=curves,
        prices_e9=[share.price_ticks * TICK_E9 for share in SHARES],
        units=[max(share.trade_size // 4, 1) for share in SHARES],
    )


def _taped(scenario: Scenario, tape: Tape) -> Day:
    seconds = min(scenario.minutes * 60, tape.seconds)
    open_steps = seconds * SECOND_NS // scenario.step_ns
    close_ns = tape.start_ns + open_steps * scenario.step_ns
    name, volumes = tape.volumes(-(-seconds // 60))
    instruments = tape.instruments(close_ns)
    curves = [
        curve_defined(instrument.instrument_id, name, tape.start_ns, row)
        for instrument, row in zip(instruments, volumes, strict=True)
    ]
    return _day(
        scenario,
        tape.name,
        venues=tape.venues,
        instruments=instruments,
        start_ns=tape.start_ns,
        open_steps=open_steps,
        source=tape.source(scenario.seed, scenario.step_ns, open_steps),
        curves=curves,
        prices_e9=tape.prices_e9,
        units=tape.units,
    )


def _day(
    scenario: Scenario,
    title: str,
    *,
    venues: Sequence[VenueDefined],
    instruments: Sequence[InstrumentDefined],
    start_ns: int,
    open_steps: int,
    source: MarketSource,
    curves: Sequence[VolumeCurveDefined],
    prices_e9: Sequence[int],
    units: Sequence[int],
) -> Day:
    steps = open_steps + GRACE_STEPS
    flow = FlowPlan(
        seed=scenario.seed,
        orders=scenario.orders,
        accounts=scenario.accounts,
        start_ns=start_ns,
        close_ns=start_ns + open_steps * scenario.step_ns,
        step_ns=scenario.step_ns,
        instruments=instruments,
        prices_e9=prices_e9,
        units=units,
    )
    terms = Terms(
        seed=scenario.seed,
        start_ns=start_ns,
        step_ns=scenario.step_ns,
        last_ns=start_ns + steps * scenario.step_ns,
        venues={venue.venue_id: venue for venue in venues},
        instruments={each.instrument_id: each for each in instruments},
    )
    return Day(title, terms, steps, open_steps, source, plan_flow(flow), tuple(curves))


def definitions(scenario: Scenario, day: Day | None = None) -> list[Message]:
    """Return the reference data to publish on control.commands before the day begins."""
    day = day or plan_day(scenario)
    crossing = CrossingDeclared(
        declaration_id="crossing-1",
        tenant=TENANT,
        is_allowed=True,
        quote_age_max_ns=QUOTE_AGE_MAX_NS,
        spread_max_bps=SPREAD_MAX_BPS,
        regime="SEC 17a-7",
        declared_by="demo",
    )
    return [
        *day.terms.venues.values(),
        *day.terms.instruments.values(),
        *accounts(scenario.accounts),
        crossing,
        *day.curves,
    ]
