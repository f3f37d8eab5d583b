"""Without an engine these are skipped, loudly; REQUIRE_DOCKER=1 makes that an error."""

import os

import pytest

from tests.support.broker_source import REQUIRED, why_no_container


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if "tests/docker/" in item.path.as_posix()]
    if ours and (why_not := why_no_container()):
        if os.environ.get(REQUIRED) == "1":
            raise pytest.UsageError(f"DOCKER TESTS NOT RUN: {why_not}")
        mark = pytest.mark.skip(reason=f"DOCKER TESTS NOT RUN: {why_not}")
        for item in ours:
            item.add_marker(mark)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if why_not := why_no_container():
        words = f"DOCKER TESTS NOT RUN: {why_not} (infra/docker/ci.sh makes one)"
        terminalreporter.write_sep("!", words, red=True)
