"""Through which topics the simulator meets clients and engines: at once, or by FIX."""

from typing import Final, NamedTuple

from streams.core.topics import (
    CHILDREN_EVENTS,
    MARKET_DATA,
    OMS_ORDERS,
    ORDERS_COMMANDS,
    VENUES_EXECUTIONS,
    VENUES_ORDERS,
    VENUES_REPORTS,
)

__all__ = ["BY_FIX", "DIRECT", "OUTPUT_TOPICS", "Edges"]

# What engines read of us by time: each step is closed by a watermark on these, whatever the edges.
OUTPUT_TOPICS: Final = (ORDERS_COMMANDS, MARKET_DATA, VENUES_REPORTS)


class Edges(NamedTuple):
    """Where clients' orders go, where orders to venues come from, where venues answer."""

    orders: str
    children: str
    reports: str

    @property
    def output_topics(self) -> tuple[str, ...]:
        """Return every topic that the simulator writes to."""
        said = (self.orders, self.reports)
        return (*OUTPUT_TOPICS, *(each for each in said if each not in OUTPUT_TOPICS))

    def topic(self, topic: str) -> str:
        """Return where that goes which without gateways would go to one of the engine's topics."""
        return {ORDERS_COMMANDS: self.orders, VENUES_REPORTS: self.reports}.get(topic, topic)


DIRECT: Final = Edges(ORDERS_COMMANDS, CHILDREN_EVENTS, VENUES_REPORTS)
# FIX gateways carry orders, children and reports on (services/fix); market data go to the engines.
BY_FIX: Final = Edges(OMS_ORDERS, VENUES_ORDERS, VENUES_EXECUTIONS)
