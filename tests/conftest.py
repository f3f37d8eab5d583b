"""Fixtures for every suite, and what the header says of the broker."""

import pytest

from tests.support.broker_source import choose

# By name: pytest rewrites the asserts of a plugin only if it is the first to import it.
pytest_plugins = ("tests.support.broker",)


def pytest_configure() -> None:
    try:
        choose()
    except RuntimeError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_report_header() -> str:
    return f"broker: {choose().text}"
