"""Price-time matching on one side of a book: others' displayed and hidden quantity, and ours."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.venues.frames import HiddenOrder, PriceLevel
from services.venues.state import BookSide, Child

__all__ = ["Match", "join", "leave", "refresh", "take"]

REPLENISHED_PER_STEP = 4  # a quarter of what is missing at a level comes back each step


class Match(NamedTuple):
    """What one price gave to a taker."""

    price_e9: int
    displayed: int  # of others
    hidden: int  # of others
    own: tuple[tuple[str, int], ...]  # our resting children

    @property
    def quantity(self) -> int:
        return self.displayed + self.hidden + sum(quantity for _, quantity in self.own)


def take(
    side: BookSide,
    children: Mapping[str, Child],
    quantity: int,
    *,
    worst_e9: int | None = None,
    self_trade_id: str = "",
    printed_e9: int | None = None,
    is_own_only: bool = False,
) -> list[Match]:
    """Let a taker walk the side, best price first; return what it got, and change the side.

    Displayed quantity goes before hidden at the same price, others before us as far as they were
    there first. Children with the taker's `self_trade_id` are passed over. `worst_e9` bounds the
    price. With `printed_e9` the tape says where others traded: our better prices go first, then
    our queue at that price; what is left is theirs, and the tape's own book will show it gone.
    With `is_own_only` nothing of others is touched: their trade was elsewhere or hidden.
    """
    matches: list[Match] = []
    own_by_price = _own_by_price(side, children, self_trade_id)
    bound_e9 = worst_e9 if printed_e9 is None else printed_e9
    is_walk = printed_e9 is None and not is_own_only
    for price_e9 in _prices(side, own_by_price, printed_e9, is_walk=is_walk):
        if quantity == 0:
            break
        if bound_e9 is not None and (price_e9 - bound_e9) * side.sign < 0:
            break
        is_theirs = is_walk or price_e9 == printed_e9
        match = _take_price(
            side,
            own_by_price.get(price_e9, []),
            price_e9,
            quantity,
            is_theirs=is_theirs,
            is_taped=not is_walk,
        )
        if match.displayed:
            # Children passed over move up as well, and nobody is behind more than is there.
            _pass_over(side, children, price_e9, match.displayed, own_by_price)
        if match.quantity:
            matches.append(match)
            quantity -= match.quantity
    for match in matches:
        for child_id, _ in match.own:
            if not children[child_id].leaves:
                side.own.remove(child_id)
    return matches


def _own_by_price(
    side: BookSide, children: Mapping[str, Child], self_trade_id: str
) -> dict[int, list[Child]]:
    found: dict[int, list[Child]] = {}
    for child_id in side.own:
        child = children[child_id]
        if not self_trade_id or child.self_trade_id != self_trade_id:
            assert child.price_e9 is not None
            found.setdefault(child.price_e9, []).append(child)
    return found


def _pass_over(
    side: BookSide,
    children: Mapping[str, Child],
    price_e9: int,
    taken: int,
    own_by_price: Mapping[int, Sequence[Child]],
) -> None:
    queue = own_by_price.get(price_e9, ())
    for child_id in side.own:
        child = children[child_id]
        if child.price_e9 == price_e9 and not any(child is each for each in queue):
            child.ahead = max(0, child.ahead - taken)


def _prices(
    side: BookSide,
    own_by_price: Mapping[int, Sequence[Child]],
    printed_e9: int | None,
    *,
    is_walk: bool,
) -> list[int]:
    prices = {*own_by_price}
    if is_walk:
        prices.update(level[0] for level in side.levels)
        if side.hidden[2]:
            prices.add(side.hidden[1])
    elif printed_e9 is not None:
        prices.add(printed_e9)
    return sorted(prices, reverse=side.sign > 0)


def _take_price(
    side: BookSide,
    queue: Sequence[Child],
    price_e9: int,
    quantity: int,
    *,
    is_theirs: bool,
    is_taped: bool,
) -> Match:
    """Match at one price. `is_theirs`: whether others have anything there."""
    level = next((level for level in side.levels if level[0] == price_e9), None)
    shown = level[1] if level is not None and is_theirs else 0
    if is_taped and is_theirs:
        shown = quantity  # the tape knows better than our picture of the level
    rest, displayed = quantity, 0
    own: dict[str, int] = {}
    for child in queue:
        # What stood before this child goes first, and moves everybody up.
        first = min(max(child.ahead, 0), rest) if is_theirs else 0
        first = min(first, shown - displayed)
        displayed += first
        rest -= first
        for other in queue:
            other.ahead = max(0, other.ahead - first)
        filled = min(rest, child.shown)
        if filled:
            own[child.child_id] = filled
            child.leaves -= filled
            rest -= filled
    last = min(rest, shown - displayed)
    displayed += last
    rest -= last
    rest = _take_reserves(queue, rest, shown - displayed, own)
    hidden = 0
    if not is_taped and side.hidden[2] and side.hidden[1] == price_e9:
        hidden = min(rest, side.hidden[2])
        side.hidden[2] -= hidden
    if displayed and level is not None:
        level[1] = max(0, level[1] - displayed)
        if not is_taped:
            side.consumed[price_e9] = side.consumed.get(price_e9, 0) + displayed
    side.levels = [each for each in side.levels if each[1]]
    return Match(price_e9, displayed, hidden, tuple(own.items()))


def _take_reserves(queue: Sequence[Child], rest: int, behind: int, own: dict[str, int]) -> int:
    """Fill what our icebergs hide, which comes after all that is shown; return what is left.

    A new tip queues behind the `behind` that others still show.
    """
    for child in queue:
        if not child.display_quantity or not child.leaves:
            continue
        filled = min(rest, child.leaves)
        if filled:
            own[child.child_id] = own.get(child.child_id, 0) + filled
            child.leaves -= filled
            rest -= filled
        done = child.quantity - child.leaves
        if done // child.display_quantity > (done - own.get(child.child_id, 0)) // (
            child.display_quantity
        ):
            child.ahead = behind
    return rest


def join(side: BookSide, children: Mapping[str, Child], child: Child) -> None:
    """Rest a child behind everything displayed at its price and behind our earlier children.

    A price beyond the levels that we see is taken to show as much as the last one that we see.
    """
    price_e9 = child.price_e9
    assert price_e9 is not None
    level = next((level for level in side.levels if level[0] == price_e9), None)
    if level is not None:
        child.ahead = level[1]
    elif side.levels and (side.levels[-1][0] - price_e9) * side.sign > 0:
        child.ahead = side.levels[-1][1]
    at = len(side.own)
    while at and (price_e9 - _price_of(children, side.own[at - 1])) * side.sign > 0:
        at -= 1
    if at and _price_of(children, side.own[at - 1]) == price_e9:
        child.ahead = max(child.ahead, children[side.own[at - 1]].ahead)
    side.own.insert(at, child.child_id)


def leave(side: BookSide, child_id: str) -> None:
    """Take a child off the book, if it is there."""
    if child_id in side.own:
        side.own.remove(child_id)


def refresh(
    side: BookSide,
    children: Mapping[str, Child],
    target: Sequence[PriceLevel],
    hidden: HiddenOrder | None,
) -> None:
    """Show what others show now, less what was taken and has not come back.

    Where a level shrank without a trade, others canceled: those before us go in proportion.
    Rounds: the quantity ahead up, so that we never move up too far.
    """
    consumed: dict[int, int] = {}
    for price_e9, quantity in sorted(side.consumed.items()):
        left = quantity - max(1, quantity // REPLENISHED_PER_STEP)
        if left:
            consumed[price_e9] = left
    side.consumed = consumed
    levels = []
    for price_e9, quantity in target:
        shown = quantity - consumed.get(price_e9, 0) if consumed else quantity
        if shown > 0:
            levels.append([price_e9, shown])
    if side.own:
        _move_up(side, children, levels, target)
    side.levels = levels
    if hidden is not None and hidden.key != side.hidden[0]:
        side.hidden = [*hidden]


def _move_up(
    side: BookSide,
    children: Mapping[str, Child],
    levels: Sequence[Sequence[int]],
    target: Sequence[PriceLevel],
) -> None:
    before = {level[0]: level[1] for level in side.levels}
    after = {level[0]: level[1] for level in levels}
    last_e9 = target[-1][0] if target else None
    for child_id in side.own:
        child = children[child_id]
        price_e9 = _price_of(children, child_id)
        if last_e9 is not None and (price_e9 - last_e9) * side.sign < 0:
            continue  # beyond the levels that we see: nothing is known
        shown, was = after.get(price_e9, 0), before.get(price_e9, 0)
        if was and shown < was:
            child.ahead = -(-child.ahead * shown // was)
        child.ahead = min(child.ahead, shown)


def _price_of(children: Mapping[str, Child], child_id: str) -> int:
    price_e9 = children[child_id].price_e9
    assert price_e9 is not None
    return price_e9
