"""What venues refuse, contradict, invent or copy: nothing of it is lost or believed blindly."""

from typing import Any

from schemas.messages.core import ExecType, RejectReason
from services.fix.fields import Fields
from tests.support.fix_venues import (
    FILL,
    SECOND,
    Desk,
    cancel,
    child,
    kinds,
    report,
    terms,
    told,
    working,
)


def refusal(number: int, kind: str, reference: str = "") -> Fields:
    fields = Fields().add(45, number).add(372, kind or None).add(379, reference or None)
    return fields.add(380, "0").add(58, "not like that")


def test_a_business_reject_of_an_order_ends_it() -> None:
    desk = Desk()
    desk.logon()
    desk.engine(child())
    desk.turn()
    desk.hear(refusal(2, "D", "P.1.1"), "j")
    desk.turn()
    desk.crash()
    last = desk.reports()[-1]
    assert (last.exec_id, last.exec_type, last.text) == (
        "P.1.1/refused", ExecType.REJECTED, "not like that",
    )  # fmt: skip
    assert desk.decisions()[0].reason is RejectReason.VENUE_REJECTS


def test_a_session_reject_that_names_a_number_finds_its_message() -> None:
    desk = working()
    desk.engine(cancel(), child("P.1.2"))
    desk.turn()
    for number, sending in enumerate(desk.sendings()[1:], start=3):
        desk.mark(sending, number)
    desk.hear(refusal(3, "F"), "3")
    desk.hear(refusal(4, ""), "3")
    desk.turn()
    assert told(desk)[2:] == ["no cancel 1: not like that", "REJECTED P.1.2/refused"]
    desk.crash()


def test_a_reject_that_comes_before_the_mark_waits_for_it() -> None:
    desk = Desk()
    desk.logon()
    desk.engine(child())
    desk.turn()
    desk.hear(refusal(7, "D"), "3")
    desk.turn()
    assert told(desk) == ["up"]
    desk.crash()
    desk.mark(desk.sendings()[0], 7)
    desk.turn()
    assert told(desk) == ["up", "REJECTED P.1.1/refused"]
    desk.crash()
    desk.pass_ns(60 * SECOND)
    assert kinds(desk) == ["D P.1.1"]


def test_a_reject_of_an_endless_number_is_a_decision_only() -> None:
    desk = working()
    for number in ("9" * 40, "0", "-1", "1.5"):
        desk.hear(Fields().add(45, number).add(58, "no"), "3")
    desk.turn()
    assert (told(desk), len(desk.decisions())) == (["up", "NEW E1"], 4)
    desk.crash()


def test_a_reject_of_an_order_that_works_does_not_free_it() -> None:
    desk = working()
    desk.hear(refusal(2, "D", "P.1.1"), "j")
    desk.turn()
    assert told(desk) == ["up", "NEW E1"]
    assert desk.decisions()[0].text == "not like that"


def test_a_report_that_cannot_be_read_is_kept_for_people() -> None:
    desk = working()
    desk.hear(report("E2", "F", "1", **{**FILL, "t32": "many"}))
    desk.turn()
    last = desk.reports()[-1]
    assert (last.exec_type, last.exec_id, last.child_id) == (ExecType.UNKNOWN, "E2", "P.1.1")
    (refused,) = desk.decisions()
    assert (refused.field, refused.value) == ("32", "many")


def test_a_fill_of_no_order_of_ours_goes_to_suspense_and_the_venue_hears_of_it() -> None:
    desk = working()
    desk.hear(report("E2", "F", "1", **FILL, t11="WHO"))
    desk.hear(report("E3", "F", "1", **FILL, t54="2"))
    desk.turn()
    assert told(desk)[2:] == ["TRADE E2", "TRADE E3"]
    assert [each.child_id for each in desk.reports()[2:]] == ["WHO", "P.1.1"]
    assert desk.sent()[1:] == [
        "Q 37=V-1|17=E2|127=D|55=ACME|54=1|32=40|31=99.98",
        "Q 37=V-1|17=E3|127=B|55=ACME|54=2|32=40|31=99.98",
    ]
    desk.crash()


def test_a_message_that_means_nothing_here_is_answered() -> None:
    desk = working()
    desk.hear(Fields().add(148, "lunch"), "B")
    desk.turn()
    assert desk.sent()[1:] == ["j 45=2|372=B|380=3|58=35=B means nothing here"]
    assert desk.decisions()[0].answer_type == "j"


def test_busts_and_corrections_name_what_they_change() -> None:
    desk = working()
    desk.hear(report("E3", "H", "0", **FILL, t19="E2"))  # before the fill itself
    desk.hear(report("E2", "F", "1", **FILL))
    desk.hear(report("E4", "G", "1", **{**FILL, "t31": "99.97"}, t19="E2"))
    desk.turn()
    changes = [(each.exec_id, each.exec_ref_id) for each in desk.reports()[2:]]
    assert changes == [("E3", "E2"), ("E2", ""), ("E4", "E2")]


def copying(grace_ms: int = 1_000) -> Desk:
    copies = terms(role="drop-copy", drop_copy_grace_ms=grace_ms)
    desk = Desk({"V1": terms(), "V1-COPY": copies})
    desk.logon()
    desk.logon("V1-COPY")
    desk.engine(child())
    desk.hear(report("E1", "0", "0"))
    desk.turn()
    return desk


def copy(exec_id: str, **tags: Any) -> Fields:
    return report(exec_id, "F", "1", **{**FILL, **tags}, t797="Y")


def test_a_copy_of_what_is_known_says_nothing() -> None:
    desk = copying()
    desk.hear(report("E2", "F", "1", **FILL))
    desk.hear(copy("E2"), session_id="V1-COPY")
    desk.hear(copy("E3"), session_id="V1-COPY")
    desk.hear(report("E3", "F", "1", **FILL))
    desk.turn()
    desk.pass_ns(60 * SECOND)
    assert told(desk) == ["up", "NEW E1", "TRADE E2", "TRADE E3"]
    assert desk.decisions() == []


def test_an_execution_that_only_the_copy_tells_is_taken_after_a_while() -> None:
    desk = copying()
    desk.hear(copy("E2"), session_id="V1-COPY")
    desk.turn()
    desk.crash()
    desk.pass_ns(SECOND - 1)
    assert told(desk) == ["up", "NEW E1"]
    desk.pass_ns(1)
    desk.crash()
    desk.hear(report("E2", "F", "1", **FILL))  # it comes after all
    desk.hear(copy("E2"), session_id="V1-COPY")
    desk.turn()
    desk.pass_ns(60 * SECOND)
    assert told(desk) == ["up", "NEW E1", "TRADE E2"]
    assert desk.reports()[-1].text == "recovered from drop copy V1-COPY"


def test_a_copy_that_contradicts_is_a_decision() -> None:
    desk = copying()
    desk.hear(report("E2", "F", "1", **FILL))
    desk.hear(copy("E2", t31="99.97"), session_id="V1-COPY")
    desk.hear(copy("E3"), session_id="V1-COPY")
    desk.hear(copy("E3", t32="41"), session_id="V1-COPY")
    desk.turn()
    reasons = [(each.session_id, each.reason, each.value) for each in desk.decisions()]
    contradicts = RejectReason.REPORT_CONTRADICTS
    assert reasons == [("V1-COPY", contradicts, "E2"), ("V1-COPY", contradicts, "E3")]


def test_a_session_of_copies_says_nothing_of_the_venues_connection() -> None:
    desk = copying()
    desk.logon("V1-COPY", is_logged_on=False)
    desk.turn()
    assert told(desk) == ["up", "NEW E1"]


def test_a_session_of_copies_moves_no_child_and_what_it_says_beside_them_is_a_decision() -> None:
    desk = Desk({"V1": terms(), "V1-COPY": terms(role="drop-copy")})
    desk.logon()
    desk.logon("V1-COPY")
    desk.engine(child())
    desk.turn()
    late = Fields().add(37, "V-1").add(11, "P.1.1/2").add(41, "P.1.1").add(39, "0")
    desk.hear(late.add(434, "1").add(102, "0"), "9", session_id="V1-COPY")
    reject = Fields().add(45, 2).add(372, "D").add(379, "P.1.1").add(380, "0").add(58, "no")
    desk.hear(reject, "j", session_id="V1-COPY")
    desk.hear(Fields().add(45, 3).add(373, "5").add(58, "what"), "3", session_id="V1-COPY")
    desk.turn()
    desk.crash()
    assert told(desk) == ["up"]
    assert [(each.answer_type, each.reason, each.text) for each in desk.decisions()] == [
        ("", RejectReason.UNEXPECTED_MESSAGE, "35=9 P.1.1/2"),
        ("", RejectReason.VENUE_REJECTS, "35=j P.1.1: no"),
        ("", RejectReason.VENUE_REJECTS, "35=3 3: what"),
    ]
    desk.hear(report("E1", "0", "0"))
    desk.turn()
    assert told(desk) == ["up", "NEW E1"]
    desk.hear(Fields().add(148, "lunch"), "B", session_id="V1-COPY")
    desk.turn()
    assert desk.decisions()[-1].answer_type == "j"
