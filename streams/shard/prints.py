"""What others traded of one instrument, print by print: in all, by bin, and cut to usual sizes."""

from typing import Final

import msgspec

from schemas.messages.control import VolumeCurveDefined
from schemas.messages.core import PrintKind
from schemas.messages.market import TradePrinted

__all__ = ["Prints"]

VOLUME_MAX: Final = 1 << 62  # more is no volume, and no record could tell it
# Auctions are no continuous trading, off-book prints no liquidity that an order could have met,
# and a corrected print repeats one that has been counted. UNKNOWN is from before kinds were said.
COUNTED: Final = (PrintKind.REGULAR, PrintKind.UNKNOWN)
BLOCK_PPM: Final = 995_000  # the quantile of print sizes beyond which a print is a block
SIZES_MIN: Final = 200  # fewer say nothing of a quantile of one in 200
SIZES_MAX: Final = 1 << 13  # then what was seen counts half: sizes of the day replace older ones
AGAIN: Final = 64  # so many prints later the bound is found again
MANTISSA: Final = 4  # leading bits of a size that its bucket keeps: it is an eighth wide at most


class Prints(msgspec.Struct, array_like=True):
    """Quantities in smallest units, own children's part removed."""

    others_quantity: int = 0  # since the log began
    steady_quantity: int = 0  # the same, each print cut to the bound
    count: int = 0
    bins: list[int] = []  # others' volume by bin of the instrument's curve
    first_bin_ns: int = 0  # of that curve
    sizes: dict[int, int] = {}  # prints by bucket of their size
    sizes_total: int = 0
    bound: int = VOLUME_MAX  # of a print that is no block

    def add(self, message: TradePrinted, at_ns: int, curve: VolumeCurveDefined | None) -> bool:
        """Count a print; return whether it was one of continuous trading."""
        if message.kind not in COUNTED:
            return False
        quantity = message.quantity - message.own_quantity
        if quantity == 0:
            return True
        self.others_quantity = min(self.others_quantity + quantity, VOLUME_MAX)
        self.steady_quantity = min(self.steady_quantity + min(quantity, self.bound), VOLUME_MAX)
        self.count += 1
        self._size(quantity)
        if curve is not None:
            self._put(quantity, at_ns, curve)
        return True

    def observed(self, bins: int, first_bin_ns: int) -> tuple[int | None, ...]:
        """Return others' volume of the first `bins` bins; None where nothing traded."""
        here = self.bins[:bins] if first_bin_ns == self.first_bin_ns else []
        known = [volume or None for volume in here]
        return (*known, *[None] * (bins - len(known)))

    def _put(self, quantity: int, at_ns: int, curve: VolumeCurveDefined) -> None:
        ordinal = (at_ns - curve.first_bin_ns) // curve.bin_ns
        if not 0 <= ordinal < len(curve.log_volume_e9):
            return
        if curve.first_bin_ns != self.first_bin_ns:  # another day
            self.first_bin_ns = curve.first_bin_ns
            self.bins = []
        self.bins.extend([0] * (ordinal + 1 - len(self.bins)))
        self.bins[ordinal] = min(self.bins[ordinal] + quantity, VOLUME_MAX)

    def _size(self, quantity: int) -> None:
        shift = max(0, quantity.bit_length() - MANTISSA)
        bucket = (shift << MANTISSA) | (quantity >> shift)
        self.sizes[bucket] = self.sizes.get(bucket, 0) + 1
        self.sizes_total += 1
        if self.sizes_total >= SIZES_MIN and self.count % AGAIN == 0:
            self.bound = self._quantile()
        if self.sizes_total == SIZES_MAX:
            self.sizes = {bucket: half for bucket, n in self.sizes.items() if (half := n // 2)}
            self.sizes_total = sum(self.sizes.values())

    def _quantile(self) -> int:
        """Return the largest size in the bucket of the quantile. Rounds: up, an eighth at most."""
        above = self.sizes_total - self.sizes_total * BLOCK_PPM // 1_000_000
        for bucket in sorted(self.sizes, reverse=True):
            above -= self.sizes[bucket]
            if above < 0:
                shift = bucket >> MANTISSA
                return (((bucket & ((1 << MANTISSA) - 1)) + 1) << shift) - 1
        return VOLUME_MAX
