"""A file of limits: TOML for people, integers for the log."""

import tomllib
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from schemas.messages.core import LimitKind, LimitScope, Side
from services.config.decimals import E9, Exact, Instant, ns_of, units
from streams.core.errors import OffGridError
from streams.risk.limits import BUILT_IN, Limit, LimitSet, canonical, parse

__all__ = ["LimitFileError", "read"]

MS: Final = 1_000_000
SECOND_NS: Final = 1_000_000_000


class LimitFileError(Exception):
    """A file that is no set of limits; the text says where and why."""


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


class LimitRow(BaseModel):
    """One `[[limit]]`. Units of `value` by kind: streams/risk/limits.py."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit_id: str
    kind: Annotated[LimitKind, BeforeValidator(_upper)]
    scope: Annotated[LimitScope, BeforeValidator(_upper)]
    subject: str = "*"
    value: int = Field(0, ge=0, strict=True)
    window_ms: int = Field(0, ge=0, strict=True)
    burst: int = Field(0, ge=0, strict=True)
    is_shadow: bool = False
    instrument_ids: tuple[str, ...] = ()
    sides: tuple[Side, ...] = ()
    effective: Instant | None = None  # RESTRICTED: from then on
    until: Instant | None = None

    def limit(self) -> Limit:
        return Limit(
            limit_id=self.limit_id,
            kind=self.kind,
            scope=self.scope,
            subject=self.subject,
            value=self.value,
            window_ns=self.window_ms * MS,
            burst=self.burst,
            is_shadow=self.is_shadow,
            instrument_ids=self.instrument_ids,
            sides=self.sides,
            from_ns=_ns(self.effective),
            until_ns=_ns(self.until),
        )


class LimitFile(BaseModel):
    """The whole file. What it leaves out is as in the built-in set, but for the limits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: str = ""
    rates: dict[str, Exact] = {}
    market_buffer_bps: int = BUILT_IN.market_buffer_bps
    reference_age_s: int = BUILT_IN.reference_age_max_ns // SECOND_NS
    limit: tuple[LimitRow, ...]

    def limits(self) -> LimitSet:
        return LimitSet(
            limits=tuple(row.limit() for row in self.limit),
            currency=self.currency,
            rates_e9={name: _rate_e9(name, rate) for name, rate in sorted(self.rates.items())},
            market_buffer_bps=self.market_buffer_bps,
            reference_age_max_ns=self.reference_age_s * SECOND_NS,
        )


def read(path: Path) -> LimitSet:
    """Return the set of a file. Raises LimitFileError, OSError."""
    try:
        found = LimitFile.model_validate(tomllib.loads(path.read_text())).limits()
        return parse(canonical(found))  # what the engine will check is checked here first
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise LimitFileError(f"{path.name}: {error}") from error
    except OffGridError as error:
        raise LimitFileError(f"{path.name}: rate {error}") from error
    except ValidationError as error:
        places = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise LimitFileError(f"{path.name}: {'; '.join(places)}") from error


def _rate_e9(name: str, rate: Decimal) -> int:
    return units(name, rate, E9)


def _ns(instant: datetime | None) -> int:
    return 0 if instant is None else ns_of(instant)
