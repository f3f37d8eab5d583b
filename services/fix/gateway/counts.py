"""What a gateway of FIX refused, and what its clients dispute: for people to look at."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter

from services.fix.gateway.application import Gateway
from streams.runtime.ports import Application

__all__ = ["GatewayCounts"]

SHOWN: Final = {
    "FixRefused": ("fix_refused", "Messages by FIX that were refused, with their code"),
    "FillDisputed": ("fix_disputed", "Executions that a client does not know (FIX 35=Q): look"),
}


class GatewayCounts:
    """Counters of one gateway, there from the start, so that the first of them is a rise.

    A batch that is decided again after a failed commit is counted again.
    """

    def __init__(self, registry: CollectorRegistry, number: int) -> None:
        self._shown = {
            kind: Counter(f"penstock_{name}", text, ("gateway",), registry=registry).labels(
                str(number)
            )
            for kind, (name, text) in SHOWN.items()
        }
        self._counted = dict.fromkeys(SHOWN, 0)
        self._whose: Application | None = None

    def __call__(self, application: Application, now_ns: int) -> None:
        """Add what was said since; a gateway that was rebuilt begins again from nothing."""
        if not isinstance(application, Gateway):
            return
        if application is not self._whose:
            self._whose, self._counted = application, dict.fromkeys(SHOWN, 0)
        for kind, shown in self._shown.items():
            said = application.said[kind]
            shown.inc(said - self._counted[kind])
            self._counted[kind] = said
