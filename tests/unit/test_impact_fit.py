"""The impact model learns from own parents, forgets, has a band, and goes on where it stood."""

from itertools import count
from math import sqrt
from random import Random
from typing import Any

import msgspec
import pytest

from schemas.messages.core import Cause, OrderStatus, StrategyKind
from schemas.messages.netting import ParentClosed
from schemas.messages.plans import ImpactFitted
from schemas.messages.strategy import ParentRecalibrated
from services.cli.impact import as_json
from services.planner.fitting import Fitter, fit_log
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import MemoryLog
from streams.core.envelope import outside_envelope
from streams.core.topics import AGGREGATIONS_EVENTS, FILLS_EVENTS, STRATEGIES_EVENTS
from streams.models.impact import ALMGREN_2005, PowerImpact, timing_risk
from streams.models.impact_fit import (
    HALF_LIFE,
    PRIOR_ERRORS,
    Fit,
    Observation,
    expected,
    fit_of,
    told,
)
from tests.support.parents import epoch_opened, filled, parent_opened
from tests.support.policies import evaluated

TRUTH = PowerImpact(gamma=0.6, eta=0.25, beta=0.6)


def observation(random: Random, truth: PowerImpact = TRUTH, noise: float = 1.0) -> Observation:
    sigma, size = random.uniform(50, 200), random.uniform(0.005, 0.2)
    rate, days = random.uniform(0.02, 0.4), random.uniform(0.01, 0.3)
    cost = truth.permanent(sigma, size, 150.0) / 2 + truth.temporary(sigma, rate)
    cost += noise * random.gauss(0, timing_risk(sigma, days))
    return Observation(cost, sigma, size, rate, days, 150.0)


def test_before_the_first_parent_the_prior_is_believed_with_its_errors() -> None:
    fit = Fit()
    assert fit.model == ALMGREN_2005
    gamma, covariance, eta = fit.covariance
    assert (sqrt(gamma), sqrt(eta)) == pytest.approx(PRIOR_ERRORS)
    assert (covariance, fit.root, fit.ratio, fit.residual) == (0.0, 1.0, 0.0, 0.0)


@pytest.mark.parametrize("seed", range(5))
def test_parents_move_the_coefficients_to_what_they_show(seed: int) -> None:
    random, fit = Random(seed), Fit(half_life=100_000)
    for _ in range(20_000):
        fit = fit.update(observation(random))
    gamma, _, eta = fit.covariance
    assert fit.model.gamma == pytest.approx(TRUTH.gamma, abs=4 * sqrt(gamma))
    assert fit.model.eta == pytest.approx(TRUTH.eta, abs=4 * sqrt(eta))
    assert sqrt(eta) < PRIOR_ERRORS[1] / 5
    assert fit.model.eta > 0.2


def test_a_few_noisy_parents_leave_the_prior_nearly_where_it_was() -> None:
    random, fit = Random(3), Fit()
    for _ in range(5):
        fit = fit.update(observation(random))
    assert fit.model.eta == pytest.approx(ALMGREN_2005.eta, abs=PRIOR_ERRORS[1])


def test_what_was_long_ago_is_forgotten() -> None:
    random, fit = Random(4), Fit(half_life=20)
    for _ in range(300):
        fit = fit.update(observation(random, TRUTH, noise=0.0))
    dear = fit.model.eta
    for _ in range(300):
        fit = fit.update(observation(random, PowerImpact(0.3, 0.08, 0.6), noise=0.0))
    assert dear > 0.2
    assert fit.model.eta < 0.12
    assert fit.parents == 600
    assert fit.effective == pytest.approx(1 / (1 - 0.5 ** (1 / 20)), rel=1e-3)


def test_no_luck_makes_impact_vanish() -> None:
    fit = Fit()
    for _ in range(500):
        fit = fit.update(Observation(-500.0, 100.0, 0.1, 0.3, 0.001, 150.0))
    assert fit.model.eta == pytest.approx(0.1 * ALMGREN_2005.eta)
    assert fit.model.gamma == pytest.approx(0.1 * ALMGREN_2005.gamma)


def test_a_forecast_has_a_band_and_a_second_opinion() -> None:
    asked = Observation(0.0, 157.0, 0.1, 0.2, 0.5, 263.374)
    found = expected(Fit(), asked)
    assert found.risk == pytest.approx(157.0 * sqrt(0.5 / 3))
    assert found.band > found.risk > 0
    assert found.model_error > 0
    assert found.root == pytest.approx(2 / 3 * 157.0 * sqrt(0.1))
    assert not found.is_flagged
    small = expected(Fit(), asked._replace(size=1e-5, rate=0.4))
    assert small.is_flagged


def test_the_table_of_2005_is_met_before_any_parent() -> None:
    """IBM, a tenth of a day's volume in half a day: rate X / (V T) = 0.2."""
    found = expected(Fit(), Observation(0.0, 157.0, 0.1, 0.2, 0.5, 1728 / 6.561))
    assert found.cost == pytest.approx(18.4179, abs=1e-3)


def test_the_two_laws_are_compared_over_the_parents() -> None:
    random, fit = Random(6), Fit()
    for _ in range(100):
        fit = fit.update(observation(random))
    assert 0.3 < fit.ratio < 3
    assert told(fit, 1, ()).is_flagged is not (0.5 <= fit.ratio <= 2)


def test_a_message_carries_the_fit_on() -> None:
    random, fit = Random(7), Fit()
    for _ in range(50):
        fit = fit.update(observation(random))
    again = fit_of(told(fit, 3, ()))
    more = observation(random)
    assert told(again.update(more), 4, ()).eta_e9 == pytest.approx(
        told(fit.update(more), 4, ()).eta_e9, abs=10
    )
    assert (again.parents, again.half_life) == (50, HALF_LIFE)
    assert fit_of(None) == Fit()


CODEC = AvroCodec()


class World:
    """A log of parents that open, fill and close."""

    def __init__(self) -> None:
        topics = (AGGREGATIONS_EVENTS, STRATEGIES_EVENTS, FILLS_EVENTS)
        self.log = MemoryLog(dict.fromkeys(topics, 2))
        self._ids = count(1)

    def say(self, topic: str, message: Any, at_ns: int, partition: int = 0) -> None:
        envelope = outside_envelope(bytes(16), at_ns, "engine")
        self.log.append(topic, partition, b"", CODEC.encode(envelope, message))

    def close(self, partition: int = 0, **changes: Any) -> None:
        """Let one parent live; its fill stands behind its end, as another topic's may."""
        name = f"P{next(self._ids)}"
        opened = parent_opened(
            StrategyKind.IMPLEMENTATION_SHORTFALL,
            **{"parent_id": name, "arrival_price_e9": 100_000, **changes},
        )
        self.say(AGGREGATIONS_EVENTS, opened, 1, partition)
        self.say(AGGREGATIONS_EVENTS, epoch_opened(parent_id=name), 1, partition)
        self.say(STRATEGIES_EVENTS, _of(evaluated(), name), 1, partition)
        self.say(STRATEGIES_EVENTS, _recalibrated(name), 2, partition)
        closed = ParentClosed(
            parent_id=name, status=OrderStatus.FILLED, quantity=1_000, filled_quantity=1_000
        )
        self.say(AGGREGATIONS_EVENTS, closed, 3, partition)
        self.say(FILLS_EVENTS, _fill(name), 4, partition)


def _of(message: Any, parent_id: str) -> Any:
    return msgspec.structs.replace(message, parent_id=parent_id)


def _recalibrated(parent_id: str) -> Any:
    return ParentRecalibrated(
        parent_id=parent_id,
        cause=Cause.BIN,
        filled_quantity=0,
        open_quantity=0,
        target_quantity=0,
        market_quantity=8_000,
        cap_quantity=0,
        next_due_ns=0,
        not_before_ns=0,
        bin=0,
    )


def _fill(parent_id: str) -> Any:
    return _of(filled(1_000, price_e9=100_200), parent_id)


def fits(world: World, newest: ImpactFitted | None = None, every: int = 2) -> list[ImpactFitted]:
    """Return what a fitter says until it has read all."""
    fitter, found = Fitter(world.log, CODEC, newest, every=every), []
    for _ in range(20):
        message = fitter.turn()
        if message is not None:
            found.append(message)
    assert fitter.is_read()
    fitter.close()
    return found


def test_parents_are_used_when_all_of_them_is_read() -> None:
    world = World()
    for partition in (0, 1):
        world.close(partition)
        world.close(partition)
    (found,) = fits(world)
    assert found.parents == 4
    # 20 basis points less half the spread of 3 are more than the prior expects.
    assert found.eta_e9 > 142_000_000
    assert {(each.topic, each.partition) for each in found.positions} == {
        (AGGREGATIONS_EVENTS, 0),
        (AGGREGATIONS_EVENTS, 1),
    }


def test_a_fitter_that_comes_back_uses_no_parent_twice_and_forgets_none() -> None:
    world = World()
    for _ in range(3):
        world.close()
    (first,) = fits(world, every=3)
    assert fits(world, first, every=1) == []
    world.close(1)
    (second,) = fits(world, first, every=1)
    assert (second.ordinal, second.parents) == (2, 4)
    whole = World()
    for _ in range(3):
        whole.close()
    whole.close(1)
    (at_once,) = fits(whole, every=4)
    assert at_once.eta_e9 == pytest.approx(second.eta_e9, abs=2)


def test_a_parent_that_says_nothing_is_passed_over() -> None:
    world = World()
    world.close(arrival_price_e9=None)
    world.say(
        AGGREGATIONS_EVENTS,
        ParentClosed(
            parent_id="stranger", status=OrderStatus.FILLED, quantity=1, filled_quantity=1
        ),
        3,
    )
    assert fits(world, every=1) == []


def test_a_whole_log_can_be_fitted_without_a_planner() -> None:
    world = World()
    for _ in range(3):
        world.close()
    (by_planner,) = fits(world, every=3)
    found = fit_log(world.log, CODEC, HALF_LIFE)
    assert (found.parents, found.eta_e9) == (3, by_planner.eta_e9)
    told_as = as_json(found)
    assert told_as["eta"] > told_as["eta_prior"] == 0.142
    assert [row["size"] for row in told_as["expected"]] == [0.001, 0.01, 0.05, 0.1]
    assert all(row["band"] > row["model_error"] > 0 for row in told_as["expected"])
    assert as_json(None)["version"] == "almgren-2005"
