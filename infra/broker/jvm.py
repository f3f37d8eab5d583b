"""Flags of the broker's JVM, all measured: infra/README.md."""

from infra.broker.settings import BrokerSettings

__all__ = ["jvm_flags"]

LOGGER = "-Dorg.slf4j.simpleLogger"


def jvm_flags(settings: BrokerSettings) -> tuple[str, ...]:
    """Return what every broker process is started with."""
    return (
        f"-Xms{settings.heap_mb // 2}m",
        f"-Xmx{settings.heap_mb}m",
        f"-XX:+Use{settings.collector}GC",
        # The fast compiler alone: the optimising one burns a core for the first half minute, which
        # is most of a test's or a demo's life. A benchmark is better off with both.
        *(() if settings.is_optimizing else ("-XX:TieredStopAtLevel=1",)),
        # Without these two, full collections while classes load and while code is compiled.
        "-XX:MetaspaceSize=96m",
        "-XX:ReservedCodeCacheSize=192m",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",  # a file of counters in /tmp, written at each collection
        "-Djava.awt.headless=true",
        f"{LOGGER}.showDateTime=true",
        f"{LOGGER}.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        f"{LOGGER}.defaultLogLevel=info",
        f"{LOGGER}.log.org.apache.kafka.common.config=warn",  # all settings, at every start
    )
