"""The kill switch as a decider: latched, by two persons, and counting what is unconfirmed."""

from typing import Any

import pytest

from schemas.messages.core import (
    KillOrigin,
    KillScope,
    Liquidity,
    LiveChild,
    OrderStatus,
    RejectReason,
    Side,
)
from schemas.messages.kill import (
    KillConfirmed,
    KillEngaged,
    KillFlagRaised,
    KillFlagRemoved,
    KillRefused,
    KillReleased,
    KillReleaseProposed,
)
from schemas.messages.routing import ChildCanceled, ChildRejected, FillBooked
from streams.core.errors import CorruptHistoryError
from streams.kill import KILL, Flag
from streams.kill.commands import (
    ConfirmKills,
    InScope,
    LowerFlag,
    RaiseFlag,
    SubmitApproval,
    SubmitKill,
    SubmitProposal,
)
from tests.support.given import given
from tests.support.kills import approve, engage, propose

FOUND = InScope(
    orders=2,
    orders_quantity=70,
    children=(LiveChild(child_id="P.1.1", quantity=30), LiveChild(child_id="P.1.2", quantity=20)),
)
IDS: Any = {
    "slice_id": "P.1",
    "parent_id": "P",
    "epoch": 1,
    "venue_id": "V1",
    "instrument_id": "ACME",
}


def submit(actor: str = "ann", found: InScope = FOUND, **changes: Any) -> SubmitKill:
    scope = changes.pop("scope", KillScope.FIRM)
    return SubmitKill(message=engage(scope, **changes), actor=actor, in_scope=found)


def engaged(**changes: Any) -> KillEngaged:
    return KillEngaged(
        **{
            "kill_id": "K1",
            "scope": KillScope.FIRM,
            "scope_id": "",
            "reason": "fat finger",
            "origin": KillOrigin.COMMAND,
            "flag": "",
            "engaged_by": "ann",
            "is_canceling_orders": False,
            "orders": 2,
            "orders_quantity": 70,
            "children": FOUND.children,
            **changes,
        }
    )


def proposed(by: str = "bob") -> KillReleaseProposed:
    return KillReleaseProposed(kill_id="K1", proposed_by=by, reason="checked")


def released() -> KillReleased:
    return KillReleased(
        kill_id="K1",
        scope=KillScope.FIRM,
        scope_id="",
        proposed_by="bob",
        approved_by="cat",
        reason="checked too",
        unconfirmed_children=2,
    )


def canceled(child_id: str, free: int, outstanding: int = 0) -> ChildCanceled:
    return ChildCanceled(
        child_id=child_id,
        **IDS,
        status=OrderStatus.CANCELED,
        canceled_quantity=free,
        outstanding_quantity=outstanding,
        is_unsolicited=False,
        retry_ns=0,
    )


def filled(child_id: str, quantity: int, late: int = 0) -> FillBooked:
    return FillBooked(
        fill_id=f"V1/{child_id}-{quantity}",
        child_id=child_id,
        exec_id="e",
        **IDS,
        side=Side.BUY,
        quantity=quantity,
        late_quantity=late,
        error_quantity=0,
        price_e9=1,
        cash_e9=1,
        fee_e9=0,
        liquidity=Liquidity.ADDED,
        midpoint_e9=None,
    )


def local(**changes: Any) -> Flag:
    return Flag(
        **{
            "flag": "stop-1",
            "kill_id": "K1",
            "scope": KillScope.FIRM,
            "scope_id": "",
            "reason": "by hand",
            "actor": "ann",
            "is_canceling_orders": False,
            **changes,
        }
    )


def test_a_kill_says_what_it_met() -> None:
    given(KILL).when(submit()).then(engaged())


@pytest.mark.parametrize(
    ("scope", "scope_id", "wished", "is_canceling"),
    [
        (KillScope.FIRM, "", False, False),
        (KillScope.FIRM, "", True, True),
        (KillScope.STRATEGY, "VWAP", False, False),
        (KillScope.INSTRUMENT, "ACME", True, True),
        (KillScope.VENUE, "V1", True, False),  # a venue has no source orders
        (KillScope.ACCOUNT, "A1", False, True),  # who is stopped leaves the parent
        (KillScope.CLIENT, "C1", False, True),
        (KillScope.DESK, "D1", False, True),
        (KillScope.SOURCE, "OMS", False, True),
    ],
)
def test_the_scope_says_whether_orders_are_canceled(
    scope: KillScope, scope_id: str, wished: bool, is_canceling: bool
) -> None:
    command = submit(scope=scope, scope_id=scope_id, is_canceling_orders=wished)
    given(KILL).when(command).then(
        engaged(scope=scope, scope_id=scope_id, is_canceling_orders=is_canceling)
    )


def test_it_takes_two_persons_to_release() -> None:
    propose_it = SubmitProposal(message=propose(), actor="bob")
    approve_it = SubmitApproval(message=approve(), actor="cat")
    given(KILL, engaged()).when(propose_it).then(proposed())
    given(KILL, engaged(), proposed()).when(approve_it).then(released())


def test_who_engaged_it_may_be_one_of_the_two() -> None:
    given(KILL, engaged(), proposed("ann")).when(
        SubmitApproval(message=approve(), actor="cat")
    ).then(KillReleased(**{**_fields(released()), "proposed_by": "ann"}))


def test_another_proposal_takes_the_place_of_the_first() -> None:
    given(KILL, engaged(), proposed("bob")).when(
        SubmitProposal(message=propose(), actor="cat")
    ).then(proposed("cat"))


def _fields(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


# history, command, reason, field, value, bound
REFUSALS: list[tuple[tuple[Any, ...], Any, RejectReason, str, str]] = [
    ((), submit(kill_id=""), RejectReason.FIELD_EMPTY, "kill_id", ""),
    ((), submit(kill_id="K" * 65), RejectReason.FIELD_TOO_LONG, "kill_id", "K" * 64),
    ((), submit(scope=KillScope.DESK, scope_id="D" * 65), RejectReason.FIELD_TOO_LONG, "scope_id",
     "D" * 64),
    ((), submit(scope=KillScope.UNKNOWN), RejectReason.UNKNOWN_SCOPE, "scope", "UNKNOWN"),
    ((), submit(scope=KillScope.ACCOUNT), RejectReason.FIELD_EMPTY, "scope_id", ""),
    ((), submit(scope=KillScope.STRATEGY, scope_id="VWPA"), RejectReason.UNKNOWN_SCOPE,
     "scope_id", "VWPA"),
    ((), submit(scope=KillScope.STRATEGY, scope_id="UNKNOWN"), RejectReason.UNKNOWN_SCOPE,
     "scope_id", "UNKNOWN"),
    ((engaged(),), submit(scope=KillScope.VENUE, scope_id="V1"), RejectReason.KILL_ID_USED,
     "kill_id", "K1"),
    ((engaged(),), submit(is_canceling_orders=True), RejectReason.KILL_ID_USED, "kill_id", "K1"),
    ((engaged(), proposed(), released()), submit(), RejectReason.KILL_ID_USED, "kill_id", "K1"),
    ((), SubmitProposal(message=propose(), actor="bob"), RejectReason.UNKNOWN_KILL, "kill_id",
     "K1"),
    ((engaged(),), SubmitProposal(message=propose(), actor=" "), RejectReason.FIELD_EMPTY,
     "actor", " "),
    ((), SubmitApproval(message=approve(), actor="bob"), RejectReason.UNKNOWN_KILL, "kill_id",
     "K1"),
    ((engaged(),), SubmitApproval(message=approve(), actor="bob"), RejectReason.UNKNOWN_PROPOSAL,
     "kill_id", "K1"),
    ((engaged(), proposed()), SubmitApproval(message=approve(), actor="bob"),
     RejectReason.SAME_PERSON, "actor", "bob"),
    ((engaged(), proposed()), SubmitApproval(message=approve(), actor=" Bob "),
     RejectReason.SAME_PERSON, "actor", " Bob "),
    ((engaged(), proposed()), SubmitApproval(message=approve(), actor=""),
     RejectReason.FIELD_EMPTY, "actor", ""),
    ((engaged(flag="stop-1"), proposed()), SubmitApproval(message=approve(), actor="cat"),
     RejectReason.KILL_FLAG_STANDS, "flag", "stop-1"),
]  # fmt: skip


@pytest.mark.parametrize(("history", "command", "reason", "field", "value"), REFUSALS)
def test_a_refusal_says_what_and_why(
    history: tuple[Any, ...], command: Any, reason: RejectReason, field: str, value: str
) -> None:
    (refused,) = given(KILL, *history).when(command).events()
    assert isinstance(refused, KillRefused)
    assert (refused.reason, refused.field, refused.value) == (reason, field, value)
    assert refused.actor == command.actor
    assert refused.text and "{" not in refused.text
    actions = {"SubmitKill": "ENGAGE", "SubmitProposal": "PROPOSE_RELEASE"}
    assert refused.command == actions.get(type(command).__name__, "APPROVE_RELEASE")


def test_repeats_of_what_is_done_are_harmless() -> None:
    over = (engaged(), proposed(), released())
    assert given(KILL, *over).when(SubmitApproval(message=approve(), actor="cat")).events() == ()
    assert given(KILL, *over).when(SubmitProposal(message=propose(), actor="bob")).events() == ()
    narrower = submit(is_canceling_orders=False)
    wide = engaged(is_canceling_orders=True)
    assert given(KILL, wide).when(narrower).events() == ()


def test_a_kill_is_confirmed_when_its_children_can_fill_nothing() -> None:
    history = (engaged(), filled("P.1.1", 10), canceled("P.1.1", 20))
    given(KILL, *history).when(ConfirmKills()).then()
    given(KILL, *history, filled("P.1.2", 20)).when(ConfirmKills()).then(
        KillConfirmed(kill_id="K1", canceled_children=1, filled_children=1, rejected_children=0)
    )


def test_what_the_venue_counts_and_has_not_told_is_unconfirmed() -> None:
    rejected = ChildRejected(child_id="P.1.2", **IDS, quantity=20, text="")
    history = (engaged(), rejected, canceled("P.1.1", 20, outstanding=10))
    given(KILL, *history).when(ConfirmKills()).then()
    # A late fill beyond the venue's own word takes nothing of it.
    given(KILL, *history, filled("P.1.1", 5, late=5)).when(ConfirmKills()).then()
    given(KILL, *history, filled("P.1.1", 10)).when(ConfirmKills()).then(
        KillConfirmed(kill_id="K1", canceled_children=0, filled_children=1, rejected_children=1)
    )


def test_a_flag_engages_and_forbids_the_release_while_it_stands() -> None:
    by_flag = engaged(origin=KillOrigin.FLAG, flag="stop-1", reason="by hand")
    given(KILL).when(RaiseFlag(flag=local(), in_scope=FOUND)).then(by_flag)
    removed = KillFlagRemoved(kill_id="K1", flag="stop-1")
    given(KILL, by_flag, proposed()).when(LowerFlag(flag="stop-1")).then(removed)
    given(KILL, by_flag, proposed(), removed).when(
        SubmitApproval(message=approve(), actor="cat")
    ).then(released())


def test_a_flag_of_a_kill_in_force_joins_it() -> None:
    given(KILL, engaged()).when(RaiseFlag(flag=local(), in_scope=FOUND)).then(
        KillFlagRaised(kill_id="K1", flag="stop-1")
    )


def test_a_flag_is_never_refused_for_its_id() -> None:
    other = local(scope=KillScope.VENUE, scope_id="V1")
    changes = {"kill_id": "K1.2", "origin": KillOrigin.FLAG, "flag": "stop-1", "reason": "by hand"}
    given(KILL, engaged()).when(RaiseFlag(flag=other, in_scope=FOUND)).then(
        engaged(scope=KillScope.VENUE, scope_id="V1", **changes)
    )
    over = (engaged(), proposed(), released())
    given(KILL, *over).when(RaiseFlag(flag=local(), in_scope=FOUND)).then(engaged(**changes))


@pytest.mark.parametrize(
    "history",
    [
        (engaged(), engaged()),
        (proposed(),),
        (engaged(), KillConfirmed(kill_id="K1", canceled_children=0, filled_children=0,
                                  rejected_children=0)),
        (engaged(flag="stop-1"), proposed(), released()),
    ],
)  # fmt: skip
def test_an_impossible_history_stops_the_shard(history: tuple[Any, ...]) -> None:
    with pytest.raises(CorruptHistoryError):
        KILL.fold(history, KILL.initial())
