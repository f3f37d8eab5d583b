"""The gateway of FIX in compose: clients come by TLS, and their orders reach the engine."""

import os
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from infra.topics import create_topics
from services.demo.publish import publish
from services.fix.fields import Fields
from streams.core import topics
from tests.support.builders import (
    ACME,
    account_defined,
    book_updated,
    instrument_defined,
    venue_defined,
)
from tests.support.compose import Compose, composed
from tests.support.counted_run import eventually
from tests.support.fix_peer import RawPeer

pytestmark = [pytest.mark.docker, pytest.mark.timeout(400)]
CERTIFICATES = Path(__file__).parents[2] / "infra" / "fix" / "stunnel" / "certificates.sh"
PASSWORD = "of alpha"
ORDER = "1=A1|21=1|38=100|40=2|44=99.5|54=1|55=ACME|59=0|60="
HOUR_NS = 3_600 * 1_000_000_000
SERVICES = ("engine", "fix", "fix-tls", "prometheus")


@dataclass(frozen=True, slots=True)
class Edge:
    """The running project and what a client holds of it."""

    compose: Compose
    certificates: Path
    log_id: bytes

    def client(self, certificate: str = "client.pem") -> RawPeer:
        """Return a connection to the door."""
        tls = ssl.create_default_context(cafile=self.certificates / "authority.pem")
        if certificate:
            tls.load_cert_chain(self.certificates / certificate)
        return RawPeer(self.port, sender="ALPHA", target="PENSTOCK", begin="FIX.4.2", tls=tls)

    @property
    def port(self) -> int:
        return int(self.compose.environment["PENSTOCK_FIX_TLS_PORT"])


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Engine, gateway and stunnel up, on the wall's clock, with one instrument defined."""
    folder = tmp_path_factory.mktemp("edge")
    subprocess.run([CERTIFICATES, folder / "tls"], check=True)
    given = {"PENSTOCK_TLS": str(folder / "tls"), "PENSTOCK_TLS_USER": str(os.getuid())}
    given |= {"PENSTOCK_FIX_ALPHA": PASSWORD, "PENSTOCK_MODE": "LIVE", "PENSTOCK_PARTITIONS": "1"}
    with composed("docker-compose.yml", "penstock-test-fix", **given) as project:
        profiles = ("--profile", "fix", "--profile", "obs")
        project.run(*profiles, "up", "-d", "--no-build", *SERVICES)
        log_id = create_topics(bootstrap_of(project), partitions=1)
        opened = Edge(project, folder / "tls", log_id)
        define(opened)
        yield opened


def bootstrap_of(project: Compose) -> str:
    return f"127.0.0.1:{project.environment['KAFKA_PORT']}"


def say(edge: Edge, topic: str, *messages: Any) -> None:
    """Write to the one partition of a topic."""
    bootstrap, at_ns = bootstrap_of(edge.compose), time.time_ns()
    placed = [(ACME, 0, message) for message in messages]
    publish(bootstrap, topic, placed, at_ns=at_ns, actor="test", log_id=edge.log_id)


def define(edge: Edge) -> None:
    """Say what ALPHA may trade, in a session from an hour ago to in an hour."""
    at_ns = time.time_ns()
    session = {"session_open_ns": at_ns - HOUR_NS, "session_close_ns": at_ns + HOUR_NS}
    instrument = instrument_defined(trade_date=20_261_121, **session)
    account, venue = account_defined("A1", tenant="HOUSE"), venue_defined("V1")
    say(edge, topics.CONTROL_COMMANDS, instrument, account, venue)


def logged_on(edge: Edge, more: str = "141=Y|", next_number: int = 1) -> tuple[RawPeer, Fields]:
    """Return a client and the answer to its Logon, as soon as the door opens."""
    opened: list[tuple[RawPeer, Fields]] = []

    def is_let_in() -> bool:
        with ExitStack() as failing:
            try:
                client = failing.enter_context(edge.client())
                client.next_number = next_number
                opened.append((client, client.logon(f"554={PASSWORD}|{more}")))
            except (OSError, EOFError):  # not there yet: refused, or hung up in the handshake
                return False
            failing.pop_all()
        return True

    eventually(is_let_in, "the gateway is not reached", 90)
    return opened[0]


def ordered(edge: Edge, client: RawPeer, name: str) -> Fields:
    """Return the answer to an order, sent anew until the engine has read definitions and book."""
    answers: list[Fields] = []

    def is_known() -> bool:
        say(edge, topics.MARKET_DATA, book_updated("V1"))
        now = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
        client.send("D", f"11={name}.{len(answers)}|{ORDER}{now}")
        answers.append(client.read_until("8"))
        return answers[-1].get(150) == "0"

    eventually(is_known, "no order is taken", 60)
    assert answers[-1].get(11) == f"{name}.{len(answers) - 1}"
    return answers[-1]


def test_an_order_by_tls_is_taken_by_the_engine(edge: Edge) -> None:
    client, answer = logged_on(edge)
    with client:
        assert answer.get(35) == "A"
        report = ordered(edge, client, "c1")
    assert (report.get(150), report.get(151)) == ("0", "100"), report


def test_a_client_without_our_certificate_is_not_heard(edge: Edge) -> None:
    with logged_on(edge)[0]:
        pass  # the door is open
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)), edge.client("") as client:
        client.logon(f"554={PASSWORD}|141=Y|")


def test_a_wrong_password_is_refused(edge: Edge) -> None:
    with logged_on(edge)[0]:
        pass  # the door is open
    with edge.client() as client, pytest.raises(EOFError):
        while client.logon("554=guessed|141=Y|").get(35) != "A":
            pass


def test_prometheus_scrapes_wire_and_gateway(edge: Edge) -> None:
    with logged_on(edge)[0]:
        eventually(partial(is_seen, edge), "Prometheus does not see who is logged on", 30)
    counted = 'sum by (kind) (penstock_gateway_messages_total{job="fix"})'
    eventually(lambda: bool(edge.compose.ask(counted)), "no message was counted", 30)


def is_seen(edge: Edge) -> bool:
    up = edge.compose.ask('up{job="fix"} == 1')
    on = edge.compose.ask('penstock_fix_logged_on{session="alpha-42"} == 1')
    return (len(up), len(on)) == (2, 1)


def test_the_gateway_runs_as_nobody_special(edge: Edge) -> None:
    assert edge.compose.run("exec", "-T", "fix", "id", "-u").strip() == "10001"


def test_a_session_goes_on_when_the_container_started_anew(edge: Edge) -> None:
    client, _ = logged_on(edge)
    with client:
        number = int(ordered(edge, client, "c2").get(34) or 0)
    edge.compose.run("restart", "-t", "20", "fix")
    client, answer = logged_on(edge, "", client.next_number)
    with client:
        assert answer.get(35) == "A"
        assert int(answer.get(34) or 0) > number
        assert ordered(edge, client, "c3").get(150) == "0"
