"""The FIX gateways of `penstock demo --fix`: files, processes, logons, the quiet at the end."""

import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from infra.broker.ports import pick_ports
from schemas.messages.fix import FixSessionChanged
from services.demo.day import DayError, Processes
from services.fix.settings import GatewayFile, read_gateway
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.topics import FIX_DECISIONS, FIX_RECEIVED, FIX_SENDING
from streams.runtime.history import decode_own, read_to_end
from streams.runtime.ports import TopicPartition

__all__ = ["GatewayFleet", "missing_parts"]

TEMPLATES: Final = Path(__file__).parents[2] / "infra" / "fix" / "demo"
NAMES: Final = ("clients", "market", "oms", "venues")  # acceptors before those who call them
LOGON_S, QUIET_S, QUIET_S_MAX = 60.0, 3.0, 60.0
LOOK_S: Final = 0.5
MISSING: Final = (
    "QuickFIX is missing: pip install -e '.[fix]' builds it from source, with a C++ compiler in "
    "about five minutes; without it everything but FIX works"
)


def missing_parts() -> str:
    """Return what lacks for FIX, as a sentence; empty when nothing does."""
    return "" if find_spec("quickfix") is not None else MISSING


class GatewayFleet:
    """Gateways with their wires, from the templates of infra/fix/demo on free loopback ports."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self._bootstrap = bootstrap
        self._folder = folder
        self._log = KafkaLog(KafkaSettings(bootstrap=bootstrap))
        self._codec = AvroCodec()
        clients_port, market_port = pick_ports(2)
        ports = {"@CLIENTS_PORT@": str(clients_port), "@MARKET_PORT@": str(market_port)}
        self._paths = [self._write(name, ports) for name in NAMES]
        self.files: list[GatewayFile] = [read_gateway(path) for path in self._paths]

    def start(self, processes: Processes) -> None:
        """Start a wire and a gateway for each file."""
        for path, file in zip(self._paths, self.files, strict=True):
            where = (f"--bootstrap={self._bootstrap}", f"--file={path}")
            store = f"--store={self._folder / 'fix'}"
            processes.start(f"fix-{file.name}", ["services.fix.gateway", *where])
            processes.start(f"wire-{file.name}", ["services.fix.wire", *where, store])

    def await_logons(self, check: Callable[[], None]) -> None:
        """Return when every session is logged on. Raises: DayError after a minute."""
        deadline_s = time.monotonic() + LOGON_S
        while missing := self._logged_off():
            check()
            if time.monotonic() > deadline_s:
                raise DayError(f"not logged on after {LOGON_S:.0f} s: {', '.join(missing)}")
            time.sleep(LOOK_S)

    def await_quiet(self, check: Callable[[], None]) -> None:
        """Return when nothing has been said by FIX for a while: all that was to come has come.

        Raises: DayError when they go on for a minute.
        """
        topics = (FIX_RECEIVED, FIX_SENDING, FIX_DECISIONS)
        places = [TopicPartition(topic, file.number) for topic in topics for file in self.files]
        deadline_s, ends, moved_s = time.monotonic() + QUIET_S_MAX, [0], time.monotonic()
        while time.monotonic() - moved_s < QUIET_S:
            check()
            newest = [self._log.stable_offset(each) for each in places]
            if newest != ends:
                ends, moved_s = newest, time.monotonic()
            if time.monotonic() > deadline_s:
                raise DayError(f"FIX does not come to rest within {QUIET_S_MAX:.0f} s")
            time.sleep(LOOK_S)

    def resends(self) -> tuple[int, int]:
        """Return how many ResendRequests came, and how many messages were sent again for them.

        They are the sessions' own affair and on no topic: QuickFIX's words in the wires' logs.
        """
        words = "".join(
            (self._folder / f"wire-{file.name}.log").read_text(errors="replace")
            for file in self.files
        )
        return words.count("Received ResendRequest"), words.count("Resending Message")

    def _write(self, name: str, ports: dict[str, str]) -> Path:
        text = (TEMPLATES / f"{name}.toml").read_text()
        for placeholder, port in ports.items():
            text = text.replace(placeholder, port)
        path = self._folder / f"{name}.toml"
        path.write_text(text)
        return path

    def _logged_off(self) -> list[str]:
        found: list[str] = []
        for file in self.files:
            is_on = dict.fromkeys((each.session_id for each in file.session), False)
            for record in read_to_end(self._log, TopicPartition(FIX_RECEIVED, file.number), 0):
                message = decode_own(self._codec, record)[1]
                if isinstance(message, FixSessionChanged):
                    is_on[message.session_id] = message.is_logged_on
            found += [f"{file.name} {name}" for name, on in is_on.items() if not on]
        return found
