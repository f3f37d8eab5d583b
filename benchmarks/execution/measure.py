"""What became of each parent: its fills beside the market's prints over the same time."""

from bisect import bisect_right
from typing import Any, Final, NamedTuple

from schemas.messages.core import BookState, Liquidity, Side
from schemas.messages.market import BookUpdated, TradePrinted
from schemas.messages.netting import ParentOpened
from schemas.messages.routing import (
    ChildPlaced,
    ChildReplaced,
    FillBooked,
    FillBusted,
    FillCorrected,
    RouteDecided,
)

__all__ = ["Outcome", "Recorder"]

BPS: Final = 10_000
POINTS: Final = 20  # at which the gap to the market's cumulative volume is looked at


class _Fill(NamedTuple):
    at_ns: int
    quantity: int
    price_e9: int
    fee_e9: int
    is_passive: bool


class Outcome(NamedTuple):
    """One parent. Costs in basis points of the benchmark, fees in, + is bad.

    What was not filled by the end is charged at the other side of the last quote.
    """

    parent_id: str
    instrument_id: str
    side: Side
    start_ns: int
    ordered: int
    filled: int
    notional: float  # ordered at arrival, currency
    arrival: float  # cost against the midpoint at arrival
    vwap: float  # against the others' average price over the parent's window
    close: float  # against the last price of the day
    fees: float
    gap: float  # root mean square of own less market's cumulative fraction, per cent
    rate: float  # own / (own + others) while it worked, per cent
    passive: float  # part of the fills that rested or met at the midpoint
    seconds: float  # until the last fill
    children: int
    others: int  # what others traded in its window
    price: float  # midpoint at arrival, currency
    sent: int  # what its children asked for, smallest units
    decided: dict[str, int]  # decisions by logic, with what computed a split

    @property
    def unit(self) -> float:
        """Return the cost of one share against arrival. Units: mills, 1e-3 of the currency."""
        return self.arrival / BPS * self.price * 1_000

    @property
    def unmet(self) -> float:
        """Return the part of what was sent to venues that they did not fill, per cent."""
        return 100 * (1 - self.filled / self.sent) if self.sent else 0.0


class Recorder:
    """Implements host.Watcher: keeps what the outcomes need."""

    def __init__(self) -> None:
        self.parents: dict[str, tuple[int, ParentOpened]] = {}
        self._sent: dict[str, dict[str, int]] = {}  # by child, smallest units
        self._decided: dict[str, dict[str, int]] = {}
        self._fills: dict[str, dict[str, _Fill]] = {}
        self._prints: dict[str, list[tuple[int, int, int]]] = {}
        self._books: dict[str, dict[str, BookUpdated]] = {}
        self._quotes: dict[str, list[tuple[int, int, int]]] = {}

    def __call__(self, at_ns: int, _: str, message: Any) -> None:
        match message:
            case BookUpdated():
                self._book(at_ns, message)
            case TradePrinted():
                others = message.quantity - message.own_quantity
                if others > 0:
                    prints = self._prints.setdefault(message.instrument_id, [])
                    prints.append((at_ns, others, message.price_e9))
            case ParentOpened():
                self.parents[message.parent_id] = (at_ns, message)
            case ChildPlaced() | ChildReplaced():
                sent = self._sent.setdefault(message.parent_id, {})
                sent[message.child_id] = message.quantity
            case RouteDecided():
                decided = self._decided.setdefault(message.parent_id, {})
                name = f"{message.logic} {message.model}".strip()
                decided[name] = decided.get(name, 0) + 1
            case FillBooked():
                self._fills.setdefault(message.parent_id, {})[message.fill_id] = _Fill(
                    at_ns,
                    message.quantity,
                    message.price_e9,
                    message.fee_e9,
                    message.liquidity is not Liquidity.REMOVED,
                )
            case FillBusted():
                self._fills[message.parent_id].pop(message.fill_id, None)
            case FillCorrected():
                fills = self._fills[message.parent_id]
                if message.fill_id in fills:
                    fills[message.fill_id] = fills[message.fill_id]._replace(
                        quantity=message.quantity,
                        price_e9=message.price_e9,
                        fee_e9=message.fee_e9,
                    )

    def outcomes(self, scales: dict[str, int]) -> list[Outcome]:
        """Return every parent that had a price when it opened. `scales`: units of one whole."""
        found = []
        for parent_id, (at_ns, opened) in self.parents.items():
            if opened.arrival_price_e9:
                found.append(self._outcome(parent_id, at_ns, opened, scales[opened.instrument_id]))
        return found

    def _outcome(self, parent_id: str, at_ns: int, opened: ParentOpened, scale: int) -> Outcome:
        fills = sorted(self._fills.get(parent_id, {}).values())
        start_ns, end_ns = max(at_ns, opened.start_ns), opened.end_ns
        arrival = opened.arrival_price_e9 or 0
        prints = self._prints.get(opened.instrument_id, [])
        between = [each for each in prints if start_ns < each[0] <= end_ns]
        filled = sum(fill.quantity for fill in fills)
        paid = sum(fill.quantity * fill.price_e9 for fill in fills)
        fees = sum(fill.fee_e9 for fill in fills) * scale
        left = max(0, opened.quantity - filled)
        sign = 1 if opened.side is Side.BUY else -1
        total = paid + left * self._touch_e9(opened, end_ns)
        volume = sum(quantity for _, quantity, _ in between)
        average = sum(q * p for _, q, p in between) / volume if volume else arrival
        last = prints[-1][2] if prints else arrival

        def cost(benchmark_e9: float) -> float:
            whole = opened.quantity * benchmark_e9
            return (sign * (total - whole) + fees) / whole * BPS

        finish_ns = fills[-1].at_ns if fills else start_ns
        sent = self._sent.get(parent_id, {})
        beside = sum(q for at, q, _ in between if at <= finish_ns)
        return Outcome(
            parent_id=parent_id,
            instrument_id=opened.instrument_id,
            side=opened.side,
            start_ns=opened.start_ns,
            ordered=opened.quantity,
            filled=filled,
            notional=opened.quantity * arrival / scale / 10**9,
            arrival=cost(arrival),
            vwap=cost(average),
            close=cost(last),
            fees=fees / (opened.quantity * arrival) * BPS,
            gap=_gap(opened.quantity, fills, between, start_ns, end_ns),
            rate=100 * filled / (filled + beside) if filled + beside else 0.0,
            passive=sum(f.quantity for f in fills if f.is_passive) / filled if filled else 0.0,
            seconds=(finish_ns - start_ns) / 10**9,
            children=len(sent),
            others=volume,
            price=arrival / 10**9,
            sent=sum(sent.values()),
            decided=self._decided.get(parent_id, {}),
        )

    def _book(self, at_ns: int, message: BookUpdated) -> None:
        books = self._books.setdefault(message.instrument_id, {})
        books[message.venue_id] = message
        if message.state is not BookState.OPEN:
            return
        live = [b for b in books.values() if b.state is BookState.OPEN and b.bids and b.asks]
        if live:
            bid = max(book.bids[0].price_e9 for book in live)
            ask = min(book.asks[0].price_e9 for book in live)
            self._quotes.setdefault(message.instrument_id, []).append((at_ns, bid, ask))

    def _touch_e9(self, opened: ParentOpened, at_ns: int) -> int:
        quotes = self._quotes[opened.instrument_id]
        at = bisect_right(quotes, (at_ns, 1 << 62, 0)) - 1
        _, bid, ask = quotes[max(at, 0)]
        return ask if opened.side is Side.BUY else bid


def _gap(
    ordered: int,
    fills: list[_Fill],
    prints: list[tuple[int, int, int]],
    start_ns: int,
    end_ns: int,
) -> float:
    """Return the tracking error: only the cumulative gap matters (SPEC section 4)."""
    volume = sum(quantity for _, quantity, _ in prints)
    if not volume:
        return 0.0
    squares, own, market = 0.0, 0, 0
    at_fill = at_print = 0
    for point in range(1, POINTS + 1):
        now_ns = start_ns + (end_ns - start_ns) * point // POINTS
        while at_fill < len(fills) and fills[at_fill].at_ns <= now_ns:
            own += fills[at_fill].quantity
            at_fill += 1
        while at_print < len(prints) and prints[at_print][0] <= now_ns:
            market += prints[at_print][1]
            at_print += 1
        squares += (own / ordered - market / volume) ** 2
    return 100 * float((squares / POINTS) ** 0.5)
