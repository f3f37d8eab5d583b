"""`penstock fix decode` finds messages in any line, names what they say, and what is wrong."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.messages.fix import FixSending
from services.cli.fix_decode import shown_of
from services.cli.main import app
from services.fix.decode import Decoded, decode, raw_messages
from services.fix.dictionary import Version, dictionary
from services.fix.fields import SOH, Fields, framed

HEADER = Fields(
    [(35, "D"), (49, "OMS1"), (56, "PENSTOCK"), (34, "5"), (52, "20250616-13:30:00.000")]
)
ORDER = (
    "11=c1|453=2|448=A|447=D|452=1|802=1|523=x|803=2|448=B|447=D|452=3|55=ACME|54=1"
    "|60=20250616-13:30:00|38=100|40=2|44=10.5|59=0|847=1000|58=a|b c|"
)


def message(body: str = ORDER) -> str:
    return framed("FIX.4.4", HEADER, body.replace("a|b", "\0").replace("|", SOH)
        .replace("\0", "a|b").encode()).decode()  # fmt: skip


def read(line: str) -> Decoded:
    (raw,) = raw_messages(line)
    return decode(raw)


@pytest.mark.parametrize("delimiter", [SOH, "|", "^A", "\\x01", "<SOH>"])
@pytest.mark.parametrize(("before", "after"), [("", "\n"), ("09:30 INFO in [7=8] ", " took 3 ms")])
def test_every_way_to_write_a_message_reads_alike(delimiter: str, before: str, after: str) -> None:
    made = read(before + message().replace(SOH, delimiter) + after)
    assert made.errors == []
    assert [(line.tag, line.value) for line in made.lines][-2] == (58, "a|b c")
    assert made.lines == read(message()).lines


def test_groups_are_nested_and_values_have_names() -> None:
    depth = {(line.name, line.value): line.depth for line in read(message()).lines}
    assert depth["NoPartyIDs", "2"] == 0
    assert depth["PartyID", "B"] == 1
    assert depth["PartySubIDType", "2"] == 2
    assert depth["Symbol", "ACME"] == 0
    meanings = {line.tag: line.meaning for line in read(message()).lines}
    assert (meanings[54], meanings[40], meanings[35]) == ("BUY", "LIMIT", "NEW_ORDER_SINGLE")


# what is done to a good message, the error that names it
WRONG = {
    "length": ("9=", "9=1", "BodyLength(9) is 1"),
    "checksum": ("58=a", "58=b", "CheckSum(10) is "),
    "count": ("453=2", "453=3", "NoPartyIDs(453): says 3, 2 entries follow"),
    "order of a group": ("448=A|447=D", "447=D|448=A", "begin with 447, not with 448"),
    "required": ("54=1|", "", "required Side(54) is missing"),
    "enum": ("40=2", "40=z", "OrdType(40): z is none of its values"),
    "twice": ("59=0", "59=0|59=1", "TimeInForce(59): comes twice"),
    "foreign": ("59=0", "1138=1", "DisplayQty(1138): not a field of FIX44"),
    "misplaced": ("59=0", "150=0", "ExecType(150): not in this message"),
    "empty": ("55=ACME", "55=", "Symbol(55): has no value"),
    "no field": ("59=0", "59", "no tag=value"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case: str) -> None:
    old, new, error = WRONG[case]
    changed = message().replace(SOH, "|").replace(old, new, 1)
    if case == "no field":
        changed = message().replace("59=0", "59")
    assert any(error in each for each in read(changed).errors), read(changed).errors


def test_data_fields_may_hold_the_delimiter() -> None:
    line = message("11=c|54=1|60=20250616-13:30:00|40=1|354=5|355=x|9=y|")
    lines = {each.tag: each.value for each in read(line.replace(SOH, "|")).lines}
    assert lines[355] == "'x|9=y'"


def test_a_password_is_not_shown() -> None:
    header = Fields([(35, "A"), *HEADER.pairs[1:]])
    text = framed("FIX.4.4", header, Fields([(98, "0"), (108, "30"), (554, "secret")]).body())
    made = read(text.decode())
    assert made.errors == []
    assert "secret" not in str(made)


def test_a_body_to_be_sent_is_read_by_its_sessions_version() -> None:
    body = Fields([(11, "c1"), (150, "0")]).body()
    event = FixSending(session_id="S", ordinal=3, message_type="8", body=body, subject="c1")
    (shown,) = shown_of(event, {"S": "FIX.4.2"})
    assert shown.head == "S > #3 c1"
    assert shown.message is not None
    assert shown.message.title == "ExecutionReport"
    assert [line.tag for line in shown.message.lines] == [11, 150]


def test_the_command_exits_1_on_errors(tmp_path: Path) -> None:
    file = tmp_path / "fix.log"
    file.write_text(message())
    good = CliRunner().invoke(app, ["fix", "decode", str(file), "--json"])
    assert (good.exit_code, json.loads(good.stdout)["title"]) == (0, "NewOrderSingle")
    assert "secret" not in good.stdout
    bad = CliRunner().invoke(app, ["fix", "decode", "-"], input=message().replace("40=2", "40=?"))
    assert bad.exit_code == 1
    assert "error: CheckSum(10)" in bad.stdout
    assert CliRunner().invoke(app, ["fix", "decode", "-"], input="hello").exit_code == 1
    assert CliRunner().invoke(app, ["fix", "decode"]).exit_code == 2


@pytest.mark.parametrize("version", Version)
def test_every_field_of_a_message_has_a_name(version: Version) -> None:
    words = dictionary(version)
    for kind in ("A", "D", "E", "8", "9", "J", "j"):
        layout = words.layout(kind)
        assert layout is not None
        waiting = [*layout.items]
        assert waiting, layout.name
        while waiting:
            item = waiting.pop()
            assert words.name(item.tag), (layout.name, item.tag)
            waiting += item.group
