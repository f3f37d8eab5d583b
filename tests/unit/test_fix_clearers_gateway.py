"""The gateway to clearers: what answers, silence, rejects and confirmations lead to."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import infra.fix
from schemas.messages.clearing import (
    ClearingStatusChanged,
    ClearingSuspended,
    RepairRequested,
)
from schemas.messages.core import RejectReason, RepairChange, RepairField
from schemas.messages.fix import FixReceived, FixRefused, FixSessionChanged, FixUnanswered
from services.clearing.clearer import Rule
from services.fix import kinds
from services.fix.clearers.answers import read_answer
from services.fix.clearers.make import make_gateway
from services.fix.codes import Version
from services.fix.fields import Fields
from services.fix.gateway.application import Heard
from services.fix.settings import read_gateway
from streams.adapters.memory import Fault, Faults
from streams.core import topics
from tests.support.audit_log import make
from tests.support.clearing_log import beginning, day, log_of
from tests.support.fix_clearer import FixClearer, Reply
from tests.support.fix_clearing import DAY, FixClearingDay, gateway_file

TERMS = {"allocations": "J", "captures": True}
AT = "20260302-10:00:00.000"


@dataclass
class Silent(FixClearer):
    """Hears everything and says nothing."""

    heard: list[str] = field(default_factory=list)

    def feed(self, *_: Any) -> Iterator[Reply]:
        return iter(())


def begun(peer: FixClearer | None = None, version: str = "FIX44", **terms: Any) -> FixClearingDay:
    """Return a run over orders, fills and cash, all of it told."""
    file = gateway_file(clearer=(version, {**TERMS, **terms}))
    run = FixClearingDay(log_of(beginning()), 1, file, {"clearer": peer or Silent()}, batches=4)
    run.run()
    return run


def statuses(run: FixClearingDay, report_id: str) -> list[str]:
    """Return where a report went."""
    found = [each for each in run.reports() if isinstance(each, ClearingStatusChanged)]
    return [str(each.status) for each in found if each.report_id == report_id]


def suspended(run: FixClearingDay) -> list[ClearingSuspended]:
    return [each for each in run.reports() if isinstance(each, ClearingSuspended)]


ALLOCATION = [(Version.FIX42, 4), (Version.FIX44, 6), (Version.FIX50SP2, 15)]
SAID = {
    "0": "ACCEPTED", "1": "REJECTED", "2": "REJECTED", "3": "RECEIVED", "4": "RECEIVED",
    "5": "REJECTED", "6": "RECEIVED", "8": "REJECTED", "9": "RECEIVED", "10": "REJECTED",
    "11": "RECEIVED", "12": "REJECTED", "13": "RECEIVED",
}  # fmt: skip
ANSWER_ROWS = [
    # version, message, fields, status, reason
    *(
        (version, kind, f"{tag}=R:1|87={code}", SAID[code], "")
        for version, count in ALLOCATION
        for code in map(str, range(count))
        for kind, tag in (("P", 70), ("AT", 755))
        if code in SAID and SAID[code] != "REJECTED" and (kind == "P" or version != "FIX42")
    ),
    (Version.FIX42, "P", "70=R:1|87=1|88=7|58=no", "REJECTED",
     "87=1 BLOCK_LEVEL_REJECT; 88=7 OTHER_SEE_TEXT; no"),
    (Version.FIX44, "P", "70=R:1|87=2|88=8", "REJECTED",
     "87=2 ACCOUNT_LEVEL_REJECT; 88=8 INCORRECT_ALLOCATED_QUANTITY"),
    (Version.FIX44, "AT", "755=R:1|87=5|88=0", "REJECTED",
     "87=5 REJECTED_BY_INTERMEDIARY; 88=0 UNKNOWN_ACCOUNT"),
    (Version.FIX50SP2, "P", "70=R:1|87=10|58=gone", "REJECTED", "87=10 REFUSED; gone"),
    (Version.FIX44, "AR", "571=R:1|150=F", "ACCEPTED", ""),
    (Version.FIX44, "AR", "571=R:1|150=8|58=late", "REJECTED", "late"),
    (Version.FIX44, "AR", "571=R:1|150=F|939=1|751=2", "REJECTED",
     "939=1 REJECTED; 751=2 UNKNOWN_INSTRUMENT"),
    (Version.FIX50SP2, "AR", "571=R:1|939=3", "ACCEPTED", ""),
    (Version.FIX50SP2, "AR", "571=R:1|939=4", "RECEIVED", ""),
    (Version.FIX44, "AU", "664=R:1|940=1", "RECEIVED", ""),
    (Version.FIX44, "AU", "664=R:1|940=3", "ACCEPTED", ""),
    (Version.FIX44, "AU", "664=R:1|940=2|774=1", "REJECTED", "940=2; 774=1 MISMATCHED_ACCOUNT"),
]  # fmt: skip


@pytest.mark.parametrize("version, kind, text, status, reason", ANSWER_ROWS)
def test_every_answer_has_its_meaning(
    version: Version, kind: str, text: str, status: str, reason: str
) -> None:
    fields = Fields.parse((text + f"|60={AT}|").replace("|", "\x01").encode())
    message = make(FixReceived, message_type=kind)
    answer = read_answer(version, Heard(message, fields, 1))
    assert (answer.report_id, answer.status, answer.reason) == ("R:1", status, reason)
    assert answer.answered_ns == 1_772_445_600_000_000_000


def test_each_answer_moves_its_report() -> None:
    run = begun()
    run.hear("clearer", "P", Fields().add(70, "A@P1#1:1").add(60, AT).add(87, 3))
    run.hear("clearer", "P", Fields().add(70, "A@P1#1:1").add(60, AT).add(87, 0).add(793, "X9"))
    rejected = Fields().add(70, "B@P1#1:1").add(60, AT).add(87, 2).add(88, 0).add(58, "who?")
    run.hear("clearer", "P", rejected)
    run.work()
    assert statuses(run, "A@P1#1:1") == ["RECEIVED", "ACCEPTED"]
    assert statuses(run, "B@P1#1:1") == ["REJECTED"]
    (change,) = [e for e in run.reports() if getattr(e, "report_id", "") == "B@P1#1:1"
                 and isinstance(e, ClearingStatusChanged)]  # fmt: skip
    assert change.reason == "87=2 ACCOUNT_LEVEL_REJECT; 88=0 UNKNOWN_ACCOUNT; who?"
    run.prove()


def test_a_repaired_report_goes_out_anew_and_finds_its_answer() -> None:
    run = begun()
    run.hear("clearer", "P", Fields().add(70, "A@P1#1:1").add(60, AT).add(87, 2).add(88, 0))
    run.work()
    change = RepairChange(field=RepairField.CLEARING_ACCOUNT, value="A-77", previous="")
    repair = RepairRequested(report_id="A@P1#1:1", changes=(change,), reason="r")
    run.say(repair, actor="ann")
    run.work()
    kind, fields = run.told()[-1]
    # What was rejected is not replaced: the clearer never had it.
    assert (kind, fields.get(70), fields.get(71), fields.get(79)) == ("J", "A@P1#1:2", "0", "A-77")
    run.hear("clearer", "P", Fields().add(70, "A@P1#1:2").add(60, AT).add(87, 0))
    run.work()
    assert statuses(run, "A@P1#1:2") == ["ACCEPTED"]
    run.prove()


def test_a_bust_after_the_answer_replaces_and_cancels() -> None:
    file = gateway_file(clearer=("FIX44", TERMS))
    peer = FixClearer("FIX44", Rule(received_ppm=0, late_ppm=0, twice_ppm=0))
    whole = day()
    run = FixClearingDay(log_of(whole), 1, file, {"clearer": peer})
    run.run()
    assert peer.faults == []
    changes = {f.get(70) or f.get(571): f.get(71) or f.get(487) for _, f in run.told()}
    assert changes["A@P1#1:2"] == "1" and changes["V1/E1:2"] == "1"  # 71=1 replaces, 487=1 cancels
    assert changes["V2/F1:2"] == "2"  # 487=2 replaces


def test_silence_is_asked_about_and_then_put_before_people() -> None:
    run = begun(answer_s=2, asks_max=3)
    for _ in range(12):
        run.turn(25)
    told = [m for m in run.sent if m.subject == "A@P1#1:1"]
    assert [m.is_possible_resend for m in told] == [False, True, True]
    assert len({m.body for m in told}) == 1
    silences = [e for e in run.decisions() if isinstance(e, FixUnanswered)]
    assert "A@P1#1:1" in {e.report_id for e in silences}
    assert len(silences) == len({e.report_id for e in silences})
    (found,) = [e for e in suspended(run) if e.report_id == "A@P1#1:1"]
    assert found.value.startswith("clearer was asked 3 times and gave no last word for ")
    assert found.sent_by == "fix:clearer"
    # Late is better than never.
    run.hear("clearer", "P", Fields().add(70, "A@P1#1:1").add(60, AT).add(87, 0))
    run.work()
    assert statuses(run, "A@P1#1:1") == ["ACCEPTED"]
    run.prove()


def test_who_received_and_never_decides_is_put_before_people_without_another_question() -> None:
    run = begun(answer_s=2, final_s=8)
    run.hear("clearer", "P", Fields().add(70, "A@P1#1:1").add(60, AT).add(87, 3))
    run.work()
    for _ in range(8):
        run.turn(25)
    assert sum(m.subject == "A@P1#1:1" for m in run.sent) == 1
    (found,) = [e for e in suspended(run) if e.report_id == "A@P1#1:1"]
    assert found.value.startswith("clearer received it and gave no last word for ")
    run.prove()


def test_reports_from_before_a_session_was_agreed_are_not_told() -> None:
    assert begun(since=20260301).sent == []
    assert len(begun(since=20260227).sent) > 5


def test_nothing_is_asked_while_the_session_is_away() -> None:
    run = begun(answer_s=2)
    count = len(run.sent)
    away = make(FixSessionChanged, session_id="clearer", session_day=DAY, session_epoch=1)
    run._write(away)
    for _ in range(6):
        run.turn(25)
    assert len(run.sent) == count
    run._write(make(FixSessionChanged, session_id="clearer", session_epoch=1, is_logged_on=True))
    for _ in range(3):
        run.turn(25)
    assert len(run.sent) > count
    run.prove()


REJECTS = [
    # message, fields, whether it refuses the report
    ("j", "372=J|380=5|379=A@P1#1:1|58=lacks 79", True),
    ("j", "372=J|380=0|45={number}", True),
    ("3", "45={number}|373=5|371=79", True),
    ("j", "372=J|380=4|379=A@P1#1:1", False),  # its application is away: asked again later
    ("j", "372=J|380=8|45={number}", False),  # too many messages
    ("j", "372=P|380=3|45=999", False),  # nothing of ours
]


@pytest.mark.parametrize("kind, text, is_refused", REJECTS)
def test_a_reject_of_the_message_is_a_rejection_of_the_report(
    kind: str, text: str, is_refused: bool
) -> None:
    run = begun()
    number = [m.subject for m in run.sent].index("A@P1#1:1") + 1
    body = text.format(number=number).replace("|", "\x01") + "\x01"
    run.hear("clearer", kind, Fields.parse(body.encode()))
    run.work()
    assert statuses(run, "A@P1#1:1") == (["REJECTED"] if is_refused else [])
    assert not run.told("clearer", "j"), "a reject is never rejected"
    run.prove()


def test_what_is_no_answer_is_refused_with_its_code() -> None:
    run = begun()
    run.hear("clearer", "D", Fields().add(11, "x"))
    run.hear("clearer", "J", Fields().add(70, "x"))
    run.hear("clearer", "P", Fields().add(70, "A@P1#1:1").add(87, 99))
    run.hear("clearer", "P", Fields().add(87, 0))
    run.work()
    codes = [fields.get(380) for _, fields in run.told("clearer", "j")]
    assert codes == ["3", "6", "0", "5"]
    reasons = [each.reason for each in run.decisions() if isinstance(each, FixRefused)]
    assert reasons == [
        RejectReason.UNEXPECTED_MESSAGE,
        RejectReason.NOT_ENTITLED,
        RejectReason.VALUE_OUT_OF_RANGE,
        RejectReason.FIELD_EMPTY,
    ]


def test_an_answer_to_a_strangers_report_goes_to_people() -> None:
    file = gateway_file(one=("FIX44", {"allocations": "J"}), two=("FIX44", {"captures": True}))
    run = FixClearingDay(log_of(beginning()), 1, file, {"one": Silent(), "two": Silent()})
    run.run()
    run.hear("two", "P", Fields().add(70, "A@P1#1:1").add(60, AT).add(87, 0))
    run.hear("two", "P", Fields().add(70, "nobody:1").add(60, AT).add(87, 0))
    run.work()
    (refusal,) = run.told("two", "j")
    assert refusal[1].get(380) == "1"
    assert statuses(run, "A@P1#1:1") == []
    assert [(e.report_id, e.reason) for e in suspended(run)] == [("nobody:1", "UNKNOWN_REPORT")]


def test_what_is_accepted_is_confirmed_to_who_asks_for_it() -> None:
    file = gateway_file(
        clearer=("FIX44", TERMS),
        affirm=("FIX50SP2", {"confirmations": True, "accounts": ["account-A"]}),
    )
    run = FixClearingDay(log_of(beginning()), 1, file, {"clearer": Silent(), "affirm": Silent()})
    run.run()
    assert run.told("affirm") == []
    for name in ("A@P1#1:1", "B@P1#1:1"):
        run.hear("clearer", "P", Fields().add(70, name).add(60, AT).add(87, 0))
    run.work()
    ((kind, fields),) = run.told("affirm")
    assert (kind, fields.get(664), fields.get(79)) == ("AK", "A@P1#1:1/C/account-A", "account-A")
    affirmed = Fields().add(664, fields.get(664)).add(75, 20260227).add(60, AT).add(940, 3)
    run.hear("affirm", "AU", affirmed)
    run.work()
    assert suspended(run) == []
    refused = Fields().add(664, fields.get(664)).add(75, 20260227).add(60, AT).add(940, 2)
    run.hear("affirm", "AU", refused.add(774, 1))
    run.work()
    assert [(e.report_id, e.value) for e in suspended(run)] == [("A@P1#1:1", "REJECTED")]
    run.prove()


WRONG = [
    ("FIX42", {"captures": True}),
    ("FIX42", {"allocations": "AS"}),
    ("FIX42", {"confirmations": True}),
    ("FIX44", {"allocations": "P"}),
    ("FIX44", {"instructions": True}),  # of whose orders?
    ("FIX44", {"unheard_of": 1}),
]


@pytest.mark.parametrize("version, terms", WRONG)
def test_terms_that_cannot_be_are_refused_at_the_start(version: str, terms: Any) -> None:
    with pytest.raises(ValidationError):
        make_gateway(gateway_file(clearer=(version, terms)))


def test_names_that_fix_cannot_carry_stop_nothing() -> None:
    run = begun()
    run.hear("clearer", "P", Fields().add(70, "A@P1#1:1").add(60, AT).add(87, 2).add(88, 0))
    run.work()
    change = RepairChange(field=RepairField.CLEARING_ACCOUNT, value="\u0416-7", previous="")
    run.say(RepairRequested(report_id="A@P1#1:1", changes=(change,), reason="r"), actor="ann")
    run.work()
    fields = run.told()[-1][1]
    assert (fields.get(70), fields.get(79)) == ("A@P1#1:2", "?-7")
    run.prove()


def test_a_definition_that_cannot_be_read_stops_nothing() -> None:
    run = begun()
    run.log.append(topics.CONTROL_COMMANDS, 0, b"", b"no magic byte")
    run.hear("clearer", "P", Fields().add(70, "A@P1#1:1").add(60, AT).add(87, 0))
    run.work()
    assert statuses(run, "A@P1#1:1") == ["ACCEPTED"]
    run.prove()


def test_a_session_that_the_file_names_no_more_stops_nothing() -> None:
    run = begun(answer_s=1)
    run.file = gateway_file(other=("FIX44", {"captures": True}))
    assert run.gateway is not None
    run.gateway.close()
    run.gateway = run.gateway_host()
    run.gateway.take_over()
    left = run.file
    run.file = gateway_file(clearer=("FIX44", TERMS))  # whose words still come
    run.hear("clearer", "P", Fields().add(70, "A@P1#1:1").add(60, AT).add(87, 0))
    run.file = left
    run.turn(40)
    assert statuses(run, "A@P1#1:1") == []


@pytest.mark.parametrize("name", ["clearers", "drop-copy"])
def test_the_file_that_is_shipped_makes_a_gateway(name: str) -> None:
    file = read_gateway(Path(infra.fix.__file__).with_name(f"{name}.toml"))
    gateway = kinds.make_gateway(file)
    assert (file.kind, gateway.number) == (name, file.number)


@pytest.mark.parametrize("seed", range(6))
def test_crashes_anywhere_change_nothing(seed: int) -> None:
    rule = Rule(seed=seed, rejected_ppm=300_000, late_ppm=300_000, twice_ppm=300_000)
    peers = [FixClearer("FIX44", rule), FixClearer("FIX44", rule)]
    file = gateway_file(clearer=("FIX44", TERMS))
    calm = FixClearingDay(log_of(day()), 1, file, {"clearer": peers[0]}, batches=3)
    calm.run()
    plan = {60 + 37 * n + seed * 5: tuple(Fault)[(n + seed) % len(Fault)] for n in range(12)}
    log = log_of(day())
    log.faults = Faults(plan, late_calls=2 + seed)
    wild = FixClearingDay(log, 1, file, {"clearer": peers[1]}, batches=3)
    wild.run()
    assert any(call < log.faults.calls for call in plan), "no fault came"
    log.deliver_late()
    log.faults = Faults()
    assert peers[1].faults == []
    assert peers[1].books == peers[0].books
    assert sorted(peers[1].verdicts) == sorted(peers[0].verdicts)
    wild.prove()
