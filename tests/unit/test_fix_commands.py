"""Commands of `penstock fix` end in a sentence and an exit code, whatever they are given."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.fix.cert.run import faults
from services.fix.cert.script import Script

GATEWAY = """
name = "fixin"
number = 1
kind = "clients"
[quickfix]
SocketAcceptPort = "9876"
[[session]]
session_id = "oms1"
quickfix = { BeginString = "FIX.4.4", SenderCompID = "US", TargetCompID = "THEM" }
"""
CERT = ("cert", "--session", "oms1", "--gateway", "{gateway}")

# words of the command, exit code, what is said
GIVEN: dict[str, tuple[Sequence[str], int, str]] = {
    "spec into no folder": (
        ("spec", "--out", "{folder}/none/a.html"),
        1,
        "none/a.html cannot be written: No such file or directory",
    ),
    "spec into a folder": (
        ("spec", "--out", "{folder}"),
        1,
        "cannot be written: Is a directory",
    ),
    "spec of a folder": (("spec", "--session", "oms1", "--gateway", "{folder}"), 2, "directory"),
    "spec of no version": (
        ("spec", "--session", "oms1", "--gateway", "{version}"),
        2,
        "FIX.3.9",
    ),
    "tickets in Latin-1": (
        ("atdl", "--file", "{latin}"),
        1,
        "is not UTF-8: byte 4 is 0xe9",
    ),
    "tickets of a folder": (("atdl", "--file", "{folder}"), 2, "directory"),
    "decode of a folder": (("decode", "{folder}"), 1, "Is a directory"),
    "decode of nothing": (("decode", "{folder}/none"), 1, "No such file"),
    "run of a folder": (("run", "{folder}"), 2, "directory"),
    "run of Latin-1": (("run", "{latin}"), 2, "can't decode byte 0xe9"),
    "certify by Latin-1": ((*CERT, "--script", "{latin}"), 2, "can't decode byte 0xe9"),
    "certify a folder": ((*CERT[:-1], "{folder}"), 2, "directory"),
    "certify with what no step needs": ((*CERT, "--with", "typo"), 2, "typo: one of bust, market"),
    "certify with no value of the script": ((*CERT, "--set", "prize=1"), 2, "prize: one of"),
    "certify with half a value": ((*CERT, "--set", "quantity=many"), 2, "a whole number"),
    "certify into a file": ((*CERT, "--store", "{gateway}"), 1, "cannot be made: Not a directory"),
}


@pytest.mark.parametrize("name", GIVEN)
def test_a_command_ends_in_a_sentence(name: str, tmp_path: Path) -> None:
    words, code, said = GIVEN[name]
    if words[0] in ("cert", "run"):
        pytest.importorskip("quickfix")
    files = {"folder": tmp_path, "gateway": tmp_path / "fixin.toml", "latin": tmp_path / "latin"}
    files["version"] = tmp_path / "version.toml"
    files["gateway"].write_text(GATEWAY)
    files["version"].write_text(GATEWAY.replace("FIX.4.4", "FIX.3.9"))
    files["latin"].write_bytes(b"caf\xc3\xa9"[:3] + b" \xe9")
    done = CliRunner().invoke(app, ["fix", *(word.format_map(files) for word in words)])
    shown = " ".join(done.output.replace("│", " ").split())
    assert (done.exit_code, said in shown) == (code, True), (done.exception, shown)
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("values", "body", "said"),
    [
        ({"quantity": "1"}, "11={id1}|38={quantity}", ""),
        ({"quantity": "1"}, "11={name}", "step one: 'name': one of quantity, larger, id1"),
        ({"quantity": "1", "a": "{b}", "b": "{a}"}, "58={a}", "step one: a value names itself"),
        ({"quantity": "1"}, "58={", "step one: "),
        ({}, "11=x", "a script needs the value quantity, a whole number"),
    ],
)
def test_a_script_is_read_through_before_it_is_played(
    values: dict[str, str], body: str, said: str
) -> None:
    step = {"name": "one", "do": "send", "type": "D", "body": body}
    script = Script.model_validate({"title": "t", "values": values, "step": [step]})
    told = faults(script, {}, ())
    assert told.startswith(said)
    assert bool(told) == bool(said)
