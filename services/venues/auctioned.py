"""A market with call auctions before and after its continuous trading: others' orders in them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.messages.core import BookState, PhaseKind
from services.venues.assumptions import AUCTION_SHARES, LIT_SHARES
from services.venues.chances import draw
from services.venues.frames import (
    UNMOVED,
    BookTarget,
    CallTarget,
    Frame,
    MarketSource,
    Moved,
    midpoint_of,
)
from services.venues.hours import Hours

__all__ = ["AuctionedMarket", "CallTerms", "call_target"]

SECOND_NS = 1_000_000_000
COLLECTED_NS = 300 * SECOND_NS  # others come over so long before a closing auction's cut-off
SHOWN_NS = 10 * SECOND_NS  # between two indications
PPM = 1_000_000
# Assumed: what trades is half to one and a half of what is expected; one side has up to a fifth
# more than the other; a twelfth of the volume waits at each of ten prices on each side.
VOLUME_PER_CENT = (50, 150)
IMBALANCE_PER_CENT = 20
LADDER_LEVELS, LADDER_PER_CENT = 10, 8
LADDER_STEP_BPS = 2


class CallTerms(NamedTuple):
    """What the others are expected to trade of an instrument in each call, smallest units."""

    instrument_id: str
    tick_e9: int
    opening_quantity: int
    closing_quantity: int


class AuctionedMarket:
    """Implements frames.MarketSource round another one, which knows continuous trading alone."""

    def __init__(
        self, inner: MarketSource, hours: Hours, terms: Sequence[CallTerms], seed: int
    ) -> None:
        self._inner = inner
        self._hours = hours
        self._terms = tuple(terms)
        self._seed = seed

    def frame(self, step: int, moved: Moved = UNMOVED) -> Frame:
        """Return the step: of the call before the open, of the inner market, or of the last one."""
        hours = self._hours
        ordinal = min(max(step - hours.opening_steps, 0), hours.continuous_steps)
        inner = self._inner.frame(ordinal, moved)
        is_continuous = hours.opening_steps < step <= hours.close_step
        targets = inner.targets
        if step < hours.opening_steps or hours.close_step <= step < hours.end_step:
            targets = tuple([_in_call(target) for target in targets])
        elif step >= hours.end_step:
            targets = tuple([target._replace(state=BookState.CLOSED) for target in targets])
        return Frame(
            targets,
            inner.trades if is_continuous else (),
            inner.interest if is_continuous else (),
            (*inner.calls, *self._calls(step, inner.targets)),
            inner.statuses if is_continuous else (),
        )

    def _calls(self, step: int, targets: Sequence[BookTarget]) -> list[CallTarget]:
        hours = self._hours
        at_ns = hours.start_ns + step * hours.step_ns
        opening = (PhaseKind.OPENING_AUCTION, hours.opening_cutoff_ns, hours.open_ns)
        closing = (PhaseKind.CLOSING_AUCTION, hours.closing_cutoff_ns, hours.end_ns)
        found: list[CallTarget] = []
        for steps, (kind, cutoff_ns, uncross_ns) in (
            (hours.opening_steps, opening),
            (hours.closing_steps, closing),
        ):
            from_ns = max(cutoff_ns - COLLECTED_NS, hours.start_ns)
            is_shown = step == 0 or (
                from_ns <= at_ns <= uncross_ns and _is_shown(at_ns - from_ns, hours.step_ns)
            )
            if not steps or not (is_shown or at_ns == uncross_ns):
                continue
            progress = PPM if at_ns >= cutoff_ns else 0
            if from_ns < at_ns < cutoff_ns:
                progress = PPM * (at_ns - from_ns) // (cutoff_ns - from_ns)
            for terms in self._terms:
                is_first = kind is PhaseKind.OPENING_AUCTION
                volume = terms.opening_quantity if is_first else terms.closing_quantity
                template = CallTarget(
                    "", terms.instrument_id, kind, (), (), 0, cutoff_ns, uncross_ns, False, is_shown
                )
                reference_e9 = midpoint_of(targets, terms.instrument_id)
                found += call_target(
                    template, self._seed, terms.tick_e9, reference_e9, volume * progress // PPM
                )
        return found


def call_target(
    template: CallTarget,
    seed: int,
    tick_e9: int,
    reference_e9: int | None,
    volume: int,
    *,
    shares: Mapping[str, int] = AUCTION_SHARES,
) -> list[CallTarget]:
    """Return the call at each venue that holds one, with what others have in it.

    `volume`: what they are expected to trade by now, over all venues, smallest units; `shares`: of
    it, per cent by venue, the primary one first. Without a reference price there is no call.
    """
    if reference_e9 is None:
        return []
    reference_e9 -= reference_e9 % tick_e9
    found = []
    for number, (venue_id, share) in enumerate(shares.items()):
        subject = f"{template.kind}/{template.instrument_id}/{venue_id}/{template.uncross_ns}"
        bits = draw(seed, "call", subject)
        least, most = VOLUME_PER_CENT
        traded = volume * share * (least + bits % (most - least + 1)) // 10_000
        lean = (bits >> 16) % (2 * IMBALANCE_PER_CENT + 1) - IMBALANCE_PER_CENT
        buys, sells = _orders(traded, lean, reference_e9, tick_e9)
        found.append(
            template._replace(
                venue_id=venue_id,
                buys=buys,
                sells=sells,
                reference_e9=reference_e9,
                is_primary=number == 0,
            )
        )
    return found


Orders = tuple[tuple[int | None, int], ...]


def _orders(traded: int, lean: int, reference_e9: int, tick_e9: int) -> tuple[Orders, Orders]:
    """Return market orders of both sides, `lean` per cent apart, and a ladder of limits each."""
    step_e9 = max(reference_e9 * LADDER_STEP_BPS // 10_000 // tick_e9 * tick_e9, tick_e9)
    depth = traded * LADDER_PER_CENT // 100
    sides: list[Orders] = []
    for sign, market in ((1, traded * (200 + lean) // 200), (-1, traded * (200 - lean) // 200)):
        ladder = [
            (reference_e9 - sign * level * step_e9, depth)
            for level in range(LADDER_LEVELS)
            if reference_e9 - sign * level * step_e9 > 0
        ]
        orders: list[tuple[int | None, int]] = [(None, market), *ladder]
        sides.append(tuple([order for order in orders if order[1] > 0]))
    return sides[0], sides[1]


def _in_call(target: BookTarget) -> BookTarget:
    is_lit = target.venue_id in LIT_SHARES
    return target._replace(state=BookState.AUCTION if is_lit else BookState.CLOSED)


def _is_shown(since_ns: int, step_ns: int) -> bool:
    """Return whether an instant of the grid of indications lies in the step that ends now."""
    return since_ns // SHOWN_NS != (since_ns - step_ns) // SHOWN_NS
