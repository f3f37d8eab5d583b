"""Turn matches into fills of our children and prints on the tape."""

from collections.abc import Sequence

from schemas.messages.core import ExecType, Liquidity, OrderStatus, PrintKind, Side
from schemas.messages.market import TradePrinted
from schemas.messages.venues import ExecutionReport
from services.venues.impact import strike
from services.venues.matching import Match
from services.venues.mishaps import later_change
from services.venues.outbox import StepOutbox
from services.venues.reports import next_report
from services.venues.state import Book, Child, SimulatorState
from services.venues.terms import Terms, opposite

__all__ = ["Executions"]


class Executions:
    """Fills and prints of one step."""

    def __init__(self, terms: Terms, state: SimulatorState, out: StepOutbox) -> None:
        self.terms = terms
        self.state = state
        self.out = out

    def execute(
        self, child: Child, quantity: int, price_e9: int, liquidity: Liquidity, at_ns: int
    ) -> ExecutionReport:
        """Book an execution at the venue and return its report, not yet sent.

        `child.leaves` is already without it.
        """
        child.cumulative += quantity
        if self.terms.impact:
            impact = self.terms.impact
            strike(
                self.state,
                impact,
                child.instrument_id,
                child.side,
                quantity=quantity,
                liquidity=liquidity,
            )
        if child.leaves == 0:
            child.status = OrderStatus.FILLED
        elif child.status is OrderStatus.NEW:
            child.status = OrderStatus.PARTIALLY_FILLED
        is_maker = liquidity is Liquidity.ADDED
        volumes = self.state.volumes
        own_quantity = volumes.get(child.venue_id, 0)
        volumes[child.venue_id] = own_quantity + quantity
        return next_report(
            child,
            ExecType.TRADE,
            at_ns,
            last_quantity=quantity,
            last_price_e9=price_e9,
            fee_e9=self.terms.fee_e9(
                child.venue_id,
                child.instrument_id,
                price_e9,
                quantity,
                is_maker=is_maker,
                own_quantity=own_quantity,
            ),
            liquidity=liquidity,
        )

    def tell(self, child: Child, report: ExecutionReport, at_ns: int) -> None:
        """Send the report of an execution, and schedule what will become of it."""
        child.executions.append(report)
        self.out.report(child, report, at_ns)
        change = later_change(self.terms, report, at_ns)
        if change is not None:
            self.state.delayed.append(change)

    def fill(
        self, child: Child, quantity: int, price_e9: int, liquidity: Liquidity, at_ns: int
    ) -> None:
        self.tell(child, self.execute(child, quantity, price_e9, liquidity, at_ns), at_ns)

    def settle(
        self,
        book: Book,
        matches: Sequence[Match],
        aggressor: Side,
        at_ns: int,
        taker: Child | None = None,
    ) -> None:
        """Report and print what a taker got; `taker` is one of ours or None for others."""
        for match in matches:
            shown = match.quantity - match.hidden
            resting = sum(quantity for _, quantity in match.own)
            if shown:
                own = resting if taker is None else shown
                self.print(book, match.price_e9, shown, aggressor, at_ns, own=own)
            if match.hidden:
                own = 0 if taker is None else match.hidden
                self.print(
                    book, match.price_e9, match.hidden, aggressor, at_ns, own=own, is_hidden=True
                )
            for child_id, quantity in match.own:
                child = self.state.children[child_id]
                self.fill(child, quantity, match.price_e9, Liquidity.ADDED, at_ns)
            if taker is not None:
                taker.leaves -= match.quantity
                self.fill(taker, match.quantity, match.price_e9, Liquidity.REMOVED, at_ns)

    def print(
        self,
        book: Book,
        price_e9: int,
        quantity: int,
        aggressor: Side,
        at_ns: int,
        *,
        own: int,
        is_hidden: bool = False,
        kind: PrintKind = PrintKind.UNKNOWN,
    ) -> None:
        """Publish a trade; `own` is the part of it that was our children."""
        trade = TradePrinted(
            venue_id=book.venue_id,
            instrument_id=book.instrument_id,
            price_e9=price_e9,
            quantity=quantity,
            own_quantity=own,
            aggressor=aggressor,
            is_hidden=is_hidden,
            kind=kind,
        )
        self.out.market(book.venue_id, book.instrument_id, trade, at_ns)

    def print_own(self, book: Book, child: Child, report: ExecutionReport, at_ns: int) -> None:
        """Publish an execution of a resting child that somebody hit."""
        assert report.last_price_e9 is not None
        self.print(
            book,
            report.last_price_e9,
            report.last_quantity,
            opposite(child.side),
            at_ns,
            own=report.last_quantity,
            is_hidden=book.is_dark,
        )
