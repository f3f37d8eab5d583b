"""Settings of the engine, as SettingsLoaded(context="engine") carries them in JSON."""

from typing import Any

import msgspec

from streams.strategy import StrategySettings

__all__ = ["CONTEXT", "EngineSettings"]

CONTEXT = "engine"


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Defaults of DESIGN section 11. `strategy` overrides fields of StrategySettings."""

    window_ns: int = 1_000_000_000  # netting window
    window_count: int = 0  # waiting orders that close a window early; 0 for never
    quote_age_max_ns: int = 2_000_000_000  # a book older than that is no quote
    # One owner's own interest nets at the midpoint up to this spread where no crossing is declared;
    # 0: never.
    own_spread_max_bps: int = 100
    # Tenants whose parents divide the cash of each fill by itself, not as one average price.
    per_fill_tenants: tuple[str, ...] = ()
    strategy: dict[str, Any] = {}

    def strategy_settings(self) -> StrategySettings:
        """Return the strategy's settings. Raises msgspec.ValidationError on a wrong field."""
        known = StrategySettings.__struct_fields__
        for name in self.strategy:
            if name not in known:
                raise msgspec.ValidationError(f"strategy.{name} is not among {', '.join(known)}")
        return msgspec.convert(self.strategy, StrategySettings)

    @staticmethod
    def parse(content: str) -> "EngineSettings":
        """Return the settings. Raises msgspec.MsgspecError when the content is no such JSON."""
        settings = msgspec.json.decode(content, type=EngineSettings)
        settings.strategy_settings()
        return settings
