"""Forget what nobody will ask for again: orders that ended before the trade date that is over."""

from services.fix.clients.state import ClientsState

__all__ = ["prune"]


def prune(state: ClientsState, trade_date: int) -> None:
    """Begin a trade date: keep this one and the one before it, whose trades may still be busted.

    Units: yyyymmdd.
    """
    state.previous_date, state.trade_date = state.trade_date, trade_date
    kept = state.previous_date
    state.orders = {
        order_id: order
        for order_id, order in state.orders.items()
        if order.is_open or order.trade_date >= kept
    }
    known = state.orders
    state.order_ids = {key: each for key, each in state.order_ids.items() if each in known}
    state.parties = _of_known(state, state.parties)
    state.payers = _of_known(state, state.payers)
    state.requests = {k: each for k, each in state.requests.items() if each.kept_date >= kept}
    state.masses = {k: each for k, each in state.masses.items() if each.kept_date >= kept}
    state.lists = {
        key: asked
        for key, asked in state.lists.items()
        if asked.kept_date >= kept or any(each in known for each in asked.order_ids)
    }
    for asked in state.lists.values():
        asked.order_ids = [each for each in asked.order_ids if each in known]


def _of_known(state: ClientsState, by_name: dict[str, list[str]]) -> dict[str, list[str]]:
    kept = {n: [o for o in orders if o in state.orders] for n, orders in by_name.items()}
    return {name: orders for name, orders in kept.items() if orders}
