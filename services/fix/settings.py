"""A gateway's TOML file: who it is, its sessions, and what each kind wants to know of them."""

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.fix.codes import Version, version_of

__all__ = [
    "GATEWAYS_MAX",
    "TEXT_BYTES_MAX",
    "GatewayFile",
    "Kind",
    "SessionSettings",
    "read_gateway",
]

GATEWAYS_MAX = 16  # partitions of the fix.* topics
TEXT_BYTES_MAX = 1 << 20  # of a message; a longer one is refused, and its beginning recorded


class Kind(StrEnum):
    """What the sessions of a gateway are for."""

    CLIENTS = "clients"  # orders in, executions out (fixin)
    VENUES = "venues"  # children out, executions in (fixout)
    CLEARERS = "clearers"  # allocations and trade captures
    DROP_COPY = "drop-copy"  # copies of executions, read only
    MARKET = "market"  # the simulator's venues as acceptors
    OMS = "oms"  # the simulator's clients as initiators


class SessionSettings(BaseModel):
    """One FIX session."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session_id: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$", description="Our name of it")
    quickfix: dict[str, str] = Field(
        description="QuickFIX's own settings of the session: BeginString, SenderCompID, ..."
    )
    password_env: str = Field("", description="Environment variable with the password (FIX 554)")
    username: str = Field("", description="Username beside it (FIX 553); empty for none")
    ip_addresses: tuple[str, ...] = Field((), description="Peers that may log on; empty for any")
    gap_filled: tuple[str, ...] = Field(
        (), description="Types of messages (FIX 35) that a ResendRequest gets a gap fill for"
    )
    messages_per_s: int = Field(0, ge=0, description="Most application messages in; 0: no bound")
    terms: dict[str, Any] = Field(
        default_factory=dict, description="What the gateway's kind wants to know of the session"
    )

    @model_validator(mode="after")
    def _has_an_identity(self) -> "SessionSettings":
        missing = {"BeginString", "SenderCompID", "TargetCompID"} - set(self.quickfix)
        if missing:
            raise ValueError(f"session {self.session_id} lacks {', '.join(sorted(missing))}")
        return self

    @property
    def version(self) -> Version:
        """Version of its messages, as its BeginString says. Raises: ValueError."""
        return version_of(self.quickfix["BeginString"])


class GatewayFile(BaseModel):
    """One gateway: a group of sessions with one application and one QuickFIX process."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    number: int = Field(ge=0, lt=GATEWAYS_MAX, description="Partition of the fix.* topics")
    kind: Kind
    is_simulator: bool = Field(
        False, description="Whether its wire misbehaves on demand (services/fix/acts.py)"
    )
    quickfix: dict[str, str] = Field(
        default_factory=dict, description="QuickFIX's own settings for all sessions"
    )
    session: tuple[SessionSettings, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_each_session_once(self) -> "GatewayFile":
        names = [each.session_id for each in self.session]
        if len(set(names)) < len(names):
            raise ValueError(f"gateway {self.name} names a session twice: {names}")
        return self


def read_gateway(path: Path) -> GatewayFile:
    """Return a gateway's file. Raises: pydantic.ValidationError, tomllib.TOMLDecodeError."""
    return GatewayFile.model_validate(tomllib.loads(path.read_text()))
