"""The generated messages are those of the .avsc files."""

from enum import StrEnum

import msgspec
import pytest

from schemas import generate as generator
from schemas.generate import generate
from schemas.messages import core
from schemas.messages.index import MESSAGE_TYPES, MessageType


def test_generated_files_are_fresh() -> None:
    stale = [path.name for path, text in generate().items() if path.read_text() != text]
    assert not stale, f"{stale}: run python -m schemas.generate"


def test_check_says_which_file_is_stale(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = generator.MESSAGES / "core.py"
    monkeypatch.setattr(generator, "generate", lambda: {path: "other"})
    monkeypatch.setattr("sys.argv", ["generate", "--check"])
    assert generator.main() == 1
    assert "core.py is stale" in capsys.readouterr().err


@pytest.mark.parametrize("message_type", MESSAGE_TYPES, ids=lambda t: t.name)
def test_messages_are_frozen_structs_without_the_envelope(message_type: MessageType) -> None:
    assert issubclass(message_type.struct, msgspec.Struct)
    assert message_type.struct.__struct_config__.frozen
    assert "envelope" not in message_type.struct.__struct_fields__


def test_every_enum_begins_with_unknown() -> None:
    enums = [
        value
        for value in vars(core).values()
        if isinstance(value, type) and issubclass(value, StrEnum) and value is not StrEnum
    ]
    assert len(enums) > 10
    assert all(next(iter(enum)).value == "UNKNOWN" for enum in enums)
