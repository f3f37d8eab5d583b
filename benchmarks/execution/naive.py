"""The naive forms, worked by the same engine, tactics, router and market as ours.

Each one replaces exactly one thing for the time of a run: the schedule of a strategy, or the choice
of a router. Whatever else the engine does stays, so that a difference is that thing's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from schemas.messages.core import LogicAlternative, RoutingLogic, Side, StrategyKind
from streams.core.market import VenueBook
from streams.routing import costs, placement
from streams.routing.logics import parallel, passive_split, seek, sequential, sweep
from streams.routing.logics.choice import choose
from streams.routing.logics.desk import REST_NS, Desk, Leg, Proposal
from streams.strategy import working
from streams.strategy.following import VWAP
from streams.strategy.method import Bin, Method
from streams.strategy.pov import POV
from streams.strategy.situation import Situation, Step

__all__ = ["ROUTERS", "SCHEDULES", "router", "schedule"]

BPS: Final = 10_000
Choice = tuple[Proposal, tuple[LogicAlternative, ...]]
Chooser = Callable[[Desk], Choice]


@contextmanager
def schedule(strategy: StrategyKind, method: Method | None) -> Iterator[None]:
    """Let the strategy follow another method; None changes nothing."""
    if method is None:
        yield
        return
    before = working.METHODS[strategy]
    working.METHODS[strategy] = method
    try:
        yield
    finally:
        working.METHODS[strategy] = before


@contextmanager
def router(chooser: Chooser | None) -> Iterator[None]:
    """Let another router place slices; None changes nothing."""
    if chooser is None:
        yield
        return
    vars(placement)["choose"] = chooser
    try:
        yield
    finally:
        vars(placement)["choose"] = choose


def _static(_: Situation, bin_: Bin) -> int:
    """The plan of the open: the average curve, whatever trades."""
    return bin_.target


def _whole_tape(share: Callable[[Situation, int], int]) -> Method:
    """POV whose own prints count as the market's: no band, no memory of what was its own."""

    def step(now: Situation) -> Step:
        assert POV.step is not None
        due, parent = POV.step(now), now.parent
        if due.bin == parent.bin:
            return due
        over = sum(part.quantity for part in parent.slices.values() if part.is_over(now.at_ns))
        wanted = share(now, now.others + parent.filled_quantity)
        return due._replace(target=min(max(wanted, now.worked - over), now.goal))

    return POV._replace(step=step)


def _plain_rate(now: Situation, volume: int) -> int:
    return volume * now.parameters.participation_rate_bps // BPS


def _others_rate(now: Situation, volume: int) -> int:
    return now.share(volume, now.parameters.participation_rate_bps)


SCHEDULES: Final[dict[str, Method]] = {
    "static curve": VWAP._replace(track=_static),
    "p of the whole tape": _whole_tape(_plain_rate),
    "p / (1 - p) of the whole tape": _whole_tape(_others_rate),
}


def best_price(desk: Desk) -> Choice:
    """All to the one venue that shows the best price; fees and records do not count."""
    is_taking = desk.part.logic is RoutingLogic.SWEEP
    books = [book for book in desk.lit if _shown(desk, book, is_taking=is_taking)]
    if not books:
        return _plain(desk, [], "best price only")
    best = min(
        books, key=lambda book: (_rank(desk, book, is_taking=is_taking), book.venue.venue_id)
    )
    return _plain(desk, [(best, desk.quantity)], "best price only")


def pro_rata(desk: Desk) -> Choice:
    """To every venue its part of what is shown at the touch."""
    is_taking = desk.part.logic is RoutingLogic.SWEEP
    shown = [(book, _shown(desk, book, is_taking=is_taking)) for book in desk.lit]
    total = sum(quantity for _, quantity in shown)
    if not total:
        return _plain(desk, [], "pro rata to depth")
    parts = [(book, desk.quantity * quantity // total) for book, quantity in shown]
    rest = desk.quantity - sum(quantity for _, quantity in parts)
    parts[0] = (parts[0][0], parts[0][1] + rest)
    return _plain(desk, parts, "pro rata to depth")


def round_robin(desk: Desk) -> Choice:
    """To one venue after the other, by the number of the decision."""
    books = sorted(desk.lit, key=lambda book: book.venue.venue_id)
    if not books:
        return _plain(desk, [], "round robin")
    ordinal = int(desk.part.slice_id.rpartition(".")[2]) + desk.part.placed
    return _plain(desk, [(books[ordinal % len(books)], desk.quantity)], "round robin")


def only(logic: Callable[[Desk], Proposal | str], *, is_for_takers: bool = False) -> Chooser:
    """Ours with one logic for what rests; the plain one where that finds nothing to do.

    `is_for_takers`: for what takes as well, which is the free choice's otherwise.
    """

    def chooser(desk: Desk) -> Choice:
        if desk.part.logic is RoutingLogic.SWEEP and not is_for_takers:
            return choose(desk)
        found = logic(desk)
        return (sequential.propose(desk) if isinstance(found, str) else found), ()

    return chooser


def _plain(desk: Desk, parts: list[tuple[VenueBook, int]], reason: str) -> Choice:
    is_taking = desk.part.logic is RoutingLogic.SWEEP
    legs = []
    for book, quantity in parts:
        if quantity <= 0:
            continue
        price_e9 = _worst(desk, book) if is_taking else desk.price_e9
        fit = desk.rules.fit(book, desk.side, quantity, price_e9)
        if fit.quantity:
            rest_ns = 0 if is_taking else REST_NS
            legs.append(
                Leg(book, fit.quantity, fit.price_e9, None, costs.FREE, reason, rest_ns=rest_ns)
            )
    logic = RoutingLogic.SWEEP if is_taking else RoutingLogic.SEQUENTIAL
    return Proposal(logic, 0, tuple(legs), (), reason), ()


def _levels(desk: Desk, book: VenueBook, *, is_taking: bool) -> Any:
    return book.asks if (desk.side is Side.BUY) == is_taking else book.bids


def _shown(desk: Desk, book: VenueBook, *, is_taking: bool) -> int:
    levels = _levels(desk, book, is_taking=is_taking)
    return levels[0].quantity if levels else 0


def _rank(desk: Desk, book: VenueBook, *, is_taking: bool) -> int:
    price_e9: int = _levels(desk, book, is_taking=is_taking)[0].price_e9
    is_low_good = (desk.side is Side.BUY) == is_taking
    return price_e9 if is_low_good else -price_e9


def _worst(desk: Desk, book: VenueBook) -> int:
    """Return the last price shown, within the slice's limit: as immediate as our sweep is.

    A taker that stops at the touch and comes back for what is new there is patient, not a router.
    """
    levels = _levels(desk, book, is_taking=True)
    price_e9: int = levels[-1].price_e9 if levels else desk.price_e9
    limit = desk.part.limit_price_e9
    if limit is None:
        return price_e9
    return min(price_e9, limit) if desk.side is Side.BUY else max(price_e9, limit)


ROUTERS: Final[dict[str, Chooser | None]] = {
    "ours": None,
    "best price only": best_price,
    "pro rata to depth": pro_rata,
    "round robin": round_robin,
    "sequential": only(sequential.propose),
    "parallel": only(parallel.propose),
    "sweep": only(sweep.propose, is_for_takers=True),
    "liquidity seeking": only(seek.propose),
    "passive split": only(passive_split.propose),
}
