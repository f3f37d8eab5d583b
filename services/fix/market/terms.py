"""What a session of kind "market" is: one venue, how it writes, and what it does wrong."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.fix.codes import Version
from services.fix.settings import GatewayFile, SessionSettings

__all__ = ["MarketSession", "MarketTerms", "Misbehavior", "read_sessions"]

MILLION: Final = 1_000_000


def _rate(description: str) -> Any:
    return Field(0, ge=0, le=MILLION, description=description)


class Misbehavior(BaseModel):
    """How often a venue does what venues do, of a million; every draw follows from the seed.

    Late fills, busts, corrections and refusals are the simulator's own: venues/mishaps.py.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(1, description="Every draw follows from it and from the ExecID")
    duplicate_ppm: int = _rate("Of reports: sent twice, with the same ExecID")
    swap_ppm: int = _rate("Of executions: told after what came later in its step")
    slow_ppm: int = _rate("Of orders: acknowledged late, and everything of it after that")
    slow_steps: int = Field(3, ge=1, description="How many steps of the market late")
    unsolicited_ppm: int = _rate("Of orders: canceled by the venue once it has acknowledged them")
    gap_ppm: int = _rate("Of reports: the session's next number is skipped before them")
    gap_fill_ppm: int = _rate("Of reports: a SequenceReset-GapFill that nobody asked for, before")
    reset_ppm: int = _rate("Of reports: a SequenceReset-Reset to a higher number before them")
    logout_ppm: int = _rate("Of reports: the venue logs out before them, and comes back")


class MarketTerms(BaseModel):
    """Terms of one session."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    venue_id: str = Field(min_length=1, max_length=64, description="Venue of the simulator")
    fee_tag: Literal[0, 12, 137] = Field(
        0, description="Commission (12) or MiscFeeAmt (137, from 4.4) tells the fee; 0: nothing"
    )
    cancel_on_disconnect: bool = Field(
        False, description="Whether what is open is canceled when the session is lost"
    )
    time_digits: Literal[3, 6, 9] = Field(9, description="Most digits of a second in FIX 60")
    misbehavior: Misbehavior = Field(default_factory=lambda: Misbehavior.model_validate({}))


class MarketSession(BaseModel):
    """A session with its version and terms."""

    model_config = ConfigDict(frozen=True)

    session_id: str
    version: Version
    terms: MarketTerms


def read_sessions(file: GatewayFile) -> dict[str, MarketSession]:
    """Return a gateway's sessions by name. Raises: pydantic.ValidationError, ValueError."""
    sessions = {each.session_id: _session(each) for each in file.session}
    venues = [each.terms.venue_id for each in sessions.values()]
    if len(set(venues)) < len(venues):
        raise ValueError(f"gateway {file.name} has two sessions of one venue: {venues}")
    return sessions


def _session(settings: SessionSettings) -> MarketSession:
    terms = MarketTerms.model_validate(settings.terms)
    if terms.fee_tag == 137 and settings.version is Version.FIX42:  # MiscFeeAmt
        raise ValueError(f"session {settings.session_id}: FIX.4.2 has no MiscFees on 8")
    return MarketSession(session_id=settings.session_id, version=settings.version, terms=terms)
