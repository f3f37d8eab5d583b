"""A gateway under fuzz: what it is told by chance, and what holds whatever that was."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, ClassVar

from schemas.messages.fix import FixReceived, FixRefused, FixSending
from services.fix.fields import SOH, Fields
from services.fix.settings import GatewayFile, Kind
from streams.core.topics import FIX_DECISIONS, FIX_SENDING
from tests.support.fix_messages import Maker, spoiled
from tests.support.fuzzed_gateway import FuzzedGateway, body_errors

__all__ = ["VERSIONS", "FuzzWorld", "gateway_file"]

VERSIONS = {"S42": "FIX.4.2", "S44": "FIX.4.4", "S50": "FIXT.1.1"}
SPOILED = 0.4  # of the messages
NUMBER = 5


def gateway_file(kind: Kind, terms: dict[str, dict[str, Any]]) -> GatewayFile:
    """Return a gateway with one session of each version; `terms` by session."""
    sessions = [
        {
            "session_id": name,
            "quickfix": {"BeginString": begin, "SenderCompID": "WE", "TargetCompID": name},
            "terms": terms[name],
        }
        for name, begin in VERSIONS.items()
        if name in terms
    ]
    return GatewayFile.model_validate(
        {"name": "fuzz", "number": NUMBER, "kind": kind, "session": sessions}
    )


class FuzzWorld(ABC):
    """One run. A world says what its counterparty may say, and what its gateway may do."""

    types: ClassVar[Sequence[str]]  # FIX 35 of a counterparty, the usual ones several times
    usual: ClassVar[Mapping[str, Sequence[int]]]  # tags that a type mostly has

    def __init__(self, chance: Random, gateway: FuzzedGateway) -> None:
        self.chance = chance
        self.gateway = gateway
        self.sendings: list[FixSending] = []
        self.refusals: list[FixRefused] = []
        self._said: set[bytes] = set()  # fields of counterparties, which answers may repeat
        self.makers = {
            session_id: Maker(gateway.version(session_id), chance, self.values(session_id))
            for session_id in gateway.sequences
        }

    @abstractmethod
    def values(self, session_id: str) -> dict[int, Callable[[], str]]:
        """Return what tags mean here, so that many messages are about something real."""

    @abstractmethod
    def judge(self) -> None:
        """Look at what the gateway published. Raises: AssertionError."""

    @abstractmethod
    def is_silent(self, message: FixReceived, fields: Fields) -> bool:
        """Return whether the gateway may take a message without a word."""

    @abstractmethod
    def stir(self) -> None:
        """Let the world around the gateway do something."""

    def act(self) -> None:
        """Do one thing and judge what follows."""
        luck = self.chance.random()
        if luck < 0.15:
            self.stir()
        elif luck < 0.17:
            session_id = self.chance.choice(tuple(self.gateway.sequences))
            self.gateway.logon(session_id, is_logged_on=False)
            self.gateway.turn()
            self.gateway.logon(session_id)
        elif luck < 0.18:
            self.settle()
            self.gateway.crash()
        else:
            self._say()
        self.gateway.clock.now += self.chance.choice((0, 1_000_000, 1_000_000_000))
        self.settle()

    def finish(self) -> None:
        """End the run: what it came to must come out of the log again."""
        self.settle()
        self.gateway.crash()

    def settle(self) -> None:
        """Let the gateway answer, and judge it."""
        self.gateway.turn()
        self._collect()
        self.judge()

    def _say(self) -> None:
        session_id = self.chance.choice(tuple(self.gateway.sequences))
        kind = self.chance.choice(self.types)
        body = self.makers[session_id].body(kind, self.usual.get(kind, ()))
        if body is None:
            return
        text = self.gateway.text(session_id, kind, body)
        is_spoiled = self.chance.random() < SPOILED
        if is_spoiled:
            text = spoiled(text, self.chance)
        self.gateway.turn()
        self._collect()
        self.judge()
        before = len(self.sendings), len(self.refusals), self.published()
        is_again = self.chance.random() < 0.03 and self.gateway.sequences[session_id] > 0
        is_resend = self.chance.random() < 0.05
        self._said |= {pair.encode("latin-1") for pair in text.decode("latin-1").split(SOH)}
        message = self.gateway.hear(session_id, kind, text, is_resend=is_resend, again=is_again)
        self.gateway.turn()
        self._collect(is_spoiled=is_spoiled)
        answers = self.sendings[before[0] :]
        if kind in ("j", "3"):
            assert all(each.message_type not in ("j", "3") for each in answers), "rejects for ever"
        if before == (len(self.sendings), len(self.refusals), self.published()):
            fields = _parsed(text)
            # A reject is never answered; that it came stands in the log.
            if not is_again and fields is not None and kind not in ("j", "3"):
                assert self.is_silent(message, fields), f"no word about {text!r}"

    @abstractmethod
    def published(self) -> int:
        """Return how much was published to the log's other topics so far."""

    def _collect(self, *, is_spoiled: bool = False) -> None:
        for sending in self.gateway.fresh(FIX_SENDING):
            self.sendings.append(sending)
            errors = body_errors(self.gateway, sending, self._said)
            # An answer may lack what a message lacked that QuickFIX would not have let in.
            errors = [each for each in errors if not (is_spoiled and "required" in each)]
            assert not errors, f"{sending.message_type} {Fields.parse(sending.body)!r}: {errors}"
        self.refusals += [
            each for each in self.gateway.fresh(FIX_DECISIONS) if isinstance(each, FixRefused)
        ]
        self.collect()

    @abstractmethod
    def collect(self) -> None:
        """Keep what was published to other topics."""


def _parsed(text: bytes) -> Fields | None:
    try:
        return Fields.parse(text)
    except ValueError:
        return None
