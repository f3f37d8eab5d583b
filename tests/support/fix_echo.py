"""The smallest gateway: answers each order with one report, and counts them."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from infra.topics import read_log_id
from schemas.messages.core import RejectReason
from schemas.messages.fix import FixReceived, FixSending, FixSent, FixSessionChanged
from services.ending import Stop, run_to_end
from services.fix.fields import Fields
from services.fix.gateway.application import Gateway, GatewayState, Heard, Outgoing, Refusal
from services.fix.gateway.host import gateway_host, gateway_settings
from services.fix.settings import read_gateway
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings

TRANSACTION_TIMEOUT_MS = 2_000


class EchoState(GatewayState):
    """What was heard and told, by kinds that fold apart."""

    heard: dict[str, int] = msgspec.field(default_factory=dict)  # ClOrdID to times
    told: int = 0
    sent: int = 0
    changes: int = 0


class EchoGateway(Gateway):
    """8 for each D; 35=B is refused."""

    State = EchoState

    def on_heard(self, heard: Heard) -> Iterator[Any]:
        message, number = heard.message, heard.fields.get(11, "none")
        if message.message_type == "B":
            text = "this gateway reads no news"
            yield Refusal(heard, "j", RejectReason.UNEXPECTED_MESSAGE, "35", "B", "D", text)
            return
        fields = Fields([(37, f"O{number}"), (17, f"E{self.state.told + 1}"), (150, "0")])
        fields.add(39, "0").add(11, number).add(55, "ACME").add(54, "1")
        fields.add(151, "100").add(14, "0").add(6, "0")
        yield Outgoing(message.session_id, "8", fields, number)

    def on_changed(self, changed: FixSessionChanged) -> Iterator[Any]:
        """Nothing follows: a report for each order is all."""
        yield from ()

    def fold_heard(self, message: FixReceived, fields: Fields) -> None:
        number = fields.get(11, "none")
        self.state.heard[number] = self.state.heard.get(number, 0) + 1

    def fold_sent(self, sent: FixSent) -> None:
        self.state.sent += 1

    def fold_changed(self, changed: FixSessionChanged) -> None:
        self.state.changes += 1

    def fold_output(self, message: Any) -> None:
        if isinstance(message, FixSending) and message.message_type == "8":
            self.state.told += 1


def main(bootstrap: str, path: str) -> int:
    """Run it over a gateway's file as a process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    file = read_gateway(Path(path))
    kafka = KafkaSettings(bootstrap=bootstrap, transaction_timeout_ms=TRANSACTION_TIMEOUT_MS)
    settings = gateway_settings(
        EchoGateway(file.number),
        name=file.name,
        log_id=read_log_id(bootstrap),
        partitions=1,
        config_version="test",
        snapshot_batches=50,
    )
    host = gateway_host(KafkaLog(kafka), AvroCodec(), settings, lambda: EchoGateway(file.number))
    stop = Stop()
    return run_to_end(lambda: host.run(lambda: stop.is_asked), logging.getLogger("echo"))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
