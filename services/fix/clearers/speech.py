"""Which message tells a report to a session, with the ids by which that session knows it."""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.messages.clearing import AllocationReported, TradeCaptured
from schemas.messages.core import ClearingTransaction
from services.fix.clearers.allocations import Names, allocation_report, instruction
from services.fix.clearers.captures import capture_report
from services.fix.clearers.confirmations import confirmation
from services.fix.clearers.instructions.book import OrderBook
from services.fix.clearers.shares import Share, whole_share
from services.fix.clearers.state import ClearersState
from services.fix.clearers.terms import Allocations, ClearerSession
from services.fix.fields import Fields
from services.fix.gateway.application import Outgoing
from services.fix.values import printable

__all__ = ["CONFIRMS", "Speech", "report_of_name", "sendable"]

CONFIRMS = "/C"  # ends the id of a confirmation of what was accepted


class Speech(NamedTuple):
    """What is said depends on this and on nothing else."""

    state: ClearersState
    at_ns: int

    def capture(self, session: ClearerSession, report: TradeCaptured) -> Outgoing:
        """Return AE."""
        fields = capture_report(
            session.version,
            report,
            symbol=self.symbol(report.instrument_id),
            at_ns=self.at_ns,
            error_account=session.terms.error_account,
        )
        return Outgoing(session.session_id, "AE", sendable(fields), report.report_id)

    def allocation(
        self, session: ClearerSession, report: AllocationReported, names: Names | None = None
    ) -> Outgoing:
        """Return J, AS or AK. `names`: when it is told again, under another id."""
        kind = session.terms.allocations
        known = self.state.ours.instructions.names
        if names is None:
            previous = known.get(report.previous_id, report.previous_id)
            names = Names(report.report_id, previous, report.transaction)
        if kind is Allocations.CONFIRMATION:
            fields = confirmation(
                session.version,
                report,
                whole_share(report)[0],
                confirm_id=names.own,
                previous_id=names.previous,
                transaction=names.transaction,
                symbol=self.symbol(report.instrument_id),
                at_ns=self.at_ns,
            )
            return Outgoing(session.session_id, kind, sendable(fields), names.own)
        write = instruction if kind is Allocations.INSTRUCTION else allocation_report
        fields = write(
            session.version,
            report,
            names=names,
            symbol=self.symbol(report.instrument_id),
            at_ns=self.at_ns,
            shares=self._book().shares(report),
        )
        return Outgoing(session.session_id, kind, sendable(fields), names.own)

    def told_again(self, session: ClearerSession, report: AllocationReported) -> Outgoing:
        """Return a report that stands as one that replaces it: its accounts have changed."""
        instructions = self.state.ours.instructions
        count = instructions.told.get(report.report_id, 0) + 1
        names = Names(
            own=f"{report.report_id}/{count}",
            previous=instructions.names.get(report.report_id, report.report_id),
            transaction=ClearingTransaction.REPLACE,
        )
        return self.allocation(session, report, names)

    def confirmations(
        self, session: ClearerSession, report: AllocationReported
    ) -> Iterator[Outgoing]:
        """Yield AK for each account of an accepted report; what was confirmed goes first."""
        known = self.state.ours.confirmed.get(f"{session.session_id}/{report.record_id}", {})
        is_gone = report.transaction is ClearingTransaction.CANCEL
        shares = () if is_gone else self._book().shares(report)
        left = [account for account in known if all(s.account_id != account for s in shares)]
        for share in (*(Share(account, 0, 0, 0, 0) for account in left), *shares):
            previous = known.get(share.account_id, "")
            change = ClearingTransaction.REPLACE if previous else ClearingTransaction.NEW
            confirm_id = f"{report.report_id}{CONFIRMS}/{share.account_id}"
            fields = confirmation(
                session.version,
                report,
                share,
                confirm_id=confirm_id,
                previous_id=previous,
                transaction=change if share.quantity else ClearingTransaction.CANCEL,
                symbol=self.symbol(report.instrument_id),
                at_ns=self.at_ns,
            )
            yield Outgoing(session.session_id, "AK", sendable(fields), confirm_id)

    def symbol(self, instrument_id: str) -> str:
        return self.state.read.symbols.get(instrument_id) or instrument_id

    def _book(self) -> OrderBook:
        return OrderBook(self.state.read.orders, self.state.ours.instructions)


def sendable(fields: Fields) -> Fields:
    """Return what FIX can carry: names of the log may have any character, or be empty."""
    return Fields(
        (tag, text if text.isascii() and text.isprintable() else printable(text))
        for tag, text in fields.pairs
        if text
    )


def report_of_name(name: str) -> tuple[str, bool, bool]:
    """Return the report that an id of ours names; whether it was told again; whether it confirms.

    `record:version`, `record:version/2`, `record:version/C/account`.
    """
    record_id, colon, rest = name.rpartition(":")
    if not colon:
        return name, False, False  # a stranger's
    if "/" not in rest and CONFIRMS + "/" in record_id:  # an account may have a colon
        at = name.rindex(CONFIRMS + "/")
        return name[:at], False, True
    version, slash, suffix = rest.partition("/")
    report_id = f"{record_id}:{version}"
    return report_id, bool(slash) and suffix.isdecimal(), f"/{suffix}".startswith(CONFIRMS + "/")
