"""Other people's orders to us: 40 accounts, three order systems, a day planned from the seed."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from schemas.messages.control import AccountDefined, InstrumentDefined
from schemas.messages.core import (
    Aim,
    OrderType,
    Side,
    StrategyKind,
    StrategyParameters,
    TimeInForce,
    Urgency,
)
from schemas.messages.intake import CancelOrder, NewOrder, ReplaceOrder
from services.venues.assumptions import TENANT
from services.venues.chances import MILLION, chance, stream

__all__ = ["ACCOUNTS_PER_CLIENT", "ClientCommand", "FlowPlan", "accounts", "plan_flow"]

ACCOUNTS_PER_CLIENT = 4
SOURCES = ("OMS-A", "OMS-B", "OMS-C")
DESKS = ("CASH", "PROGRAM")
ARRIVALS_UNTIL = 70  # per cent of the day in which new orders come
HALF_END, FULL_END = 62, 96  # per cent of the day; few end times make few groups
HALF_UNTIL = 40  # per cent of the day in which orders for the earlier end come
CANCELED_PPM, REPLACED_PPM, BAD_PPM, REPEATED_PPM = 12_000, 12_000, 10_000, 6_000
SECOND_NS = 1_000_000_000
# Weights of a hundred, as a program desk sends them: most orders follow volume or time. Immediate
# orders open a parent each, so they are few.
STRATEGIES = ((StrategyKind.VWAP, 58), (StrategyKind.TWAP, 33), (StrategyKind.IMMEDIATE, 1))
# What the others ask for, one kind for each instrument in turn: every kind opens parents of its
# own, and what many orders share is worked better.
OTHERS = (
    StrategyKind.POV,
    StrategyKind.IMPLEMENTATION_SHORTFALL,
    StrategyKind.CLOSE,
    StrategyKind.POV,
    StrategyKind.AUTO,
)
# What orders that leave the strategy to us want.
AIMS = (Aim.IMPACT, Aim.RISK, Aim.COMPLETION)
# Each instrument is mostly bought or mostly sold: what one side lacks is what the market is for.
LEAN_PER_CENT = 85
CROSSING_OF_FIVE = 3  # accounts whose owners allow internal crosses
LIMITED_PER_CENT = 4
AUCTION_PER_CENT = 4  # of the orders are for the auctions of a day that has some
LIMIT_BPS = 150  # beyond the reference price: a limit protects, it seldom stops
SIZES = (1, 1, 2, 2, 3, 4, 6, 10)  # multiples of the unit size of an instrument


class ClientCommand(NamedTuple):
    """One message to us and when its system sent it."""

    at_ns: int
    source: str
    message: NewOrder | CancelOrder | ReplaceOrder


class FlowPlan(NamedTuple):
    """What the flow needs to know of the day. `units`: a small order by instrument."""

    seed: int
    orders: int
    accounts: int
    start_ns: int
    close_ns: int
    step_ns: int
    instruments: Sequence[InstrumentDefined]
    prices_e9: Sequence[int]  # reference price of each
    units: Sequence[int]
    opening_ns: tuple[int, int] | None = None  # when its call begins, and its cut-off
    closing_cutoff_ns: int = 0  # 0: no closing auction


def accounts(count: int) -> tuple[AccountDefined, ...]:
    """Return the accounts A001… of clients that own four each."""
    return tuple(
        AccountDefined(
            account_id=f"A{number + 1:03}",
            client_id=f"C{number // ACCOUNTS_PER_CLIENT + 1:02}",
            tenant=TENANT,
            is_enabled=True,
        )
        for number in range(count)
    )


def plan_flow(plan: FlowPlan) -> list[ClientCommand]:
    """Return every command of the day in order of time.

    Most are good orders. Some are canceled or replaced a little later, one in a hundred has a
    fault that intake names, and a few are sent twice.
    """
    random = stream(plan.seed, "flow", plan.orders)
    length_ns = plan.close_ns - plan.start_ns
    last_ns = length_ns * ARRIVALS_UNTIL // 100
    commands = _for_auctions(plan)
    for number in range(plan.orders - len(commands)):
        # Nobody sends before the first books are out, one step after the open.
        at_ns = plan.start_ns + plan.step_ns + random.randrange(max(last_ns - plan.step_ns, 1))
        order = _order(plan, random, number, at_ns)
        kind = random.randrange(MILLION)
        if kind < BAD_PPM:
            order = _spoiled(order, random, plan)
        commands.append(ClientCommand(at_ns, order.source, order))
        later_ns = at_ns + (1 + random.randrange(60)) * SECOND_NS
        if kind < BAD_PPM or later_ns >= plan.close_ns - length_ns // 20:
            continue
        kind -= BAD_PPM
        if kind < CANCELED_PPM:
            commands.append(ClientCommand(later_ns, order.source, _cancel(order)))
        elif kind < CANCELED_PPM + REPLACED_PPM:
            commands.append(ClientCommand(later_ns, order.source, _replace(order, random)))
        elif kind < CANCELED_PPM + REPLACED_PPM + REPEATED_PPM:
            commands.append(ClientCommand(later_ns, order.source, order))
    commands.sort(key=lambda command: (command.at_ns, command.message.client_order_id))
    return commands


def _for_auctions(plan: FlowPlan) -> list[ClientCommand]:
    """Return the orders for the day's auctions: at the open, at the close, or towards it."""
    random = stream(plan.seed, "auction-flow", plan.orders)
    close_ns, commands = plan.closing_cutoff_ns, []
    for number in range(plan.orders * AUCTION_PER_CENT // 100):
        kind = number % 3
        order = _order(plan, random, plan.orders + number, plan.start_ns)
        changes: dict[str, object] = {
            "end_ns": 0,
            "participation_cap_bps": 10_000,
            "parameters": None,
        }
        # Early enough to be there when the strategies send what is for the auction.
        at_ns = (
            plan.start_ns + plan.step_ns + random.randrange(max(close_ns - plan.start_ns, 2) // 2)
        )
        if kind == 0 and plan.opening_ns is not None:
            begins_ns, cutoff_ns = plan.opening_ns
            at_ns = begins_ns + plan.step_ns + random.randrange(max(cutoff_ns - begins_ns, 2) // 2)
            changes |= {
                "time_in_force": TimeInForce.AT_OPEN,
                "strategy": StrategyKind.IMMEDIATE,
                "urgency": Urgency.URGENT,
            }
        elif not close_ns:
            continue
        elif kind == 1:
            changes |= {"time_in_force": TimeInForce.AT_CLOSE, "strategy": StrategyKind.VWAP}
        else:
            changes |= {"strategy": StrategyKind.CLOSE}
        fields = {name: getattr(order, name) for name in order.__struct_fields__}
        order = NewOrder(**{**fields, **changes})
        commands.append(ClientCommand(at_ns, order.source, order))
    return commands


def _order(plan: FlowPlan, random: Random, number: int, at_ns: int) -> NewOrder:
    which = random.randrange(len(plan.instruments))
    terms = plan.instruments[which]
    length_ns = plan.close_ns - plan.start_ns
    is_lean = random.randrange(100) < LEAN_PER_CENT
    is_bought = chance(plan.seed, "lean", terms.instrument_id, MILLION // 2)
    side = Side.BUY if is_lean == is_bought else Side.SELL
    strategy = _strategy(random, which)
    is_early = at_ns - plan.start_ns < length_ns * HALF_UNTIL // 100
    is_half = strategy is StrategyKind.TWAP and is_early and random.getrandbits(1)
    end = HALF_END if is_half else FULL_END
    limit_e9 = None
    if strategy is StrategyKind.VWAP and random.randrange(100) < LIMITED_PER_CENT:
        away = plan.prices_e9[which] * LIMIT_BPS // 10_000
        limit_e9 = plan.prices_e9[which] + (away if side is Side.BUY else -away)
        limit_e9 -= limit_e9 % terms.tick_e9
    is_immediate = strategy is StrategyKind.IMMEDIATE
    account = random.randrange(plan.accounts)
    return NewOrder(
        tenant=TENANT,
        source=SOURCES[account % len(SOURCES)],
        client_order_id=f"C{number + 1:06}",
        account_id=f"A{account + 1:03}",
        desk_id=DESKS[account % len(DESKS)],
        instrument_id=terms.instrument_id,
        trade_date=terms.trade_date,
        side=side,
        quantity=plan.units[which] * SIZES[random.randrange(len(SIZES))],
        order_type=OrderType.MARKET if limit_e9 is None else OrderType.LIMIT,
        limit_price_e9=limit_e9,
        time_in_force=TimeInForce.DAY,
        strategy=strategy,
        urgency=Urgency.URGENT if is_immediate else Urgency.NEUTRAL,
        start_ns=0,
        end_ns=plan.start_ns + length_ns * end // 100,
        participation_cap_bps=10_000 if is_immediate else 3_000,
        is_cross_allowed=account % 5 < CROSSING_OF_FIVE,
        is_dark_allowed=True,
        parameters=_parameters(strategy, which),
    )


def _parameters(strategy: StrategyKind, which: int) -> StrategyParameters | None:
    """Return an aim for AUTO, one for each instrument: other aims make other groups."""
    if strategy is not StrategyKind.AUTO:
        return None
    return StrategyParameters(aim=AIMS[which % len(AIMS)])


def _strategy(random: Random, which: int) -> StrategyKind:
    part = random.randrange(100)
    for strategy, weight in STRATEGIES:
        if part < weight:
            return strategy
        part -= weight
    return OTHERS[which % len(OTHERS)]


def _spoiled(order: NewOrder, random: Random, plan: FlowPlan) -> NewOrder:
    """Return the order with one fault, each with a reject code of its own."""
    terms = next(each for each in plan.instruments if each.instrument_id == order.instrument_id)
    limit_e9 = plan.prices_e9[0] // terms.tick_e9 * terms.tick_e9 + 1
    faults: tuple[dict[str, object], ...] = (
        {"quantity": 0},
        {"quantity": terms.maximum_quantity + terms.lot},
        {"account_id": "A999"},
        {"instrument_id": "NOSUCH"},
        {"order_type": OrderType.LIMIT, "limit_price_e9": limit_e9},
        {"order_type": OrderType.LIMIT, "limit_price_e9": None},
        {"end_ns": plan.start_ns},
        {"participation_cap_bps": 0},
        {"desk_id": ""},
        {"trade_date": order.trade_date - 1},
    )
    fields = {name: getattr(order, name) for name in order.__struct_fields__}
    return NewOrder(**{**fields, **faults[random.randrange(len(faults))]})


def _cancel(order: NewOrder) -> CancelOrder:
    return CancelOrder(
        tenant=order.tenant,
        source=order.source,
        client_order_id=f"{order.client_order_id}-X",
        original_client_order_id=order.client_order_id,
        instrument_id=order.instrument_id,
        trade_date=order.trade_date,
    )


def _replace(order: NewOrder, random: Random) -> ReplaceOrder:
    """Return a replace to half or to double the quantity."""
    quantity = order.quantity * 2 if random.getrandbits(1) else max(order.quantity // 2, 1)
    return ReplaceOrder(
        tenant=order.tenant,
        source=order.source,
        client_order_id=f"{order.client_order_id}-R",
        original_client_order_id=order.client_order_id,
        instrument_id=order.instrument_id,
        trade_date=order.trade_date,
        quantity=quantity,
        limit_price_e9=order.limit_price_e9,
    )
