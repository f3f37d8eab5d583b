"""A certification as data: what is done, step by step, and what must be seen."""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.fix.settings import Kind

__all__ = ["SCRIPTS", "Expected", "Script", "Step", "read_script"]

# Kinds of gateways whose sessions have a script of ours.
SCRIPTS = {
    Kind.CLIENTS: Path(__file__).with_name("clients.toml"),
    Kind.VENUES: Path(__file__).with_name("venues.toml"),
}


class Expected(BaseModel):
    """A message that must come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str = Field(description="FIX 35")
    fields: dict[str, str] = Field({}, description="Tags and values; several by |, * for any")


class Step(BaseModel):
    """One step. What it sends may name {id1}, {now}, {soon}, {symbol} and other values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    do: Literal["logon", "logout", "disconnect", "forget", "skip", "send", "wait"]
    type: str = Field("", description="FIX 35 of what is sent")
    body: str = Field("", description="Fields of it, | between them")
    count: int = Field(0, ge=0, description="Numbers that are forgotten or skipped")
    expect: tuple[Expected, ...] = ()
    refuse: tuple[Expected, ...] = Field((), description="What must not come until then")
    needs: str = Field("", description="Only with this --with; a market that fills, for one")


class Script(BaseModel):
    """Steps, and the values that they name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    heartbeat_s: int = Field(2, ge=1)
    timeout_s: int = Field(15, ge=1, description="Longest wait for what a step expects")
    values: dict[str, str]
    step: tuple[Step, ...] = Field(min_length=1)


def read_script(path: Path) -> Script:
    """Return a script. Raises: pydantic.ValidationError, tomllib.TOMLDecodeError, OSError."""
    return Script.model_validate(tomllib.loads(path.read_text()))
