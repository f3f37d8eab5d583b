"""Files of limits: what a person writes is what is proposed, or an error that says where."""

from pathlib import Path

import pytest

from schemas.messages.core import LimitKind, LimitScope, Side
from schemas.messages.risk import FlowReleased
from services.cli.log import LogEntry
from services.limits.files import LimitFileError, read
from services.limits.story import tell
from streams.core.topics import CONTROL_COMMANDS, DECISIONS_EVENTS
from streams.risk.limits import canonical, parse
from tests.support.builders import new_order
from tests.support.limits import ANN, BOB, approved, limit, limit_set, proposed, put_in_force
from tests.support.shard_host import trading_host

SAMPLE = Path(__file__).parents[2] / "infra" / "limits.toml"
ROW = '[[limit]]\nlimit_id = "a"\nkind = "credit"\nscope = "firm"\n'


def test_the_sample_says_every_kind_and_is_a_set() -> None:
    limits = read(SAMPLE)
    assert {each.kind for each in limits.limits} == set(LimitKind) - {LimitKind.UNKNOWN}
    assert parse(canonical(limits)) == limits
    by_id = {each.limit_id: each for each in limits.limits}
    assert by_id["duplicates"].window_ns == 1_000_000_000
    assert by_id["position-tighter"].is_shadow
    assert by_id["credit-alpha"].subject == "ALPHA"
    assert by_id["restricted-globex"].sides == (Side.BUY,)
    assert by_id["restricted-globex"].from_ns == 1_795_392_000_000_000_000
    assert limits.rate_e9("EUR") == 1_100_000_000
    assert limits.rate_e9("USD") == 1_000_000_000
    assert limits.rate_e9("CHF") is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "limit: Field required"),
        ("limit = 5", "limit"),
        (ROW + "value = -1", "limit.0.value"),
        (ROW + 'value = "5"', "limit.0.value"),
        (ROW + "value = 5\nfoo = 1", "limit.0.foo"),
        (ROW.replace("credit", "kredit") + "value = 5", "limit.0.kind"),
        (ROW.replace("firm", "source") + "value = 5", "SOURCE is the scope of MESSAGE_RATE"),
        (ROW + "value = 5\n" + ROW + "value = 6", "stands twice"),
        ("rates = { EUR = 1.1 }\n" + ROW, "write it as text"),
        ('rates = { EUR = "0.0000000001" }\n' + ROW, "EUR"),
        ("this is no TOML", "limits.toml"),
    ],
)
def test_what_is_no_set_is_an_error_with_its_place(tmp_path: Path, text: str, word: str) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(text)
    with pytest.raises(LimitFileError, match=word):
        read(file)


def test_the_log_tells_what_waits_what_holds_and_what_is_disabled() -> None:
    host = trading_host()
    limits = limit_set(limit(LimitKind.REPEATED_EXECUTION, 1, scope=LimitScope.FIRM))
    put_in_force(host, limits)
    host.put(CONTROL_COMMANDS, proposed(limits, "p2"), actor=ANN)
    host.put(CONTROL_COMMANDS, approved(limits, "p2"), actor=ANN)  # not by the same person
    host.put(CONTROL_COMMANDS, proposed(limits, "p3"), actor=BOB)
    host.put("orders.commands.v1", new_order())
    host.step()
    story = tell(
        LogEntry(topic, 0, 0, 0, envelope, message)
        for topic, envelope, message in (
            *(
                (each.record.topic, each.envelope, each.message)
                for inputs in host.inputs
                for each in inputs
            ),
            *(
                (event.topic, event.envelope, event.message)
                for batch in host.batches
                for event in batch.outputs
                if event.topic == DECISIONS_EVENTS
            ),
        )
    )
    assert [each.message.proposal_id for each in story.waiting()] == ["p2", "p3"]
    assert {shard: each.version for shard, each in story.in_force.items()} == {0: 1}
    (flow_id,) = story.disabled
    released = FlowReleased(
        flow_id=flow_id, instrument_id="ACME", released_by=ANN, reason="", released_ns=0
    )
    entry = LogEntry(DECISIONS_EVENTS, 0, 0, 0, host.batches[-1].journal_envelope, released)
    assert not tell([entry]).disabled
