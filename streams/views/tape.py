"""The prints of one instrument, and the volume-weighted average of any interval."""

from bisect import bisect_right
from typing import NamedTuple

from streams.models.tca import average_price_e9

__all__ = ["IntervalAverage", "Tape"]


class IntervalAverage(NamedTuple):
    """VWAP of all prints and of others' alone; None where nothing traded."""

    all_e9: int | None
    others_e9: int | None


class Tape:
    """Prints in any order of arrival; sums are built when first asked for."""

    def __init__(self) -> None:
        self._prints: list[tuple[int, int, int, int]] = []
        self._times: list[int] = []
        self._sums: list[tuple[int, int, int, int]] = []

    def add(self, at_ns: int, price_e9: int, quantity: int, own_quantity: int) -> None:
        """Note a print; `own_quantity` of it was ours."""
        self._prints.append((at_ns, price_e9, quantity, own_quantity))
        self._times = []

    def average(self, after_ns: int, until_ns: int) -> IntervalAverage:
        """Return the averages over (after_ns, until_ns]. Rounds: half even."""
        if not self._times:
            self._build()
        first = self._sums[bisect_right(self._times, after_ns)]
        last = self._sums[max(bisect_right(self._times, until_ns), 0)]
        notional, quantity, own_notional, own = [
            end - start for start, end in zip(first, last, strict=True)
        ]
        if quantity < 0:  # an interval that ends before it begins
            return IntervalAverage(None, None)
        return IntervalAverage(
            average_price_e9(notional, quantity),
            average_price_e9(notional - own_notional, quantity - own),
        )

    def _build(self) -> None:
        self._prints.sort()
        self._times = [at_ns for at_ns, *_ in self._prints]
        notional = volume = own_notional = own_volume = 0
        self._sums = [(0, 0, 0, 0)]
        for _, price_e9, quantity, own in self._prints:
            notional += price_e9 * quantity
            volume += quantity
            own_notional += price_e9 * own
            own_volume += own
            self._sums.append((notional, volume, own_notional, own_volume))
