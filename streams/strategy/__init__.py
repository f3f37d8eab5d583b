"""Strategies: when, how much and how hard. Topic strategies.events, key instrument_id."""

from streams.strategy.decider import STRATEGY
from streams.strategy.policy import POLICY_EVENTS, PolicySettings, outstanding
from streams.strategy.state import (
    StrategySettings,
    StrategyState,
    is_ended,
    room,
    timers_of,
)

__all__ = [
    "POLICY_EVENTS",
    "STRATEGY",
    "PolicySettings",
    "StrategySettings",
    "StrategyState",
    "is_ended",
    "outstanding",
    "room",
    "timers_of",
]
