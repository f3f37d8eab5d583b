"""What the shard adds to a command: the market, the model's estimate, a parent's exposure."""

import msgspec

from schemas.messages.core import BookState, StrategyKind
from schemas.messages.plans import PlacementSolved
from schemas.messages.strategy import VolumeForecast
from streams import kill, routing, strategy
from streams.core.calendar import NEVER_NS
from streams.core.market import Account, Instrument, Quote
from streams.models.volume import forecast_day, model_version
from streams.netting.commands import EpochExposure, ParentExposure
from streams.risk import Gate
from streams.risk.commands import RecordVerdict
from streams.risk.request import Reference
from streams.routing.commands import MarketBooks
from streams.shard import stops
from streams.shard.estimates import estimate_of
from streams.shard.market import STATES
from streams.shard.state import ShardState
from streams.shard.venues_now import VenuesNow
from streams.strategy.commands import MarketState

__all__ = ["Knowledge"]

RATE_MAX_BPS = 10_000
_NOTHING: dict[str, PlacementSolved] = {}
FOLLOWING = (StrategyKind.VWAP, StrategyKind.CLOSE, StrategyKind.IMPLEMENTATION_SHORTFALL)


def _state_of_all(terms: Instrument) -> BookState | None:
    """Return the state that no venue is better than; None in continuous trading."""
    if terms.is_continuous:
        return None
    if terms.status in STATES:
        return STATES[terms.status]
    return BookState.AUCTION if terms.is_auction else BookState.CLOSED


class Knowledge:
    """Questions on the state at one instant; it changes nothing."""

    __slots__ = (
        "_accounts",
        "_instruments",
        "_opted_out",
        "_quotes",
        "at_ns",
        "entropy",
        "gate",
        "references",
        "state",
        "urgent",
        "venues_now",
        "verdicts",
    )

    def __init__(self, state: ShardState) -> None:
        self.state = state
        self.at_ns = 0
        self.entropy = b""
        self.gate = Gate(state.risk)
        self.venues_now = VenuesNow(state)
        # By instrument: what prices are held against at the instant, while no trade comes.
        self.references: dict[str, tuple[int, Quote | None, Reference]] = {}
        # What the limits say beside yes of the command under way, by its digest.
        self.verdicts: dict[bytes, RecordVerdict] = {}
        # Windows to close at the end of the batch, and the newest urgent order of each (event id).
        self.urgent: dict[tuple[str, str], bytes] = {}
        # By instrument: the quote and how long it holds if no book comes in between.
        self._quotes: dict[str, tuple[Quote | None, int]] = {}
        # By instrument: its terms and the instant (exclusive) until which they hold unless
        # something is read; by account: who trades. Both as reference data in force say.
        self._instruments: dict[str, tuple[Instrument, int]] = {}
        self._accounts: dict[str, Account] = {}
        self._opted_out: dict[str, frozenset[str]] = {}  # by tenant

    def instrument(self, instrument_id: str) -> Instrument | None:
        """Return the terms in force now, in their session; None when the instrument is unknown."""
        known = self._instruments.get(instrument_id)
        if known is None or self.at_ns >= known[1]:
            terms, until_ns = self.state.reference.instrument(instrument_id, self.at_ns)
            if terms is None:
                return None
            status = self.state.market.status(instrument_id)
            if status is not None:
                terms = msgspec.structs.replace(
                    terms,
                    status=status.status,
                    is_halted=status.is_halted,
                    limit_state=status.limit_state,
                    lower_band_e9=status.lower_band_e9,
                    upper_band_e9=status.upper_band_e9,
                )
            known = self._instruments[instrument_id] = (terms, until_ns)
        return known[0]

    def terms(self, instrument_id: str) -> Instrument:
        """Return the terms of an instrument that some order or parent trades: it is defined."""
        found = self.instrument(instrument_id)
        assert found is not None, f"{instrument_id} is traded and not defined"
        return found

    def account(self, account_id: str, tenant: str) -> Account | None:
        """Return who trades, enabled or not; None when unknown or of another tenant."""
        known = self._accounts.get(account_id)
        if known is None:
            known = self.state.reference.account(account_id)
            if known is None:
                return None
            self._accounts[account_id] = known
        return known if known.tenant == tenant else None

    def opted_out(self, tenant: str) -> frozenset[str]:
        """Return the accounts of a tenant that may not be crossed."""
        known = self._opted_out.get(tenant)
        if known is None:
            known = self._opted_out[tenant] = self.state.reference.opted_out(tenant)
        return known

    def is_desk_known(self, desk_id: str, tenant: str) -> bool:
        """Return whether the desk may send orders of that tenant."""
        return self.state.reference.is_desk_known(desk_id, tenant)

    def quote(self, instrument_id: str) -> Quote | None:
        known = self._quotes.get(instrument_id)
        if known is None or self.at_ns > known[1]:
            reference = self.state.reference
            age_max_ns = reference.settings.quote_age_max_ns
            terms, until_ns = self.instrument(instrument_id), NEVER_NS
            if terms is not None:
                until_ns = self._instruments[instrument_id][1] - 1
            if terms is not None and not terms.is_continuous:
                known = None, until_ns
            else:
                venues, shut_ns = self.venues_now.open_only(self.at_ns)
                known = self.state.market.quote(instrument_id, venues, self.at_ns, age_max_ns)
                known = known[0], min(known[1], until_ns, shut_ns - 1)
            self._quotes[instrument_id] = known
        return known[0]

    def midpoint_e9(self, instrument_id: str) -> int | None:
        quote = self.quote(instrument_id)
        return None if quote is None else quote.midpoint_e9

    def books(self, instrument_id: str) -> MarketBooks | None:
        """Return what routing sees; None when the instrument is unknown."""
        state = self.state
        instrument = self.instrument(instrument_id)
        if instrument is None:
            return None
        return MarketBooks(
            instrument=instrument,
            quote=self.quote(instrument_id),
            books=state.market.books(
                instrument_id,
                self.venues_now.terms(instrument.trade_date),
                _state_of_all(instrument),
                self.venues_now.shut(self.at_ns)[0],
            ),
            age_max_ns=state.reference.settings.quote_age_max_ns,
            crossed_max_ns=state.reference.settings.crossed_max_ns,
            stopped_venue_ids=kill.stopped_venues(state.kill),
            placements=tuple(state.placements.get(instrument_id, _NOTHING).values()),
            spread_bps_e9=state.estimators.spread_bps_e9(instrument_id),
            auctions=state.market.auctions(instrument_id),
        )

    def market(self, instrument_id: str) -> MarketState:
        """Return what a strategy sees of an instrument that some parent trades."""
        state, instrument = self.state, self.terms(instrument_id)
        prints = state.market.prints(instrument_id)
        quote = self.quote(instrument_id)
        estimator = state.estimators.instruments.get(instrument_id)
        return MarketState(
            instrument=instrument,
            quote=quote,
            others_quantity=prints.others_quantity,
            is_open=instrument.is_continuous
            and state.market.is_open(instrument_id, self.venues_now.open_only(self.at_ns)[0]),
            estimate=estimate_of(
                state.estimators,
                state.market,
                state.routing,
                instrument,
                quote,
                at_ns=self.at_ns,
            ),
            others_price_e9=0 if estimator is None else estimator.others_price_e9,
            steady_quantity=prints.steady_quantity,
            prints=prints.count,
            auctions=state.market.auctions(instrument_id),
        )

    def is_stopped(self, parent_id: str) -> bool:
        """Return whether the kill switch lets nothing be released or sent for the parent."""
        return stops.is_stopped(self.state, parent_id)

    def exposure(self, parent_id: str) -> ParentExposure:
        state = self.state
        return ParentExposure(
            parent_id=parent_id,
            room=strategy.room(state.strategy, parent_id),
            exposures=tuple(
                EpochExposure(epoch, quantity)
                for epoch, quantity in routing.exposures(state.routing, parent_id)
                if quantity
            ),
        )

    def is_forecast_wanted(self, parent_id: str) -> bool:
        """Return whether the parent follows the market's volume and a curve is known for it."""
        parent = self.state.strategy.parents[parent_id]
        is_following = (
            parent.strategy in FOLLOWING
            or parent.participation_cap_bps < RATE_MAX_BPS
            or parent.policy is not None
        )
        return is_following and self._bin(parent.instrument_id) is not None

    def known_forecast(self, parent_id: str) -> VolumeForecast | None:
        """Return the parent's newest forecast if it is of this bin: nothing was learned since."""
        forecast = self.state.parents[parent_id].forecast
        if forecast is None or not 0 <= self.at_ns - forecast.bin_start_ns < forecast.bin_ns:
            return None
        return forecast

    def forecast(self, parent_id: str) -> VolumeForecast:
        """Return what the volume model expects of the bins from now on. Floats stay in there."""
        instrument_id = self.state.parents[parent_id].instrument_id
        curve = self.state.reference.curves[instrument_id]
        first_bin = self._bin(instrument_id)
        assert first_bin is not None, "is_forecast_wanted said yes"
        prints = self.state.market.prints(instrument_id)
        observed = prints.observed(first_bin, curve.first_bin_ns)
        expected = forecast_day(curve, observed, first_bin)
        return VolumeForecast(
            instrument_id=instrument_id,
            parent_id=parent_id,
            model=model_version(curve),
            bin_start_ns=curve.first_bin_ns + first_bin * curve.bin_ns,
            bin_ns=curve.bin_ns,
            volumes=expected.volumes,
            volume_cv_e9=round(expected.cv * 1e9),
            opening_auction_volume=expected.opening,
            closing_auction_volume=expected.closing,
        )

    def forget_quote(self, instrument_id: str) -> None:
        """Drop the quote computed ahead: a book came."""
        self._quotes.pop(instrument_id, None)

    def forget_instrument(self, instrument_id: str) -> None:
        """Drop terms and quote computed ahead: the instrument's trading status changed."""
        self._instruments.pop(instrument_id, None)
        self._quotes.pop(instrument_id, None)

    def forget(self) -> None:
        """Drop all that was computed ahead: definitions changed."""
        self._quotes.clear()
        self._instruments.clear()
        self._accounts.clear()
        self._opted_out.clear()

    def instrument_of(self, timer_subject: str) -> str:
        """Return the instrument of a slice or child; empty when it holds nothing any more.

        A timer of the error account names the instrument itself.
        """
        state = self.state.routing
        held = state.slices.get(timer_subject) or state.children.get(timer_subject)
        if held is not None:
            return held.instrument_id
        return timer_subject if timer_subject in self.state.reference.instruments else ""

    def _bin(self, instrument_id: str) -> int | None:
        curve = self.state.reference.curves.get(instrument_id)
        if curve is None:
            return None
        ordinal = max(0, (self.at_ns - curve.first_bin_ns) // curve.bin_ns)
        return ordinal if ordinal < len(curve.log_volume_e9) else None
