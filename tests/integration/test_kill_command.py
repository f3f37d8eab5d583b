"""`penstock kill` and `unkill` against a live engine: exit codes, counts, two persons."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.messages.intake import OrderAccepted
from services.audit import check
from streams.core import topics
from tests.support.broker import own_broker  # noqa: F401  # fixture
from tests.support.counted_run import eventually
from tests.support.live_desk import LiveDesk
from tests.support.own_broker import OwnBroker

pytestmark = [pytest.mark.broker, pytest.mark.timeout(200)]
CONFIRMED, REFUSED, UNCONFIRMED = 0, 3, 5


@pytest.fixture
def desk(own_broker: OwnBroker, tmp_path: Path) -> Iterator[LiveDesk]:  # noqa: F811  # fixture
    opened = LiveDesk(bootstrap=own_broker.bootstrap, kill_dir=tmp_path / "kill", logs=tmp_path)
    opened.open()
    yield opened
    opened.stop()


@pytest.mark.slow
def test_a_stop_from_the_command_line_to_its_release(desk: LiveDesk) -> None:
    kill = ("kill", "--reason=fat finger", "--actor=ann")
    code, said = desk.penstock(*kill, "--scope=firm", "--wait=0.5")
    assert (code, said["silent_shards"]) == (UNCONFIRMED, [0]), "no engine runs yet"
    first = said["kill_id"]
    desk.start()
    eventually(lambda: desk.penstock("kill", "--list")[1] != [], "the engine has not read it")
    desk.trade(5)
    for person, step in [("bob", "proposed"), ("cat", "released")]:
        code, said = desk.penstock("unkill", first, f"--actor={person}")
        assert (code, said["step"]) == (CONFIRMED, step)
    desk.trade(7)
    desk.await_children(7)

    code, said = desk.penstock(
        *kill, "--scope=instrument:ACME", "--wait=2", f"--local={desk.logs}/other"
    )
    assert code == UNCONFIRMED, said
    kill_id, (row,) = said["kill_id"], said["shards"]
    assert row == {"shard": 0, "orders": 7, "live": 7, "canceled": 0, "unconfirmed": 7}
    Path(said["flag_file"]).unlink()
    desk.cancel_children()
    code, said = desk.penstock(*kill, "--scope=venue:V1")
    assert code == CONFIRMED, said
    code, listed = desk.penstock("kill", "--list")
    assert [(each["scope"], each["unconfirmed_shards"]) for each in listed] == [
        ("instrument:ACME", []),
        ("venue:V1", []),
    ]

    assert desk.penstock("unkill", "K-none", "--actor=bob")[0] == REFUSED
    assert desk.penstock("unkill", kill_id, "--actor=bob")[0] == CONFIRMED
    code, said = desk.penstock("unkill", kill_id, "--actor=BOB")
    assert (code, len(said["refused"])) == (REFUSED, 1), "one person is not two"
    assert desk.penstock("unkill", kill_id, "--actor=cat")[0] == CONFIRMED
    accepted = len(desk.messages(topics.ORDERS_EVENTS, OrderAccepted))
    desk.trade(1)
    eventually(
        lambda: len(desk.messages(topics.ORDERS_EVENTS, OrderAccepted)) > accepted, "still stopped"
    )
    report = check(desk.bootstrap)
    assert report.is_clean, report.findings[:5]


@pytest.mark.slow
def test_a_stop_by_file_and_log_is_one_kill_and_its_release_takes_the_file(desk: LiveDesk) -> None:
    desk.start()
    local = f"--local={desk.kill_dir}"
    code, said = desk.penstock("kill", "--scope=firm", "--actor=ann", local)
    assert code == CONFIRMED, said
    assert desk.penstock("unkill", said["kill_id"], "--actor=bob")[0] == CONFIRMED
    assert Path(said["flag_file"]).exists(), "a proposal takes nothing away"
    code, said = desk.penstock("unkill", said["kill_id"], "--actor=cat")
    assert code == CONFIRMED, said
    assert list(desk.kill_dir.glob("*.json")) == []
    assert desk.penstock("kill", "--list") == (0, [])


def test_without_a_log_a_file_stops_this_host(tmp_path: Path) -> None:
    lost = LiveDesk(bootstrap="127.0.0.1:1", kill_dir=tmp_path / "kill", logs=tmp_path)
    code, said = lost.penstock("kill", "--scope=account:A1", "--actor=ann", "--reason=no log")
    assert code == UNCONFIRMED
    assert "could not be reached" in said["text"]
    (file,) = (tmp_path / "kill").glob("*.json")
    assert said["flag_file"] == str(file)
    assert '"scope_id": "A1"' in file.read_text()
    assert lost.penstock("unkill", said["kill_id"], "--actor=bob")[0] == 1
    assert file.exists(), "no release without the log"


@pytest.mark.parametrize("scope", ["", "everything", "firm:A1", "account", "strategy:VWPA"])
def test_a_scope_that_means_nothing_is_asked_again(scope: str, tmp_path: Path) -> None:
    lost = LiveDesk(bootstrap="127.0.0.1:1", kill_dir=tmp_path / "kill", logs=tmp_path)
    code, said = lost.penstock("kill", f"--scope={scope}", "--actor=ann")
    assert code == 2
    assert "--scope" in said
    assert not (tmp_path / "kill").exists()
