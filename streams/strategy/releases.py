"""The events in which a strategy says what it decided."""

from collections.abc import Sequence

from schemas.messages.core import Cause, PhaseKind, RoutingLogic, Tactic, Urgency
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
    model: str = "",
    request_id: str = "",
    plan_id: str = "",
) -> ScheduleSet:
    """Return the next plan: cumulative targets by the end of each bin, smallest units."""
    plans, cause = now.parent.plans, now.cause
    if plans and cause is Cause.BIN and now.parent.is_interrupted:
        cause = Cause.TRADING_RESUMED
    elif plans and cause not in (Cause.RELEASED, Cause.PLAN):
        cause = Cause.PLAN if plan_id else Cause.EPOCH
    return ScheduleSet(
        parent_id=now.parent.parent_id,
        ordinal=plans + 1,
        strategy=now.parent.strategy,
        bin_starts_ns=tuple(starts_ns),
        targets=tuple(targets),
        anchor_quantity=anchor,
        anchor_market_quantity=now.market_quantity,
        anchor_market_prints=now.market.prints,
        anchor_market_price_e9=now.market.others_price_e9,
        seed=seed,
        cause=cause,
        model=model,
        request_id=request_id,
        plan_id=plan_id,
        opening_quantity=now.parent.opening_committed,
        closing_quantity=now.closing_reserve,
    )


def recalibrated(
    now: Situation,
    step: Step,
    next_due_ns: int,
    not_before_ns: int,
    advice: Advice | None = None,
) -> ParentRecalibrated:
    """Return where the parent stands against its plan, and when it is looked at again."""
    parent = now.parent
    is_waiting = now.at_ns < parent.start_ns
    is_interrupted = not (now.market.is_open or is_waiting)
    if parent.is_interrupted and not now.is_planning:
        is_interrupted = True  # nobody has planned since
    return ParentRecalibrated(
        parent_id=parent.parent_id,
        cause=now.cause,
        filled_quantity=parent.filled_quantity,
        open_quantity=parent.open_quantity,
        target_quantity=step.target,
        market_quantity=now.others,
        cap_quantity=step.cap,
        next_due_ns=_soon(now, next_due_ns, is_interrupted=is_interrupted),
        not_before_ns=not_before_ns,
        bin=step.bin,
        tactic=Tactic.UNKNOWN if advice is None else advice.tactic,
        adjustments=() if advice is None else advice.adjustments,
        estimate=None if advice is None else advice.estimate,
        market_prints=max(0, now.market.prints - parent.first_market_prints) if parent.plans else 0,
        is_interrupted=is_interrupted,
    )


def _soon(now: Situation, next_due_ns: int, *, is_interrupted: bool) -> int:
    """Return the first of all instants at which the parent has a reason to look again."""
    due = [next_due_ns, now.auction_ns]
    if now.at_ns >= now.parent.start_ns:
        if now.would_price_e9 is not None:
            due.append(now.look_again_ns)
        if is_interrupted:
            due.append(min(now.at_ns + now.settings.halt_ns, now.end_ns))
    return min((due_ns for due_ns in due if due_ns > now.at_ns), default=0)


def released(
    now: Situation,
    quantity: int,
    logic: RoutingLogic,
    deadline_ns: int,
    *,
    limit_price_e9: int | None = None,
    tactic: Tactic = Tactic.UNKNOWN,
    auction: PhaseKind = PhaseKind.UNKNOWN,
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
        overfill_quantity=_overfill(now, quantity) if auction is PhaseKind.UNKNOWN else 0,
        display_share_bps=_display_share(now),
        auction=auction,
    )
    return (slice_released,)


def _display_share(now: Situation) -> int:
    """Return the owner's bound on what is shown, else the firm's; 0 for none."""
    asked_bps = now.parameters.display_share_bps
    return asked_bps or (0 if now.market.estimate is None else now.settings.display_share_bps)


def _overfill(now: Situation, quantity: int) -> int:
    """Return by how much the firm lets an urgent slice be over-filled. Rounds: down to lots."""
    share_bps = now.settings.overfill_bps
    if not share_bps or now.parent.urgency is not Urgency.URGENT:
        return 0
    return floor_lot(quantity * share_bps // BPS, now.market.instrument.lot)
