"""The events in which a strategy says what it decided."""

from collections.abc import Sequence

from schemas.messages.core import Cause, RoutingLogic, Tactic, Urgency
from schemas.messages.strategy import ParentRecalibrated, ScheduleSet, SliceReleased
from streams.strategy.advice import Advice
from streams.strategy.schedule import BPS, floor_lot
from streams.strategy.situation import Situation, Step

__all__ = ["recalibrated", "released", "scheduled"]


def scheduled(
    now: Situation,
    starts_ns: Sequence[int],
    targets: Sequence[int],
    *,
    anchor: int = 0,
    seed: bytes = b"",
) -> ScheduleSet:
    """Return the next plan: cumulative targets by the end of each bin, smallest units."""
    return ScheduleSet(
        parent_id=now.parent.parent_id,
        ordinal=now.parent.plans + 1,
        strategy=now.parent.strategy,
        bin_starts_ns=tuple(starts_ns),
        targets=tuple(targets),
        anchor_quantity=anchor,
        anchor_market_quantity=now.market.others_quantity,
        seed=seed,
        cause=Cause.EPOCH if now.parent.plans and now.cause is not Cause.RELEASED else now.cause,
    )


def recalibrated(
    now: Situation,
    step: Step,
    next_due_ns: int,
    not_before_ns: int,
    advice: Advice | None = None,
) -> ParentRecalibrated:
    """Return where the parent stands against its plan, and when it is looked at again."""
    return ParentRecalibrated(
        parent_id=now.parent.parent_id,
        cause=now.cause,
        filled_quantity=now.parent.filled_quantity,
        open_quantity=now.parent.open_quantity,
        target_quantity=step.target,
        market_quantity=now.others,
        cap_quantity=step.cap,
        next_due_ns=next_due_ns if now.would_price_e9 is None else _soon(now, next_due_ns),
        not_before_ns=not_before_ns,
        bin=step.bin,
        tactic=Tactic.UNKNOWN if advice is None else advice.tactic,
        adjustments=() if advice is None else advice.adjustments,
    )


def _soon(now: Situation, next_due_ns: int) -> int:
    if now.at_ns < now.parent.start_ns:
        return next_due_ns
    return min(next_due_ns, now.look_again_ns) if next_due_ns else now.look_again_ns


def released(
    now: Situation,
    quantity: int,
    logic: RoutingLogic,
    deadline_ns: int,
    *,
    limit_price_e9: int | None = None,
    tactic: Tactic = Tactic.UNKNOWN,
) -> tuple[SliceReleased, ...]:
    """Return the slice, or nothing for no quantity. The limit is the parent's or a tighter one."""
    if quantity == 0:
        return ()
    parent = now.parent
    slice_released = SliceReleased(
        slice_id=f"{parent.parent_id}.{parent.slices_released + 1}",
        parent_id=parent.parent_id,
        epoch=parent.epoch,
        instrument_id=parent.instrument_id,
        side=parent.side,
        quantity=quantity,
        limit_price_e9=parent.limit_price_e9 if limit_price_e9 is None else limit_price_e9,
        logic=logic,
        is_dark_allowed=parent.is_dark_allowed,
        deadline_ns=deadline_ns,
        self_trade_id=parent.self_trade_id,
        cause=now.cause if limit_price_e9 is None else Cause.PRICE,
        is_short_sale=parent.is_short_sale,
        constraints=parent.constraints,
        tactic=tactic,
        urgency=parent.urgency,
        overfill_quantity=_overfill(now, quantity),
    )
    return (slice_released,)


def _overfill(now: Situation, quantity: int) -> int:
    """Return by how much the firm lets an urgent slice be over-filled. Rounds: down to lots."""
    share_bps = now.settings.overfill_bps
    if not share_bps or now.parent.urgency is not Urgency.URGENT:
        return 0
    return floor_lot(quantity * share_bps // BPS, now.market.instrument.lot)
