"""Rules of two persons, whatever it is that they put in force."""

from typing import NamedTuple

import msgspec
import pytest

from schemas.messages.core import RejectReason as R
from streams.core.proposals import Proposal, approval_refused, digest, proposal_refused, used


class Text(NamedTuple):
    proposal_id: str
    content: str
    sha256: str


def parse(content: str) -> int:
    return msgspec.json.decode(content, type=int)


KNOWN = {"p1": Proposal("1", digest("1"), "ann")}


@pytest.mark.parametrize(
    ("message", "actor", "reason"),
    [
        (Text("p2", "2", digest("2")), "", R.FIELD_EMPTY),
        (Text("", "2", digest("2")), "ann", R.FIELD_TOO_LONG),
        (Text("p" * 65, "2", digest("2")), "ann", R.FIELD_TOO_LONG),
        (Text("p1", "2", digest("2")), "ann", R.STALE_VERSION),
        (Text("p2", "2", digest("3")), "ann", R.HASH_MISMATCH),
        (Text("p2", "x", digest("x")), "ann", R.BODY_UNDECODABLE),
    ],
)
def test_a_proposal_is_refused(message: Text, actor: str, reason: R) -> None:
    refused = proposal_refused(KNOWN, message, actor, parse=parse, wanted="a number")
    assert refused is not None
    assert refused.reason is reason


def test_a_proposal_of_a_readable_text_passes() -> None:
    message = Text("p" * 64, "2", digest("2"))
    assert proposal_refused(KNOWN, message, "ann", parse=parse, wanted="a number") is None


@pytest.mark.parametrize(
    ("message", "actor", "reason"),
    [
        (Text("p2", "", digest("1")), "bob", R.UNKNOWN_PROPOSAL),
        (Text("p1", "", digest("1")), "", R.SAME_PERSON),
        (Text("p1", "", digest("1")), "ann", R.SAME_PERSON),
        (Text("p1", "", digest("2")), "bob", R.HASH_MISMATCH),
    ],
)
def test_an_approval_is_refused(message: Text, actor: str, reason: R) -> None:
    refused = approval_refused(KNOWN, message, actor)
    assert refused is not None
    assert refused.reason is reason


def test_another_person_approves_once() -> None:
    message = Text("p1", "", digest("1"))
    assert approval_refused(KNOWN, message, "bob") is None
    again = approval_refused({"p1": used(KNOWN["p1"])}, message, "bob")
    assert again is not None
    assert again.reason is R.UNKNOWN_PROPOSAL
