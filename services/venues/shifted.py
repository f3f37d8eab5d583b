"""A recorded market as it would stand had our trading moved it: every price by whole ticks."""

from collections.abc import Mapping

from services.venues.frames import (
    UNMOVED,
    BookTarget,
    Frame,
    HiddenOrder,
    MarketSource,
    MarketTrade,
    Moved,
    PriceLevel,
)

__all__ = ["ShiftedMarket"]


class ShiftedMarket:
    """Implements frames.MarketSource round one that knows nothing of our impact.

    Rounds: to the nearest tick, halves up.
    """

    def __init__(self, inner: MarketSource, ticks_e9: Mapping[str, int]) -> None:
        self._inner = inner
        self._ticks_e9 = ticks_e9

    def frame(self, step: int, moved: Moved = UNMOVED) -> Frame:
        """Return the inner frame with the prices of moved instruments shifted."""
        frame = self._inner.frame(step)
        shifts = {
            instrument_id: (2 * by_e9 + tick_e9) // (2 * tick_e9) * tick_e9
            for instrument_id, by_e9 in moved.items()
            if (tick_e9 := self._ticks_e9[instrument_id])
        }
        if not any(shifts.values()):
            return frame
        return frame._replace(
            targets=tuple(
                [_target(each, shifts.get(each.instrument_id, 0)) for each in frame.targets]
            ),
            trades=tuple(
                [_trade(each, shifts.get(each.instrument_id, 0)) for each in frame.trades]
            ),
        )


def _target(target: BookTarget, by_e9: int) -> BookTarget:
    if not by_e9:
        return target
    return target._replace(
        bids=_levels(target.bids, by_e9),
        asks=_levels(target.asks, by_e9),
        hidden_bid=_hidden(target.hidden_bid, by_e9),
        hidden_ask=_hidden(target.hidden_ask, by_e9),
    )


def _levels(levels: tuple[PriceLevel, ...], by_e9: int) -> tuple[PriceLevel, ...]:
    return tuple([(price + by_e9, size) for price, size in levels if price + by_e9 > 0])


def _hidden(order: HiddenOrder | None, by_e9: int) -> HiddenOrder | None:
    if order is None or not order.quantity:
        return order
    return order._replace(price_e9=order.price_e9 + by_e9)


def _trade(trade: MarketTrade, by_e9: int) -> MarketTrade:
    if trade.price_e9 is None or not by_e9:
        return trade
    return trade._replace(price_e9=max(trade.price_e9 + by_e9, 1))
