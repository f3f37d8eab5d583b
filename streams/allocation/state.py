"""What allocation remembers: the fills and shares of every epoch, open or closed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from schemas.messages.core import AllocationEntry, CashEntry, Member
from streams.core.division import Division
from streams.core.errors import CorruptHistoryError

__all__ = ["AllocationState", "Epoch", "Fill", "House"]

# Fills between two marks. A restatement replays from the mark before its fill, about half a
# millisecond a fill in a house of 1,000; a mark is one integer an order.
MARK_FILLS = 128


class House(msgspec.Struct, kw_only=True):
    """Orders that share fills by constant weights: an epoch's main part, or its tail.

    `shares` is what the fills give by the rule; a minimal restatement is taken from it at the end
    (`taken`), so that the rule goes on from a state that it knows. Lists run with `order_ids`.
    """

    order_ids: list[str]
    rule: Division
    shares: list[int]
    fills: dict[str, int] = {}  # quantity by fill, before what was taken
    sequence: list[str] = []  # fills in order of allocation
    marks: dict[int, list[int]] = {}  # shares after that many fills of the sequence, ascending
    taken: dict[str, dict[str, int]] = {}  # fill -> order -> quantity

    @staticmethod
    def of(house_id: str, members: Sequence[Member], lot: int) -> "House":
        return House(
            order_ids=[member.order_id for member in members],
            rule=Division.of(house_id, members, lot),
            shares=[0] * len(members),
        )

    @property
    def is_paid(self) -> bool:
        """Whether all that it can give was given."""
        return sum(self.shares) == sum(self.rule.weights)

    def share_of(self) -> dict[str, int]:
        """Return each order's quantity now."""
        result = dict(zip(self.order_ids, self.shares, strict=True))
        for parts in self.taken.values():
            for order_id, quantity in parts.items():
                result[order_id] -= quantity
        return result

    def pay(self, fill_id: str, quantity: int, entries: Iterable[AllocationEntry]) -> None:
        """Fold an allocated fill."""
        self.fills[fill_id] = quantity
        self.sequence.append(fill_id)
        self.change(entries)
        if len(self.sequence) % MARK_FILLS == 0:
            self.marks[len(self.sequence)] = self.shares.copy()

    def change(self, entries: Iterable[AllocationEntry]) -> None:
        """Add to the shares; entries stand in the order of the house, as they were decided."""
        place = 0
        for entry in entries:
            try:
                place = self.order_ids.index(entry.order_id, place)
            except ValueError:
                raise CorruptHistoryError(f"{entry.order_id} is no member") from None
            self.shares[place] += entry.quantity

    def change_fill(self, fill_id: str, entries: Sequence[AllocationEntry]) -> None:
        """Fold a restatement as if the fill had always been what it is now."""
        self.fills[fill_id] += sum(entry.quantity for entry in entries)
        self.change(entries)
        start = self.sequence.index(fill_id)
        self.marks = {at: shares for at, shares in self.marks.items() if at <= start}

    def states(
        self, fills: Mapping[str, int], since: str
    ) -> Iterator[tuple[str, list[int], list[int]]]:
        """Yield fill, shares before and shares after, from `since` to the last.

        The rule decides from `fills`; what came before `since` is as it was.
        """
        start = self.sequence.index(since)
        known = max((at for at in self.marks if at <= start), default=0)
        shares = self.marks[known] if known else [0] * len(self.order_ids)
        for position in range(known, len(self.sequence)):
            fill_id = self.sequence[position]
            before = shares
            if quantity := fills[fill_id]:
                shares = self.rule.after(before, quantity)
            if position >= start:
                yield fill_id, before, shares


class Fill(msgspec.Struct, kw_only=True):
    """A booked fill: where it counts, and its cash as it stands after busts and corrections."""

    parent_id: str
    epoch: int
    cash_e9: int
    fee_e9: int
    is_tail: bool = False
    is_allocated: bool = False
    # Where each fill's cash is divided by itself: the newest version, and what it divided.
    cash_version: int = 0
    given_cash_e9: int = 0
    given_fee_e9: int = 0


class Epoch(msgspec.Struct, kw_only=True):
    """A period of constant membership; kept after its end, since a bust may come any day."""

    main: House
    lot: int = 1
    is_per_fill: bool = False
    tail: House | None = None
    is_closed: bool = False
    is_tail_over: bool = False  # resolved or paid: what an order could get of it counts elsewhere
    cash_version: int = 0  # of the newest CashAllocated of the pool, 0 before the first
    cash: list[CashEntry] = []  # as last given

    def houses(self) -> tuple[House, ...]:
        return (self.main,) if self.tail is None else (self.main, self.tail)

    def house(self, *, is_tail: bool) -> House:
        """Return one of its houses. Raises: CorruptHistoryError when it has no tail."""
        house = self.tail if is_tail else self.main
        if house is None:
            raise CorruptHistoryError("an epoch without a tail was paid behind its end")
        return house

    def is_final(self, *, is_tail: bool) -> bool:
        """Return whether nobody may get more than he has by a restatement of that house."""
        return self.is_tail_over if is_tail else self.is_closed


class AllocationState(msgspec.Struct, kw_only=True):
    """Grows with members and fills, about 150 bytes each, not with shares: days, not weeks."""

    epochs: dict[str, list[Epoch]] = {}  # by parent; epoch n stands at n - 1
    fills: dict[str, Fill] = {}
    crosses: dict[str, bool] = {}  # already given
    closed_parents: dict[str, bool] = {}

    def epoch(self, parent_id: str, number: int) -> Epoch:
        """Return an epoch. Raises: CorruptHistoryError when it was never opened."""
        epochs = self.epochs.get(parent_id, [])
        if not 0 < number <= len(epochs):
            raise CorruptHistoryError(f"epoch {number} of {parent_id} was never opened")
        return epochs[number - 1]
