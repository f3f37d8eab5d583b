"""Fit what a venue does, cell by cell, with errors; floats end here, the model is integers.

Costs are basis points in here, + is a cost.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from math import sqrt
from typing import Final, NamedTuple

from schemas.messages.control import VenueDefined
from schemas.messages.core import OrderKind, Side, VenueKind
from services.venuemodel.children import Child, lit
from streams.core.market import Venue
from streams.models.shrinkage import random_effects
from streams.scorecard.commands import BucketMarket
from streams.scorecard.curve import BINS, Curve, Hazards, pooled
from streams.scorecard.estimate import E9, VALUE_MAX, Known
from streams.scorecard.model import WEIGHT_MAX, CellModel, VenueModel
from streams.scorecard.prior import base_hazards, prior_of
from streams.scorecard.tails import SIZES, Tail, pooled_ends

__all__ = ["RESTING", "Average", "average", "cleanup", "fit", "group_of", "half_spreads", "terms"]

RESTING: Final = (OrderKind.PASSIVE, OrderKind.DARK)
SCATTER: Final = 1.0  # least standard deviation of a price, bp, and of a rate, 0.1
RATE_SCATTER: Final = 0.1
FEE_SCATTER: Final = 0.01
TERMS_ERROR: Final = 2 * E9  # of what terms say of a cost
HAZARD_WEIGHT: Final = 4.0  # children for which the venues of a group speak
Group = tuple[OrderKind, str, Side]


class Average(NamedTuple):
    """A mean of weighted observations whose errors go together within a cluster."""

    mean: float
    error: float
    weight: float


def average(
    observations: Iterable[tuple[float, float, str]], scatter: float = SCATTER
) -> Average | None:
    """Return the mean of (value, weight, cluster); None for nothing.

    The error is the ratio estimator's by clusters, and never below what independent observations
    of the least scatter would have.
    Source: SPEC section 8.
    """
    known = [entry for entry in observations if entry[1] > 0]
    total = sum(weight for _, weight, _ in known)
    if not total:
        return None
    mean = sum(value * weight for value, weight, _ in known) / total
    clusters: dict[str, float] = defaultdict(float)
    for value, weight, cluster in known:
        clusters[cluster] += weight * (value - mean)
    count = len(clusters)
    error = 0.0
    if count > 1:
        squares = sum(each**2 for each in clusters.values())
        error = sqrt(count / (count - 1) * squares) / total
    effective = total**2 / sum(weight**2 for _, weight, _ in known)
    return Average(mean, max(error, scatter / sqrt(min(effective, total + 1))), total)


def group_of(child: Child) -> Group:
    return child.kind, child.bucket, child.side


def half_spreads(children: Iterable[Child]) -> dict[str, float]:
    """Return the mean half spread of each bucket when children were sent, bp."""
    known: dict[str, list[float]] = defaultdict(list)
    for child in children:
        if child.half_spread is not None:
            known[child.bucket].append(child.half_spread)
    return {bucket: sum(spreads) / len(spreads) for bucket, spreads in known.items()}


def cleanup(half_spread: float, price: float, venues: Iterable[VenueDefined]) -> float:
    """Return what taking the rest costs: half the spread and the least taker fee, bp."""
    fees = [
        venue.taker_fee_e9 / 1e9 / price * 1e4 + venue.taker_fee_ppm / 100
        for venue in lit(venues)
        if price > 0
    ]
    return half_spread + min(fees, default=0.0)


def terms(
    key: tuple[str, OrderKind, str, Side],
    venues: dict[str, VenueDefined],
    half_spread: float,
    price: float,
) -> CellModel:
    """Return what the scorecard holds of a venue without any model: its terms."""
    venue_id, kind, bucket, side = key
    found = venues.get(venue_id)
    market = BucketMarket(
        bucket=bucket, half_spread_bps_e9=round(half_spread * E9), midpoint_e9=round(price * E9)
    )
    prior = prior_of(kind, None if found is None else _venue(found), market, None)
    hazards = base_hazards(kind)
    return CellModel(
        venue_id=venue_id,
        kind=kind,
        bucket=bucket,
        side=side,
        weight=prior.weight,
        fill_hazards=hazards.fill,
        away_hazards=hazards.away,
        rejects=Known(prior.rejects.mean, E9 // 10, prior.weight),
        price=Known(prior.price.mean, TERMS_ERROR, prior.weight),
        fee=Known(prior.fee.mean, E9 // 100, prior.weight),
        leakage=Known(0, TERMS_ERROR, prior.weight),
        missed=Known(0, TERMS_ERROR, prior.weight),
    )


def fit(
    children: Sequence[Child],
    venues: dict[str, VenueDefined],
    prices_by_bucket: dict[str, float],
    *,
    name: str,
    log_id: str = "",
) -> VenueModel:
    """Return the model of every venue, also of those that no child went to: as others, by terms."""
    spreads = half_spreads(children)
    groups: dict[Group, dict[str, list[Child]]] = {}
    for child in children:
        sent = groups.setdefault(group_of(child), untried(child.kind, venues))
        sent.setdefault(child.venue_id, []).append(child)
    cells = []
    for group, by_venue in sorted(groups.items()):
        kind, bucket, side = group
        half, price = spreads.get(bucket, 0.0), prices_by_bucket.get(bucket, 1.0)
        priors = {
            venue_id: terms((venue_id, kind, bucket, side), venues, half, price)
            for venue_id in by_venue
            if venue_id in venues
        }
        cells += _fit_group(group, dict(sorted(by_venue.items())), priors)
    times = [child.placed_ns for child in children]
    return VenueModel(
        name=name,
        log_id=log_id,
        first_ns=min(times, default=0),
        last_ns=max(times, default=0),
        children=len(children),
        cells=tuple(cells),
    )


def untried(kind: OrderKind, venues: dict[str, VenueDefined]) -> dict[str, list[Child]]:
    """Return the venues that would take such an order, without a child."""
    if kind is OrderKind.AUCTION:
        return {}
    return {
        venue_id: []
        for venue_id, venue in venues.items()
        if venue.is_enabled and (venue.kind is VenueKind.DARK) is (kind is OrderKind.DARK)
    }


def _fit_group(
    group: Group, venues: dict[str, list[Child]], priors: dict[str, CellModel]
) -> list[CellModel]:
    kind, bucket, side = group
    curves = {venue_id: curve_of(sent) for venue_id, sent in venues.items()}
    together = pooled(list(curves.values()), base_hazards(kind))
    tails = {venue_id: _tail(sent) for venue_id, sent in venues.items()}
    ends = pooled_ends(list(tails.values()))
    price = _shrunk(venues, prices)
    missed = _shrunk(venues, lambda child: [(child.missed, child.unfilled)])
    rejects = _shrunk(
        venues, lambda child: [(float(child.is_rejected), 1.0)], scatter=RATE_SCATTER, unit=1.0
    )
    drift = _shrunk(venues, lambda child: [(child.sent, 1.0)])
    together_answers = _answers(child for sent in venues.values() for child in sent)
    levels = {venue_id: _level(venues, venue_id) for venue_id in venues}
    cells = []
    for venue_id, sent in venues.items():
        hazards = _hazards(curves[venue_id], together)
        answers = _answers(sent) or together_answers
        leak = drift[venue_id]
        if leak.weight:
            leak = Known(leak.mean - _e9(levels[venue_id]), leak.error, leak.weight)
        is_dark = kind is OrderKind.DARK
        cells.append(
            CellModel(
                venue_id=venue_id,
                kind=kind,
                bucket=bucket,
                side=side,
                weight=min(len(sent) * E9, WEIGHT_MAX),
                fill_hazards=hazards.fill,
                away_hazards=hazards.away,
                rejects=rejects[venue_id],
                price=price[venue_id],
                fee=_fee(sent, priors.get(venue_id)),
                leakage=leak,
                missed=missed[venue_id],
                ack_p50_ns=_quantile(answers, 0.5),
                ack_p99_ns=_quantile(answers, 0.99),
                tail_ends=_ends(tails[venue_id], ends) if is_dark else (),
                tail_weight=min(len(sent) * E9, WEIGHT_MAX) if is_dark else 0,
            )
        )
    return cells


def _fee(sent: Sequence[Child], prior: CellModel | None) -> Known:
    """Return what was paid; a fee is known by terms where nothing was, and drawn to nobody's."""
    found = average(
        (
            (part.fee, part.weight, child.parent_id)
            for child in sent
            for part in child.parts
            if part.fee is not None
        ),
        FEE_SCATTER,
    )
    if found is None:
        return Known(0, E9, 0) if prior is None else prior.fee
    return Known(_e9(found.mean), max(1, _e9(found.error)), min(_e9(found.weight), WEIGHT_MAX))


def prices(child: Child) -> list[tuple[float | None, float]]:
    """Return what its fills cost against the midpoint, the fee apart, with their weights."""
    if child.kind in RESTING:
        return [(part.realized, part.weight) for part in child.parts]
    return [
        (None if part.effective is None else part.effective + (part.drift or 0.0), part.weight)
        for part in child.parts
    ]


def curve_of(children: Iterable[Child]) -> Curve:
    """Return how the children ended, each as it is: nothing is forgotten."""
    curve = Curve()
    for child in children:
        for part in child.parts:
            curve.filled(part.age_ns, round(part.weight * E9))
        rest = round(child.unfilled * E9)
        if rest > 0 and not child.is_open:
            end = curve.gone if child.is_away else curve.censored
            end(child.end_age_ns, rest)
    return curve


def _shrunk(
    venues: dict[str, list[Child]],
    of: Callable[[Child], list[tuple[float | None, float]]],
    scatter: float = SCATTER,
    unit: float = 1.0,
) -> dict[str, Known]:
    """Return the mean of each venue drawn to that of all; nothing known where nobody saw any."""
    found = {
        venue_id: average(
            (
                (value * unit, weight, child.parent_id)
                for child in sent
                for value, weight in of(child)
                if value is not None
            ),
            scatter,
        )
        for venue_id, sent in venues.items()
    }
    seen = {venue_id: each for venue_id, each in found.items() if each is not None}
    if not seen:
        return dict.fromkeys(venues, Known(0, E9, 0))
    shrunk = random_effects(
        [each.mean for each in seen.values()], [each.error for each in seen.values()]
    )
    known = {}
    for (venue_id, each), mean, deviation in zip(
        seen.items(), shrunk.means, shrunk.deviations, strict=True
    ):
        pull = each.error**2 / (each.error**2 + shrunk.tau2)  # how much of it is all venues' mean
        error = sqrt(deviation**2 + (pull * shrunk.mu_error) ** 2)
        weight = min(_e9(each.weight), WEIGHT_MAX)
        known[venue_id] = Known(_e9(mean), max(1, _e9(error)), weight)
    # Where nobody saw anything at one venue, it is as the others, and that is known less.
    wide = sqrt(shrunk.tau2 + shrunk.mu_error**2 + scatter**2)
    other = Known(_e9(shrunk.mu), max(1, _e9(wide)), 0)
    return {venue_id: known.get(venue_id, other) for venue_id in venues}


def _level(venues: dict[str, list[Child]], venue_id: str) -> float:
    """Return the drift after children that were sent to the other venues."""
    elsewhere = average(
        (child.sent, 1.0, child.parent_id)
        for other_id, sent in venues.items()
        for child in sent
        if (other_id != venue_id or len(venues) == 1) and child.sent is not None
    )
    return 0.0 if elsewhere is None else elsewhere.mean


def _hazards(curve: Curve, together: Hazards) -> Hazards:
    weight = round(HAZARD_WEIGHT * E9)
    fill, away = [], []
    for ordinal in range(BINS):
        risk = curve.at_risk[ordinal] + weight
        fill.append((curve.fill[ordinal] * E9 + weight * together.fill[ordinal]) // risk)
        away.append((curve.away[ordinal] * E9 + weight * together.away[ordinal]) // risk)
    return Hazards(
        tuple(min(E9, each) for each in fill),
        tuple(min(E9 - min(E9, hit), gone) for hit, gone in zip(fill, away, strict=True)),
    )


def _tail(children: Iterable[Child]) -> Tail:
    tail = Tail()
    for child in children:
        if not child.is_open and not child.is_rejected:
            tail.observe(child.quantity, child.filled, max(1, child.lot))
    return tail


def _ends(tail: Tail, together: tuple[int, ...]) -> tuple[int, ...]:
    weight = round(HAZARD_WEIGHT * E9)
    return tuple(
        min(E9, (tail.ended[at] * E9 + weight * together[at]) // (tail.at_risk[at] + weight))
        for at in range(SIZES)
    )


def _answers(children: Iterable[Child]) -> list[int]:
    return sorted(child.answer_ns for child in children if child.answer_ns is not None)


def _quantile(ordered: Sequence[int], part: float) -> int:
    return max(0, ordered[min(len(ordered) - 1, int(part * len(ordered)))]) if ordered else 0


def _e9(value: float) -> int:
    return max(-VALUE_MAX, min(round(value * E9), VALUE_MAX))


def _venue(message: VenueDefined) -> Venue:
    return Venue(
        venue_id=message.venue_id,
        kind=message.kind,
        taker_fee_e9=message.taker_fee_e9,
        maker_fee_e9=message.maker_fee_e9,
        taker_fee_ppm=message.taker_fee_ppm,
        maker_fee_ppm=message.maker_fee_ppm,
        minimum_quantity=message.minimum_quantity,
        latency_ns=message.latency_ns,
        is_enabled=message.is_enabled,
    )
