"""Settings of routing, as SettingsLoaded(context="routing") carries them in JSON."""

from typing import Annotated, Final

import msgspec

__all__ = ["CONTEXT", "RoutingSettings"]

CONTEXT: Final = "routing"
BPS: Final = 10_000
DAY_NS: Final = 86_400_000_000_000
SECOND_NS: Final = 1_000_000_000
Share = Annotated[int, msgspec.Meta(ge=0, le=BPS)]
Time = Annotated[int, msgspec.Meta(ge=1_000_000, le=DAY_NS)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000)]
CostE9 = Annotated[int, msgspec.Meta(ge=0, le=10_000_000_000_000)]


class RoutingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the firm lets the router do. Costs are 1e-9 basis points of the midpoint."""

    # By how much an urgent slice may be executed beyond its quantity; the error account bears it.
    overfill_bps: Share = 0
    error_tenant: str = ""
    error_account_id: str = ""
    error_desk_id: str = "error-desk"
    is_latency_equalized: bool = False  # a sweep's children wait so that all of them arrive at once
    # A slice that takes more than this part of what the best prices show also bids in the dark.
    large_bps: Annotated[int, msgspec.Meta(ge=0, le=100 * BPS)] = BPS
    leakage_bps_e9: CostE9 = 50_000_000  # prior of what showing up at a venue costs
    ping_bps: Share = 1_000  # a dark fill of less than that part of its child was a ping
    explored_min: Count = 5  # orders that must have been able to show a size before it is believed
    markout_ns: Time = SECOND_NS  # age of a dark fill at which it is marked
    markout_min: Count = 3  # marked fills before a venue is judged
    markout_bound_bps_e9: CostE9 = 5_000_000_000  # worse on average: no more of the parent there
    placement_age_ns: Time = 30 * SECOND_NS  # a solved placement older than that is stale
    placement_drift_bps: Annotated[int, msgspec.Meta(ge=0, le=100 * BPS)] = 5_000  # of a queue

    @staticmethod
    def parse(content: str) -> "RoutingSettings":
        """Return the settings. Raises msgspec.MsgspecError when the content is no such JSON."""
        settings = msgspec.json.decode(content, type=RoutingSettings)
        if settings.overfill_bps and not settings.has_error_account:
            raise msgspec.ValidationError("overfill_bps needs error_tenant and error_account_id")
        return settings

    @property
    def has_error_account(self) -> bool:
        """Whether somebody bears what was executed for nobody."""
        return bool(self.error_tenant and self.error_account_id)

    def overfill_quantity(self, quantity: int) -> int:
        """Return by how much a slice of `quantity` may be over-filled. Rounds: down."""
        return quantity * self.overfill_bps // BPS if self.has_error_account else 0
