"""What a wild shard is sent: honest messages of every kind, which `wild` then overwrites."""

from collections.abc import Sequence
from typing import Any, Final

from schemas.messages import intake
from schemas.messages.control import ConfigLoaded, PairRestricted
from schemas.messages.core import (
    BasketEntry,
    BasketMode,
    Constraints,
    ExecType,
    KillScope,
    LimitKind,
    LimitScope,
    MassCancelScope,
    OrderStatus,
    OrderType,
    PartyLevel,
    Side,
    StrategyKind,
    TimeInForce,
    TradingStatus,
    Urgency,
)
from schemas.messages.risk import (
    LeaseGranted,
    LeaseRecalled,
    PositionSet,
    ThrottleReleased,
)
from schemas.messages.routing import ChildPlaced
from schemas.messages.venues import OrderCancelReject
from streams.core import topics
from tests.support.builders import (
    ACME,
    MINUTE,
    NO_ID,
    OPEN_NS,
    SECOND,
    TICK,
    TRADE_DATE,
    account_defined,
    book_updated,
    cancel_order,
    crossing_declared,
    execution_report,
    instrument_defined,
    mass_cancel_order,
    new_basket,
    new_order,
    replace_order,
    settings_loaded,
    venue_defined,
    volume_curve,
)
from tests.support.calendars import calendar_defined, client_defined, desk_defined, status_changed
from tests.support.hostile import trade_printed
from tests.support.kills import approve, engage, propose
from tests.support.limits import approved, limit, limit_set, locate_granted, proposed
from tests.support.shard_host import ListHost, trading_host
from tests.support.wild_values import LONGS, Pick

__all__ = ["MAKERS", "World"]

HOUR: Final = 60 * MINUTE
NAMES: Final = tuple(f"c{n}" for n in range(1, 16))
PRICES: Final = (9_990, 10_000, 10_010, 9_000, 11_000)
ENDED: Final = (ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED)


class World:
    """What the makers know; `pick` decides all."""

    def __init__(self, pick: Pick) -> None:
        self.pick = pick
        self.host: ListHost = trading_host()
        self.children: list[ChildPlaced] = []
        self.names: list[str] = [NAMES[0]]  # of orders, as accepted or replaced
        self.inputs = 0
        self.limits = limit_set()


def _order(world: World) -> tuple[str, Any]:
    return topics.ORDERS_COMMANDS, _new(world.pick, world.pick(NAMES))


def _new(pick: Pick, name: str) -> intake.NewOrder:
    day, gtc = TimeInForce.DAY, TimeInForce.GTC
    tif = pick((day, day, day, day, day, gtc, gtc, *TimeInForce))
    price = pick((None, *PRICES))
    is_short, now = pick((False,) * 7 + (True,)), StrategyKind.IMMEDIATE
    return new_order(
        name,
        account_id=pick(("A1", "A1", "A2", "A3")),
        side=pick((Side.BUY, Side.SELL)),
        quantity=pick((100, 1, 300, 1_000_000)),
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        limit_price_e9=None if price is None else price * TICK,
        strategy=pick((now, now, StrategyKind.TWAP, StrategyKind.VWAP)),
        urgency=pick((Urgency.NEUTRAL, Urgency.URGENT, Urgency.PASSIVE)),
        time_in_force=tif,
        expire_ns=OPEN_NS + HOUR if tif is TimeInForce.GTD else 0,
        constraints=pick((None, None, None, Constraints(minimum_quantity=1, venue_ids=("V1",)))),
        is_short_sale=is_short,
        locate_id="L1" if is_short else "",
    )


def _cancel(world: World) -> tuple[str, Any]:
    pick = world.pick
    return topics.ORDERS_COMMANDS, cancel_order(pick(NAMES), pick(world.names[-3:]))


def _replace(world: World) -> tuple[str, Any]:
    pick = world.pick
    message = replace_order(
        pick(NAMES),
        pick(world.names[-3:]),
        quantity=pick((100, 1, 50, 200, 300, 1_000_000)),
        limit_price_e9=pick((None, *(price * TICK for price in PRICES))),
    )
    return topics.ORDERS_COMMANDS, message


def _mass(world: World) -> tuple[str, Any]:
    pick = world.pick
    scope, scope_id = pick(
        (
            (MassCancelScope.ALL, ""),
            (MassCancelScope.SIDE, "BUY"),
            (MassCancelScope.ACCOUNT, "A1"),
            (MassCancelScope.INSTRUMENT, ACME),
            (MassCancelScope.STRATEGY, "TWAP"),
        )
    )
    name = pick(("m1", "m2"))
    return topics.ORDERS_COMMANDS, mass_cancel_order(name, scope=scope, scope_id=scope_id)


def _basket(world: World) -> tuple[str, Any]:
    pick = world.pick
    orders = [_new(pick, pick((*NAMES, "b1", "b2"))) for _ in range(pick((2, 1, 0, 3)))]
    entries = [
        BasketEntry(**{name: getattr(order, name) for name in BasketEntry.__struct_fields__})
        for order in orders
    ]
    mode = pick((BasketMode.ALL_OR_NONE, BasketMode.VALID_ONES))
    return topics.ORDERS_COMMANDS, new_basket(*entries, mode=mode, basket_id=pick(("B1", "B2")))


def _book(world: World) -> tuple[str, Any]:
    pick = world.pick
    bid = pick((9_999, 9_990, 10_001, 10_010))
    return topics.MARKET_DATA, book_updated(pick(("V1", "V2", "V3")), bid, bid + pick((2, 1, 200)))


def _trade(world: World) -> tuple[str, Any]:
    pick = world.pick
    trade = trade_printed(ticks=pick(PRICES), quantity=pick((100, 10_000)))
    return topics.MARKET_DATA, trade


def _status(world: World) -> tuple[str, Any]:
    pick = world.pick
    status = pick((TradingStatus.TRADING, *TradingStatus))
    return topics.MARKET_DATA, status_changed(status, pick(("", "V1")))


def _report(world: World) -> tuple[str, Any]:
    """An honest venue most of the time: what is wild comes with `wild`."""
    pick, children = world.pick, world.children
    if not children:
        return _order(world)
    child = pick(children[-4:])
    kind = pick((ExecType.TRADE,) * 14 + (ExecType.NEW,) * 3 + tuple(ExecType))
    quantity = pick((child.quantity, 1, max(child.quantity // 2, 1)))
    is_trade = kind is ExecType.TRADE
    status = OrderStatus.FILLED if quantity == child.quantity else OrderStatus.PARTIALLY_FILLED
    report = execution_report(
        child.child_id,
        pick(tuple(f"e{n}" for n in range(1, 16))),
        venue_id=child.venue_id,
        side=child.side,
        exec_type=kind,
        exec_ref_id="" if is_trade else pick(("e1", "e2", "e3", "e4", "e5")),
        order_status=status if is_trade else pick((OrderStatus.NEW, *OrderStatus)),
        last_quantity=quantity,
        last_price_e9=child.price_e9,
        cumulative_quantity=0 if kind in ENDED else quantity,
        leaves_quantity=0 if kind in ENDED else child.quantity - quantity,
        transact_ns=world.host.now_ns,
    )
    return topics.VENUES_REPORTS, report


def _cancel_reject(world: World) -> tuple[str, Any]:
    pick, children = world.pick, world.children
    child_id = pick(children[-4:]).child_id if children else "P9.9.9"
    reject = OrderCancelReject(
        venue_id="V1",
        instrument_id=ACME,
        child_id=child_id,
        venue_order_id="",
        request=pick((1, 2)),
        text="too late",
        transact_ns=world.host.now_ns,
    )
    return topics.VENUES_REPORTS, reject


def _definition(world: World) -> tuple[str, Any]:
    pick = world.pick
    return topics.CONTROL_COMMANDS, pick(DEFINITIONS)


def _risk(world: World) -> tuple[str, Any]:
    pick = world.pick
    match pick(("propose", "approve", "approve", "other")):
        case "propose":
            kinds = [kind for kind in LimitKind if kind is not LimitKind.UNKNOWN]
            kind, value = pick(kinds), pick((0, 1, 100, 10**9, LONGS[-3]))
            world.limits = limit_set(limit(kind, value, is_shadow=pick((False, True))))
            return topics.CONTROL_COMMANDS, proposed(world.limits, pick(("p1", "p2", "p3")))
        case "approve":
            return topics.CONTROL_COMMANDS, approved(world.limits, pick(("p1", "p2", "p3")))
        case _:
            return topics.CONTROL_COMMANDS, pick(RISK)


def _kill(world: World) -> tuple[str, Any]:
    pick = world.pick
    scope, scope_id = pick(
        (
            (KillScope.ACCOUNT, "A1"),
            (KillScope.FIRM, ""),
            (KillScope.VENUE, "V1"),
            (KillScope.INSTRUMENT, ACME),
            (KillScope.STRATEGY, "TWAP"),
            (KillScope.SOURCE, "OMS"),
        )
    )
    kill_id = pick(("K1", "K2"))
    changes = {"kill_id": kill_id, "is_canceling_orders": pick((False, True))}
    message = pick((engage(scope, scope_id, **changes), propose(kill_id), approve(kill_id)))
    return topics.KILL_COMMANDS, message


def _lease(kind: type[Any], name: str) -> Any:
    return kind(
        **{name: "g1"},
        limit_id="test-credit",
        scope=LimitScope.FIRM,
        subject="T1",
        shard=0,
        amount_e9=10**18,
        request_id=NO_ID,
    )


DEFINITIONS: Final = (
    volume_curve(),
    instrument_defined(),
    instrument_defined(session_close_ns=OPEN_NS + 24 * HOUR),
    instrument_defined(tick_e9=2, maximum_quantity=2**62),
    venue_defined("V1"),
    venue_defined("V2", is_enabled=False),
    account_defined("A1"),
    account_defined("A2", is_house=True),
    client_defined(),
    desk_defined(),
    calendar_defined(),
    crossing_declared(),
    crossing_declared(random_ns=SECOND, spread_median_bps=10_000),
    PairRestricted(
        tenant="T1",
        level=PartyLevel.ACCOUNT,
        one="A1",
        other="A2",
        is_restricted=True,
        reason="",
    ),
    settings_loaded(window_ns=0),
    settings_loaded(window_ns=-1),
    settings_loaded(window_ns=2**63),
    settings_loaded(window_count=2),
    settings_loaded(per_fill_tenants=["T1"]),
    settings_loaded(quote_age_max_ns=-1, own_spread_max_bps=-1),
    ConfigLoaded(content_sha256="", content_count=0),
)
RISK: Final = (
    ThrottleReleased(flow_id="F706.0.1", reason=""),
    PositionSet(
        tenant="T1", account_id="A1", instrument_id=ACME, trade_date=TRADE_DATE, quantity=-100
    ),
    locate_granted(1_000),
    _lease(LeaseGranted, "grant_id"),
    _lease(LeaseRecalled, "recall_id"),
)
MAKERS: Final[Sequence[Any]] = (
    *(_order,) * 12,
    *(_report,) * 12,
    *(_replace,) * 5,
    *(_cancel,) * 3,
    *(_mass, _basket, _basket, _book, _book, _trade, _status, _cancel_reject, _cancel_reject),
    *(_definition, _definition, _risk, _risk, _kill),
)
