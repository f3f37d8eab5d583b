"""What allocation remembers: the fills and shares of every epoch, open or closed."""

import msgspec

from schemas.messages.core import CashEntry
from streams.core.apportion import guarded_webster
from streams.core.errors import CorruptHistoryError

__all__ = ["AllocationState", "Epoch", "Fill", "House"]


class House(msgspec.Struct, kw_only=True):
    """Orders that share fills by constant weights: an epoch's main part, or its tail.

    `shares` is what the fills give by the rule; a minimal restatement is taken from it at the end
    (`taken`), so that the rule goes on from a state that it knows. Lists run with `order_ids`.
    """

    order_ids: list[str]
    weights: list[int]
    ties: list[int]
    shares: list[int]
    fills: dict[str, int] = {}  # quantity by fill, before what was taken
    sequence: list[str] = []  # fills in order of allocation
    taken: dict[str, dict[str, int]] = {}  # fill -> order -> quantity

    def share_of(self) -> dict[str, int]:
        """Return each order's quantity now."""
        result = dict(zip(self.order_ids, self.shares, strict=True))
        for parts in self.taken.values():
            for order_id, quantity in parts.items():
                result[order_id] -= quantity
        return result

    def replayed(self, fills: dict[str, int]) -> list[int]:
        """Return the shares of these quantities in the order of allocation."""
        shares = [0] * len(self.weights)
        for fill_id in self.sequence:
            if quantity := fills[fill_id]:
                shares = guarded_webster(self.weights, shares, quantity, self.ties)
        return shares


class Fill(msgspec.Struct, kw_only=True):
    """A booked fill: where it counts, and its cash as it stands after busts and corrections."""

    parent_id: str
    epoch: int
    cash_e9: int
    fee_e9: int
    is_tail: bool = False
    is_allocated: bool = False


class Epoch(msgspec.Struct, kw_only=True):
    """A period of constant membership; kept after its end, since a bust may come any day."""

    main: House
    tail: House | None = None
    is_closed: bool = False
    cash_version: int = 0  # of the newest CashAllocated, 0 before the first
    cash: list[CashEntry] = []  # as last given

    def houses(self) -> tuple[House, ...]:
        return (self.main,) if self.tail is None else (self.main, self.tail)


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
