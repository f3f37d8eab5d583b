"""Fixtures for every suite, and what the header says of the broker."""

import os

from infra.broker.settings import KAFKA_VERSION

# By name: pytest rewrites the asserts of a plugin only if it is the first to import it.
pytest_plugins = ("tests.support.broker",)


def pytest_report_header() -> str:
    given = os.environ.get("PENSTOCK_BOOTSTRAP")
    return f"broker: {given or f'embedded Apache Kafka {KAFKA_VERSION}, started when needed'}"
