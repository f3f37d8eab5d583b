"""What a venue wants to see in FIX, and what it promises: one profile per venue, in TOML."""

import tomllib
from datetime import UTC, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.messages.core import ExecType, Liquidity, OrderStatus, OrderType, TimeInForce
from services.fix.codes.versions import Version

__all__ = ["PROFILES", "Role", "Symbol", "VenueTerms", "read_terms"]

PROFILES: Final = Path(__file__).parents[3] / "infra" / "fix" / "venues"
Pair = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,4}=[^\x01]+$")]
Time = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$|^$")]
Role = Literal["orders", "drop-copy"]


class Symbol(BaseModel):
    """How a venue names an instrument."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str = Field("", description="FIX 55; empty for our name of it")
    security_id: str = Field("", description="FIX 48; empty for none")
    id_source: str = Field("", description="FIX 22, what kind of id that is")
    exchange: str = Field("", description="FIX 207; empty for the profile's")

    @model_validator(mode="after")
    def _says_what_the_id_is(self) -> Self:
        if bool(self.security_id) != bool(self.id_source):
            raise ValueError("security_id and id_source stand together")
        return self


class VenueTerms(BaseModel):
    """The terms of a session with a venue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    venue_id: str = Field(min_length=1, max_length=64, description="Venue, as the engine names it")
    version: Version = Field(description="Version of the application's messages")
    role: Role = Field("orders", description="Orders, or copies of executions (FIX 797=Y)")

    # Instruments
    symbols: dict[str, Symbol] = Field({}, description="By our name; others are named as we do")
    exchange: str = Field("", description="FIX 207 of all; empty for none")

    # How orders are written
    account: str = Field("", description="FIX 1; empty for none")
    capacity_tag: Literal[0, 47, 528] = Field(528, description="Tag of the capacity; 0 for none")
    capacity: str = Field("A", description="A agency, P principal, R riskless principal")
    display_tag: Literal[0, 111, 210, 1138] = Field(111, description="0: shows every order whole")
    minimum_tag: Literal[0, 110] = Field(110, description="MinQty; 0: not taken")
    post_only: tuple[Pair, ...] = Field(("18=6",), description="Fields; empty: not taken")
    midpoint: tuple[Pair, ...] = Field(("40=P", "18=M"), description="Fields of a midpoint peg")
    short_sale: tuple[Pair, ...] = Field(("54=5", "114=N"), description="Fields of a short sale")
    self_trade_tag: int = Field(0, ge=0, description="Tag of our self-trade prevention id; 0: none")
    constants: tuple[Pair, ...] = Field((), description="Fields that every D and G carries")
    order_types: tuple[OrderType, ...] = Field((OrderType.LIMIT, OrderType.MARKET))
    times_in_force: tuple[TimeInForce, ...] = Field((TimeInForce.DAY, TimeInForce.IOC))
    takes_replace: bool = Field(True, description="Whether G changes an order")
    original_id: Literal["latest", "first"] = Field(
        "latest", description="FIX 41: ClOrdID of the newest accepted replace, or of the D"
    )
    time_digits: Literal[0, 3, 6, 9] = Field(3, description="Digits of a second in FIX 60")

    # How reports are read
    fee_tag: int = Field(0, ge=0, description="Tag whose values, summed, are the fee; 0 for none")
    fee_sign: Literal[1, -1] = Field(1, description="-1: the venue writes what it pays us as +")
    liquidity_tag: int = Field(851, ge=0)
    liquidity: dict[str, Liquidity] = Field(
        {"1": Liquidity.ADDED, "2": Liquidity.REMOVED, "4": Liquidity.AUCTION}
    )
    liquidity_absent: Liquidity = Field(Liquidity.UNKNOWN, description="What no value means")
    exec_types: dict[str, ExecType] = Field({}, description="Its own values of FIX 150")
    statuses: dict[str, OrderStatus] = Field({}, description="Its own values of FIX 39")

    # Pace and promises
    messages_per_s: int = Field(0, ge=0, description="Most messages in any second; 0: no bound")
    opens: Time = Field("", description="Orders are taken from then on; empty for always")
    closes: Time = Field("", description="and until then")
    time_zone: str = Field(
        "", description="Of opens and closes, as IANA names it (Europe/Berlin); empty for UTC"
    )
    order_age_max_ms: int = Field(
        30_000, ge=0, description="An order that could not leave for so long is not sent; 0: is"
    )
    ack_timeout_ms: int = Field(5_000, ge=0, description="Then a child is asked for; 0: never")
    status_requests: Literal["order", "mass", "none"] = Field(
        "order", description="Answers H; H and AF; neither"
    )
    cancel_on_disconnect: bool = Field(
        False, description="It promises to cancel what is open when the session is lost"
    )
    sends_dont_know: bool = Field(True, description="It takes Q for an execution of no order")
    drop_copy_grace_ms: int = Field(
        5_000, ge=0, description="An execution that only the drop copy tells is taken after that"
    )

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if bool(self.opens) != bool(self.closes):
            raise ValueError("opens and closes stand together")
        if self.time_zone and not self.opens:
            raise ValueError("a time_zone without opens and closes says nothing")
        try:
            _ = self.zone
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{self.time_zone} is no time zone known here") from error
        if OrderType.MIDPOINT in self.order_types and not self.midpoint:
            raise ValueError("MIDPOINT is taken and midpoint says no fields")
        if self.version is Version.FIX42 and self.status_requests == "mass":
            raise ValueError("FIX 4.2 has no mass status request")
        return self

    def symbol_of(self, instrument_id: str) -> Symbol:
        """Return how the venue names an instrument."""
        known = self.symbols.get(instrument_id) or Symbol.model_validate({})
        own = {"symbol": known.symbol or instrument_id, "exchange": known.exchange or self.exchange}
        return known.model_copy(update=own)

    def instrument_of(self, symbol: str, security_id: str) -> str:
        """Return our name of what a venue names; its own where we have no other."""
        known = self._by_security_id.get(security_id, "") or self._by_symbol.get(symbol, "")
        return known or symbol

    @cached_property
    def zone(self) -> tzinfo:
        """Return the zone of `opens` and `closes`."""
        return ZoneInfo(self.time_zone) if self.time_zone else UTC

    @cached_property
    def _by_security_id(self) -> dict[str, str]:
        return {each.security_id: k for k, each in self.symbols.items() if each.security_id}

    @cached_property
    def _by_symbol(self) -> dict[str, str]:
        return {each.symbol: k for k, each in self.symbols.items() if each.symbol}


def read_terms(terms: dict[str, Any], profiles: Path = PROFILES) -> VenueTerms:
    """Return a session's terms: those of its `profile`, if it names one, and over them its own.

    Raises: pydantic.ValidationError, OSError, tomllib.TOMLDecodeError.
    """
    own = dict(terms)
    name = own.pop("profile", "")
    base = tomllib.loads((profiles / f"{name}.toml").read_text()) if name else {}
    return VenueTerms.model_validate({**base, **own})
