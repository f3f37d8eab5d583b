"""Closed parents as observations of impact, folded from committed events."""

from dataclasses import dataclass, field
from typing import Any, Final

from schemas.messages.core import PlanInputs, Side
from schemas.messages.netting import ParentClosed, ParentOpened
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from schemas.messages.strategy import ParentRecalibrated, PolicyEvaluated, VolumeForecast
from streams.models.impact_fit import Observation
from streams.models.outlook import INVERSE_TURNOVER

__all__ = ["KINDS", "Parents"]

KINDS: Final = (
    ParentOpened,
    ParentClosed,
    FillBooked,
    FillBusted,
    FillCorrected,
    ParentRecalibrated,
    PolicyEvaluated,
    VolumeForecast,
)
BPS: Final = 10_000
E9: Final = 1_000_000_000
DAY_NS: Final = 23_400_000_000_000  # where no policy says how long a day is
DAYS_LEAST: Final = 1e-6  # a parent that is swept at once has lived too


@dataclass(slots=True)
class OpenParent:
    """What is known of a parent so far."""

    opened: ParentOpened
    began_ns: int
    filled: dict[str, tuple[int, int]] = field(default_factory=dict)  # quantity, price_e9 by fill
    ended_ns: int = 0
    others: int = 0  # volume since its first plan
    volatility_e9: int = 0
    spread_e9: int = 0
    daily: int = 0
    inputs: PlanInputs | None = None  # of the first evaluation


class Parents:
    """Folds events of open parents; what closed is taken out as an observation."""

    def __init__(self) -> None:
        self._open: dict[str, OpenParent] = {}

    def see(self, message: Any, at_ns: int) -> None:
        """Fold one event; those of parents that are not open are passed over."""
        if isinstance(message, ParentOpened):
            self._open[message.parent_id] = OpenParent(message, at_ns)
            return
        parent = self._open.get(message.parent_id)
        if parent is None:
            return
        match message:
            case FillBooked():
                parent.filled[message.fill_id] = (message.quantity, message.price_e9)
                parent.ended_ns = max(parent.ended_ns, at_ns)
            case FillBusted():
                parent.filled.pop(message.fill_id, None)
            case FillCorrected():
                parent.filled[message.fill_id] = (message.quantity, message.price_e9)
            case ParentRecalibrated():
                parent.others = message.market_quantity
                if message.estimate is not None and not parent.volatility_e9:
                    parent.volatility_e9 = message.estimate.volatility_bps_e9
                    parent.spread_e9 = message.estimate.spread_bps_e9
            case PolicyEvaluated() if parent.inputs is None:
                parent.inputs = message.inputs
            case VolumeForecast() if not parent.daily:
                parent.daily = sum(message.volumes)
            case _:
                pass

    def close(self, parent_id: str) -> Observation | None:
        """Take a parent out; None where it says nothing: no fill, price, volatility or volume."""
        parent = self._open.pop(parent_id, None)
        if parent is None:
            return None
        inputs, arrival_e9 = parent.inputs, parent.opened.arrival_price_e9
        quantity = sum(quantity for quantity, _ in parent.filled.values())
        volatility_e9 = parent.volatility_e9 or (0 if inputs is None else inputs.volatility_bps_e9)
        daily = parent.daily if inputs is None else inputs.daily_volume
        if not (quantity and arrival_e9 and volatility_e9 and daily and parent.others):
            return None
        spread_e9 = parent.spread_e9 or (0 if inputs is None else inputs.spread_bps_e9)
        day_ns = DAY_NS if inputs is None else inputs.day_ns
        notional = sum(quantity * price_e9 for quantity, price_e9 in parent.filled.values())
        sign = 1 if parent.opened.side is Side.BUY else -1
        cost = sign * (notional / quantity / arrival_e9 - 1) * BPS
        return Observation(
            cost=cost - spread_e9 / E9 / 2,
            sigma=volatility_e9 / E9,
            size=quantity / daily,
            rate=quantity / parent.others,
            days=max(DAYS_LEAST, (parent.ended_ns - parent.began_ns) / day_ns),
            inverse_turnover=INVERSE_TURNOVER,
        )
