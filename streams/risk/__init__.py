"""risk: limits over what clients ask, measured before intake answers.

In:  control.commands.v1 (limits, positions, locates, leases), every order event of the shard.
Out: decisions.events.v1 (key instrument_id).
"""

from typing import Any

from streams.core.decider import Decider
from streams.risk.commands import RiskCommand
from streams.risk.control import CONTROL_MESSAGES, apply, is_for_shard, refusal_of
from streams.risk.decider import decide
from streams.risk.evolve import evolve, use
from streams.risk.gate import Gate
from streams.risk.state import RiskState

__all__ = [
    "CONTROL_MESSAGES",
    "RISK",
    "Gate",
    "RiskState",
    "apply",
    "is_for_shard",
    "refusal_of",
    "use",
]

RISK: Decider[RiskState, RiskCommand, Any] = Decider(RiskState, decide, evolve)
