"""The TCA view on whole days of one shard: the same shares as the engine told its clients."""

import pytest

from schemas.messages.core import TcaLevel
from schemas.messages.intake import OrderCanceled, OrderClosed, OrderRestated
from schemas.messages.netting import ParentClosed
from streams.core.topics import MARKET_DATA
from streams.views.tca import TCA_TOPICS, TcaView
from tests.support.day import Day


@pytest.mark.parametrize(("seed", "is_calm"), [(3, True), (3, False), (4, False)])
def test_rows_agree_with_what_clients_were_told(seed: int, is_calm: bool) -> None:
    day, view = Day(seed, is_calm=is_calm), TcaView()
    day.run()
    orders: dict[str, int] = {}
    parents: dict[str, int] = {}
    for batch in day.host.batches:
        for inbound in batch.inputs:
            if inbound.record.topic == MARKET_DATA and inbound.envelope is not None:
                view.fold(MARKET_DATA, 0, inbound.envelope, inbound.message)
        for event in batch.outputs:
            message = event.message
            if event.topic in TCA_TOPICS:
                view.fold(event.topic, 0, event.envelope, message)
            if isinstance(message, OrderClosed | OrderCanceled | OrderRestated):
                orders[message.order_id] = message.cumulative_quantity
            elif isinstance(message, ParentClosed):
                parents[message.parent_id] = message.filled_quantity
    rows = {row.id: row for row in view.rows()}
    assert len(orders) > 100
    assert {name: rows[name].quantity for name in orders} == orders
    if is_calm:  # in the other days fills are busted after their parent has closed
        assert {name: rows[name].quantity for name in parents} == parents
    for row in rows.values():
        assert row.quantity <= row.ordered_quantity or row.level is TcaLevel.CHILD
        if row.quantity:
            assert row.average_price_e9 is not None
            assert row.arrival_performance_e9 is not None
