"""Random books under the allocation decider, every fill held against the laws by other code.

Run: python -m benchmarks.allocation_law --fills 1000000

A book is one epoch of random orders, lots and tiers. Its fills, busts and corrections go through
the decider and its fold; at some instant it closes with a tail, which goes on. After every fill:
the sum, nothing taken back, the quota of each stage (told again by services/audit), nobody above
his weight, cash and fees to the unit. After every change: the run in which it never happened.
"""

import argparse
import sys
import time
from collections import Counter
from random import Random
from typing import Any

import msgspec

from schemas.messages.allocation import AllocationRestated, CashAllocated, FillAllocated
from schemas.messages.core import Cause, Member, OrderStatus
from schemas.messages.netting import EpochClosed, EpochOpened, ParentClosed
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from services.audit.stages import breaches, stages_of
from streams.allocation import ALLOCATION, AllocationState
from streams.allocation.commands import AllocateFill, FinishCash, RestateFill
from streams.core import webster
from streams.core.division import Division
from tests.support.netting import booked, busted, corrected

LOTS = (1, 1, 1, 10, 100)
CHANGES_PERCENT = 4
PARENT_TAG = "P000000.0"
CASH = ("cash_e9", "fee_e9")


class Tally:
    """What was seen over all books."""

    def __init__(self) -> None:
        self.books = self.fills = self.tail_fills = self.busts = self.corrections = 0
        self.minimal = self.choices = self.fallbacks = 0
        self.lots: Counter[int] = Counter()
        self.violations: Counter[str] = Counter()
        self.first = ""
        self.error_numerator, self.error_denominator = 0, 1  # largest distance from exact, in units

    def breach(self, law: str, text: str) -> None:
        self.violations[law] += 1
        self.first = self.first or f"{law}: {text}"

    def count(self, granted: Any) -> Any:
        """Return the rule's choosing step, counted: factor 1 is the fallback."""

        def counted(*given: Any) -> Any:
            self.choices += given[-1] == 2
            self.fallbacks += given[-1] == 1
            return granted(*given)

        return counted


class House:
    """What one house must hold: told again from the fills as they stand."""

    def __init__(self, house_id: str, members: tuple[Member, ...], lot: int) -> None:
        told = [
            {
                "order_id": each.order_id,
                "quantity": each.quantity,
                "tier": each.tier,
                "begun_quantity": each.begun_quantity,
            }
            for each in members
        ]
        self.rule = Division.of(house_id, members, lot)
        self.names = [each.order_id for each in members]
        self.weights = {each.order_id: each.quantity for each in members}
        self.size = sum(self.weights.values())
        self.stages = stages_of(told, lot)
        self.held = dict.fromkeys(self.names, 0)
        self.fills: dict[str, int] = {}
        self.is_final = self.is_minimal = False

    @property
    def filled(self) -> int:
        return sum(self.fills.values())

    def ideal(self) -> dict[str, int]:
        """Return the shares of the run of the fills as they stand now."""
        shares = [0] * len(self.names)
        for quantity in self.fills.values():
            if quantity:
                shares = self.rule.after(shares, quantity)
        return dict(zip(self.names, shares, strict=True))


class Book:
    """One epoch from its opening to its parent's end."""

    def __init__(self, source: Random, tally: Tally) -> None:
        self.source, self.tally = source, tally
        self.state: AllocationState = ALLOCATION.initial()
        self.parent_id = f"{PARENT_TAG}.{tally.books}"
        self.lot = source.choice(LOTS)
        self.is_per_fill = source.random() < 0.5
        members = tuple(self.members())
        self.tiers = [each.tier for each in members]
        self.main = House(f"{self.parent_id}/1", members, self.lot)
        self.tail: House | None = None
        self.live: dict[str, FillBooked] = {}  # as they stand
        self.cash: dict[str, CashAllocated] = {}
        self.evolve(
            EpochOpened(
                parent_id=self.parent_id,
                epoch=1,
                quantity=self.main.size,
                parent_quantity=self.main.size,
                members=members,
                cause=Cause.OPENED,
                lot=self.lot,
                is_per_fill=self.is_per_fill,
            )
        )
        tally.books += 1
        tally.lots[self.lot] += 1

    def members(self) -> list[Member]:
        source = self.source
        count = source.choice((1, 2, 3, 5, 8, 13, 21, 34, source.randint(2, 120)))
        most = source.choice((4, 60, 900, 9_000))
        has_house = source.random() < 0.4
        result = []
        for i in range(count):
            quantity = source.randint(1, source.choice((4, most))) * source.choice((1, self.lot))
            begun = source.choice((0, 0, source.randrange(self.lot)))
            result.append(
                Member(
                    order_id=f"O000000.0.{i}",
                    quantity=quantity,
                    tier=int(has_house and source.random() < 0.4),
                    begun_quantity=begun if begun <= quantity else 0,
                )
            )
        return result

    def evolve(self, event: Any) -> None:
        ALLOCATION.evolve(self.state, event)

    def ask(self, command: Any) -> tuple[Any, ...]:
        events = ALLOCATION.decide(self.state, command)
        for event in events:
            self.evolve(event)
        if ALLOCATION.decide(self.state, command):
            self.tally.breach("repeat", f"{command} is answered twice")
        return events

    def run(self, fills: int) -> None:
        """Run the book to its end, or to that many fills."""
        source, tally = self.source, self.tally
        end = tally.fills + fills
        largest = max(1, self.main.size // source.choice((1, 3, 20, 100)))
        close_at = source.uniform(0.2, 1.2) * self.main.size
        house = self.main
        while tally.fills < end and house.filled < house.size and not house.is_final:
            if house is self.main and self.main.filled >= close_at:
                house = self.close(source.randint(0, self.main.size - self.main.filled))
                if not house.size:
                    break
            self.pay(house, min(source.randint(1, largest), house.size - house.filled))
            if source.randrange(100) < CHANGES_PERCENT:
                self.change()
        if self.tail is None:
            self.close(0)
        self.end()

    def pay(self, house: House, quantity: int) -> None:
        """Book a fill, allocate it, and hold it against the laws."""
        tally = self.tally
        fill = self.fill(f"V1/{tally.fills}", quantity)
        tally.fills += 1
        tally.tail_fills += house is not self.main
        self.live[fill.fill_id] = fill
        self.evolve(fill)
        allocated, *cash = self.ask(AllocateFill(fill=fill))
        assert isinstance(allocated, FillAllocated)
        house.fills[fill.fill_id] = quantity
        for entry in allocated.entries:
            if entry.quantity <= 0:
                tally.breach("monotony", str(allocated))
            house.held[entry.order_id] += entry.quantity
            if entry.cumulative_quantity != house.held[entry.order_id]:
                tally.breach("sum", str(entry))
        if sum(entry.quantity for entry in allocated.entries) != quantity:
            tally.breach("sum", str(allocated))
        self.check(house)
        for event in cash:
            self.cash[event.fill_id] = event
            self.check_parts(event)
            if {e.order_id: e.quantity for e in event.entries} != {
                e.order_id: e.quantity for e in allocated.entries
            }:
                tally.breach("cash", f"{event} of {allocated}")
        if house is self.tail and house.filled == house.size:
            house.is_final = True

    def fill(self, fill_id: str, quantity: int) -> FillBooked:
        price_e9 = self.source.randint(1, 10**6) * 1_000_003
        fee_e9 = self.source.randint(-(10**7), 10**7)
        return booked(fill_id, quantity, parent_id=self.parent_id, price_e9=price_e9, fee_e9=fee_e9)

    def check(self, house: House) -> None:
        """Hold the shares against the sum, the weights and every stage's quota."""
        tally, held = self.tally, house.held
        if sum(held.values()) != house.filled:
            tally.breach("sum", f"{sum(held.values())} of {house.filled}")
        if any(not 0 <= share <= house.weights[name] for name, share in held.items()):
            tally.breach("weight", f"{held} of {house.weights}")
        if house.is_minimal:
            return  # shares of the rule less own shares of fills: within the quota no more
        for text in breaches(house.stages, held):
            tally.breach("quota", text)
        left = house.filled
        for stage in house.stages:
            size = sum(stage.most.values())
            due, left = min(left, size), left - min(left, size)
            if 0 < due < size:
                for name, most in stage.most.items():
                    share = min(max(held[name] - stage.before[name], 0), most)
                    error, unit = abs(share * size - most * due), stage.unit * size
                    if error * tally.error_denominator > tally.error_numerator * unit:
                        tally.error_numerator, tally.error_denominator = error, unit

    def change(self) -> None:
        """Bust or correct a random fill of the book."""
        source, tally = self.source, self.tally
        if not self.live:
            return
        fill = self.live[source.choice(list(self.live))]
        is_tail = self.tail is not None and fill.fill_id in self.tail.fills
        house = self.tail if is_tail and self.tail is not None else self.main
        quantity = source.choice((0, source.randint(1, fill.quantity), fill.quantity))
        changed = self.changed(fill, quantity)
        self.evolve(changed)
        before = dict(house.held)
        house.fills[fill.fill_id] = quantity
        for event in self.ask(RestateFill(change=changed)):
            if isinstance(event, AllocationRestated):
                house.is_minimal |= event.is_minimal
                tally.minimal += event.is_minimal
                for entry in event.entries:
                    house.held[entry.order_id] += entry.quantity
            else:
                self.cash[event.fill_id] = event
        self.check(house)
        if house.is_final and any(share > before[name] for name, share in house.held.items()):
            tally.breach("promise", f"{fill.fill_id} gives more in a house that is over")
        if not house.is_minimal and house.held != house.ideal():
            tally.breach("never happened", f"{changed} of {self.parent_id}")
        self.check_cash()

    def changed(self, fill: FillBooked, quantity: int) -> FillBusted | FillCorrected:
        """Return the venue's word that a fill was of another quantity, none at all perhaps."""
        if not quantity:
            self.tally.busts += 1
            del self.live[fill.fill_id]
            return busted(fill)
        self.tally.corrections += 1
        correction = corrected(fill, quantity, fill.price_e9 + self.source.choice((0, 10**7)))
        self.live[fill.fill_id] = msgspec.structs.replace(
            fill, quantity=quantity, price_e9=correction.price_e9, cash_e9=correction.cash_e9
        )
        return correction

    def close(self, live: int) -> House:
        """Close the epoch with that much of it live, divided as its fills would go."""
        main = self.main
        reserved = main.rule.after(list(main.held.values()), live)
        tail = tuple(
            Member(order_id=name, quantity=share - main.held[name], tier=tier)
            for name, share, tier in zip(main.names, reserved, self.tiers, strict=True)
            if share > main.held[name]
        )
        main.is_final = True
        self.tail = House(f"{self.parent_id}/1", tail, self.lot)
        self.evolve(
            EpochClosed(
                parent_id=self.parent_id,
                epoch=1,
                tail_quantity=live,
                tail=tail,
                cause=Cause.MEMBER_JOINED,
            )
        )
        return self.tail

    def end(self) -> None:
        """Close the parent, divide the cash, and let the venue change its mind twice more."""
        assert self.tail is not None, "the epoch is closed"
        self.tail.is_final = True
        filled = self.main.filled + self.tail.filled
        self.evolve(
            ParentClosed(
                parent_id=self.parent_id,
                status=OrderStatus.EXPIRED,
                quantity=filled,
                filled_quantity=filled,
            )
        )
        for event in self.ask(FinishCash(parent_id=self.parent_id)):
            self.cash[""] = event
        self.check_cash()
        for _ in range(self.source.choice((0, 2))):
            self.change()

    def check_cash(self) -> None:
        """Hold all cash that was given against the fills as they stand and the shares held."""
        names = self.live if self.is_per_fill else [""] if "" in self.cash else []
        given: Counter[str] = Counter()
        for name in names:
            fills = [self.live[name]] if name else list(self.live.values())
            event = self.cash[name]
            whole = [sum(getattr(fill, of) for fill in fills) for of in CASH]
            if [getattr(event, of) for of in CASH] != whole:
                self.tally.breach("cash", f"{event}, fills make {whole}")
            self.check_parts(event)
            given.update({entry.order_id: entry.quantity for entry in event.entries})
        held = Counter(self.main.held)
        held.update(self.tail.held if self.tail is not None else {})
        if names and +given != +held:
            self.tally.breach("cash", f"{given} divided, {held} held")

    def check_parts(self, event: CashAllocated) -> None:
        for of in CASH:
            whole, parts = getattr(event, of), [getattr(entry, of) for entry in event.entries]
            if sum(parts) != whole:
                self.tally.breach("cash", f"{parts} of {whole}")
            for entry, part in zip(event.entries, parts, strict=True):
                if abs(part * event.quantity - whole * entry.quantity) >= event.quantity:
                    self.tally.breach("cash", f"{part} of {whole}, not within one unit")


def run(fills: int, seed: int = 7) -> Tally:
    """Return what was seen over random books of that many fills in all."""
    source, tally = Random(seed), Tally()
    granted = webster._granted
    webster._granted = tally.count(granted)
    try:
        while tally.fills < fills:
            Book(source, tally).run(fills - tally.fills)
    finally:
        webster._granted = granted
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.allocation_law")
    parser.add_argument("--fills", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    start = time.monotonic()
    tally = run(given.fills, given.seed)
    lots = ", ".join(f"{books} in lots of {lot}" for lot, books in sorted(tally.lots.items()))
    print(f"seed {given.seed}: {tally.books:,} books of 1 to 120 orders ({lots}), 1 or 2 tiers")
    print(
        f"{tally.fills:,} fills ({tally.tail_fills:,} of tails), {tally.busts:,} busts, "
        f"{tally.corrections:,} corrections, {tally.minimal:,} of them took own shares only"
    )
    inside = 1 - tally.error_numerator / tally.error_denominator
    print(
        f"{tally.choices:,} choices, fallback in {100 * tally.fallbacks / tally.choices:.3f} %; "
        f"largest distance from exact 1 - {inside:.1e} "
        f"of a unit; {time.monotonic() - start:.0f} s"
    )
    print(f"violations: {dict(tally.violations) or 'none'} {tally.first}")
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())
