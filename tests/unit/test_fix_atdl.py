"""The order ticket file is FIXatdl 1.1, says what the definitions say, and is served by HTTP."""

import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.fix.atdl import problems, problems_of_ours, serve
from services.fix.atdl.serve import PATH
from services.parameters.fixatdl import fixatdl

TEXT = fixatdl()


def test_our_file_is_good() -> None:
    assert problems_of_ours(TEXT) == []
    done = CliRunner().invoke(app, ["fix", "atdl", "--check"])
    assert (done.exit_code, done.stdout) == (0, "penstock.xml is FIXatdl 1.1\n")


# what is done to the file, what is told of it
WRONG = {
    "not XML": ("</Strategies>", "", "not XML"),
    "entities": ("<Strategies", "<!DOCTYPE a>\n<Strategies", "a DOCTYPE"),
    "root": ("Strategies", "Strategems", "the root is"),
    "identifier": ('strategyIdentifierTag="847"', 'strategyIdentifierTag="x"', "is no tag"),
    "strategy twice": ('wireValue="1000"', 'wireValue="1"', "Strategy wireValue 1 stands 2 times"),
    "no group": ('tag957Support="true"', "", "has no fixTag"),
    "parameter twice": ('name="EndTime"', 'name="StartTime"', "Parameter StartTime stands 2 times"),
    "tag twice": ('fixTag="126"', 'fixTag="168"', "fixTag 168 stands 2 times"),
    "tag": ('fixTag="126"', 'fixTag="0"', "fixTag 0 is no tag"),
    "type": ('"UTCTimestamp_t"', '"Timestamp_t"', "type Timestamp_t is none"),
    "use": ('use="optional"', 'use="maybe"', "use is maybe"),
    "range": ('maxValue="0.9"', 'maxValue="-1"', "is above maxValue"),
    "share": ('maxValue="0.9"', 'maxValue="90"', "not within 0 to 1"),
    "bound": ('maxValue="0.9"', 'maxValue="most"', "is no number"),
    "word twice": ('wireValue="URGENT"', 'wireValue="PASSIVE"', "wireValue PASSIVE stands 2"),
    "control": ("lay:Clock_t", "lay:Watch_t", "is no control of FIXatdl"),
    "reference": ('parameterRef="MinQty"', 'parameterRef="LeastQty"', "which is no Parameter"),
    "shown twice": ('parameterRef="MinQty"', 'parameterRef="MaxFloor"', "parameterRef MaxFloor"),
    "list": ('enumID="e_URGENT" uiRep', 'enumID="e_LATE" uiRep', "the parameter has e_PASSIVE"),
    "rule": ('field="EndTime"', 'field="LastTime"', "field LastTime is no Parameter"),
    "operator": ('operator="GT"', 'operator="AFTER"', "operator AFTER is none"),
    "alone": ('operator="NX"', 'operator="GT"', "GT compares with one of"),
    "logic": ('logicOperator="OR"', 'logicOperator="NOT"', "NOT joins 3 Edits"),
    "message": ('errorMessage="End is after start"', 'errorMessage=""', "has no errorMessage"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_broken_file_is_told(case: str) -> None:
    old, new, told = WRONG[case]
    assert old in TEXT
    text = TEXT.replace(old, new) if case == "root" else TEXT.replace(old, new, 1)
    assert any(told in each for each in problems(text)), problems(text)


# what another definition would say
DIFFERENT = {
    "value": ('wireValue="1000"', 'wireValue="1999"', "the definitions have"),
    "range": ('maxValue="0.9"', 'maxValue="0.8"', "defined is 9000 basis points"),
    "tag": ('name="DisplayShare" ', 'name="DisplayShare" fixTag="9999" ', "fixTag is 9999"),
    "amend": (
        'name="OpeningAuction" xsi:type="Percentage_t" use="optional" mutableOnCxlRpl="false"',
        'name="OpeningAuction" xsi:type="Percentage_t" use="optional" mutableOnCxlRpl="true"',
        "mutableOnCxlRpl is not False",
    ),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_a_file_that_says_something_else_than_the_definitions_is_told(case: str) -> None:
    old, new, told = DIFFERENT[case]
    text = TEXT.replace(old, new, 1)
    assert text != TEXT
    assert problems(text) == []
    assert any(told in each for each in problems_of_ours(text)), problems_of_ours(text)


def test_the_command_tells_what_is_wrong_with_another_file(tmp_path: Path) -> None:
    file = tmp_path / "other.xml"
    file.write_text(TEXT.replace('fixTag="126"', 'fixTag="168"'))
    done = CliRunner().invoke(app, ["fix", "atdl", "--file", str(file)])
    assert done.exit_code == 1
    assert "VWAP: fixTag 168 stands 2 times" in done.stderr


@pytest.fixture
def connection() -> Iterator[HTTPConnection]:
    with serve(TEXT, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        connection = HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
        yield connection
        connection.close()
        server.shutdown()
        thread.join()


def test_the_file_is_served_once_and_then_known_by_its_tag(connection: HTTPConnection) -> None:
    connection.request("GET", PATH)
    answer = connection.getresponse()
    assert (answer.status, answer.read().decode()) == (200, TEXT)
    assert answer.getheader("Content-Type") == "application/xml; charset=utf-8"
    tag = answer.getheader("ETag", "")
    connection.request("GET", PATH, headers={"If-None-Match": f'"old", {tag}'})
    again = connection.getresponse()
    assert (again.status, again.read()) == (304, b"")
    connection.request("HEAD", "/")
    head = connection.getresponse()
    assert (head.status, head.read()) == (200, b"")
    assert head.getheader("Content-Length") == str(len(TEXT.encode()))
    connection.request("GET", "/etc/passwd")
    assert connection.getresponse().status == 404
