"""`python -m services.clearing.clearer_process`: the clearer of tests and the demo on Kafka."""

import logging
import sys
import time

from confluent_kafka import KafkaException
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.messages.clearing import ClearingAnswered
from services.clearing.clearer import Clearer, Rule
from services.clearing.outside import read_entries, say
from services.clearing.settings import CLEARER_ID
from services.ending import Stop, run_to_end
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.errors import DecodeError, LogError
from streams.core.topics import CLEARING_REPORTS, CLEARING_STATUSES
from streams.runtime.ports import TopicPartition

__all__ = ["ClearerSettings", "run_clearer"]

POLL_MS = 200
POLL_RECORDS = 5_000
log = logging.getLogger("penstock.clearer")


class ClearerSettings(BaseSettings):
    """From the command line or the environment (PENSTOCK_CLEARER_...). Chances are of a million."""

    model_config = SettingsConfigDict(
        env_prefix="PENSTOCK_CLEARER_", cli_kebab_case=True, cli_prog_name="penstock-clearer"
    )

    bootstrap: str = Field(description="HOST:PORT of the Kafka cluster")
    clearer_id: str = Field(CLEARER_ID, description="Its name in answers")
    seed: int = Field(1, description="The answers follow from it")
    rejected_ppm: int = Field(0, ge=0, le=1_000_000)
    received_ppm: int = Field(300_000, ge=0, le=1_000_000)
    late_ppm: int = Field(50_000, ge=0, le=1_000_000)
    twice_ppm: int = Field(50_000, ge=0, le=1_000_000)
    idle_s: int = Field(0, ge=0, description="Stop after so many seconds without a report; 0 never")

    def rule(self) -> Rule:
        return Rule(
            seed=self.seed,
            rejected_ppm=self.rejected_ppm,
            received_ppm=self.received_ppm,
            late_ppm=self.late_ppm,
            twice_ppm=self.twice_ppm,
        )


def run_clearer(settings: ClearerSettings, stop: Stop) -> None:
    """Answer what is reported until stopped. A restart answers what has no answer yet."""
    clearer = Clearer(settings.clearer_id, settings.rule())
    for entry in read_entries(settings.bootstrap, [CLEARING_STATUSES]):
        clearer.known(entry.message)
    log.info("%d reports were answered before", len(clearer.answered))
    store, codec = KafkaLog(KafkaSettings(bootstrap=settings.bootstrap)), AvroCodec()
    shards = [
        TopicPartition(CLEARING_REPORTS, each) for each in range(store.partitions(CLEARING_REPORTS))
    ]
    reader = store.reader()
    reader.assign({each: store.start_offset(each) for each in shards})
    heard = time.monotonic()
    try:
        while not stop.is_asked:
            answers: list[ClearingAnswered] = []
            records = reader.poll(POLL_RECORDS, POLL_MS)
            now_ns = time.time_ns()
            for record in records:
                try:
                    answers += clearer.feed(codec.decode(record.value)[1], now_ns)
                except DecodeError as error:
                    log.error("%s@%d: %s", record.topic, record.offset, error)
            if not records:
                answers += clearer.flush(now_ns)
            if answers:
                say(settings.bootstrap, answers, actor=settings.clearer_id)
            if records or answers:
                heard = time.monotonic()
            elif settings.idle_s and time.monotonic() - heard > settings.idle_s:
                return
    finally:
        reader.close()


def main() -> int:
    """Exit: 0 stopped, 70 failed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    settings = ClearerSettings(_cli_parse_args=True)  # type: ignore[call-arg]  # from the command line
    stop = Stop()
    return run_to_end(lambda: run_to_error(settings, stop), log)


def run_to_error(settings: ClearerSettings, stop: Stop) -> None:
    """Run it. Raises: LogError where the client's own error came through."""
    try:
        run_clearer(settings, stop)
    except KafkaException as error:
        raise LogError(f"clearer: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
