"""A race in which the market moves and children follow it; what following must never do."""

from typing import Any, Final

import msgspec

from schemas.messages.core import Cause, Level, Tactic
from schemas.messages.routing import ChildCancelRequested, ChildPlaced, FillBooked
from streams.routing.commands import MarketBooks, RepriceChildren
from streams.routing.pegging import REPRICES_PER_FILL_MAX
from tests.support.builders import ACME, SECOND, TICK, quote, venue_book
from tests.support.exposure_race import MARKET, Race
from tests.support.model_venue import Choose

__all__ = ["PeggedRace"]

TACTICS: Final = (Tactic.PEG, Tactic.PEG, Tactic.MIDPOINT, Tactic.IMPROVE, Tactic.JOIN)
LIMITS: Final = (None, 10_000, 9_999, 10_010)
SHARES: Final = (0, 2_500, 10_000)
SIZES: Final = {"V1": 9, "V2": 7}


class PeggedRace(Race):
    """The laws of every race, and:

    d. no child is priced beyond its slice's limit or into the offer;
    e. none shows more than its slice allows of what stands at the best price, or a lot;
    f. between two fills a bounded number of cancels ask for another price;
    g. only what stands more than a tick away from where it would be placed is asked back.
    """

    def __init__(self, choose: Choose, *, has_busts: bool) -> None:
        self.bid = 9_999
        self.reprices = 0  # since the last fill
        self.reprices_in_all = 0
        self._limits: dict[str, tuple[int | None, int]] = {}  # by slice: limit, share
        self._prices: dict[str, tuple[Tactic, int]] = {}  # of children that follow
        super().__init__(choose, has_busts=has_busts)

    def _terms(self) -> dict[str, Any]:
        choose = self._choose
        limit = LIMITS[choose(len(LIMITS))]
        limit_e9 = None if limit is None else limit * TICK
        share_bps = SHARES[choose(len(SHARES))]
        self._limits[f"P.{self.slices}"] = limit_e9, share_bps
        return {
            "tactic": TACTICS[choose(len(TACTICS))],
            "limit_price_e9": limit_e9,
            "display_share_bps": share_bps,
            "is_dark_allowed": choose(2) == 0,
            "deadline_ns": self.at_ns + (5 + choose(60)) * SECOND,
        }

    def _step(self) -> None:
        super()._step()
        # A child must be known to live before it can be moved.
        if self.venue.inbox and self._choose(3):
            self.venue.answer()
        if self.venue.outbox and self._choose(3):
            self._deliver()
        for _ in range(self._choose(4)):
            self._move()

    def _pass_time(self, ns: int) -> None:
        super()._pass_time(ns)
        self._move()

    def _move(self) -> None:
        """Let a second pass, the quote flicker or jump, and the children hear of it."""
        self.at_ns += SECOND
        self.bid += (0, 1, -1, 4, -4, 12)[self._choose(6)]
        self.market = _market_at(self.bid)
        command = RepriceChildren(instrument_id=ACME, at_ns=self.at_ns, market=self.market)
        self._command(command)

    def _book(self, event: Any) -> None:
        match event:
            case ChildPlaced():
                self._watch_child(event)
            case ChildCancelRequested(cause=Cause.PRICE, request=1):  # later ones repeat it
                self.reprices += 1
                self.reprices_in_all += 1
                assert self.reprices <= REPRICES_PER_FILL_MAX, "cancels without a fill"
                self._watch_distance(event.child_id)
            case FillBooked():
                self.reprices = 0
            case _:
                pass
        super()._book(event)

    def _watch_child(self, event: ChildPlaced) -> None:
        limit_e9, share_bps = self._limits[event.slice_id]
        if event.price_e9 is not None and limit_e9 is not None:
            assert event.price_e9 <= limit_e9, "beyond the limit"
        if event.rest_until_ns and event.venue_id in SIZES and event.price_e9 is not None:
            assert event.price_e9 < (self.bid + 2) * TICK, "a child at rest takes"
            shown = event.display_quantity or event.quantity
            bound = max(SIZES[event.venue_id] * share_bps // 10_000, 1)
            assert not share_bps or shown <= bound, "more shown than allowed"
            if event.tactic in (Tactic.PEG, Tactic.MIDPOINT):
                self._prices[event.child_id] = event.tactic, event.price_e9

    def _watch_distance(self, child_id: str) -> None:
        tactic, price_e9 = self._prices[child_id]
        # The quote is two ticks wide. Limit and band only bring the child's own price nearer.
        away = abs(price_e9 - (self.bid + (tactic is Tactic.MIDPOINT)) * TICK)
        assert away > TICK, "a flicker moved a child"


def _market_at(bid: int) -> MarketBooks:
    books = tuple(
        venue_book(name, bids=_level(bid, size), asks=_level(bid + 2, size))
        for name, size in SIZES.items()
    )
    return msgspec.structs.replace(
        MARKET, quote=quote(bid=bid, ask=bid + 2), books=(MARKET.books[0], *books)
    )


def _level(price: int, size: int) -> tuple[Level, ...]:
    return (Level(price_e9=price * TICK, quantity=size),)
