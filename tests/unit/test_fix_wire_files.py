"""What a wire keeps beside the FIX store: intents, epochs, how far the log is known, the lock."""

import subprocess
import sys
from pathlib import Path

import pytest

from schemas.messages.fix import FixReceived, FixSent, FixSessionChanged
from services.fix.settings import GatewayFile
from services.fix.wire.bucket import Bucket
from services.fix.wire.configuration import ConfigurationError, configuration, is_acceptor
from services.fix.wire.epochs import Epochs
from services.fix.wire.intents import ROWS_MAX, Intent, Intents
from services.fix.wire.store import StoreNumbers, StoreTakenError, hold_store, store_numbers
from services.fix.wire.tail import ForeignStoreError, Known, Mark, read_mark, write_mark

DAY = 20261121


def file_of(**session: str) -> GatewayFile:
    names = {"BeginString": "FIX.4.4", "SenderCompID": "US", "TargetCompID": "THEM", **session}
    return GatewayFile.model_validate(
        {
            "name": "gate",
            "number": 1,
            "kind": "clients",
            "quickfix": {"ConnectionType": "acceptor", "SocketAcceptPort": "9000"},
            "session": [{"session_id": "them", "quickfix": names}],
        }
    )


def intent(ordinal: int, *, is_done: bool = True) -> Intent:
    return Intent(is_done, 1, ordinal, ordinal + 10, ordinal + 100)


def test_intents_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    intents = Intents(tmp_path / "a.intents")
    assert intents.newest().ordinal == 0
    rows = [intent(1, is_done=False), intent(1), intent(2, is_done=False)]
    for row in rows:
        intents.write(row)
    again = Intents(tmp_path / "a.intents")
    assert again.last(10) == rows
    assert again.newest() == rows[-1]


def test_a_torn_or_damaged_row_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "a.intents"
    intents = Intents(path)
    for ordinal in (1, 2):
        intents.write(intent(ordinal))
    whole = path.read_bytes()
    path.write_bytes(whole + b"\x02half a row")
    assert Intents(path).newest() == intent(2)
    path.write_bytes(whole[:-3] + b"???")
    assert Intents(path).last(2) == [intent(1)]


def test_a_long_file_begins_again_with_its_newest_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ROWS_MAX > 100_000
    monkeypatch.setattr("services.fix.wire.intents.ROWS_MAX", 3)
    path = tmp_path / "a.intents"
    intents = Intents(path)
    for ordinal in range(1, 9):
        intents.write(intent(ordinal))
    size = path.stat().st_size
    assert Intents(path).newest() == intent(8)
    intents.write(intent(9))
    assert path.stat().st_size <= size * 2
    assert Intents(path).newest() == intent(9)


def test_epochs_count_up_over_restarts_and_over_what_the_log_knows(tmp_path: Path) -> None:
    epochs = Epochs(tmp_path)
    assert epochs.of("them").number == 0
    first = epochs.begin("them", "20261121-10:00:00")
    assert (first.number, first.day) == (1, DAY)
    again = Epochs(tmp_path)
    assert again.of("them") == first
    assert again.begin("them", "20261122-00:00:00", at_least=7).number == 7
    again.settle("other", 4, "20261121-10:00:00")
    assert Epochs(tmp_path).of("other").number == 4


def received(sequence: int, epoch: int = 1) -> FixReceived:
    return FixReceived(
        session_id="them",
        session_day=DAY,
        session_epoch=epoch,
        sequence=sequence,
        message_type="D",
        is_possible_duplicate=False,
        is_possible_resend=False,
        text=b"",
        refusal="",
        sent_ns=0,
        received_ns=0,
    )


def sent(ordinal: int, sequence: int, epoch: int = 1) -> FixSent:
    return FixSent(
        session_id="them",
        session_day=DAY,
        session_epoch=epoch,
        ordinal=ordinal,
        sequence=sequence,
        is_possible_resend=False,
        sent_ns=0,
    )


def test_numbers_of_an_old_epoch_do_not_count_in_a_new_one() -> None:
    known = Known()
    for message in (received(5), sent(3, 9), received(2, epoch=2), received(6, epoch=1)):
        known.fold(message)
    assert (known.epoch, known.sequence, known.sent_ordinal, known.sent_sequence) == (2, 2, 3, 0)
    changed = FixSessionChanged(
        session_id="them",
        session_day=DAY,
        session_epoch=2,
        is_logged_on=True,
        text="",
        transact_ns=0,
    )
    known.fold(changed)
    assert known.is_logged_on


def test_a_mark_is_of_one_log(tmp_path: Path) -> None:
    assert read_mark(tmp_path, "a") == Mark("a")
    mark = Mark("a", 12, {"them": Known(epoch=1, sequence=4)}, is_clean=True)
    write_mark(tmp_path, mark)
    assert read_mark(tmp_path, "a") == mark
    with pytest.raises(ForeignStoreError, match="belongs to log a"):
        read_mark(tmp_path, "b")


def test_a_store_is_held_by_one_process(tmp_path: Path) -> None:
    hold_store(tmp_path / "gate")
    code = (
        "import sys; from pathlib import Path; from services.fix.wire.store import *\n"
        "try: hold_store(Path(sys.argv[1]))\n"
        "except StoreTakenError: sys.exit(9)"
    )
    root = Path(__file__).parents[2]
    run = [sys.executable, "-c", code, str(tmp_path / "gate")]
    assert subprocess.run(run, cwd=root, check=False).returncode == 9
    with pytest.raises(StoreTakenError):
        hold_store(tmp_path / "gate")


def test_the_numbers_of_a_store_are_read_as_quickfix_writes_them(tmp_path: Path) -> None:
    session = file_of().session[0]
    assert store_numbers(tmp_path, session) == StoreNumbers("", 1, 1)
    (tmp_path / "FIX.4.4-US-THEM.seqnums").write_text(f"{7:020d} : {12:020d}")
    (tmp_path / "FIX.4.4-US-THEM.session").write_text("20261121-20:13:42")
    assert store_numbers(tmp_path, session) == StoreNumbers("20261121-20:13:42", 7, 12)


def test_settings_of_a_session_go_over_those_of_its_gateway(tmp_path: Path) -> None:
    file = file_of(HeartBtInt="10", SocketAcceptHost="0.0.0.0", PersistMessages="N")
    text = configuration(file, file.session, tmp_path, port=0)
    rows = text.splitlines()
    assert "HeartBtInt=10" in rows
    assert "SocketAcceptPort=0" in rows  # QuickFIX's own; ours is bound elsewhere
    assert "MaxLatency=120" in rows
    assert "PersistMessages=Y" in rows  # whatever the file says
    assert not [row for row in rows if "SocketAcceptHost" in row]
    assert [row for row in rows if row.startswith("DataDictionary=") and row.endswith("FIX44.xml")]
    newer = file_of(BeginString="FIXT.1.1")
    rows = configuration(newer, newer.session, tmp_path).splitlines()
    assert "DefaultApplVerID=FIX.5.0SP2" in rows


def test_settings_that_cannot_be_are_named(tmp_path: Path) -> None:
    file = file_of(ConnectionType="listener")
    with pytest.raises(ConfigurationError, match="ConnectionType 'listener'"):
        is_acceptor(file, file.session[0])
    file = file_of(LogonTime="1\n[SESSION]")
    with pytest.raises(ConfigurationError, match="one line"):
        configuration(file, file.session, tmp_path)
    file = file_of(BeginString="FIX.3.9")
    with pytest.raises(FileNotFoundError, match="no data dictionary FIX39"):
        configuration(file, file.session, tmp_path)


def test_a_bucket_passes_its_rate_and_bounds_what_is_read() -> None:
    bucket = Bucket(10, 100.0)
    assert [bucket.is_over(100.0) for _ in range(12)] == [False] * 10 + [True] * 2
    assert bucket.wait_s(100.0) == 0.0
    for _ in range(28):
        bucket.is_over(100.0)
    assert bucket.wait_s(100.0) == pytest.approx(0.0, abs=1e-9)
    bucket.is_over(100.0)
    assert bucket.wait_s(100.0) == pytest.approx(0.025)
    assert [bucket.is_over(100.5) for _ in range(6)] == [False] * 5 + [True]
    free = Bucket(0, 100.0)
    assert not any(free.is_over(100.0) for _ in range(1_000))
    assert free.wait_s(100.0) == 0.0
