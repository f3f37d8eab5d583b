"""A client says by FIX J who gets its filled order: P with 87 and 88, and what clearing reports."""

from typing import Any

import pytest

from schemas.messages import core as c
from schemas.messages.control import AccountDefined
from schemas.messages.fix import FixAllocationInstructed, FixRefused
from services.clearing.application import ENGINE_TOPICS
from services.clearing.clearer import Rule
from services.fix.fields import Fields
from streams.core import topics
from streams.runtime.ports import TopicPartition
from tests.support.audit_log import Batch, make
from tests.support.clearing_log import beginning, day, log_of
from tests.support.fix_clearer import FixClearer
from tests.support.fix_clearing import FixClearingDay, gateway_file

CALM = Rule(received_ppm=0, late_ppm=0, twice_ppm=0)
CLEARER = ("FIX44", {"allocations": "J"})
# Order A (client-A, ACME, buy): 75 of the cross for 7,500 and 156 of P1 for 15,651: 231 at
# 100.2207792...; its client has three accounts more.
ACCOUNTS = ("fund-1", "fund-2", "fund-3")
GOOD = "70=i1|71=0|626=5|857=1|73=1|11=cA|54=1|55=ACME|53=231|6=100.22|75=20260227"
SHARES = "78=2|79=fund-1|80=200|79=fund-2|80=31"


def funds() -> Batch:
    """Return the accounts of the clients."""
    named = [
        make(AccountDefined, account_id=a, client_id="client-A", is_enabled=True) for a in ACCOUNTS
    ]
    named += [make(AccountDefined, account_id="closed", client_id="client-A")]
    named += [make(AccountDefined, account_id="theirs", client_id="client-B", is_enabled=True)]
    return Batch(inputs=[(topics.CONTROL_COMMANDS, each) for each in named])


def begun(version: str = "FIX44", batches: Any = None) -> FixClearingDay:
    whole = batches or beginning()
    file = gateway_file(
        clearer=CLEARER, client=(version, {"instructions": True, "clients": ["client-A"]})
    )
    peer = FixClearer("FIX44", CALM)
    run = FixClearingDay(log_of({"funds": funds(), **whole}), 1, file, {"clearer": peer})
    run.run()
    assert peer.faults == []
    return run


def say(run: FixClearingDay, text: str, **changes: Any) -> list[str]:
    """Return FIX 87 and 88 of what the client is answered."""
    before = len(run.told("client"))
    fields = Fields.parse((text.replace("|", "\x01") + "\x01").encode())
    run.hear("client", "J", fields, **changes)
    run.work()
    return [
        f.get(87) + (f"/{f.get(88)}" if 88 in f else "") if kind == "P" else kind
        for kind, f in run.told("client")[before:]
    ]


def instructed(run: FixClearingDay) -> list[FixAllocationInstructed]:
    return [each for each in run.decisions() if isinstance(each, FixAllocationInstructed)]


def test_a_good_instruction_is_accepted_and_divides_what_the_clearer_holds() -> None:
    run = begun()
    peer = run.peers["clearer"]
    before = dict(peer.books)
    assert say(run, f"{GOOD}|{SHARES}") == ["3", "0"]
    (event,) = instructed(run)
    shares = [(each.account_id, each.quantity) for each in event.shares]
    assert (event.order_ids, event.side, event.quantity) == (("A",), c.Side.BUY, 231)
    assert shares == [("fund-1", 200), ("fund-2", 31)]
    assert peer.faults == []
    mine = {name: each for name, each in peer.books.items() if name.startswith("A@")}
    assert sorted(mine) == ["A@P1#1:1/1", "A@X1:1/1"]
    given: dict[str, int] = {}
    for each in mine.values():
        for account, quantity in each.accounts:
            given[account] = given.get(account, 0) + quantity // 10**9
    assert given == {"fund-1": 200, "fund-2": 31}
    for name, each in mine.items():  # the money is what it was
        old = before[name.partition("/")[0]]
        assert (each.quantity_e9, each.gross_e9, each.net_e9, each.fee_e9) == (
            old.quantity_e9, old.gross_e9, old.net_e9, old.fee_e9,
        )  # fmt: skip
    others = {name: each for name, each in before.items() if not name.startswith("A@")}
    assert {k: v for k, v in peer.books.items() if k not in mine} == others
    run.prove()


def test_what_comes_later_replaces_what_was_told_again() -> None:
    batches = day()
    late = {name: batches.pop(name) for name in ("bust", "correction", "by fill", "bust by fill")}
    del late
    run = begun(batches=batches)
    assert say(run, f"{GOOD}|{SHARES}") == ["3", "0"]
    replaced = GOOD.replace("70=i1|71=0", "70=i2|71=1|72=i1")
    assert say(run, f"{replaced}|78=1|79=fund-3|80=231") == ["3", "0"]
    assert say(run, "70=i3|71=2|72=i2|54=1|55=ACME|53=231|6=1|75=20260227") == ["3", "0"]
    peer = run.peers["clearer"]
    assert peer.faults == []
    own = {n: dict(e.accounts) for n, e in peer.books.items() if n.startswith("A@")}
    assert own == {
        "A@X1:1/3": {"account-A": 75 * 10**9},
        "A@P1#1:1/3": {"account-A": 156 * 10**9},
    }
    assert [e.transaction for e in instructed(run)] == ["NEW", "REPLACE", "CANCEL"]
    run.prove()


def test_a_bust_after_an_instruction_refers_to_what_the_clearer_holds() -> None:
    run = begun()
    assert say(run, f"{GOOD}|{SHARES}") == ["3", "0"]
    go_on(run)
    peer = run.peers["clearer"]
    assert peer.faults == []
    (name,) = [name for name in peer.books if name.startswith("A@P1#1")]
    referred = {f.get(70): f.get(72) for _, f in run.told("clearer")}
    assert referred["A@P1#1:2"] == "A@P1#1:1/1"
    assert (name, peer.books[name].quantity_e9) == ("A@P1#1:3", 111 * 10**9)
    assert sum(quantity for _, quantity in peer.books[name].accounts) == 111 * 10**9
    run.prove()


def go_on(run: FixClearingDay) -> None:
    """Let the rest of the day happen: what the log of a whole day has more than this one."""
    whole = log_of({"funds": funds(), **day()})
    begun_log = log_of({"funds": funds(), **beginning()})
    for topic in (*ENGINE_TOPICS, topics.ENGINE_JOURNAL):
        place = TopicPartition(topic, 0)
        done = len(begun_log.partition(place).read(0, 10**6)[0])
        for record in whole.partition(place).read(0, 10**6)[0][done:]:
            run.log.append(topic, 0, record.key, record.value)
    run.work()


REFUSED = [
    # what is changed in the good one, 87 and 88 in 4.4, in 4.2, reason
    (("11=cA", "11=nobody"), "1/5", "1/5", "UNKNOWN_ORDER"),
    (("11=cA", "11=cB"), "1/5", "1/5", "UNKNOWN_ORDER"),  # another client's
    (("53=231", "53=230"), "1/1", "1/1", "QUANTITY_BELOW_FILLED"),
    (("53=231", "53=232"), "1/1", "1/1", "QUANTITY_TOO_LARGE"),
    (("6=100.22", "6=100.20"), "1/2", "1/2", "VALUE_OUT_OF_RANGE"),
    (("54=1", "54=2"), "1/11", "1/7", "UNSUPPORTED_SIDE"),
    (("55=ACME", "55=OTHER"), "1/11", "1/7", "UNKNOWN_INSTRUMENT"),
    (("75=20260227", "75=20260228"), "1/11", "1/7", "TRADE_DATE_MISMATCH"),
    (("79=fund-2", "79=theirs"), "2/0", "2/0", "UNKNOWN_ACCOUNT"),
    (("79=fund-2", "79=closed"), "2/0", "2/0", "UNKNOWN_ACCOUNT"),
    (("79=fund-2", "79=fund-1"), "2/0", "2/0", "UNKNOWN_ACCOUNT"),
    (("80=31", "80=30"), "1/8", "1/1", "REPORT_CONTRADICTS"),
    (("80=31", "80=0"), "2/8", "2/1", "QUANTITY_NOT_POSITIVE"),
    (("80=31", "80=3.1"), "1/7", "1/7", "VALUE_OUT_OF_RANGE"),
    (("71=0", "71=1|72=never"), "1/7", "1/7", "UNKNOWN_REPORT"),
    (("73=1", "73=2"), "1/7", "1/7", "VALUE_OUT_OF_RANGE"),
    (("53=231", "53=many"), "1/7", "1/7", "VALUE_OUT_OF_RANGE"),
]


@pytest.mark.parametrize("change, later, first, reason", REFUSED)
def test_what_cannot_be_done_is_refused_by_level_and_code(
    change: tuple[str, str], later: str, first: str, reason: str
) -> None:
    for version, wanted in (("FIX44", later), ("FIX42", first)):
        run = begun(version)
        books = dict(run.peers["clearer"].books)
        text = f"{GOOD}|{SHARES}"
        assert change[0] in text
        assert say(run, text.replace(*change, 1)) == ["3", wanted]
        (answer,) = [f for _, f in run.told("client") if 88 in f]
        assert answer.get(58).startswith(reason)
        assert instructed(run) == []
        refused = [each for each in run.decisions() if isinstance(each, FixRefused)]
        assert [(each.answer_type, each.reason) for each in refused] == [("P", reason)]
        assert run.peers["clearer"].books == books


def test_a_repeat_is_answered_as_it_was_and_does_nothing() -> None:
    run = begun()
    assert say(run, f"{GOOD}|{SHARES}") == ["3", "0"]
    sent = len(run.told("clearer"))
    assert say(run, f"{GOOD}|{SHARES}", is_possible_resend=True) == ["0"]
    assert len(instructed(run)) == 1
    assert len(run.told("clearer")) == sent
    # Another content under a used id is none.
    assert say(run, f"{GOOD}|78=1|79=fund-3|80=231", is_possible_resend=True) == ["3", "1/7"]
    assert len(instructed(run)) == 1
    run.prove()


def test_a_refused_id_may_be_used_for_a_good_one() -> None:
    run = begun()
    assert say(run, f"{GOOD}|78=1|79=theirs|80=231") == ["3", "2/0"]
    assert say(run, f"{GOOD}|{SHARES}") == ["3", "0"]


def test_what_is_not_filled_yet_is_no_order_to_allocate() -> None:
    batches = beginning()
    run = begun(batches={"orders": Batch(inputs=batches["orders"].inputs)})
    assert say(run, f"{GOOD}|{SHARES}") == ["3", "1/5"]
