"""What a drop copy session gets copies of."""

from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from services.fix.clients.terms import Seat, SessionTerms
from services.fix.codes import Version
from services.fix.settings import GatewayFile

__all__ = ["DropCopyTerms", "Subscriber", "subscribers_of"]

BETWEEN = "|"  # no session id and no seat of ours has it


class DropCopyTerms(BaseModel):
    """Terms of one session. An order is copied when source, account and client all fit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str = Field(min_length=1, max_length=64, description="Tenant of the orders")
    sources: tuple[str, ...] = Field(min_length=1, description="Who sent the orders, by FIX or not")
    accounts: tuple[str, ...] = Field((), description="Only of these accounts; empty for all")
    clients: tuple[str, ...] = Field((), description="Only of these clients; empty for all")
    replay_from: int = Field(0, description="Only orders of this trade date yyyymmdd and later")
    has_cancel_rejects: bool = Field(True, description="Whether 9 is copied too")
    requests_of: dict[str, int] = Field(
        default_factory=dict,
        description="Sessions of clients whose D, F, G, E, q and CA are copied, with their"
        " gateways' numbers; of the same FIX version",
    )
    has_rejections: bool = Field(True, description="Whether refusals of orders are copied (39=8)")
    symbol_tag: Literal[48, 55] = Field(55, description="Which tag names the instrument")
    symbol_source: str = Field("8", description="What kind of name tag 48 is (FIX 22)")
    symbols: dict[str, str] = Field(default_factory=dict, description="Its name to ours")
    time_digits: Literal[0, 3, 6, 9] = Field(3, description="Digits of a second in times sent")

    def seat_terms(self, source: str) -> SessionTerms:
        """Return the terms with which a client of that source is spoken to."""
        chosen: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("tenant", "symbol_tag", "symbol_source", "symbols", "time_digits")
        }
        return SessionTerms(source=source, desk_id="drop-copy", accounts=("*",), **chosen)


class Subscriber(NamedTuple):
    """A session with its terms."""

    session_id: str
    version: Version
    terms: DropCopyTerms

    def seats(self, sources: dict[str, str]) -> dict[str, Seat]:
        """Return a seat for each source with its tenant: what is said of it, for this session.

        Sources of other sessions too: their orders stand in the same books.
        """
        found = {}
        for source, tenant in sources.items():
            terms = self.terms.seat_terms(source).model_copy(update={"tenant": tenant})
            name = f"{self.session_id}{BETWEEN}{source}"
            found[name] = Seat(name, self.version, terms)
        return found

    def source_of(self, seat_id: str) -> str:
        """Return whose order a message of a seat is about."""
        return seat_id.partition(BETWEEN)[2]


def subscribers_of(file: GatewayFile) -> tuple[Subscriber, ...]:
    """Return a gateway's sessions. Raises: pydantic.ValidationError, ValueError."""
    found = tuple(
        Subscriber(
            session.session_id,
            session.version,
            DropCopyTerms.model_validate(session.terms),
        )
        for session in file.session
    )
    tenants: dict[str, str] = {}
    for each in found:
        for source in each.terms.sources:
            if tenants.setdefault(source, each.terms.tenant) != each.terms.tenant:
                raise ValueError(f"gateway {file.name}: source {source} has two tenants")
    return found
