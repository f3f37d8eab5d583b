"""What the gateway knows of each session of a client: who it is and what it may do."""

from typing import Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.messages.core import BasketMode, StrategyKind, Urgency
from services.fix.codes import Version
from services.fix.settings import GatewayFile

__all__ = ["ANY", "Seat", "SessionTerms", "seats_of"]

ANY = "*"  # every account of the tenant


class SessionTerms(BaseModel):
    """Terms of one session. Its CompIDs and its password stand beside them in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str = Field(min_length=1, max_length=64, description="Tenant of its orders")
    source: str = Field(min_length=1, max_length=64, description="Its name in the engine")
    desk_id: str = Field(min_length=1, max_length=64, description="Desk that answers for it")
    actor: str = Field("", max_length=64, description="Who the log says it was; empty: fix:SOURCE")
    accounts: tuple[str, ...] = Field(min_length=1, description="Accounts it may trade; * for any")
    default_account: str = Field("", description="Account of an order without FIX 1")
    symbol_tag: Literal[48, 55] = Field(55, description="Which tag names the instrument")
    symbol_source: str = Field("8", description="What kind of name tag 48 is (FIX 22)")
    symbols: dict[str, str] = Field(
        default_factory=dict, description="Its name of an instrument to ours; others as they are"
    )
    exchanges: tuple[str, ...] = Field(
        (), description="What FIX 207 may say that its instruments are listed at"
    )
    default_strategy: StrategyKind = Field(StrategyKind.VWAP, description="Without FIX 847")
    default_urgency: Urgency = Field(Urgency.NEUTRAL, description="Without parameter Urgency")
    basket_mode: BasketMode = Field(BasketMode.VALID_ONES, description="Of lists (FIX 35=E)")
    has_pending_new: bool = Field(False, description="Whether 150=A comes before 150=0")
    has_final_price: bool = Field(
        False, description="Whether 150=B tells the price and cash that an ended order is paid at"
    )
    is_plain: bool = Field(
        False, description="Whether its dictionary lacks the tags that ours adds to its version"
    )
    order_age_max_ms: int = Field(
        30_000, ge=0, description="A D, E, G or L that is read so late is refused; 0: is not"
    )
    cancel_on_disconnect: bool = Field(False, description="Cancel its orders when it is lost")
    time_digits: Literal[0, 3, 6, 9] = Field(3, description="Digits of a second in times sent")

    @field_validator("default_strategy", "default_urgency", "basket_mode")
    @classmethod
    def _is_known(cls, value: Any) -> Any:
        if value == "UNKNOWN":
            raise ValueError("UNKNOWN is none")
        return value

    @model_validator(mode="after")
    def _names_each_instrument_once(self) -> Self:
        if len(set(self.symbols.values())) < len(self.symbols):
            raise ValueError("two symbols name one instrument: answers could not say which")
        if self.default_account and not self.may_trade(self.default_account):
            raise ValueError(f"default_account {self.default_account} is not among accounts")
        return self

    def may_trade(self, account_id: str) -> bool:
        return ANY in self.accounts or account_id in self.accounts

    def instrument_id(self, symbol: str) -> str:
        """Return our name of an instrument."""
        return self.symbols.get(symbol, symbol)

    def symbol(self, instrument_id: str) -> str:
        """Return the client's name of an instrument."""
        return next((s for s, ours in self.symbols.items() if ours == instrument_id), instrument_id)


class Seat(NamedTuple):
    """A session with its terms."""

    session_id: str
    version: Version
    terms: SessionTerms

    @property
    def actor(self) -> str:
        return self.terms.actor or f"fix:{self.terms.source}"


def seats_of(file: GatewayFile) -> dict[str, Seat]:
    """Return a gateway's sessions by id. Raises: pydantic.ValidationError, ValueError."""
    seats = {
        session.session_id: Seat(
            session.session_id,
            session.version,
            SessionTerms.model_validate(session.terms),
        )
        for session in file.session
    }
    sources = [seat.terms.source for seat in seats.values()]
    if len(set(sources)) < len(sources):
        raise ValueError(f"gateway {file.name}: two sessions are one source, answers go to one")
    return seats
