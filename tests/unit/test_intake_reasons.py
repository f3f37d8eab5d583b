"""docs/reject-reasons.md lists every coded reason in the order of the ladder."""

from pathlib import Path

from schemas.messages.core import RejectReason
from streams.intake.refusal import SENTENCES

PAGE = Path(__file__).parents[2] / "docs" / "reject-reasons.md"
ELSEWHERE = (
    "dead letter only",
    "suspense only",
    "VenueSuspended only",
    "control only",
    "clearing only",
    "control and clearing only",
)


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_the_page_lists_every_reason_in_order() -> None:
    assert [row[0] for row in rows()] == [reason.value for reason in RejectReason]


def test_every_reason_that_a_client_may_see_has_a_sentence_and_a_fix_code() -> None:
    for reason, _, _, bound, of_order, of_change in rows():
        if reason == "UNKNOWN":
            continue
        is_answered = bound not in ELSEWHERE
        assert (RejectReason(reason) in SENTENCES) is is_answered, reason
        assert bool(of_order or of_change) is is_answered, reason
