"""The view: what every definition read so far makes hold at an instant."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from schemas.messages.control import (
    AccountDefined,
    CalendarDefined,
    ClientDefined,
    ConfigLoaded,
    CrossingDeclared,
    DeskDefined,
    InstrumentDefined,
    PairRestricted,
    SettingsLoaded,
    VenueDefined,
    VolumeCurveDefined,
)
from schemas.messages.core import BookState, PhaseKind
from schemas.messages.core import RejectReason as R
from streams.core.calendar import NEVER_NS, Calendar
from streams.core.errors import DecodeError
from streams.core.market import Account, Instrument, Venue
from streams.netting.commands import Crossing, Restriction
from streams.routing import settings as routing_settings
from streams.routing.settings import RoutingSettings
from streams.shard.reference import values
from streams.shard.reference.checks import check
from streams.shard.reference.dated import DATED, Dated, Rank, subject_of
from streams.shard.settings import CONTEXT, EngineSettings

__all__ = ["CONTROL_MESSAGES", "ReferenceView"]

Settings = TypeVar("Settings")

CONTROL_MESSAGES = (
    AccountDefined,
    CalendarDefined,
    ClientDefined,
    ConfigLoaded,
    CrossingDeclared,
    DeskDefined,
    InstrumentDefined,
    PairRestricted,
    SettingsLoaded,
    VenueDefined,
    VolumeCurveDefined,
)


class ReferenceView(msgspec.Struct):
    """What the definitions in force say.

    `version` counts the messages read and those that came into force later. Call `advance` at the
    start of each input; ask `instrument` and `account`, through Knowledge, which keeps the answers.
    """

    version: int = 0
    instruments: dict[str, Instrument] = {}  # with a calendar, without its session
    venues: dict[str, Venue] = {}
    accounts: dict[str, AccountDefined] = {}
    clients: dict[str, ClientDefined] = {}
    desks: dict[str, DeskDefined] = {}
    calendars: dict[str, Calendar] = {}
    crossings: dict[str, Crossing] = {}  # by tenant, those in force only
    restrictions: dict[str, list[Restriction]] = {}  # by tenant, in order of first mention
    curves: dict[str, VolumeCurveDefined] = {}
    settings: EngineSettings = EngineSettings()
    routing: RoutingSettings = RoutingSettings()
    units: dict[str, tuple[str, int]] = {}  # currency and scale of an instrument, for ever
    dated: Dated = msgspec.field(default_factory=Dated)

    def is_due(self, at_ns: int) -> bool:
        """Return whether a definition waits for an instant that is reached; O(1)."""
        waiting = self.dated.waiting
        return bool(waiting) and waiting[0].effective_ns <= at_ns

    def advance(self, at_ns: int) -> None:
        """Let what is due come into force."""
        for message, rank in self.dated.pop_due(at_ns):
            self._enter(message, rank)
            self.version += 1

    def apply(self, message: Any, sent_ns: int, at_ns: int) -> None:
        """Take one definition; another context's settings only count as a version.

        Raises: DecodeError when it would make a price or a quantity that does not add up, or names
        what is not there.
        """
        check(message)
        self._check_known(message, at_ns)
        match message:
            case VolumeCurveDefined():
                self.curves[message.instrument_id] = message
            case PairRestricted():
                self._restrict(message)
            case SettingsLoaded() if message.context == CONTEXT:
                self.settings = _settings(message, EngineSettings.parse)
            case SettingsLoaded() if message.context == routing_settings.CONTEXT:
                self.routing = _settings(message, RoutingSettings.parse)
            case _ if type(message) in DATED:
                self._take(message, sent_ns, at_ns)
            case _:
                pass
        self.version += 1

    def instrument(self, instrument_id: str, at_ns: int) -> tuple[Instrument | None, int]:
        """Return the terms in their session, and until when they hold if nothing is read."""
        terms = self.instruments.get(instrument_id)
        if terms is None or not terms.calendar_id:
            return terms, NEVER_NS
        moment = self.calendars[terms.calendar_id].at(at_ns)
        return values.in_session(terms, moment), moment.until_ns

    def venue_states(self, at_ns: int) -> tuple[dict[str, BookState], int]:
        """Return the venues that their own calendars keep shut, and until when that holds."""
        shut: dict[str, BookState] = {}
        until_ns = NEVER_NS
        for venue_id, venue in self.venues.items():
            if not venue.calendar_id:
                continue
            moment = self.calendars[venue.calendar_id].at(at_ns)
            until_ns = min(until_ns, moment.until_ns)
            if moment.phase in (PhaseKind.OPENING_AUCTION, PhaseKind.CLOSING_AUCTION):
                shut[venue_id] = BookState.AUCTION
            elif moment.phase is not PhaseKind.CONTINUOUS:
                shut[venue_id] = BookState.CLOSED
        return shut, until_ns

    def account(self, account_id: str) -> Account | None:
        """Return who trades, whether enabled or not."""
        known = self.accounts.get(account_id)
        if known is None:
            return None
        client = self.clients.get(known.client_id)
        if client is not None and client.tenant != known.tenant:
            client = None
        is_registered = any(each.tenant == known.tenant for each in self.clients.values())
        return values.account(known, client, is_registered=is_registered)

    def opted_out(self, tenant: str) -> frozenset[str]:
        """Return the tenant's accounts whose orders may not be crossed inside the house."""
        return frozenset(
            account_id
            for account_id, account in self.accounts.items()
            if account.tenant == tenant
            and not (account.is_cross_allowed and self._is_consenting(account))
        )

    @property
    def is_median_wanted(self) -> bool:
        """Whether a declaration in force compares spreads with their rolling median."""
        return any(crossing.spread_median_bps for crossing in self.crossings.values())

    def is_desk_known(self, desk_id: str, tenant: str) -> bool:
        """Return whether the desk may send orders; any may where the tenant registers none."""
        desk = self.desks.get(desk_id)
        if desk is not None and desk.tenant == tenant:
            return desk.is_enabled
        return not any(each.tenant == tenant for each in self.desks.values())

    def _check_known(self, message: Any, at_ns: int) -> None:
        match message:
            case InstrumentDefined():
                for name in ("calendar_id", "settlement_calendar_id"):
                    calendar_id = getattr(message, name)
                    if calendar_id and calendar_id not in self.calendars:
                        bound = "defined calendars"
                        raise DecodeError(R.UNKNOWN_CALENDAR, name, calendar_id, bound)
                self._check_units(message)
            case VenueDefined() if message.calendar_id not in ("", *self.calendars):
                bound = "defined calendars"
                raise DecodeError(R.UNKNOWN_CALENDAR, "calendar_id", message.calendar_id, bound)
            case CalendarDefined() if message.effective_ns <= at_ns:
                self._check_neighbors(message)
            case _:
                pass

    def _check_units(self, message: InstrumentDefined) -> None:
        """Cash and quantities of open orders are counted in them: another unit is another id."""
        known = self.units.get(message.instrument_id)
        if known is None:
            return
        currency, scale = known
        if message.currency != currency:
            raise DecodeError(R.CURRENCY_MISMATCH, "currency", message.currency, currency)
        if message.quantity_scale != scale:
            value, bound = str(message.quantity_scale), f"{scale}, as before"
            raise DecodeError(R.VALUE_OUT_OF_RANGE, "quantity_scale", value, bound)

    def _check_neighbors(self, message: CalendarDefined) -> None:
        known = self.calendars.get(message.calendar_id)
        if known is None or not message.sessions:
            return
        start_ns = message.sessions[0].phases[0].start_ns
        end_ns = message.sessions[-1].phases[-1].end_ns
        for session in known.sessions:
            is_kept = not message.first_date <= session.trade_date <= message.last_date
            if is_kept and session.start_ns < end_ns and start_ns < session.end_ns:
                bound = f"apart from the session of {session.trade_date}"
                value = f"{start_ns}..{end_ns}"
                raise DecodeError(R.CALENDAR_NOT_ORDERED, "sessions", value, bound)

    def _take(self, message: Any, sent_ns: int, at_ns: int) -> None:
        if message.effective_ns > at_ns:
            self.dated.wait(message)
        else:
            rank = self.dated.rank(message, sent_ns, at_ns)
            if not isinstance(message, CalendarDefined):  # its chunks lie over each other by rank
                self.dated.check(message, rank)
            self._enter(message, rank)
        if isinstance(message, InstrumentDefined):
            self.units[message.instrument_id] = (message.currency, message.quantity_scale)
        elif isinstance(message, CalendarDefined):
            self.calendars.setdefault(message.calendar_id, Calendar())

    def _enter(self, message: Any, rank: Rank) -> None:
        if not (rank.is_stated and isinstance(message, CalendarDefined)):
            self.dated.ranks[subject_of(message)] = rank
        match message:
            case InstrumentDefined():
                self.instruments[message.instrument_id] = values.instrument(message)
            case VenueDefined():
                self.venues[message.venue_id] = values.venue(message)
            case AccountDefined():
                self.accounts[message.account_id] = message
            case ClientDefined():
                self.clients[message.client_id] = message
            case DeskDefined():
                self.desks[message.desk_id] = message
            case CalendarDefined():
                calendar = self.calendars.setdefault(message.calendar_id, Calendar())
                calendar.put(message, rank.at_ns)
            case CrossingDeclared():
                self._declare(message)

    def _is_consenting(self, account: AccountDefined) -> bool:
        client = self.clients.get(account.client_id)
        return client is None or client.tenant != account.tenant or client.is_cross_allowed

    def _restrict(self, message: PairRestricted) -> None:
        one, other = sorted((message.one, message.other))
        restriction = Restriction(message.level, one, other)
        known = self.restrictions.setdefault(message.tenant, [])
        if restriction in known:
            known.remove(restriction)
        if message.is_restricted:
            known.append(restriction)

    def _declare(self, message: CrossingDeclared) -> None:
        if not message.is_allowed:
            self.crossings.pop(message.tenant, None)
            return
        self.crossings[message.tenant] = Crossing(
            declaration_id=message.declaration_id,
            quote_age_max_ns=message.quote_age_max_ns,
            spread_max_bps=message.spread_max_bps,
            spread_median_bps=message.spread_median_bps,
            random_ns=message.random_ns,
        )


def _settings(message: SettingsLoaded, parse: Callable[[str], Settings]) -> Settings:
    try:
        return parse(message.content)
    except msgspec.MsgspecError as error:
        bound = f"settings of the {message.context} as JSON"
        raise DecodeError(R.BODY_UNDECODABLE, "content", str(error), bound) from error
