"""One shard under every message it can read, wild or honest, with what must hold after each."""

from typing import Any, Final

from schemas.messages import intake
from schemas.messages.routing import ChildPlaced
from schemas.messages.runtime import DeadLetter
from streams.adapters.codec import AvroCodec
from streams.core import topics
from tests.support.builders import (
    MINUTE,
    SECOND,
    book_updated,
)
from tests.support.hostile import effects_of
from tests.support.kills import flag
from tests.support.wild_makers import MAKERS, World
from tests.support.wild_values import LONGS, wild

__all__ = ["WildShard"]

CODEC: Final = AvroCodec()
HOUR: Final = 60 * MINUTE
LONG_PAUSES: Final = (SECOND, 10 * SECOND, 5 * MINUTE, 20 * MINUTE, HOUR, 24 * HOUR)
PAUSES: Final = (*(SECOND,) * 12, 0, 1, SECOND // 1000, 10 * SECOND, MINUTE)
TOPICS: Final = (
    *(topics.ORDERS_COMMANDS, topics.MARKET_DATA, topics.VENUES_REPORTS),
    *(topics.CONTROL_COMMANDS, topics.KILL_COMMANDS),
)
# The last one of each is what says no, or that it was said before; then nothing else may happen.
PENDING: Final = (intake.OrderPendingCancel, intake.OrderPendingReplace)
ANSWERS: Final[dict[type[Any], tuple[type[Any], ...]]] = {
    intake.NewOrder: (intake.OrderAccepted, intake.OrderRejected),
    intake.CancelOrder: (
        intake.OrderCanceled,
        intake.OrderPendingCancel,
        intake.OrderCancelRejected,
    ),
    intake.ReplaceOrder: (
        intake.OrderReplaced,
        intake.OrderPendingReplace,
        intake.OrderCancelRejected,
    ),
    intake.MassCancelOrder: (intake.MassCancelAnswered,),
    intake.NewBasket: (intake.BasketAnswered,),
}


class WildShard(World):
    """`pick` decides all: what comes, how wild it is, how much time passes."""

    def act(self) -> None:
        """Let time pass, then let one thing happen, and look at what it led to."""
        pick, host = self.pick, self.host
        if pick((True,) * 7 + (False,)):
            host.put(topics.MARKET_DATA, *[book_updated(f"V{n}") for n in range(1, 4)])
        is_long = pick((False,) * 20 + (True,))
        self._step(host.now_ns + pick(LONG_PAUSES if is_long else PAUSES))
        topic, message = pick(MAKERS)(self)
        is_stray = pick((False,) * 30 + (True,))
        message = wild(message, pick)
        actor = pick(("ann", "bob", "", "OMS"))
        source_ns = pick((host.now_ns, host.now_ns, host.now_ns - SECOND, *LONGS[:8]))
        self._send(pick(TOPICS) if is_stray else topic, message, actor, source_ns)
        if pick((False,) * 40 + (True,)):
            host.flags = pick(([], [flag()], [flag("two", scope="VENUE:V1")], ["{"]))
            self._step(host.now_ns)
        if pick((False,) * 8 + (True,)):
            host.recover()

    def finish(self) -> None:
        """Let all timers fall due; build the state again from the record and from a snapshot."""
        self._step(self.host.now_ns + 48 * HOUR)
        self.host.recover()
        app = self.host.app
        data = app.snapshot()
        app.load(data)
        assert app.snapshot() == data, "a snapshot builds another state"

    def _send(self, topic: str, message: Any, actor: str, source_ns: int) -> None:
        # What the wire can carry, and as it carries it.
        host = self.host
        host.put(topic, message, actor=actor, source_ns=source_ns)
        envelope = host._waiting[-1].envelope
        assert envelope is not None
        assert CODEC.decode(CODEC.encode(envelope, message)) == (envelope, message)
        before = self._effects()
        written = self._step(host.now_ns)
        self.inputs += 1
        if topic != topics.ORDERS_COMMANDS:
            return
        letters = [each for each in written if isinstance(each, DeadLetter)]
        kinds = ANSWERS.get(type(message))
        if kinds is None:
            assert len(letters) == 1, f"{message} is kept nowhere"
            assert self._effects() == before, "what is no command has an effect"
            return
        answers = [each for each in written if _is_answer(each, message, kinds)]
        is_at_once = len(answers) == 2 and isinstance(answers[0], PENDING)
        assert len(answers) == 1 or is_at_once, f"{message} has the answers {answers}"
        if _is_no(answers[0]):
            assert self._effects() == before, f"{message} was refused and has an effect"
            assert len(letters) == (type(answers[0]) is not intake.CommandRepeated)

    def _step(self, now_ns: int) -> list[Any]:
        host = self.host
        written = host.step(now_ns)
        for event in host.batches[-1].outputs:
            CODEC.encode(event.envelope, event.message)  # a number too large stops a shard
            if isinstance(event.message, ChildPlaced):
                self.children.append(event.message)
            elif isinstance(event.message, intake.OrderAccepted | intake.OrderReplaced):
                self.names.append(event.message.client_order_id)
        return written

    def _effects(self) -> bytes:
        """Return all that an order can change but what it was answered and how many came."""
        return effects_of(self.host.app.state)


def _is_answer(event: Any, message: Any, kinds: tuple[type[Any], ...]) -> bool:
    if isinstance(event, intake.CommandRepeated):
        return True
    name = message.basket_id if isinstance(message, intake.NewBasket) else message.client_order_id
    own = getattr(event, "basket_id" if type(message) is intake.NewBasket else "client_order_id", 0)
    return isinstance(event, kinds) and own == name


def _is_no(answer: Any) -> bool:
    match answer:
        case intake.OrderRejected() | intake.OrderCancelRejected() | intake.CommandRepeated():
            return True
        case intake.MassCancelAnswered() | intake.BasketAnswered():
            return not answer.is_accepted
        case _:
            return False
