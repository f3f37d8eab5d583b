"""Integer arithmetic of schedules: volume tracking, jittered slots, participation."""

from collections.abc import Sequence
from hashlib import sha256

from schemas.messages.strategy import VolumeForecast

__all__ = [
    "PARTS_MAX",
    "banded_due",
    "bin_volumes",
    "equal_bins",
    "expected_volume",
    "floor_lot",
    "front_loaded_targets",
    "jittered_targets",
    "jittered_times",
    "participation_due",
    "tracked_target",
    "volume_targets",
]

BPS = 10_000
PARTS_MAX = 2_000  # bins or slots of a plan: more make its event too large and take too long
FIXED = 1 << 64  # one, in fixed point: a rate of the last bin that still has digits
DRAWS = 1 << 32  # values that one draw may take


def floor_lot(quantity: int, lot: int) -> int:
    """Return the whole lots in `quantity`; 0 when it is negative."""
    return max(0, quantity // lot * lot)


def participation_due(others: int, done: int, rate_bps: int) -> int:
    """Return what may be sent so that own / (own + others) reaches the rate; 0 when ahead.

    Units:  rate_bps of the whole market's volume, own included, 0..9_999.
    Rounds: down; the remainder stays in the deficit, so the next call sends it.
    Source: SPEC section 5: own = p / (1 - p) * others; own prints never count as others.
    """
    assert 0 <= rate_bps < BPS
    return max(0, rate_bps * others // (BPS - rate_bps) - done)


def banded_due(need: int, volume: int, low_bps: int, high_bps: int) -> int:
    """Return `need` within the band of participation in `volume`; at 100 % nothing bounds it.

    Units:  low_bps, high_bps of the volume, own included.
    Rounds: both bounds down.
    Source: SPEC section 5: clip(need, p_lo / (1 - p_lo) v, p_hi / (1 - p_hi) v).
    """
    low = participation_due(volume, 0, low_bps)
    return max(low, need if high_bps >= BPS else min(need, participation_due(volume, 0, high_bps)))


def tracked_target(quantity: int, traded: int, expected_now: int, expected_rest: int) -> int:
    """Return the cumulative quantity wanted at the end of the bin.

    `traded` is the market's volume so far, `expected_now` that of this bin and `expected_rest`
    that of this and all later bins.
    Rounds: down; the last bin has no remainder.
    Source: SPEC section 4, Busseti-Boyd tracking: C (cum + v_i) / (cum + sum of v_j, j >= i).
    """
    whole = traded + expected_rest
    return quantity * (traded + expected_now) // whole if whole > 0 else quantity


def volume_targets(quantity: int, traded: int, expected: Sequence[int]) -> tuple[int, ...]:
    """Return the cumulative targets of all bins as they look now; the last one is `quantity`."""
    rest, now, targets = sum(expected), 0, []
    for volume in expected:
        now += volume
        targets.append(tracked_target(quantity, traded, now, rest))
    return (*targets[:-1], quantity)


def front_loaded_targets(
    quantity: int, weights: Sequence[int], lengths_ns: Sequence[int], half_life_ns: int
) -> tuple[int, ...]:
    """Return the cumulative targets that are best against linear impact and risk; exact integers.

    Minimized is the sum of n^2 / w + lambda s^2 x^2 t over bins of weight w (volume) and length t:
    n_k / w_k - n_(k+1) / w_(k+1) = x_k t_k T / (W h^2) with h the half-life 1 / kappa, x what is
    left after bin k, T and W the sums. With equal bins that is the Almgren-Chriss trajectory. It
    is solved from the last bin backwards, up to a factor, in fixed point.
    Units:  weights in any unit; half_life_ns in ns.
    Rounds: down; the last one is `quantity`.
    Source: SPEC section 2; section 11 for the half-life.
    """
    weights = [max(1, weight) for weight in weights]
    scale = sum(weights) * half_life_ns * half_life_ns
    horizon_ns = sum(lengths_ns)
    rate, left, trades = FIXED, 0, []
    for weight, length_ns in zip(reversed(weights), reversed(lengths_ns), strict=True):
        # `left` is what later bins do: the holdings after this one.
        rate += left * length_ns * horizon_ns // scale
        trades.append(rate * weight)
        left += rate * weight
    done, targets = 0, []
    for trade in reversed(trades):
        done += trade
        targets.append(quantity * done // left)
    return (*targets[:-1], quantity)


def equal_bins(start_ns: int, end_ns: int, grid_ns: int, bin_ns: int) -> tuple[int, ...]:
    """Return the starts of the bins of a window, on the grid that passes through `grid_ns`.

    A first or last piece shorter than half a bin joins its neighbor: too short to rest and sweep.
    Bins are as much longer as PARTS_MAX of them need to fill the window.
    """
    bin_ns = max(bin_ns, -(-(end_ns - start_ns) // PARTS_MAX))
    first = grid_ns + -((grid_ns - start_ns) // bin_ns) * bin_ns  # first grid point >= start
    if 2 * (first - start_ns) < bin_ns:
        first += bin_ns
    stop = end_ns - bin_ns // 2  # a last piece has at least half a bin
    return (start_ns, *range(first, stop + 1, bin_ns))


def bin_volumes(
    starts_ns: Sequence[int], end_ns: int, forecast: VolumeForecast | None
) -> tuple[int, ...]:
    """Return the expected volume of each bin; without a forecast, its length in ns.

    Rounds: down, where a bin covers part of a forecast bin. A forecast that sees no volume at all
            says nothing about the shape, and the lengths are used.
    """
    stops = (*starts_ns[1:], end_ns)
    lengths = tuple([stop - start for start, stop in zip(starts_ns, stops, strict=True)])
    if forecast is None:
        return lengths
    bins = zip(starts_ns, stops, strict=True)
    volumes = tuple([expected_volume(forecast, start, stop) for start, stop in bins])
    return volumes if sum(volumes) > 0 else lengths


def expected_volume(forecast: VolumeForecast, start_ns: int, stop_ns: int) -> int:
    """Return the expected volume between two instants. Rounds: down per forecast bin."""
    volumes, width = forecast.volumes, forecast.bin_ns
    start = max(0, start_ns - forecast.bin_start_ns)
    stop = min(len(volumes) * width, stop_ns - forecast.bin_start_ns)
    if stop <= start:
        return 0
    first, skipped = divmod(start, width)
    last, taken = divmod(stop, width)
    if first == last:
        return volumes[first] * (taken - skipped) // width
    tail = volumes[last] * taken // width if taken else 0
    return volumes[first] * (width - skipped) // width + sum(volumes[first + 1 : last]) + tail


def jittered_times(
    start_ns: int, end_ns: int, slots: int, *, seed: bytes, time_jitter_bps: int
) -> tuple[int, ...]:
    """Return one random instant per slot, strictly inside it: (k - 1/2 + jt U_k / 2) T / N.

    Units:  time_jitter_bps of half a slot, 0..10_000; U uniform in (-1, 1).
    Rounds: down to the ns.
    Source: SPEC section 5.
    """
    whole = 2 * slots * DRAWS * BPS
    return tuple(
        [
            start_ns
            + (end_ns - start_ns)
            * ((2 * slot - 1) * DRAWS * BPS + time_jitter_bps * _draw(seed, slot, "time"))
            // whole
            for slot in range(1, slots + 1)
        ]
    )


def jittered_targets(
    quantity: int, slots: int, lot: int, *, seed: bytes, size_jitter_bps: int
) -> tuple[int, ...]:
    """Return cumulative quantities X (k + jq W_k / 2) / N that cannot drift; the last is exact.

    With `jittered_times`: |cum(t) - X t / T| <= X / N (1 + jt + jq + lot N / X) / 2 at every t.
    Units:  size_jitter_bps of half a slot's quantity, 0..10_000; W uniform in (-1, 1), W_N = 0.
    Rounds: to the nearest lot, halves up.
    Source: SPEC section 5.
    """
    whole = 2 * slots * DRAWS * BPS
    targets = []
    for slot in range(1, slots):
        part = 2 * slot * DRAWS * BPS + size_jitter_bps * _draw(seed, slot, "size")
        lots = (2 * quantity * part + lot * whole) // (2 * lot * whole)
        targets.append(min(quantity, lots * lot))
    return (*targets, quantity)


def _draw(seed: bytes, slot: int, what: str) -> int:
    """Return an odd integer, uniform and symmetric in (-DRAWS, DRAWS)."""
    digest = sha256(seed + what.encode() + slot.to_bytes(4, "big")).digest()
    return 2 * int.from_bytes(digest[:4], "big") + 1 - DRAWS
