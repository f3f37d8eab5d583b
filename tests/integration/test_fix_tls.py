"""TLS by stunnel, with the configuration that is shipped: Python's TLS and QuickFIX behind it."""

import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.broker.ports import pick_ports
from tests.support.broker import Cluster
from tests.support.counted_run import eventually
from tests.support.fix_peer import FixPeer, RawPeer
from tests.support.fix_wire import ROOT, Desk, WireProcess, acceptor_toml, order, session_toml

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(
        shutil.which("stunnel") is None,
        reason="TLS OF FIX IS NOT TESTED: stunnel is missing (apt-get install stunnel4)",
    ),
]

NUMBER = 12
STUNNEL = ROOT / "infra" / "fix" / "stunnel"


class Gate(NamedTuple):
    """A wire behind TLS."""

    plain: int
    port: int
    folder: Path
    desk: Desk

    def client(self, certificate: str = "client.pem") -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.folder / "tls" / "authority.pem")
        if certificate:
            context.load_cert_chain(self.folder / "tls" / certificate)
        return context


@contextmanager
def stunnel(folder: Path, name: str, **changes: str) -> Iterator[None]:
    """Run a shipped configuration with the ports and folders of a test."""
    text = (STUNNEL / name).read_text()
    for old, new in {"/etc/penstock/tls": str(folder / "tls"), **changes}.items():
        assert old in text, f"{name} has no {old}"
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text)
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(["stunnel", str(path)], stderr=log, stdout=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def gate(broker: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run([STUNNEL / "certificates.sh", folder / "tls"], check=True)
    subprocess.run([STUNNEL / "certificates.sh", folder / "other"], check=True)
    shutil.copy(folder / "other" / "client.pem", folder / "tls" / "stranger.pem")
    plain, port = pick_ports(2)
    toml = acceptor_toml(NUMBER, plain, session_toml("safe", "SAFE"), name="tls")
    changes = {"0.0.0.0:9879": f"127.0.0.1:{port}", "127.0.0.1:9878": f"127.0.0.1:{plain}"}
    desk = Desk(broker, NUMBER)
    with (
        WireProcess(folder, broker.bootstrap, toml) as wire,
        stunnel(folder, "clients.conf", **changes),
    ):
        eventually(lambda: "listening on" in wire.words(), "the wire listens")
        eventually(lambda: is_open(port), "stunnel listens")
        yield Gate(plain, port, folder, desk)


def is_open(port: int) -> bool:
    try:
        RawPeer(port, sender="", target="").__exit__()
    except OSError:
        return False
    return True


def logons(gate: Gate) -> int:
    return sum(each.is_logged_on for each in gate.desk.changes("safe"))


def test_a_client_with_our_certificate_trades_through_tls(gate: Gate) -> None:
    with RawPeer(gate.port, sender="SAFE", target="PENSTOCK", tls=gate.client()) as peer:
        assert peer.logon("141=Y|").get(35) == "A"
        peer.send("D", order("T1"))
        eventually(lambda: len(gate.desk.received("safe")) == 1, "the order is recorded")


@pytest.mark.parametrize("certificate", ["", "stranger.pem"])
def test_a_client_without_our_certificate_says_nothing_to_the_gateway(
    gate: Gate, certificate: str
) -> None:
    before = logons(gate)
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        tls = gate.client(certificate)
        with RawPeer(gate.port, sender="SAFE", target="PENSTOCK", tls=tls) as peer:
            peer.logon("141=Y|")
    assert logons(gate) == before


def test_plain_fix_is_not_understood_where_tls_is_spoken(gate: Gate) -> None:
    with RawPeer(gate.port, sender="SAFE", target="PENSTOCK") as peer:
        peer.send("A", "98=0|108=30|141=Y")
        assert peer.is_closed()


def test_quickfix_reaches_a_counterparty_through_both_ends(gate: Gate) -> None:
    (near,) = pick_ports(1)
    changes = {
        "127.0.0.1:9801": f"127.0.0.1:{near}",
        "connect = fix.venue.example:9879": f"connect = localhost:{gate.port}",
        "checkHost = fix.venue.example": "checkHost = localhost",
    }
    before = len(gate.desk.received("safe"))
    began = time.monotonic()
    with (
        stunnel(gate.folder, "venues.conf", **changes),
        FixPeer(
            gate.folder / "peer",
            near,
            sender="SAFE",
            target="PENSTOCK",
            settings={"ResetOnLogon": "Y"},
        ) as peer,
    ):
        peer.await_logon()
        peer.send("D", order("T2"))
        eventually(lambda: len(gate.desk.received("safe")) > before, "the order is recorded")
    assert time.monotonic() - began < 60
