"""Rows of what is traded and where: instruments, venues, crossing."""

from decimal import Decimal
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from schemas.messages.control import (
    CrossingDeclared,
    InstrumentDefined,
    PairRestricted,
    VenueDefined,
)
from schemas.messages.core import (
    FeeTier,
    OrderType,
    PartyLevel,
    SelfTradeRule,
    TickBand,
    VenueKind,
)
from services.config.decimals import E9, Exact, Instant, ns_of, units
from services.config.rows import DatedRow, Row

__all__ = ["CrossingRow", "InstrumentRow", "PairRow", "VenueRow"]

MS_NS: Final = 1_000_000
ZERO: Final = Decimal(0)


class BandRow(BaseModel):
    """Prices in currency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    from_price: Exact
    tick: Exact


class InstrumentRow(DatedRow):
    """Prices in currency; quantities in whole units, of which the log counts quantity_scale each.

    Either a calendar, or one session by its own times.
    """

    instrument_id: str
    symbol: str = ""
    currency: str
    tick: Exact
    tick_bands: tuple[BandRow, ...] = ()
    lot: Exact
    quantity_scale: int = 1
    maximum_quantity: Exact
    average_daily_volume: Exact = ZERO
    allocation_lot: Exact = ZERO
    is_short_sale_allowed: bool = True
    settlement_days: int = 1
    settlement_calendar_id: str = ""
    calendar_id: str = ""
    session_open: Instant | None = None
    session_close: Instant | None = None
    trade_date: int = 0

    @model_validator(mode="after")
    def _has_sessions(self) -> "InstrumentRow":
        own = (self.session_open, self.session_close, self.trade_date)
        if self.calendar_id and any(own):
            raise ValueError("either calendar_id or session_open, session_close and trade_date")
        if not self.calendar_id and not all(own):
            raise ValueError("calendar_id, or session_open, session_close and trade_date")
        if self.quantity_scale < 1:
            raise ValueError("quantity_scale at least 1")
        return self

    def messages(self) -> tuple[Any, ...]:
        scale = self.quantity_scale
        return (
            InstrumentDefined(
                instrument_id=self.instrument_id,
                symbol=self.symbol or self.instrument_id,
                currency=self.currency,
                tick_e9=units("tick", self.tick, E9),
                lot=units("lot", self.lot, scale),
                quantity_scale=scale,
                maximum_quantity=units("maximum_quantity", self.maximum_quantity, scale),
                session_open_ns=0 if self.session_open is None else ns_of(self.session_open),
                session_close_ns=0 if self.session_close is None else ns_of(self.session_close),
                trade_date=self.trade_date,
                effective_ns=self.effective_ns,
                tick_bands=tuple(
                    TickBand(
                        from_price_e9=units("tick_bands.from_price", band.from_price, E9),
                        tick_e9=units("tick_bands.tick", band.tick, E9),
                    )
                    for band in self.tick_bands
                ),
                calendar_id=self.calendar_id,
                settlement_days=self.settlement_days,
                settlement_calendar_id=self.settlement_calendar_id,
                average_daily_volume=units(
                    "average_daily_volume", self.average_daily_volume, scale
                ),
                allocation_lot=units("allocation_lot", self.allocation_lot, scale),
                is_short_sale_allowed=self.is_short_sale_allowed,
            ),
        )

    @classmethod
    def parse_text(cls, fields: dict[str, str]) -> dict[str, Any]:
        """Cells of tick_bands hold `from:tick` pairs with semicolons between them."""
        found: dict[str, Any] = dict(fields)
        pairs = [pair.partition(":") for pair in found.pop("tick_bands", "").split(";") if pair]
        if pairs:
            found["tick_bands"] = [{"from_price": price, "tick": tick} for price, _, tick in pairs]
        return found


class TierRow(BaseModel):
    """Fees from an own monthly quantity on, smallest units."""

    model_config = ConfigDict(extra="forbid")

    from_quantity: int
    taker_fee: Exact = ZERO
    maker_fee: Exact = ZERO

    def tier(self) -> FeeTier:
        return FeeTier(
            from_quantity=self.from_quantity,
            taker_fee_e9=units("fee_tiers.taker_fee", self.taker_fee, E9),
            maker_fee_e9=units("fee_tiers.maker_fee", self.maker_fee, E9),
        )


class VenueRow(DatedRow):
    """Fees in currency per whole unit and in parts per million of notional; minus is a rebate."""

    venue_id: str
    name: str = ""
    kind: Literal["LIT", "DARK", "ATS"]
    taker_fee: Exact = ZERO
    maker_fee: Exact = ZERO
    taker_fee_ppm: int = 0
    maker_fee_ppm: int = 0
    minimum_quantity: int = 1  # smallest units
    latency_ms: Exact = ZERO
    is_enabled: bool = True
    order_types: tuple[Literal["MARKET", "LIMIT", "MIDPOINT", "PEGGED"], ...] = ()  # none: all
    tick: Exact = ZERO  # 0: the instrument's
    lot: int = 0  # smallest units; 0: the instrument's
    fee_tiers: tuple[TierRow, ...] = ()
    month_quantity: int = 0  # smallest units, before this log
    self_trade_rule: Literal["UNKNOWN", "NONE", "CANCEL_NEWEST", "CANCEL_OLDEST", "CANCEL_BOTH"] = (
        "UNKNOWN"
    )
    cancel_after_ms: Exact = ZERO
    messages_per_s: int = 0
    slow_after_ms: Exact = ZERO
    calendar_id: str = ""

    def messages(self) -> tuple[Any, ...]:
        return (
            VenueDefined(
                venue_id=self.venue_id,
                name=self.name or self.venue_id,
                kind=VenueKind(self.kind),
                taker_fee_e9=units("taker_fee", self.taker_fee, E9),
                maker_fee_e9=units("maker_fee", self.maker_fee, E9),
                taker_fee_ppm=self.taker_fee_ppm,
                maker_fee_ppm=self.maker_fee_ppm,
                minimum_quantity=self.minimum_quantity,
                latency_ns=units("latency_ms", self.latency_ms, MS_NS),
                effective_ns=self.effective_ns,
                is_enabled=self.is_enabled,
                order_types=tuple(OrderType(each) for each in self.order_types),
                tick_e9=units("tick", self.tick, E9),
                lot=self.lot,
                fee_tiers=tuple(tier.tier() for tier in self.fee_tiers),
                month_quantity=self.month_quantity,
                self_trade_rule=SelfTradeRule(self.self_trade_rule),
                cancel_after_ns=units("cancel_after_ms", self.cancel_after_ms, MS_NS),
                messages_per_s=self.messages_per_s,
                slow_after_ns=units("slow_after_ms", self.slow_after_ms, MS_NS),
                calendar_id=self.calendar_id,
            ),
        )


class CrossingRow(DatedRow):
    declaration_id: str
    tenant: str
    is_allowed: bool
    quote_age_max_ms: int
    spread_max_bps: int
    spread_median_bps: int = 0
    random_ms: int = 0
    regime: str = ""
    declared_by: str = ""

    def messages(self) -> tuple[Any, ...]:
        return (
            CrossingDeclared(
                declaration_id=self.declaration_id,
                tenant=self.tenant,
                is_allowed=self.is_allowed,
                quote_age_max_ns=self.quote_age_max_ms * MS_NS,
                spread_max_bps=self.spread_max_bps,
                regime=self.regime,
                declared_by=self.declared_by,
                effective_ns=self.effective_ns,
                spread_median_bps=self.spread_median_bps,
                random_ns=self.random_ms * MS_NS,
            ),
        )


class PairRow(Row):
    """Two parties that may not meet in an internal cross."""

    tenant: str
    level: Literal["ACCOUNT", "CLIENT", "OWNER"]
    one: str
    other: str
    is_restricted: bool = True
    reason: str

    def messages(self) -> tuple[Any, ...]:
        return (
            PairRestricted(
                tenant=self.tenant,
                level=PartyLevel(self.level),
                one=self.one,
                other=self.other,
                is_restricted=self.is_restricted,
                reason=self.reason,
            ),
        )
