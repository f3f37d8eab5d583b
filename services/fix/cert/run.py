"""Play a script against a counterparty: step by step, what was expected and what was seen."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple, Self

from services.fix.cert.script import Expected, Script, Step
from services.fix.dictionary import dictionary_of
from services.fix.fields import SOH, Fields

__all__ = ["Line", "Outcome", "Result", "body_of", "faults", "play", "values_of"]

IDS: Final = 20  # {id1} to {id20}
SOON_S: Final = 600  # from {now} to {soon}
DEPTH_MAX: Final = 8  # values that name values
NOISE: Final = ("0", "1")  # seen all the time, told only where they are expected
SHOWN: Final = (11, 150, 39, 103, 102, 380, 373, 43, 58)


class Outcome(NamedTuple):
    """How a step ended."""

    word: str  # pass, fail, skipped
    is_bad: bool


class Result(NamedTuple):
    """One line of the report."""

    step: str
    outcome: Outcome
    expected: str
    seen: str


PASS, FAIL = Outcome("pass", False), Outcome("FAIL", True)
SKIPPED = Outcome("skipped", False)


class Line:
    """The child process that speaks, and what it heard."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.heard: list[Fields] = []
        self.words = dictionary_of(given["begin"])
        self.is_logged_on = False
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "services.fix.cert.peer", json.dumps(given)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.do("close")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def do(self, what: str, **more: object) -> None:
        """Tell the process to act; one that has ended is told nothing."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": what, **more}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return

    def wait_until(self, is_so: Any, timeout_s: float) -> bool:
        """Wait until `is_so()`; return whether it came to be."""
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while not is_so():
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return False
                self._changed.wait(min(left_s, 0.5))
        return True

    def _read(self) -> None:
        assert self._process.stdout is not None
        for row in self._process.stdout:
            event = json.loads(row)
            with self._changed:
                if event["event"] == "message":
                    self.heard.append(Fields.parse(event["text"].encode("latin-1", "replace")))
                elif event["event"] in ("logon", "logout"):
                    self.is_logged_on = event["event"] == "logon"
                self._changed.notify_all()


def play(
    script: Script, line: Line, *, run: str, own: Mapping[str, str], have: frozenset[str]
) -> Iterator[Result]:
    """Yield each step's result as it comes. `run`: begins every id; `have`: see Step.needs."""
    values = values_of(script, run, own)
    for step in script.step:
        expected = "; ".join(_words(each, values) for each in step.expect) or step.do
        if step.needs and step.needs not in have:
            yield Result(step.name, SKIPPED, expected, f"needs --with {step.needs}")
            continue
        if step.type and line.words.layout(step.type) is None:
            told = f"{line.words.version} has no message {step.type}"
            yield Result(step.name, SKIPPED, expected, told)
            continue
        yield _played(script, step, line, values, expected)


def faults(script: Script, own: Mapping[str, str], have: Collection[str]) -> str:
    """Return why a script cannot be played with these values and means; "" when it can."""
    needed = sorted({step.needs for step in script.step if step.needs})
    for given, known in ((own, script.values), (have, needed)):
        if unknown := sorted({*given} - {*known}):
            return f"{', '.join(unknown)}: one of {', '.join(known) or 'none'}"
    try:
        values = values_of(script, "", own)
    except (KeyError, ValueError):
        return "a script needs the value quantity, a whole number"
    for step in script.step:
        try:
            body_of(step, values)
            for each in (*step.expect, *step.refuse):
                _filled(each, values)
        except (KeyError, ValueError, IndexError, RecursionError) as error:
            return f"step {step.name}: {error}: one of {', '.join(values)}"
    return ""


def values_of(script: Script, run: str, own: Mapping[str, str]) -> dict[str, str]:
    """Return what bodies and expectations may name."""
    values = {**script.values, **own}
    values["larger"] = str(2 * int(values["quantity"]))
    return values | {f"id{number}": f"{run}-{number}" for number in range(1, IDS + 1)}


def _played(
    script: Script, step: Step, line: Line, values: Mapping[str, str], expected: str
) -> Result:
    start = len(line.heard)
    is_moved = _act(script, step, line, values)
    wanted = [_filled(each, values) for each in step.expect]

    def are_seen() -> bool:
        heard = line.heard[start:]
        return all(any(_fits(message, each) for message in heard) for each in wanted)

    is_good = is_moved and line.wait_until(are_seen, script.timeout_s)
    heard = line.heard[start:]
    refused = [m for m in heard for e in step.refuse if _fits(m, _filled(e, values))]
    told = [m for m in heard if m.get(35) not in NOISE or any(_fits(m, e) for e in wanted)]
    seen = "; ".join(_shown(each) for each in (refused or told)[-4:])
    state = "logged on" if line.is_logged_on else "not logged on"
    return Result(step.name, PASS if is_good and not refused else FAIL, expected, seen or state)


def _act(script: Script, step: Step, line: Line, values: Mapping[str, str]) -> bool:
    """Do the step; return whether the session came to the state that it asks for."""
    timeout_s = script.timeout_s
    match step.do:
        case "logon":
            line.do("logon")
            return line.wait_until(lambda: line.is_logged_on, timeout_s)
        case "disconnect":
            line.do("disconnect")
            return line.wait_until(lambda: not line.is_logged_on, timeout_s)
        case "logout":
            line.do("logout")
            return line.wait_until(lambda: not line.is_logged_on, timeout_s)
        case "forget" | "skip":
            line.do(step.do, count=step.count)
    if step.type:
        line.do("send", type=step.type, body=body_of(step, values))
    return True


def body_of(step: Step, values: Mapping[str, str]) -> str:
    """Return the fields that a step sends; those without a value are left out."""
    now_s = time.time()
    times = {"now": now_s, "soon": now_s + SOON_S}
    told = {k: time.strftime("%Y%m%d-%H:%M:%S", time.gmtime(v)) for k, v in times.items()}
    body = _fill(step.body, {**values, **told})
    return "".join(part + SOH for part in body.split("|") if part.partition("=")[2])


def _fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with the values that it names, and those that they name.

    Raises: KeyError, ValueError, IndexError for names that no script has; RecursionError for a
    value that names itself.
    """
    for _ in range(DEPTH_MAX):
        if "{" not in text:
            return text
        text = text.format_map(values)
    raise RecursionError(f"a value names itself in {text[:40]}")


def _filled(expected: Expected, values: Mapping[str, str]) -> Expected:
    fields = {tag: _fill(value, values) for tag, value in expected.fields.items()}
    return Expected(type=expected.type, fields=fields)


def _fits(message: Fields, expected: Expected) -> bool:
    if message.get(35) not in expected.type.split("|"):
        return False
    return all(
        bool(message.get(int(tag))) if value == "*" else message.get(int(tag)) in value.split("|")
        for tag, value in expected.fields.items()
    )


def _words(expected: Expected, values: Mapping[str, str]) -> str:
    fields = _filled(expected, values).fields
    return " ".join([expected.type, *(f"{tag}={value}" for tag, value in fields.items())])


def _shown(message: Fields) -> str:
    told = [f"{tag}={message.get(tag)}" for tag in SHOWN if tag in message]
    return " ".join([message.get(35), *told])
