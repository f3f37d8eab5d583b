"""The planner as a process on a real broker: killed at any moment, each request has one answer."""

import subprocess
import sys
import time

import pytest

from infra.topics import create_topics
from schemas.messages.plans import PlanPublished
from services.cli.log import read_to_end
from services.demo.publish import publish
from services.ending import STOPPED
from streams.core.topics import PLANS_EVENTS, STRATEGIES_EVENTS
from tests.support.broker import own_broker  # noqa: F401  # fixture
from tests.support.counted_run import ROOT, eventually
from tests.support.own_broker import OwnBroker
from tests.support.policies import request

pytestmark = [pytest.mark.broker, pytest.mark.slow]
PARENTS = 40
KILLS = 3


def planner(bootstrap: str, *options: str) -> subprocess.Popen[bytes]:
    command = ["services.cli.main", "planner", f"--bootstrap={bootstrap}", "--placements-every=0"]
    return subprocess.Popen([sys.executable, "-m", *command, *options], cwd=ROOT)


def answers(bootstrap: str) -> list[PlanPublished]:
    entries = read_to_end(bootstrap, [PLANS_EVENTS])
    return [each.message for each in entries if isinstance(each.message, PlanPublished)]


def await_more(bootstrap: str, known: int) -> None:
    eventually(lambda: len(answers(bootstrap)) > known, "no plan was published", 120.0)


def test_a_killed_planner_answers_every_request_once(
    own_broker: OwnBroker,  # noqa: F811  # the fixture
) -> None:
    bootstrap = own_broker.bootstrap
    log_id = create_topics(bootstrap, partitions=2)
    asked = []
    for number in range(KILLS):
        names = [f"P{number}.{n}" for n in range(PARENTS)]
        requests = [request(1, name, bins=78) for name in names]
        asked += [each.request_id for each in requests]
        publish(
            bootstrap,
            STRATEGIES_EVENTS,
            [("k", n % 2, each) for n, each in enumerate(requests)],
            at_ns=time.time_ns(),
            actor="test",
            log_id=log_id,
        )
        known = len(answers(bootstrap))
        process = planner(bootstrap)
        try:
            await_more(bootstrap, known)
        finally:
            process.kill()
            process.wait()
    assert planner(bootstrap, "--once").wait(timeout=120) == STOPPED
    found = answers(bootstrap)
    assert sorted(each.plan.request_id for each in found) == sorted(asked)
    assert all(each.plan.targets[-1] == 10_000 for each in found)
