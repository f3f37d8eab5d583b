"""Play a scene: topics, definitions, the day, the proof; the result in one object."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.progress import Progress as Bars
from rich.table import Table

from infra.topics import create_topics
from schemas.messages.core import TcaLevel
from services.cli.tca import render
from services.demo.attached import attach
from services.demo.day import define, run_day
from services.demo.fix_proof import FixProof, prove_fix
from services.demo.gateways import GatewayFleet
from services.demo.progress import Progress
from services.demo.proof import Proof, prove
from services.venues.conditions import ORDINARY, Conditions
from services.venues.scenario import Day, Scenario, definitions, plan_day
from services.venues.settings import VenuesSettings
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.topics import CHILDREN_EVENTS, FILLS_EVENTS, ORDERS_COMMANDS, ORDERS_EVENTS

MINUTES_BY_SECONDS = 15
PLANNER_WAIT_MS = 5_000  # more than a plan takes on a machine that does all of this at once
CLOSING_S = 60  # of the call at the end of the demo's day
FIX_GRACE_S = 30  # the last answers take their time through four processes, by the wall
HALTS = 2  # one of the whole market, one at one venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the demo was asked to play."""

    seed: int
    minutes: int
    orders: int
    tape: Path | None
    speed: int  # 0: lockstep
    step_ms: int = 0  # 0: one second, or two where a day of seconds would not fit a minute
    is_attached: bool = False  # played by the engines and venues that run on the cluster
    is_fix: bool = False  # orders and reports go through FIX gateways

    def scenario(self) -> Scenario:
        return Scenario(
            seed=self.seed,
            minutes=self.minutes,
            orders=self.orders,
            tape=self.tape,
            step_ns=self.step_ms_used * 1_000_000,
            facts=self.facts,
            conditions=self.conditions,
        )

    @property
    def conditions(self) -> Conditions:
        """Return what the day has beside continuous trading: on a tape nothing is made up.

        Attached, what the venues are told to have.
        """
        if self.is_attached:
            return VenuesSettings(bootstrap="").conditions()  # type: ignore[call-arg]  # defaults
        if self.tape is not None:
            return ORDINARY
        return Conditions(
            closing_s=min(CLOSING_S, self.minutes * 60 // 10),
            halts=HALTS,
            grace_s=FIX_GRACE_S if self.is_fix else 0,
        )

    @property
    def facts(self) -> Path | None:
        """Return the measured volume curves; attached, those that the venues are told to use."""
        if self.is_attached:
            given = os.environ.get("PENSTOCK_VENUES_FACTS")
            return Path(given) if given else None
        return facts()

    @property
    def step_ms_used(self) -> int:
        """Market time between two watermarks: docs/adr/0009."""
        return self.step_ms or (1_000 if self.minutes <= MINUTES_BY_SECONDS else 2_000)


def facts() -> Path | None:
    """Return the file of measured volume curves where it stands beside the project."""
    found = Path(__file__).parents[3] / "shared" / "facts" / "us_equity_volume_curves.json"
    return found if found.exists() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A finished scene."""

    scene: Scene
    day: Day
    proof: Proof
    transactions: int
    elapsed_s: float
    fix: FixProof | None = None

    @property
    def example_order_id(self) -> str:
        return self.proof.example_order_id

    @property
    def failures(self) -> list[str]:
        """Everything that should not be, as sentences; empty is the promise kept."""
        summary = self.proof.summary
        found = [str(finding) for finding in self.proof.check.findings]
        found += [
            f"REPLAY shard {report.shard}: {report.difference}"
            for report in self.proof.replays
            if not report.is_equal
        ]
        if summary.unallocated_quantity:
            found.append(f"UNALLOCATED {summary.unallocated_quantity} of fills")
        if summary.overfilled_quantity:
            found.append(f"OVERFILLED {summary.overfilled_quantity}")
        if self.proof.cleared is not None:
            found += self.proof.cleared.breaks
        if self.fix is not None:
            found += self.fix.failures
        return found

    @property
    def is_proved(self) -> bool:
        return not self.failures

    def table(self, top: int) -> Table:
        return render(self.proof.rows, self.proof.instruments, top=top)

    def as_json(self) -> dict[str, Any]:
        """Return DESIGN section 8's object. Quantities: smallest units, all instruments."""
        summary, check, latency = self.proof.summary, self.proof.check, self.proof.latency
        cleared = self.proof.cleared
        totals = (
            "orders_accepted orders_rejected commands_repeated crosses crossed_quantity parents "
            "parents_filled children children_rejected fills filled_quantity allocated_quantity "
            "unallocated_quantity overfilled_quantity error_account_quantity late_fills busts "
            "corrections events"
        )
        return {
            "seed": self.scene.seed,
            "tape": self.day.title,
            "is_reproducible": not self.scene.speed,
            "minutes": self.scene.minutes,
            "step_ms": self.scene.step_ms_used,
            **{name: getattr(summary, name) for name in totals.split()},
            "transactions": self.transactions,
            "replay_equal": all(report.is_equal for report in self.proof.replays),
            "replayed_events": sum(report.events for report in self.proof.replays),
            "state_hash": "".join(report.state_hash[:16] for report in self.proof.replays),
            "invariants_failed": self.failures,
            "checked_records": check.records,
            "clearing": None if cleared is None else cleared.totals(),
            "fix": None if self.fix is None else self.fix.as_json(),
            "latency_ms": {"p50": latency.p50_ms, "p99": latency.p99_ms, "orders": latency.orders},
            "elapsed_s": round(self.elapsed_s, 1),
            "rejects": dict(summary.rejects_by_reason),
            "tca": [
                msgspec.to_builtins(row) for row in self.proof.rows if row.level is TcaLevel.PARENT
            ],
        }


def play(scene: Scene, bootstrap: str, partitions: int, *, log_folder: Path, bar: Bars) -> Played:
    """Run the scene on an empty cluster; attached, by the engines and venues that run there.

    Raises: DayError, TopicError, OSError for a bad tape.
    """
    started = time.monotonic()
    day = plan_day(scene.scenario())
    steps = bar.add_task("steps of market time", total=day.steps)
    orders = bar.add_task("order events", total=None)
    children = bar.add_task("child events", total=None)
    fills = bar.add_task("fill events", total=None)
    last = Progress()

    def show(progress: Progress) -> None:
        nonlocal last
        last = progress
        bar.update(steps, completed=progress.done_step)
        bar.update(orders, completed=progress.counts[ORDERS_EVENTS])
        bar.update(children, completed=progress.counts[CHILDREN_EVENTS])
        bar.update(fills, completed=progress.counts[FILLS_EVENTS])

    fleet = GatewayFleet(bootstrap, log_folder) if scene.is_fix else None
    if scene.is_attached:
        partitions = KafkaLog(KafkaSettings(bootstrap=bootstrap)).partitions(ORDERS_COMMANDS)
        seen_ms = _attach(scene, day, bootstrap, partitions, show)
    else:
        seen_ms = _run(scene, day, bootstrap, partitions, show, log_folder=log_folder, fleet=fleet)
    for task in (orders, children, fills):
        bar.update(task, total=bar.tasks[task].completed)
    proving = bar.add_task("replay and check", total=1)
    proof = prove(bootstrap, partitions, seen_ms, is_cleared=not scene.is_attached)
    fix = None if fleet is None else prove_fix(bootstrap, fleet.files, fleet.resends())
    bar.update(proving, completed=1)
    return Played(
        scene=scene,
        day=day,
        proof=proof,
        transactions=last.transactions,
        elapsed_s=time.monotonic() - started,
        fix=fix,
    )


Seen = dict[tuple[int, int], float]
Show = Callable[[Progress], None]


def _run(
    scene: Scene,
    day: Day,
    bootstrap: str,
    partitions: int,
    show: Show,
    *,
    log_folder: Path,
    fleet: GatewayFleet | None,
) -> Seen:
    """Make the topics and run the day by processes of our own."""
    log_id = create_topics(bootstrap, partitions=partitions)
    messages = definitions(scene.scenario(), day)
    define(bootstrap, messages, at_ns=day.terms.start_ns, log_id=log_id)
    return run_day(
        bootstrap,
        engine=engine_arguments(scene, bootstrap),
        planner=planner_arguments(bootstrap),
        simulator=simulator_arguments(scene, bootstrap),
        partitions=partitions,
        steps=day.steps,
        log_folder=log_folder,
        show=show,
        edges=fleet,
    ).seen_ms


def _attach(scene: Scene, day: Day, bootstrap: str, partitions: int, show: Show) -> Seen:
    """Let the processes that are there run the day."""
    return attach(
        bootstrap,
        definitions=definitions(scene.scenario(), day),
        config_version=simulator_settings(scene, bootstrap).config_version(),
        start_ns=day.terms.start_ns,
        partitions=partitions,
        steps=day.steps,
        show=show,
    )


def engine_arguments(scene: Scene, bootstrap: str) -> list[str]:
    """Return module and arguments of the engine's supervisor.

    With --speed too the engines follow the simulator's watermarks: it alone paces them by the wall.
    """
    return [
        "services.engine",
        f"--bootstrap={bootstrap}",
        f"--seed={scene.seed}",
        "--mode=TAPE",
        f"--planner-wait-ms={PLANNER_WAIT_MS}",
    ]


def planner_arguments(bootstrap: str) -> list[str]:
    """Return module and arguments of the planner.

    It answers requests and says nothing by itself: the instant of a fit is the wall clock's, and
    the day must be the same again.
    """
    silent = ("--fit-every=0", "--placements-every=0")
    return ["services.cli.main", "planner", f"--bootstrap={bootstrap}", *silent]


def simulator_settings(scene: Scene, bootstrap: str) -> VenuesSettings:
    """Return the settings that a simulator of this scene has."""
    return VenuesSettings(
        bootstrap=bootstrap,
        seed=scene.seed,
        minutes=scene.minutes,
        orders=scene.orders,
        step_ms=scene.step_ms_used,
        tape=scene.tape,
        facts=scene.facts,
        **asdict(scene.conditions),
    )


def simulator_arguments(scene: Scene, bootstrap: str) -> list[str]:
    """Return module and arguments of the simulator."""
    arguments = [
        "services.venues",
        f"--bootstrap={bootstrap}",
        f"--seed={scene.seed}",
        f"--minutes={scene.minutes}",
        f"--orders={scene.orders}",
        f"--step-ms={scene.step_ms_used}",
    ]
    if scene.tape is not None:
        arguments.append(f"--tape={scene.tape}")
    if scene.facts is not None:
        arguments.append(f"--facts={scene.facts}")
    conditions = asdict(scene.conditions).items()
    arguments += [
        f"--{name.replace('_', '-')}={each}" for name, each in conditions if each is not None
    ]
    if scene.speed:
        arguments.append(f"--speed={scene.speed}")
    if scene.is_fix:
        arguments.append("--is-fix=true")
    return arguments
