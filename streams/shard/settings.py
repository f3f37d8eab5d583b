"""Settings of the engine, as SettingsLoaded(context="engine") carries them in JSON."""

from typing import Annotated, Any, Final, TypeVar

import msgspec

from streams.strategy import PolicySettings, StrategySettings

__all__ = ["CONTEXT", "EngineSettings"]

CONTEXT = "engine"
DAY_NS: Final = 86_400_000_000_000
LEAST_NS: Final = 1_000_000  # of the strategy's times: one of 0 would wake it for ever at once
BPS: Final = 10_000
E9: Final = 1_000_000_000
# By the unit in the name; basis points and counts otherwise.
SPANS: Final = (("_ns", (LEAST_NS, DAY_NS)), ("_bps_e9", (0, BPS * E9)), ("_e9", (0, E9)))
Section = TypeVar("Section", StrategySettings, PolicySettings)
Time = Annotated[int, msgspec.Meta(ge=0, le=DAY_NS)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Defaults of DESIGN section 11. `strategy` and `policy` override fields of theirs."""

    window_ns: Time = 1_000_000_000  # netting window
    window_count: Count = 0  # waiting orders that close a window early; 0 for never
    quote_age_max_ns: Time = 2_000_000_000  # a book older than that is no quote
    # A book that stands through the others' for longer is no quote, and its venue is suspended.
    crossed_max_ns: Time = 2_000_000_000
    # One owner's own interest nets at the midpoint up to this spread where no crossing is declared;
    # 0: never.
    own_spread_max_bps: Count = 100
    # Tenants whose parents divide the cash of each fill by itself, not as one average price.
    per_fill_tenants: tuple[str, ...] = ()
    strategy: dict[str, Any] = {}
    policy: dict[str, Any] = {}

    def strategy_settings(self) -> StrategySettings:
        """Return the strategy's settings. Raises msgspec.ValidationError on a wrong one."""
        return _section("strategy", self.strategy, StrategySettings)

    def policy_settings(self) -> PolicySettings:
        """Return the policies' settings. Raises msgspec.ValidationError on a wrong one."""
        return _section("policy", self.policy, PolicySettings)

    @staticmethod
    def parse(content: str) -> "EngineSettings":
        """Return the settings. Raises msgspec.MsgspecError when the content is no such JSON."""
        settings = msgspec.json.decode(content, type=EngineSettings)
        settings.strategy_settings()
        settings.policy_settings()
        return settings


def _section(name: str, values: dict[str, Any], kind: type[Section]) -> Section:
    known = kind.__struct_fields__
    for each in values:
        if each not in known:
            raise msgspec.ValidationError(f"{name}.{each} is not among {', '.join(known)}")
    settings = msgspec.convert(values, kind)
    for each in known:
        least, most = next((span for end, span in SPANS if each.endswith(end)), (0, BPS))
        if not least <= getattr(settings, each) <= most:
            raise msgspec.ValidationError(f"{name}.{each} is not in {least}..{most}")
    return settings
