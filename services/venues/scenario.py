"""A scenario: the few numbers that a day follows from, and what they make of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from schemas.messages.control import (
    CrossingDeclared,
    InstrumentDefined,
    VenueDefined,
    VolumeCurveDefined,
)
from services.venues import pools
from services.venues.assumptions import SHARES, TENANT, TICK_E9, Share, share_venues
from services.venues.auctioned import AuctionedMarket, CallTerms
from services.venues.conditions import ORDINARY, Conditions
from services.venues.curves import MINUTES, auction_fractions, curve_defined, day_fractions
from services.venues.flow import ClientCommand, FlowPlan, accounts, plan_flow
from services.venues.frames import Frame, MarketSource
from services.venues.generated import GeneratedMarket
from services.venues.halts import HaltingMarket, HaltTerms, plan_halts
from services.venues.hours import CALENDAR, GRACE_STEPS, Hours, calendar_defined
from services.venues.impact import ImpactTerms, Market, impact_terms
from services.venues.shifted import ShiftedMarket
from services.venues.terms import Terms
from services.venues.troubles import Trouble, parse_troubles
from streams.runtime.ports import Message

__all__ = ["Day", "Scenario", "Tape", "definitions", "plan_day"]

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
BILLION = 1_000_000_000
GENERATED_OPEN_NS = int(datetime(2026, 3, 2, 14, 30, tzinfo=UTC).timestamp()) * SECOND_NS
GENERATED_DATE = 20260302
TAPE_VOLATILITY_BPS = 150  # of a day, assumed where a tape is too short to say
MAXIMUM_QUANTITY = 100_000  # of one client order, shares
QUOTE_AGE_MAX_NS = 2 * SECOND_NS
SPREAD_MAX_BPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a run of the simulator is told. Equal scenarios give equal days.

    `start_ns`: the generated session's open; a tape brings its own. `facts`: a file of measured
    volume curves; None takes the assumed one. `minutes` hold the closing auction of a generated
    day, if there is one; an opening auction comes before them.
    """

    seed: int = 1
    minutes: int = 30
    tape: Path | None = None
    orders: int = 2_000
    accounts: int = 40
    step_ns: int = SECOND_NS
    start_ns: int = GENERATED_OPEN_NS
    facts: Path | None = None
    conditions: Conditions = ORDINARY


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
    hours: Hours
    source: MarketSource
    commands: list[ClientCommand]  # of our clients, by time
    curves: tuple[VolumeCurveDefined, ...]
    troubles: tuple[Trouble, ...] = ()

    @property
    def open_steps(self) -> int:
        """Return the step with which continuous trading ends."""
        return self.hours.close_step


def plan_day(scenario: Scenario) -> Day:
    """Return the day of a scenario. Raises OSError for a tape that cannot be read."""
    if scenario.tape is not None:
        from services.venues.tapes import open_tape

        return _taped(scenario, open_tape(scenario.tape, scenario.seed))
    return _generated(scenario)


def _generated(scenario: Scenario) -> Day:
    conditions, step_ns = scenario.conditions, scenario.step_ns
    whole = scenario.minutes * MINUTE_NS // step_ns
    closing_steps = min(conditions.closing_s * SECOND_NS // step_ns, whole // 2)
    hours = Hours(
        open_ns=scenario.start_ns,
        step_ns=step_ns,
        continuous_steps=whole - closing_steps,
        opening_steps=conditions.opening_s * SECOND_NS // step_ns,
        closing_steps=closing_steps,
        grace_steps=_grace_steps(conditions, step_ns),
    )
    instruments = _share_instruments(hours)
    names, volumes, calls = [], [], []
    for ordinal, share in enumerate(SHARES):
        apart = _held(hours, auction_fractions(scenario.facts, ordinal))
        name, fractions = day_fractions(scenario.facts, ordinal, apart)
        names.append(name)
        volumes.append([share.daily_volume * part // BILLION for part in fractions])
        calls.append(_call_terms(instruments[ordinal], volumes[ordinal], apart, hours))
    source = GeneratedMarket(
        scenario.seed,
        SHARES,
        volumes,
        start_ns=hours.open_ns,
        step_ns=step_ns,
        open_steps=hours.continuous_steps,
        is_wide=conditions.is_wide,
    )
    return _day(
        scenario,
        "generated market of 8 instruments",
        venues=(*share_venues(), *(pools.venues() if conditions.is_wide else ())),
        instruments=instruments,
        hours=hours,
        source=source,
        calls=calls,
        curves=_curves(names, volumes, calls, hours),
        prices_e9=[share.price_ticks * TICK_E9 for share in SHARES],
        units=[max(share.trade_size // 4, 1) for share in SHARES],
        impact=_impact(scenario, [*map(_share_market, SHARES)], instruments, 100),
        daily_volumes=[share.daily_volume for share in SHARES],
    )


def _grace_steps(conditions: Conditions, step_ns: int) -> int:
    return -(-conditions.grace_s * SECOND_NS // step_ns) or GRACE_STEPS


def _share_instruments(hours: Hours) -> tuple[InstrumentDefined, ...]:
    return tuple(
        InstrumentDefined(
            instrument_id=share.instrument_id,
            symbol=share.instrument_id.title(),
            currency="USD",
            tick_e9=TICK_E9,
            lot=1,
            quantity_scale=1,
            maximum_quantity=MAXIMUM_QUANTITY,
            session_open_ns=hours.open_ns,
            session_close_ns=hours.close_ns,
            trade_date=GENERATED_DATE,
            calendar_id=CALENDAR if hours.has_calls else "",
        )
        for share in SHARES
    )


def _taped(scenario: Scenario, tape: Tape) -> Day:
    seconds = min(scenario.minutes * 60, tape.seconds)
    conditions, step_ns = scenario.conditions, scenario.step_ns
    hours = Hours(
        open_ns=tape.start_ns,
        step_ns=step_ns,
        continuous_steps=seconds * SECOND_NS // step_ns,
        opening_steps=conditions.opening_s * SECOND_NS // step_ns,
        closing_steps=conditions.closing_s * SECOND_NS // step_ns,
        grace_steps=_grace_steps(conditions, step_ns),
    )
    name, volumes = tape.volumes(-(-seconds // 60))
    calendar_id = CALENDAR if hours.has_calls else ""
    instruments = tuple(
        replace(each, calendar_id=calendar_id) for each in tape.instruments(hours.close_ns)
    )
    calls = [
        _call_terms(instrument, row, _held(hours, auction_fractions(None, 0)), hours)
        for instrument, row in zip(instruments, volumes, strict=True)
    ]
    source = tape.source(scenario.seed, step_ns, hours.continuous_steps)
    markets = [
        _taped_market(source.frame(0), each.instrument_id, price_e9, row)
        for each, price_e9, row in zip(instruments, tape.prices_e9, volumes, strict=True)
    ]
    return _day(
        scenario,
        tape.name,
        venues=tape.venues,
        instruments=instruments,
        hours=hours,
        source=source,
        calls=calls,
        curves=_curves([name] * len(volumes), volumes, calls, hours),
        prices_e9=tape.prices_e9,
        units=tape.units,
        impact=_impact(scenario, markets, instruments, 0),
        daily_volumes=[market.daily_volume for market in markets],
    )


def _impact(
    scenario: Scenario,
    markets: Sequence[Market],
    instruments: Sequence[InstrumentDefined],
    usual_per_cent: int,
) -> dict[str, ImpactTerms]:
    """Return how far we move each instrument; nothing where nothing is moved."""
    asked = scenario.conditions.impact_per_cent
    per_cent = usual_per_cent if asked is None else asked
    if not per_cent:
        return {}
    return {
        each.instrument_id: impact_terms(market, scenario.step_ns, per_cent)
        for each, market in zip(instruments, markets, strict=True)
    }


def _share_market(share: Share) -> Market:
    price_e9 = share.price_ticks * TICK_E9
    return Market(price_e9, share.volatility_bps, share.daily_volume, TICK_E9, share.depth)


def _taped_market(
    frame: Frame, instrument_id: str, price_e9: int, volumes: Sequence[int]
) -> Market:
    """Return what a tape tells of an instrument: the reach of its first book, its mean volume."""
    sides = [
        side
        for target in frame.targets
        if target.instrument_id == instrument_id
        for side in (target.bids, target.asks)
        if side
    ]
    reach_e9 = sum(abs(side[-1][0] - side[0][0]) for side in sides)
    # All venues' books lie beside each other: together they are as deep as their sum.
    depth = sum(size for side in sides for _, size in side) * len(sides) // 2
    volume = max(sum(volumes) * MINUTES // len(volumes), 1)
    return Market(price_e9, TAPE_VOLATILITY_BPS, volume, max(reach_e9, 1), max(depth, 1))


def _held(hours: Hours, fractions: tuple[int, int]) -> tuple[int, int]:
    """Return the parts of a day's volume that the calls held apart trade; 0 for one not held."""
    opening, closing = fractions
    return (opening if hours.opening_steps else 0, closing if hours.closing_steps else 0)


def _call_terms(
    instrument: InstrumentDefined, volumes: Sequence[int], parts: tuple[int, int], hours: Hours
) -> CallTerms:
    """Return what the calls trade: as large beside the minutes played as a day's beside a day."""
    minutes = -(-hours.continuous_steps * hours.step_ns // MINUTE_NS)
    played = sum(volumes[:minutes])
    opening, closing = (played * part // (BILLION - sum(parts)) for part in parts)
    return CallTerms(instrument.instrument_id, instrument.tick_e9, opening, closing)


def _curves(
    names: Sequence[str],
    volumes: Sequence[Sequence[int]],
    calls: Sequence[CallTerms],
    hours: Hours,
) -> list[VolumeCurveDefined]:
    return [
        curve_defined(
            terms.instrument_id,
            name,
            hours.open_ns,
            row,
            (terms.opening_quantity, terms.closing_quantity),
        )
        for name, row, terms in zip(names, volumes, calls, strict=True)
    ]


def _day(
    scenario: Scenario,
    title: str,
    *,
    venues: Sequence[VenueDefined],
    instruments: Sequence[InstrumentDefined],
    hours: Hours,
    source: MarketSource,
    calls: Sequence[CallTerms],
    curves: Sequence[VolumeCurveDefined],
    prices_e9: Sequence[int],
    units: Sequence[int],
    impact: dict[str, ImpactTerms],
    daily_volumes: Sequence[int],
) -> Day:
    flow = FlowPlan(
        seed=scenario.seed,
        orders=scenario.orders,
        accounts=scenario.accounts,
        start_ns=hours.open_ns,
        close_ns=hours.close_ns,
        step_ns=scenario.step_ns,
        instruments=instruments,
        prices_e9=prices_e9,
        units=units,
        opening_ns=(hours.start_ns, hours.opening_cutoff_ns) if hours.opening_steps else None,
        closing_cutoff_ns=hours.closing_cutoff_ns if hours.closing_steps else 0,
    )
    troubles = parse_troubles(scenario.conditions.troubles)
    halting = [
        HaltTerms(each.instrument_id, each.tick_e9, price_e9, volume)
        for each, price_e9, volume in zip(instruments, prices_e9, daily_volumes, strict=True)
    ]
    terms = Terms(
        seed=scenario.seed,
        start_ns=hours.start_ns,
        step_ns=scenario.step_ns,
        last_ns=hours.start_ns + hours.steps * scenario.step_ns,
        venues={venue.venue_id: venue for venue in venues},
        instruments={each.instrument_id: each for each in instruments},
        impact=impact,
    )
    conditions = scenario.conditions
    if scenario.tape is not None and (impact or conditions.halts):
        source = ShiftedMarket(source, {each.instrument_id: each.tick_e9 for each in instruments})
    if conditions.halts:
        names = [each.instrument_id for each in instruments]
        source = HaltingMarket(
            source,
            plan_halts(
                scenario.seed, conditions.halts, names, hours.continuous_steps, hours.step_ns
            ),
            halting,
            seed=scenario.seed,
            start_ns=hours.open_ns,
            step_ns=hours.step_ns,
        )
    if hours.has_calls:
        source = AuctionedMarket(source, hours, calls, scenario.seed)
    return Day(title, terms, hours.steps, hours, source, plan_flow(flow), tuple(curves), troubles)


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
    instruments = [*day.terms.instruments.values()]
    calendars = (
        [calendar_defined(day.hours, instruments[0].trade_date)] if day.hours.has_calls else []
    )
    return [
        *calendars,
        *day.terms.venues.values(),
        *instruments,
        *accounts(scenario.accounts),
        crossing,
        *day.curves,
    ]
