"""What a session of kind "clearers" is for: which reports it is told, and what it may ask."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.messages.clearing import AllocationReported, TradeCaptured
from services.fix.codes import Version
from services.fix.settings import GatewayFile, SessionSettings

__all__ = ["Allocations", "ClearerSession", "ClearerTerms", "read_sessions"]


class Allocations(StrEnum):
    """The message that tells an allocation; its answer is P, AT or AU."""

    NONE = ""
    INSTRUCTION = "J"
    REPORT = "AS"
    CONFIRMATION = "AK"


class ClearerTerms(BaseModel):
    """Terms of one session. A report is told to the first session of the file that takes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    clearer_id: str = Field(
        "clearer", description="Whose reports it takes, and its name in answers"
    )
    allocations: Allocations = Field(Allocations.NONE, description="J, AS or AK; empty for none")
    captures: bool = Field(False, description="Whether it is told executions (AE)")
    confirmations: bool = Field(False, description="Whether it gets an AK of what was accepted")
    instructions: bool = Field(False, description="Whether it may say who gets its orders (J in)")
    clients: tuple[str, ...] = Field((), description="Only of these clients; empty for all")
    accounts: tuple[str, ...] = Field((), description="Only of these accounts; empty for all")
    venues: tuple[str, ...] = Field((), description="Only executions there; empty for all")
    since: int = Field(0, description="Only reports of this business date yyyymmdd and later")
    answer_s: int = Field(60, ge=0, description="After so long it is asked again; 0: never")
    final_s: int = Field(3_600, ge=1, description="After RECEIVED it has so long for its last word")
    asks_max: int = Field(3, ge=1, description="Most times a report is sent; then people must look")
    error_account: str = Field("ERROR", description="Account of what venues over-filled (FIX 79)")


class ClearerSession(BaseModel):
    """A session with its version and terms."""

    model_config = ConfigDict(frozen=True)

    session_id: str
    version: Version
    terms: ClearerTerms

    @model_validator(mode="after")
    def _speaks_what_it_asks_for(self) -> "ClearerSession":
        """4.2 knows J and P; everything else came with 4.4."""
        terms = self.terms
        is_later = terms.captures or terms.confirmations
        is_later |= terms.allocations in (Allocations.REPORT, Allocations.CONFIRMATION)
        if self.version is Version.FIX42 and is_later:
            raise ValueError(f"session {self.session_id}: FIX.4.2 has no AS, AE and AK")
        if terms.instructions and not (terms.clients or terms.accounts):
            raise ValueError(f"session {self.session_id} instructs and names no client or account")
        return self

    def takes(self, report: AllocationReported | TradeCaptured) -> bool:
        """Return whether a report is for this session."""
        if isinstance(report, TradeCaptured):
            is_kind = self.terms.captures
        else:
            is_kind = self.terms.allocations is not Allocations.NONE
        return is_kind and self._is_of_it(report)

    def confirms(self, report: AllocationReported) -> bool:
        """Return whether it gets a confirmation of the report, once that is accepted."""
        return self.terms.confirmations and self._is_of_it(report)

    def is_client(self, client_id: str, account_id: str) -> bool:
        """Return whether orders of the account are among those it speaks of."""
        terms = self.terms
        is_known = not terms.clients or client_id in terms.clients
        return is_known and (not terms.accounts or account_id in terms.accounts)

    def _is_of_it(self, report: AllocationReported | TradeCaptured) -> bool:
        terms = self.terms
        if report.clearer_id != terms.clearer_id or report.business_date < terms.since:
            return False
        if isinstance(report, TradeCaptured):
            return not terms.venues or report.venue_id in terms.venues
        return self.is_client(report.client_id, report.account_id)


def read_sessions(file: GatewayFile) -> tuple[ClearerSession, ...]:
    """Return a gateway's sessions in the file's order. Raises: pydantic.ValidationError."""
    return tuple(_session(file, each) for each in file.session)


def _session(file: GatewayFile, settings: SessionSettings) -> ClearerSession:
    return ClearerSession(
        session_id=settings.session_id,
        version=settings.version,
        terms=ClearerTerms.model_validate(settings.terms),
    )
