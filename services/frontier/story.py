"""One parent out of the log: the choice that it had, and what came of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.messages.core import Cause, PlanInputs, Side
from schemas.messages.netting import EpochOpened, ParentClosed, ParentOpened
from schemas.messages.plans import ImpactFitted
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from schemas.messages.strategy import ParentRecalibrated, PolicyEvaluated, VolumeForecast
from services.frontier.shown import Outcome
from streams.models.choice import Question, evaluate
from streams.parameters import resolved
from streams.strategy import PolicySettings
from streams.strategy.schedule import expected_volume

__all__ = ["Parent", "Story", "read"]

BPS: Final = 10_000
E9: Final = 1_000_000_000


@dataclass(slots=True)
class Parent:
    """What the log says of a parent."""

    opened: ParentOpened
    evaluations: list[PolicyEvaluated] = field(default_factory=list)
    fills: dict[str, tuple[int, int]] = field(default_factory=dict)  # quantity, price_e9
    filled_ns: int = 0
    others: int = 0
    is_closed: bool = False
    quantity: int = 0  # of all epochs
    forecast: VolumeForecast | None = None  # first
    first: ParentRecalibrated | None = None
    first_ns: int = 0

    def choice(self) -> PolicyEvaluated | None:
        """Return the first evaluation; of a parent without a policy, what one would have been.

        None where nothing says what volume was expected, or when the window ends.
        """
        if self.evaluations:
            return self.evaluations[0]
        opened, forecast, first = self.opened, self.forecast, self.first
        if forecast is None or first is None or not opened.end_ns:
            return None
        values = resolved(opened.strategy, opened.urgency, opened.parameters)
        estimate, settings = first.estimate, PolicySettings()
        measured = 0 if estimate is None else estimate.volatility_bps_e9
        at_ns = max(self.first_ns, opened.start_ns)
        inputs = PlanInputs(
            as_of_ns=at_ns,
            end_ns=opened.end_ns,
            epoch=1,
            quantity=opened.quantity,
            filled_quantity=0,
            committed_quantity=0,
            others_quantity=0,
            market_quantity=0,
            expected_volume=expected_volume(forecast, at_ns, opened.end_ns),
            volume_cv_e9=forecast.volume_cv_e9 or settings.volume_cv_bps * (E9 // BPS),
            daily_volume=max(1, sum(forecast.volumes)),
            day_ns=max(1, len(forecast.volumes) * forecast.bin_ns),
            volatility_bps_e9=measured or settings.volatility_bps * E9,
            spread_bps_e9=0 if estimate is None else estimate.spread_bps_e9,
            participation_cap_bps=opened.participation_cap_bps,
            pace_cap_bps=values.participation_max_bps,
            risk_aversion_e9=values.risk_aversion_e9,
            completion_floor_bps=values.completion_floor_bps,
        )
        if inputs.end_ns <= inputs.as_of_ns or not inputs.expected_volume:
            return None
        question = Question(
            parent_id=opened.parent_id,
            ordinal=0,  # nobody asked it then
            cause=Cause.OPENED,
            inputs=inputs,
            strategy=opened.strategy,
            half_life_ns=values.half_life(inputs.end_ns - inputs.as_of_ns),
            review_ns=1,
        )
        return evaluate(question, None)

    def outcome(self) -> Outcome | None:
        """Return what came of the parent; None before its end, or when it has no price."""
        arrival_e9 = self.opened.arrival_price_e9
        quantity = sum(quantity for quantity, _ in self.fills.values())
        first = self.choice()
        if not (self.is_closed and quantity and arrival_e9) or first is None:
            return None
        notional = sum(quantity * price for quantity, price in self.fills.values())
        sign = 1 if self.opened.side is Side.BUY else -1
        volume = quantity + self.others
        return Outcome(
            cost=sign * (notional / quantity / arrival_e9 - 1) * BPS,
            expected=first.point.impact_bps_e9 / E9,
            band=first.point.risk_bps_e9 / E9,
            participation=quantity / volume if volume else 0.0,
            days=max(0, self.filled_ns - first.inputs.as_of_ns) / first.inputs.day_ns,
            filled=quantity,
            quantity=self.quantity or self.opened.quantity,
        )


class Story:
    """Folds the log; asks are answered from it."""

    def __init__(self) -> None:
        self.parents: dict[str, Parent] = {}
        self.fits: dict[str, ImpactFitted] = {}  # by version
        self._of_order: dict[str, list[str]] = {}

    def see(self, message: Any, at_ns: int) -> None:
        if isinstance(message, ImpactFitted):
            self.fits[message.version] = message
        elif isinstance(message, ParentOpened):
            self.parents[message.parent_id] = Parent(message)
        elif (parent := self.parents.get(getattr(message, "parent_id", ""))) is not None:
            self._see(parent, message, at_ns)

    def find(self, subject: str) -> list[Parent]:
        """Return the parents of an order, or the parent of that id; [] for an unknown id."""
        names = self._of_order.get(subject, [subject])
        return [self.parents[name] for name in names if name in self.parents]

    def fitted(self, found: PolicyEvaluated) -> ImpactFitted | None:
        """Return the fit that an evaluation believed; None for the prior."""
        return self.fits.get(found.model.rpartition(" ")[2])

    def _see(self, parent: Parent, message: Any, at_ns: int) -> None:
        match message:
            case EpochOpened():
                parent.quantity = message.parent_quantity
                for member in message.members:
                    names = self._of_order.setdefault(member.order_id, [])
                    if message.parent_id not in names:
                        names.append(message.parent_id)
            case PolicyEvaluated():
                parent.evaluations.append(message)
            case ParentRecalibrated():
                parent.others = message.market_quantity
                if parent.first is None:
                    parent.first, parent.first_ns = message, at_ns
            case VolumeForecast() if parent.forecast is None:
                parent.forecast = message
            case FillBooked() | FillCorrected():
                parent.fills[message.fill_id] = (message.quantity, message.price_e9)
                parent.filled_ns = max(parent.filled_ns, at_ns)
            case FillBusted():
                parent.fills.pop(message.fill_id, None)
            case ParentClosed():
                parent.is_closed = True
            case _:
                pass


def read(entries: Iterable[tuple[Any, int]]) -> Story:
    """Return the story of (message, at_ns)s; each topic is in order, topics among each other not.

    Parents come first, so that nothing of theirs is passed over.
    """
    story, later = Story(), []
    for message, at_ns in entries:
        if isinstance(message, ParentOpened | ImpactFitted):
            story.see(message, at_ns)
        else:
            later.append((message, at_ns))
    for message, at_ns in later:
        story.see(message, at_ns)
    return story
