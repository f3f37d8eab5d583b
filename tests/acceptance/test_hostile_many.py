"""Baskets, mass cancels and kills that ask what can not be; nothing happens but the answer.

name -> the message, reason, field, value as told (None: any)
"""

from collections.abc import Iterator
from typing import Any

import pytest

from schemas.messages.core import BasketMode, KillScope, MassCancelScope
from schemas.messages.core import RejectReason as R
from schemas.messages.intake import (
    BasketAnswered,
    CommandRepeated,
    MassCancelAnswered,
    OrderAccepted,
    OrderRejected,
)
from schemas.messages.kill import KillRefused
from schemas.messages.runtime import DeadLetter
from streams.core import topics
from tests.support.builders import (
    CLOSE_NS,
    SECOND,
    TRADE_DATE,
    basket_entry,
    instrument_defined,
    mass_cancel_order,
    new_basket,
    new_order,
)
from tests.support.hostile import HostileShard, framed
from tests.support.kills import approve, engage, propose

LATER = {"start_ns": CLOSE_NS - SECOND}
Row = tuple[Any, R, str, str | None]
GOOD = basket_entry("fresh", **LATER)
BAD = basket_entry("bad", quantity=0)


def basket(name: str, *entries: Any, **changes: Any) -> Any:
    return new_basket(*entries, basket_id=name, **changes)


BASKETS: dict[str, Row] = {
    "no orders": (basket("b1"), R.BASKET_EMPTY, "entries", "0"),
    "501 orders": (basket("b2", *[GOOD] * 501), R.BASKET_TOO_LARGE, "entries", "501"),
    "no mode": (
        basket("b3", GOOD, mode=BasketMode.UNKNOWN),
        R.VALUE_OUT_OF_RANGE,
        "mode",
        "UNKNOWN",
    ),
    "no name": (basket("", GOOD), R.FIELD_EMPTY, "basket_id", ""),
    "a name of 65": (basket("z" * 65, GOOD), R.FIELD_TOO_LONG, "basket_id", "65"),
    "a name with a zero byte": (
        basket("b\0", GOOD),
        R.TEXT_NOT_PRINTABLE,
        "basket_id",
        "b\\x00",
    ),
    "no source": (basket("b4", GOOD, source=""), R.FIELD_EMPTY, "source", ""),
    "no tenant": (basket("b5", GOOD, tenant=""), R.FIELD_EMPTY, "tenant", ""),
    "a name that another content has": (
        basket("taken", GOOD),
        R.DUPLICATE_ORDER,
        "basket_id",
        "taken",
    ),
}
# What the first refused entry is told, and the basket's own reason.
MEMBERS: dict[str, tuple[Any, R, R]] = {
    "one bad order of two": (
        basket("c1", basket_entry("c1a", **LATER), basket_entry("c1b", quantity=0)),
        R.BASKET_MEMBER_REFUSED,
        R.BASKET_MEMBER_REFUSED,
    ),
    "one order twice": (
        basket("c2", *[basket_entry("c2a", **LATER)] * 2),
        R.BASKET_MEMBER_REFUSED,
        R.BASKET_MEMBER_REFUSED,
    ),
    "an order of another shard": (
        basket("c3", basket_entry("c3a", instrument_id="OTHER")),
        R.BASKET_SPANS_SHARDS,
        R.BASKET_SPANS_SHARDS,
    ),
    "an order of no instrument": (
        basket("c4", basket_entry("c4a", instrument_id="OIL")),
        R.UNKNOWN_INSTRUMENT,
        R.BASKET_MEMBER_REFUSED,
    ),
    "only bad ones, the valid ones wanted": (
        basket("c5", basket_entry("c5a", quantity=-1), mode=BasketMode.VALID_ONES),
        R.QUANTITY_NOT_POSITIVE,
        R.BASKET_MEMBER_REFUSED,
    ),
    "an order whose id is taken": (
        basket("c6", basket_entry("rests", quantity=7)),
        R.DUPLICATE_ORDER,
        R.BASKET_MEMBER_REFUSED,
    ),
    "the trade date of yesterday": (
        basket("c7", basket_entry("c7a", **LATER), trade_date=TRADE_DATE - 1),
        R.TRADE_DATE_MISMATCH,
        R.BASKET_MEMBER_REFUSED,
    ),
}
M = MassCancelScope


def mass(name: str, scope: M, scope_id: str = "", **changes: Any) -> Any:
    return mass_cancel_order(name, scope=scope, scope_id=scope_id, **changes)


MASS: dict[str, Row] = {
    "no scope": (mass("m1", M.UNKNOWN), R.UNKNOWN_SCOPE, "scope", "UNKNOWN"),
    "all, of one": (mass("m2", M.ALL, "A1"), R.UNKNOWN_SCOPE, "scope_id", "A1"),
    **{
        f"no {scope}": (mass(f"n{scope}", scope), R.FIELD_EMPTY, "scope_id", "")
        for scope in (M.INSTRUMENT, M.SIDE, M.ACCOUNT, M.CLIENT, M.DESK, M.SOURCE, M.STRATEGY)
    },
    "a side that is none": (mass("m3", M.SIDE, "buy"), R.UNKNOWN_SCOPE, "scope_id", "buy"),
    "the unknown side": (mass("m4", M.SIDE, "UNKNOWN"), R.UNKNOWN_SCOPE, "scope_id", "UNKNOWN"),
    "a strategy that is none": (
        mass("m5", M.STRATEGY, "SNIPER"),
        R.UNKNOWN_SCOPE,
        "scope_id",
        "SNIPER",
    ),
    "another source's orders": (
        mass("m6", M.SOURCE, "EMS"),
        R.NOT_ENTITLED,
        "scope_id",
        "EMS",
    ),
    "an endless account": (
        mass("m7", M.ACCOUNT, "x" * 65),
        R.FIELD_TOO_LONG,
        "scope_id",
        "65",
    ),
    "an account with a line break": (
        mass("m8", M.ACCOUNT, "A1\n"),
        R.TEXT_NOT_PRINTABLE,
        "scope_id",
        "A1\\n",
    ),
    "no id": (mass("", M.ALL), R.FIELD_EMPTY, "client_order_id", ""),
    "an id that another content has": (
        mass("m0", M.DESK, "DESK"),
        R.DUPLICATE_ORDER,
        "client_order_id",
        "m0",
    ),
}
KILLS: dict[str, tuple[Any, str, R, str, str | None]] = {
    "no id": (engage(kill_id=""), "ann", R.FIELD_EMPTY, "kill_id", ""),
    "an id of 65": (engage(kill_id="k" * 65), "ann", R.FIELD_TOO_LONG, "kill_id", None),
    "no scope": (engage(KillScope.UNKNOWN), "ann", R.UNKNOWN_SCOPE, "scope", "UNKNOWN"),
    "a client that is not named": (
        engage(KillScope.CLIENT),
        "ann",
        R.FIELD_EMPTY,
        "scope_id",
        "",
    ),
    "an endless account": (
        engage(KillScope.ACCOUNT, "x" * 65),
        "ann",
        R.FIELD_TOO_LONG,
        "scope_id",
        None,
    ),
    "a strategy that is none": (
        engage(KillScope.STRATEGY, "SNIPER"),
        "ann",
        R.UNKNOWN_SCOPE,
        "scope_id",
        "SNIPER",
    ),
    "an id in force for another": (
        engage(KillScope.DESK, "D9", kill_id="live"),
        "ann",
        R.KILL_ID_USED,
        "kill_id",
        "live",
    ),
    "an id that was released": (engage(kill_id="done"), "ann", R.KILL_ID_USED, "kill_id", "done"),
    "a release of nothing": (propose("never"), "ann", R.UNKNOWN_KILL, "kill_id", "never"),
    "a release by nobody": (propose("live"), "", R.FIELD_EMPTY, "actor", ""),
    "a release by a blank": (propose("live"), " \t", R.FIELD_EMPTY, "actor", " \t"),
    "an approval of nothing": (approve("never"), "bob", R.UNKNOWN_KILL, "kill_id", "never"),
    "an approval without proposal": (
        approve("live"),
        "bob",
        R.UNKNOWN_PROPOSAL,
        "kill_id",
        "live",
    ),
    "an approval by the proposer": (approve("half"), "ann", R.SAME_PERSON, "actor", "ann"),
    "an approval by him in capitals": (approve("half"), " ANN ", R.SAME_PERSON, "actor", " ANN "),
    "an approval by nobody": (approve("half"), "", R.FIELD_EMPTY, "actor", ""),
}


@pytest.fixture(scope="module")
def shard() -> Iterator[HostileShard]:
    shard = HostileShard(instrument_defined(instrument_id="OTHER"))
    shard.ask(new_order("rests", **LATER))
    shard.ask(basket("taken", basket_entry("t1", **LATER)))
    shard.ask(mass("m0", M.ACCOUNT, "A9"))
    for kill_id, person in (("live", ""), ("half", "ann"), ("done", "ann")):
        shard.put(
            topics.KILL_COMMANDS,
            framed(engage(KillScope.ACCOUNT, "K9", kill_id=kill_id), actor="x"),
        )
        if person:
            shard.put(topics.KILL_COMMANDS, framed(propose(kill_id), actor=person))
    shard.put(topics.KILL_COMMANDS, framed(approve("done"), actor="bob"))
    yield shard
    shard.prove()


@pytest.mark.parametrize("name", BASKETS)
def test_a_basket_that_is_none(shard: HostileShard, name: str) -> None:
    message, reason, field, value = BASKETS[name]
    answer = shard.refused(message, BasketAnswered)
    assert (answer.reason, answer.field, answer.accepted_count) == (reason, field, 0)
    assert value is None or answer.value == value
    shard.takes_good_orders(f"basket {name}")


@pytest.mark.parametrize("name", MEMBERS)
def test_a_basket_of_which_nothing_is_accepted(shard: HostileShard, name: str) -> None:
    message, first, own = MEMBERS[name]
    heard = shard.ask(message)
    *entries, answer, letter = heard.said
    assert isinstance(answer, BasketAnswered) and isinstance(letter, DeadLetter)
    assert [type(each) for each in entries] == [OrderRejected] * len(message.entries)
    assert entries[0].reason == first
    assert (answer.reason, answer.accepted_count) == (own, 0)
    assert letter.body == heard.value
    assert heard.is_without_effect
    (repeated,) = shard.ask(message).said
    assert isinstance(repeated, CommandRepeated) and not repeated.is_accepted
    shard.takes_good_orders(f"member {name}")


@pytest.mark.parametrize("name", MASS)
def test_a_mass_cancel_of_no_scope(shard: HostileShard, name: str) -> None:
    message, reason, field, value = MASS[name]
    answer = shard.refused(message, MassCancelAnswered)
    assert (answer.reason, answer.field, answer.value) == (reason, field, value)
    assert answer.canceled_count == answer.pending_count == answer.too_late_count == 0
    shard.takes_good_orders(f"mass {name}")


@pytest.mark.parametrize("name", KILLS)
def test_a_kill_that_changes_nothing(shard: HostileShard, name: str) -> None:
    message, actor, reason, field, value = KILLS[name]
    heard = shard.ask(message, topic=topics.KILL_COMMANDS, actor=actor)
    (answer,) = heard.said
    assert isinstance(answer, KillRefused)
    assert (answer.reason, answer.field, answer.actor) == (reason, field, actor)
    assert value is None or answer.value == value
    assert heard.is_without_effect
    shard.takes_good_orders(f"kill {name}")


def test_what_a_kill_covers_is_refused_and_the_rest_taken(shard: HostileShard) -> None:
    for scope, scope_id in ((KillScope.SOURCE, "EVIL"), (KillScope.DESK, "D6")):
        wish = engage(scope, scope_id, kill_id=f"K-{scope}")
        shard.put(topics.KILL_COMMANDS, framed(wish, actor="ann"))
    for changes, kill_id in (({"source": "EVIL"}, "K-SOURCE"), ({"desk_id": "D6"}, "K-DESK")):
        answer = shard.refused(new_order(f"killed {kill_id}", **changes), OrderRejected)
        assert (answer.reason, answer.field, answer.value) == (R.KILLED, "kill_id", kill_id)
    shard.takes_good_orders("beside kills")


def test_the_valid_ones_of_a_basket_are_taken(shard: HostileShard) -> None:
    message = basket("ok", basket_entry("v1", **LATER), BAD, mode=BasketMode.VALID_ONES)
    kinds = [type(each) for each in shard.ask(message).said]
    assert sorted(kind.__name__ for kind in kinds[:2]) == ["OrderAccepted", "OrderRejected"]
    assert OrderAccepted in kinds and BasketAnswered in kinds
