"""What a session of kind "oms" is: one client's order system and how it writes parameters."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from services.fix.codes import Version
from services.fix.settings import GatewayFile, SessionSettings

__all__ = ["OmsSession", "OmsTerms", "Style", "read_sessions"]


class Style(StrEnum):
    """How parameters of an algorithm travel."""

    TARGET = "target"  # 847, 848, 849
    GROUP = "group"  # 847 and the group 957 to 960
    TIMES = "times"  # 168, 126 and 18; what these cannot say as TARGET does


class OmsTerms(BaseModel):
    """Terms of one session."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(min_length=1, max_length=64, description="Order system, as orders name it")
    style: Style = Field(Style.TARGET, description="target, group or times")


class OmsSession(BaseModel):
    """A session with its version and terms."""

    model_config = ConfigDict(frozen=True)

    session_id: str
    version: Version
    terms: OmsTerms


def read_sessions(file: GatewayFile) -> dict[str, OmsSession]:
    """Return a gateway's sessions by name. Raises: pydantic.ValidationError, ValueError."""
    sessions = {each.session_id: _session(each) for each in file.session}
    sources = [each.terms.source for each in sessions.values()]
    if len(set(sources)) < len(sources):
        raise ValueError(f"gateway {file.name} has two sessions of one source: {sources}")
    return sessions


def _session(settings: SessionSettings) -> OmsSession:
    return OmsSession(
        session_id=settings.session_id,
        version=settings.version,
        terms=OmsTerms.model_validate(settings.terms),
    )
