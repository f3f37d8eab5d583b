"""The gateway to venues: what it sends, when, and how a session's end is met."""

from schemas.messages.core import ExecType, OrderStatus, RejectReason, Side
from streams.core.murmur import partition_of
from tests.support.fix_venues import (
    ACME,
    FILL,
    SECOND,
    Desk,
    cancel,
    child,
    kinds,
    replace,
    report,
    status,
    terms,
    told,
    working,
)


def test_a_child_goes_out_once_and_its_reports_come_back() -> None:
    desk = working()
    desk.hear(report("E2", "F", "1", **FILL))
    desk.turn()
    desk.crash()
    desk.turn()
    assert kinds(desk) == ["D P.1.1"]
    assert told(desk) == ["up", "NEW E1", "TRADE E2"]
    trade = desk.reports()[-1]
    assert (trade.last_quantity, trade.last_price_e9) == (40, 99_980_000_000)


def test_requests_follow_as_the_engine_asks() -> None:
    desk = working()
    desk.engine(replace())
    desk.turn()
    desk.hear(report("E2", "5", "0", t11="P.1.1/3", t41="P.1.1", t38="80", t44="99.98"))
    desk.turn()
    desk.engine(status(), cancel())
    desk.turn()
    assert kinds(desk) == ["D P.1.1", "G P.1.1/3", "F P.1.1/2", "H P.1.1"]
    assert "41=P.1.1/3|11=P.1.1/2|37=V-1|55=ACME|54=1|38=80" in desk.sent()[2]
    replaced = desk.reports()[-1]
    assert (replaced.exec_type, replaced.request) == (ExecType.REPLACED, 1)
    desk.crash()


def test_what_the_wire_read_twice_is_told_once() -> None:
    desk = working()
    fields = report("E2", "F", "1", **FILL)
    desk.hear(fields)
    desk.hear(fields, sequence=2)  # resent with 43=Y
    desk.hear(fields)  # sent anew under another number, the same ExecID
    desk.turn()
    desk.crash()
    desk.hear(fields)
    desk.turn()
    assert told(desk) == ["up", "NEW E1", "TRADE E2"]


def test_an_exec_id_with_another_content_is_a_contradiction() -> None:
    desk = working()
    desk.hear(report("E2", "F", "1", **FILL))
    desk.hear(report("E2", "F", "1", **{**FILL, "t31": "99.97"}))
    desk.turn()
    assert told(desk) == ["up", "NEW E1", "TRADE E2", "TRADE E2"]
    assert desk.reports()[-1].side is Side.UNKNOWN  # so it fits no child and counts as one
    (refused,) = desk.decisions()
    assert (refused.reason, refused.value) == (RejectReason.REPORT_CONTRADICTS, "E2")


def test_a_status_report_is_never_a_repeat() -> None:
    desk = working()
    for _ in range(2):
        desk.hear(report("0", "I", "0", t790="P.1.1/S1"))
    desk.turn()
    assert told(desk)[2:] == ["ORDER_STATUS 0", "ORDER_STATUS 0"]


def test_without_a_session_a_child_is_refused_and_a_cancel_waits() -> None:
    desk = working()
    desk.logon(is_logged_on=False)
    desk.engine(child("P.1.2"), cancel(), status(), replace())
    desk.turn()
    desk.crash()
    no = "there is no session with the venue: not sent"
    assert told(desk)[2:] == ["down", "REJECTED P.1.2/unsent", f"no replace 1: {no}"]
    assert kinds(desk) == ["D P.1.1"]
    desk.engine(cancel(2))
    desk.logon()
    desk.turn()
    assert kinds(desk) == ["D P.1.1", "F P.1.1/4"]  # one of two: the venue cancels it once


def test_what_the_terms_do_not_allow_is_refused_at_once() -> None:
    desk = working(takes_replace=False)
    desk.engine(child("P.1.2", order_type="MIDPOINT"), replace())
    desk.turn()
    assert told(desk)[2:] == [
        "REJECTED P.1.2/unsent",
        "no replace 1: the venue replaces no orders",
    ]
    assert desk.reports()[-2].text == "takes no MIDPOINT order"


def test_children_of_other_venues_are_left_to_their_gateways() -> None:
    desk = working()
    desk.engine(child("P.1.2", venue_id="V2"))
    desk.turn()
    assert (kinds(desk), len(desk.reports())) == (["D P.1.1"], 2)


def test_a_bound_lets_cancels_go_first_and_any_second_holds_it() -> None:
    desk = Desk({"V1": terms(messages_per_s=5, ack_timeout_ms=0)})
    desk.logon()
    desk.engine(*(child(f"P.1.{n}") for n in range(1, 8)))
    desk.turn()
    assert kinds(desk) == [f"D P.1.{n}" for n in (1, 2, 3, 4)]  # the fifth is for a cancel
    desk.engine(cancel(child_id="P.1.2"))
    desk.turn()
    assert kinds(desk)[4:] == ["F P.1.2/2"]
    desk.crash()
    desk.pass_ns(SECOND - 1)
    assert len(kinds(desk)) == 5
    desk.pass_ns(1)
    assert kinds(desk)[5:] == [f"D P.1.{n}" for n in (5, 6, 7)]
    desk.crash()


def test_a_child_that_is_canceled_while_it_waits_is_never_sent() -> None:
    desk = Desk({"V1": terms(messages_per_s=1, ack_timeout_ms=0)})
    desk.logon()
    desk.engine(child(), child("P.1.2"))
    desk.turn()
    desk.engine(cancel(child_id="P.1.2"))
    desk.turn()
    desk.crash()
    desk.pass_ns(10 * SECOND)
    assert kinds(desk) == ["D P.1.1"]
    last = desk.reports()[-1]
    assert (last.child_id, last.exec_type) == ("P.1.2", ExecType.CANCELED)
    assert (last.order_status, last.cumulative_quantity) == (OrderStatus.CANCELED, 0)


def test_children_that_arrive_together_leave_at_their_times() -> None:
    desk = Desk()
    desk.logon()
    desk.engine(child(send_after_ns=2_000_000), child("P.1.2", send_after_ns=500_000))
    desk.turn()
    assert kinds(desk) == []
    desk.pass_ns(500_000)
    assert kinds(desk) == ["D P.1.2"]
    desk.crash()
    desk.pass_ns(1_499_999)
    assert kinds(desk) == ["D P.1.2"]
    desk.pass_ns(1)
    assert kinds(desk) == ["D P.1.2", "D P.1.1"]


def test_a_logon_asks_for_what_has_no_answer() -> None:
    desk = working()
    desk.engine(child("P.1.2"), child("P.1.3"))
    desk.turn()
    desk.mark(desk.sendings()[1], 3)
    desk.logon(is_logged_on=False)
    desk.logon()
    desk.turn()
    # The third has no mark: it waits in the wire, or its mark is on the way; the H comes after it.
    assert kinds(desk)[3:] == ["H P.1.2", "H P.1.3"]
    assert told(desk)[2:] == ["down", "up"]
    desk.crash()


def test_a_venue_that_cancels_at_a_disconnect_is_asked_for_every_open_child() -> None:
    desk = working(cancel_on_disconnect=True)
    desk.logon(is_logged_on=False)
    desk.logon()
    desk.turn()
    assert kinds(desk)[1:] == ["H P.1.1"]
    assert told(desk)[2:] == ["down", "up"]  # and is not believed to have done it


def test_a_venue_that_knows_mass_status_is_asked_once_for_all() -> None:
    desk = Desk({"V1": terms(status_requests="mass")})
    desk.logon()
    desk.turn()
    assert desk.sent() == ["AF 584=V1-1|585=7"]
    desk.crash()


def test_a_venue_that_answers_no_questions_is_asked_none() -> None:
    desk = working(status_requests="none")
    desk.engine(child("P.1.2"), status())
    desk.turn()
    desk.logon(is_logged_on=False)
    desk.logon()
    desk.turn()
    desk.pass_ns(60 * SECOND)
    assert kinds(desk) == ["D P.1.1", "D P.1.2"]


def test_a_logon_after_a_logon_says_that_the_session_was_lost() -> None:
    desk = working()
    desk.logon()
    desk.turn()
    assert told(desk)[2:] == ["down", "up"]


def test_connections_are_told_to_every_shard() -> None:
    desk = Desk(partitions=3)
    desk.logon()
    desk.turn()
    assert [len(desk.reports(n)) for n in range(4)] == [1, 1, 1, 0]
    desk.engine(child())
    desk.hear(report("E1", "0", "0"))
    desk.turn()
    assert len(desk.reports(partition_of(ACME, 3))) == 2


def test_a_child_without_an_answer_is_asked_for_once() -> None:
    desk = Desk({"V1": terms(ack_timeout_ms=2_000)})
    desk.logon()
    desk.engine(child())
    desk.turn()
    desk.pass_ns(9 * SECOND)
    assert kinds(desk) == ["D P.1.1"]  # it is not out yet, by all that is known
    desk.mark(desk.sendings()[0], 2)
    desk.turn()
    desk.pass_ns(2 * SECOND - 1)
    assert kinds(desk) == ["D P.1.1"]
    desk.crash()
    desk.pass_ns(1)
    assert kinds(desk) == ["D P.1.1", "H P.1.1"]
    desk.crash()
    desk.pass_ns(60 * SECOND)
    assert len(kinds(desk)) == 2


def test_a_child_that_may_have_gone_out_twice_is_asked_for() -> None:
    desk = Desk()
    desk.logon()
    desk.engine(child())
    desk.turn()
    desk.mark(desk.sendings()[0], 2, is_possible_resend=True)
    desk.turn()
    assert kinds(desk) == ["D P.1.1", "H P.1.1"]
    desk.crash()


def test_a_child_that_could_not_leave_in_time_is_over() -> None:
    desk = Desk({"V1": terms(order_age_max_ms=4_000)})
    desk.logon()
    desk.engine(child())
    desk.turn()
    assert desk.sendings()[0].age_max_ms == 4_000
    desk.mark(desk.sendings()[0], 0)
    desk.turn()
    desk.crash()
    assert told(desk) == ["up", "REJECTED P.1.1/unsent"]
    desk.logon(is_logged_on=False)
    desk.logon()
    desk.turn()
    desk.pass_ns(60 * SECOND)
    assert kinds(desk) == ["D P.1.1"]  # and is not asked for
