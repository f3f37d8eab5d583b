"""The wire process of one gateway: settings, the start, the loop, the end."""

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import quickfix
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from infra.topics import read_log_id
from schemas.messages.fix import FixSending
from services.ending import CORRUPT, FAILED, Stop
from services.fix.acts import ACT
from services.fix.fields import Fields, framed
from services.fix.settings import GatewayFile, Kind, SessionSettings, read_gateway
from services.fix.watched import Turns, WatchedSettings
from services.fix.wire.acts import perform
from services.fix.wire.application import Logs, WireApplication
from services.fix.wire.configuration import HOST_KEY, configuration, dictionaries, is_acceptor
from services.fix.wire.epochs import Epochs
from services.fix.wire.intents import Intents
from services.fix.wire.line import Line
from services.fix.wire.listening import bound_listener, open_descriptors, replace_listener
from services.fix.wire.metrics import show_wire
from services.fix.wire.recorder import Recorder
from services.fix.wire.sending import SendingReader, reread
from services.fix.wire.store import hold_store, store_numbers
from services.fix.wire.tail import Known, read_mark, read_tail, write_mark
from services.garbage import spare_collections
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.errors import CorruptHistoryError

__all__ = ["Wire", "WireSettings", "run_wire"]

MARK_EVERY_S: Final = 1.0
POLL_S: Final = 0.05
LOGOUT_S: Final = 5.0
SWITCH_S: Final = 0.001  # how long one session's thread keeps the interpreter from another's
log = logging.getLogger("penstock.fix.wire")


class WireSettings(WatchedSettings):
    """From the command line or the environment (PENSTOCK_WIRE_...)."""

    model_config = SettingsConfigDict(
        env_prefix="PENSTOCK_WIRE_", cli_kebab_case=True, cli_prog_name="penstock-wire"
    )

    bootstrap: str = Field(description="HOST:PORT of the Kafka cluster")
    file: Path = Field(description="The gateway's TOML file")
    store: Path = Field(
        default=Path(".penstock/fix"), description="Folder of the FIX stores; one below it each"
    )
    logout_text: str = Field("the gateway stops", description="Text of our Logout (FIX 58)")


class Wire:
    """All sessions of a gateway. Constructed, it holds the store and knows where it stands."""

    def __init__(self, settings: WireSettings, file: GatewayFile) -> None:
        self._settings = settings
        self._file = file
        self._folder = (settings.store / file.name).resolve()
        self._lock = hold_store(self._folder)
        self._log = KafkaLog(KafkaSettings(bootstrap=settings.bootstrap))
        self._codec = AvroCodec()
        self._mark = read_mark(self._folder, read_log_id(settings.bootstrap).hex())
        read_tail(self._log, self._codec, file.number, self._mark)
        self._epochs = Epochs(self._folder)
        self.recorder = Recorder(settings.bootstrap, file.number, self._mark)
        self.lines = {each.session_id: self.make_line(each) for each in file.session}
        self._by_quickfix = {key_of(each): self.lines[each.session_id] for each in file.session}
        self._dictionaries: dict[str, tuple[Any, ...]] = {}
        self._parts: list[Any] = []  # of QuickFIX, which does not hold them
        self._marked_s = 0.0

    def make_line(self, session: SessionSettings) -> Line:
        """Return a session's line over its intents on the disk."""
        return Line(
            session,
            Intents(self._folder / f"{session.session_id}.intents"),
            self.recorder,
            carry=self.carry,
            reread=self._reread,
            # A venue that has an order twice may fill it twice.
            asked_for=frozenset("D") if self._file.kind is Kind.VENUES else frozenset(),
        )

    def run(self, stop: Stop) -> None:
        """Carry until stopped, log out, and leave nothing unwritten."""
        is_clean = self._mark.is_clean
        self._mark.is_clean = False
        write_mark(self._folder, self._mark)
        reader = SendingReader(self._log, self._codec, self._file.number, self.lines)
        for line in self.lines.values():
            self._resolve(line, reader.start)
        self._start_quickfix()
        for line in self.lines.values():
            self._reconcile(line, is_clean=is_clean)
        for line in self.lines.values():
            line.start(reader.start)
        reading = threading.Thread(
            target=reader.run, args=(lambda: stop.is_asked,), name="fix.sending", daemon=True
        )
        reading.start()
        self._open()
        turns = Turns(self._settings, stop)
        show_wire(self._settings, self._file.name, turns.health, self.lines)
        while not turns.should_stop():
            self.recorder.poll(POLL_S)
            self._note()
        self._end()

    def carry(self, line: Line, message: FixSending) -> bool:
        """Give a message to QuickFIX; whether it has persisted it. Called by the line's thread."""
        if message.message_type == ACT:
            if self._file.is_simulator:
                session = quickfix.Session.lookupSession(self._session_id(line))
                perform(line, session, message.body)
            return True
        settings = line.settings.quickfix
        header = Fields([(35, message.message_type)])
        if line.is_in_doubt or message.is_possible_resend:
            header.add(97, True)
        text = text_of(framed(settings["BeginString"], header, message.body))
        try:
            parsed = quickfix.Message(text, *self._dictionaries[line.name], False)
            return bool(quickfix.Session.sendToTarget(parsed, self._session_id(line)))
        except quickfix.FIXException as error:
            # A hole in a gateway: to pass over it would lose a message, to end would hold up the
            # other sessions. So this session is sent nothing more until a person has looked.
            log.error("%s: ordinal %d cannot be sent: %s", line.name, message.ordinal, error)
            line.give_up()
            return False

    def settle(self, line: Line, is_reset: bool) -> None:
        """Begin a new epoch when the numbers of a session began again."""
        created = store_numbers(self._folder, line.settings).created
        if is_reset or created != line.epoch.created:
            known = self._known(line.name).epoch
            line.epoch = self._epochs.begin(line.name, created, at_least=known + 1)
            log.info("%s: numbers begin again: epoch %d", line.name, line.epoch.number)

    def _known(self, session_id: str) -> Known:
        return self._mark.sessions.setdefault(session_id, Known())

    def _session_id(self, line: Line) -> Any:
        names = line.settings.quickfix
        return quickfix.SessionID(
            names["BeginString"],
            names["SenderCompID"],
            names["TargetCompID"],
            names.get("SessionQualifier", ""),
        )

    def _reread(self, session_id: str, offset: int) -> Iterator[tuple[FixSending | None, int, int]]:
        return reread(self._log, self._codec, self._file.number, session_id, offset)

    def _resolve(self, line: Line, end: int) -> None:
        """Find out whether the message that was under way at the end was persisted.

        It was when the store's next number is beyond its own, or when the numbers began again
        since: that is done only with nothing under way. Then say of all that went out what nobody
        heard of. `end`: of fix.sending.
        """
        known, numbers = self._known(line.name), store_numbers(self._folder, line.settings)
        line.epoch = self._epochs.of(line.name)
        newest = line.done
        if not newest.is_done:
            is_persisted = (
                numbers.created != line.epoch.created or numbers.next_sender > newest.sequence
            )
            log.info(
                "%s: ordinal %d as number %d was %s",
                line.name,
                newest.ordinal,
                newest.sequence,
                "sent" if is_persisted else "not sent: it is sent now",
            )
            line.resolve(is_persisted=is_persisted)
        if known.sent_ordinal > line.done.ordinal or (line.is_new and known.day):
            log.warning("%s: intents are lost: what follows may come twice (97=Y)", line.name)
            line.doubt(known.sent_ordinal, end)
        for intent in line.unmarked(known.sent_ordinal):
            line.mark_sent(intent)
        if known.is_logged_on:
            line.changed(is_logged_on=False, text="the wire ended without a Logout")

    def _start_quickfix(self) -> None:
        shared_port = self._file.quickfix.get("SocketConnectPort", "0")
        application = WireApplication(self._by_quickfix, self.settle, shared_port)
        logs = Logs(self._by_quickfix)
        self._parts += [application, logs]
        self._engines: list[Any] = []
        self._listener_host = {**self._file.quickfix}.get(HOST_KEY, "127.0.0.1")
        for kind, is_ours in (("acceptor", True), ("initiator", False)):
            sessions = [s for s in self._file.session if is_acceptor(self._file, s) is is_ours]
            if not sessions:
                continue
            port = 0 if is_ours else None
            path = self._folder / f"{kind}.cfg"
            path.write_text(configuration(self._file, sessions, self._folder, port))
            settings = quickfix.SessionSettings(str(path))
            stores = quickfix.FileStoreFactory(settings)
            make = quickfix.ThreadedSocketAcceptor if is_ours else quickfix.ThreadedSocketInitiator
            engine = make(application, stores, settings, logs)
            self._parts += [settings, stores]
            self._engines.append((is_ours, engine))
        for line in self.lines.values():
            merged = {**self._file.quickfix, **line.settings.quickfix}
            chosen = {**dictionaries(merged), **merged}
            names = ("TransportDataDictionary", "AppDataDictionary", "DataDictionary")
            paths = tuple(chosen[each] for each in names if each in chosen)
            self._dictionaries[line.name] = tuple(_dictionary(each) for each in paths)

    def _reconcile(self, line: Line, *, is_clean: bool) -> None:
        """Set which number a session expects next: after the newest that was recorded.

        QuickFIX counts a message when it has given it to us, which may be before it stood at the
        log. What the counterparty is asked for again in vain it fills with a SequenceReset.
        """
        session = quickfix.Session.lookupSession(self._session_id(line))
        known, numbers = self._known(line.name), store_numbers(self._folder, line.settings)
        is_same = bool(line.epoch.created) and numbers.created == line.epoch.created
        if not line.epoch.created and self._is_running(line, known.day):
            # The files are lost, the session is not: go on where the log says.
            self._epochs.settle(line.name, known.epoch, numbers.created)
            line.epoch, is_same = self._epochs.of(line.name), True
            session.setNextSenderMsgSeqNum(max(numbers.next_sender, known.sent_sequence + 1))
            log.warning("%s: the store is lost: going on from the log", line.name)
        if is_same and known.epoch == line.epoch.number and not is_clean:
            session.setNextTargetMsgSeqNum(known.sequence + 1)
            log.info("%s: expects number %d", line.name, known.sequence + 1)

    def _is_running(self, line: Line, day: int) -> bool:
        """Return whether a session that began on `day` may still be going on."""
        if not day:
            return False
        settings = {**self._file.quickfix, **line.settings.quickfix}
        is_long = "StartDay" in settings or settings.get("NonStopSession") == "Y"
        began = datetime.strptime(f"{day}+0000", "%Y%m%d%z")
        age = datetime.now(UTC) - began
        return age < timedelta(days=7 if is_long else 1)

    def _open(self) -> None:
        for is_ours, engine in self._engines:
            if not is_ours:
                engine.start()
                continue
            ports = {
                {**self._file.quickfix, **each.quickfix}["SocketAcceptPort"]
                for each in self._file.session
                if is_acceptor(self._file, each)
            }
            (port,) = ports
            listener = bound_listener(self._listener_host, int(port))
            before = open_descriptors()
            engine.start()
            replace_listener(listener, before)
            log.info("listening on %s:%s", self._listener_host, port)

    def _note(self) -> None:
        """Write the mark, once a second, when all that it says stands at the log."""
        now_s = time.monotonic()
        if now_s - self._marked_s < MARK_EVERY_S:
            return
        self._marked_s = now_s
        mark = self.recorder.note()
        if mark is not None:
            write_mark(self._folder, mark)

    def _end(self) -> None:
        for line in self.lines.values():
            line.stop()
        for line in self.lines.values():
            session = quickfix.Session.lookupSession(self._session_id(line))
            session.logout(self._settings.logout_text)
        deadline_s = time.monotonic() + LOGOUT_S
        while (
            any(each.is_logged_on for each in self.lines.values()) and time.monotonic() < deadline_s
        ):
            self.recorder.poll(0.05)
        mark = self.recorder.flush()
        if mark is not None:
            write_mark(self._folder, mark)
        log.info("stopped")


def key_of(session: SessionSettings) -> str:
    """Return QuickFIX's text of a session's identity."""
    names = session.quickfix
    qualifier = names.get("SessionQualifier", "")
    text = f"{names['BeginString']}:{names['SenderCompID']}->{names['TargetCompID']}"
    return f"{text}:{qualifier}" if qualifier else text


def text_of(message: bytes) -> str:
    """Return what the binding turns into these bytes again; other bytes than UTF-8's into UTF-8."""
    try:
        return message.decode()
    except UnicodeDecodeError:
        return message.decode("latin-1")


def run_wire(settings: WireSettings, stop: Stop) -> None:
    """Carry one gateway's sessions until stopped."""
    threading.excepthook = lambda failure: _end_at_once(failure.exc_value)
    # The binding shows what QuickFIX's own threads raise to this one, and would then end with 1.
    sys.excepthook = lambda _kind, error, _trace: _end_at_once(error)
    sys.setswitchinterval(SWITCH_S)
    spare_collections()
    Wire(settings, read_gateway(settings.file)).run(stop)


_KNOWN_DICTIONARIES: dict[str, Any] = {}


def _dictionary(path: str) -> Any:
    if path not in _KNOWN_DICTIONARIES:
        _KNOWN_DICTIONARIES[path] = quickfix.DataDictionary(path)
    return _KNOWN_DICTIONARIES[path]


def _end_at_once(error: BaseException | None) -> None:
    log.error("failed: %s: %s", type(error).__name__, error, exc_info=error)
    os._exit(CORRUPT if isinstance(error, CorruptHistoryError) else FAILED)
