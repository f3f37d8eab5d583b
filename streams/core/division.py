"""A house of orders and the stages in which it is filled: tier by tier, lots before odd rests.

For every tier, clients before the house's own orders (MiFID II Delegated Regulation 2017/565,
Articles 68 and 69), three stages: what completes lots that earlier shares began, whole lots, and
the odd rests. A stage is filled before the next one starts; inside it shares are guarded Webster's,
in units of one share or one lot. A fill that ends inside a lot gives the part to the order whose
lot comes next, and the next fill completes it first. So at every fill, whatever its size:

- The sum is what was filled: every stage gives all it is asked for, up to its size.
- Nothing is taken back: a stage that is over is not touched, Webster is monotone, and an open lot
  is only ever completed.
- Nobody passes its weight: an order's parts over the stages sum to it, and Webster ends at each.
- Inside a stage of W lots of L, of which g shares are given, an order of w lots is within one lot
  of g w / W. Let g = h L + r, a the whole lots, k the order whose lot is open. Both a and a + e_k
  are states of Webster's at h and h + 1, so each is within one lot of its exact part, and the
  shares are a + e_k r / L: a mean of two such states, while the exact part is the same mean.
- The lots of the next fill are in order whatever the last one left: a + e_k came out of Webster's
  rule, hence it can be completed.

With one tier and lots of one share there is one stage, the house itself.
"""

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from schemas.messages.core import Member
from streams.core.ids import within_log
from streams.core.webster import shares_after

__all__ = ["Division", "Stage", "tie_order"]


def tie_order(house_id: str, order_ids: Sequence[str]) -> list[int]:
    """Return the places of the orders; of equal claims the first in it wins.

    They stand by SHA-256("<house_id>:<order_id>"), both without the tag of their log: nobody can
    choose it, everybody can repeat it. house_id is "<parent_id>/<epoch>" for an epoch and its tail,
    else the cross id.
    """
    house = within_log(house_id)
    digests = [sha256(f"{house}:{within_log(each)}".encode()).digest() for each in order_ids]
    return sorted(range(len(digests)), key=digests.__getitem__)


class Stage(msgspec.Struct, kw_only=True):
    """Part of a house that is filled before the next begins. Lists run with `places`."""

    unit: int  # smallest units that go together
    places: list[int]  # members, by their place in the house
    weights: list[int]  # in `unit`s, never 0
    order: list[int]  # indexes of `places`
    before: list[int]  # what the earlier stages give each member, smallest units

    @property
    def size(self) -> int:
        return sum(self.weights) * self.unit

    def after(self, shares: Sequence[int], fill: int) -> list[int]:
        """Return the members' shares of this stage after `fill` more, smallest units."""
        if self.unit == 1:
            return shares_after(self.weights, shares, fill, self.order)
        unit, left = self.unit, fill
        result = list(shares)
        open_at = next((i for i, share in enumerate(result) if share % unit), None)
        if open_at is not None:
            part = min(left, unit - result[open_at] % unit)
            result[open_at] += part
            left -= part
        if not left:
            return result
        lots, part = divmod(left, unit)
        whole = [share // unit for share in result]
        after = shares_after(self.weights, whole, lots, self.order)
        result = [lot * unit for lot in after]
        if part:
            following = shares_after(self.weights, after, 1, self.order)
            pairs = enumerate(zip(after, following, strict=True))
            result[next(i for i, (old, new) in pairs if new > old)] += part
        return result


class Division(msgspec.Struct, kw_only=True):
    """The rule of one house: cumulative shares in, cumulative shares out."""

    weights: list[int]
    order: list[int]
    stages: list[Stage] = []  # empty: the house is the one stage

    @staticmethod
    def of(house_id: str, members: Sequence[Member], lot: int = 1) -> "Division":
        """Return the division of these members, whose lists run in their order."""
        order = tie_order(house_id, [member.order_id for member in members])
        stages: list[Stage] = []
        if lot != 1 or any(member.tier for member in members):
            stages = _stages(members, order, lot)
        weights = [member.quantity for member in members]
        return Division(weights=weights, order=order, stages=stages)

    def after(self, shares: Sequence[int], fill: int) -> list[int]:
        """Return the shares after `fill` more.

        Units:  smallest units; `shares` came out of this function or are all zero.
        Rounds: as the module says.
        """
        if not self.stages:
            return shares_after(self.weights, shares, fill, self.order)
        result = list(shares)
        done, left = sum(shares), fill
        for stage in self.stages:
            size = stage.size
            if done >= size:
                done -= size
                continue
            part = min(left, size - done)
            if not part:
                break
            had = [
                min(max(shares[place] - before, 0), weight * stage.unit)
                for place, before, weight in zip(
                    stage.places, stage.before, stage.weights, strict=True
                )
            ]
            for place, old, new in zip(stage.places, had, stage.after(had, part), strict=True):
                result[place] += new - old
            done, left = 0, left - part
        assert left == 0, f"{left} more than the house of {sum(self.weights)}"
        return result


def _stages(members: Sequence[Member], order: Sequence[int], lot: int) -> list[Stage]:
    before = [0] * len(members)
    stages: list[Stage] = []
    for tier in sorted({member.tier for member in members}):
        begun, lots, odd = [0] * len(members), [0] * len(members), [0] * len(members)
        for i, member in enumerate(members):
            if member.tier == tier:
                begun[i] = member.begun_quantity
                lots[i], odd[i] = divmod(member.quantity - begun[i], lot)
        for unit, weights in ((1, begun), (lot, lots), (1, odd)):
            places = [i for i, weight in enumerate(weights) if weight]
            if places:
                stages.append(_stage(unit, places, weights, order, before))
            for i in places:
                before[i] += weights[i] * unit
    return stages


def _stage(
    unit: int, places: list[int], weights: list[int], order: Sequence[int], before: list[int]
) -> Stage:
    index = {place: i for i, place in enumerate(places)}
    return Stage(
        unit=unit,
        places=places,
        weights=[weights[place] for place in places],
        order=[index[place] for place in order if place in index],
        before=[before[place] for place in places],
    )
