"""A gateway as a process: `python -m tests.support.fix_gateway_process BOOTSTRAP FILE`."""

import logging
import sys
from pathlib import Path

from infra.topics import read_log_id
from services.ending import Stop, run_to_end
from services.fix.gateway.host import gateway_host, gateway_settings
from services.fix.kinds import make_gateway
from services.fix.settings import read_gateway
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.topics import ORDERS_COMMANDS

TRANSACTION_TIMEOUT_MS = 2_000


def main(bootstrap: str, path: str) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    file = read_gateway(Path(path))
    kafka = KafkaSettings(bootstrap=bootstrap, transaction_timeout_ms=TRANSACTION_TIMEOUT_MS)
    log = KafkaLog(kafka)
    settings = gateway_settings(
        make_gateway(file),
        name=file.name,
        log_id=read_log_id(bootstrap),
        partitions=log.partitions(ORDERS_COMMANDS),
        config_version="test",
        snapshot_batches=20,
    )
    host = gateway_host(log, AvroCodec(), settings, lambda: make_gateway(file))
    stop = Stop()
    return run_to_end(lambda: host.run(lambda: stop.is_asked), logging.getLogger("gateway"))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
