"""Definitions in force, as far as a law asks for them: told again from control.commands alone."""

import json
from typing import Any

from services.audit.definitions import Calendars, is_sound
from services.audit.records import Entry

__all__ = ["Reference"]

Message = dict[str, Any]
DATED = {
    "control.AccountDefined": "account_id",
    "control.ClientDefined": "client_id",
    "control.CrossingDeclared": "tenant",
    "control.VenueDefined": "venue_id",
}
# What the engine does while nobody has loaded settings: docs/architecture.md.
QUOTE_AGE_MAX_NS = 2_000_000_000
OWN_SPREAD_MAX_BPS = 100
OVERFILL_BPS = 0
BPS = 10_000


class Reference:
    """What holds at the instant of a batch; effective-dated definitions wait for theirs."""

    def __init__(self) -> None:
        self._in_force: dict[tuple[str, str], Message] = {}
        self._ranks: dict[tuple[str, str], tuple[int, bool]] = {}  # instant, whether stated
        self._waiting: list[tuple[int, int, tuple[str, str], Message]] = []
        self._read = 0
        self.restrictions: dict[str, set[tuple[str, str, str]]] = {}  # level and two names, sorted
        self.settings: Message = {}
        self.routing: Message = {}
        self.calendars = Calendars()
        self.units: dict[str, tuple[str, int]] = {}  # currency and scale by instrument, for ever

    def advance(self, now_ns: int) -> None:
        """Let what is due come into force."""
        self.calendars.advance(now_ns)
        while self._waiting and self._waiting[0][0] <= now_ns:
            effective_ns, _, subject, m = self._waiting.pop(0)
            self._in_force[subject] = m
            self._ranks[subject] = (effective_ns, True)

    def read(self, entry: Entry, now_ns: int) -> None:
        """Take a definition; another that holds since a later instant makes it void."""
        m, name = entry.message, entry.name
        if name == "control.SettingsLoaded" and m["context"] == "engine":
            self.settings = _content(m["content"], self.settings)
        elif name == "control.SettingsLoaded" and m["context"] == "routing":
            self.routing = _content(m["content"], self.routing)
        elif name == "control.PairRestricted":
            self._restrict(m)
        elif name == "control.CalendarDefined":
            self.calendars.read(m, entry.envelope["at_ns"], now_ns)
        elif name == "control.InstrumentDefined":
            if is_sound(m, self.units, self.calendars):
                subject = (name, m["instrument_id"])
                self._take(subject, m, entry.envelope["at_ns"], now_ns)
                self.units[m["instrument_id"]] = (m["currency"], m["quantity_scale"])
        elif name in DATED:
            self._take((name, m[DATED[name]]), m, entry.envelope["at_ns"], now_ns)

    def _take(self, subject: tuple[str, str], m: Message, sent_ns: int, now_ns: int) -> None:
        effective_ns = m.get("effective_ns", 0)
        self._read += 1
        if effective_ns > now_ns:
            self._waiting.append((effective_ns, self._read, subject, m))
            self._waiting.sort(key=lambda each: each[:2])
            return
        known_ns, is_known_stated = self._ranks.get(subject, (0, True))
        rank_ns = effective_ns or min(sent_ns, now_ns)
        if not effective_ns and not is_known_stated:
            rank_ns = max(rank_ns, known_ns)
        if rank_ns >= known_ns:
            self._in_force[subject] = m
            self._ranks[subject] = (rank_ns, bool(effective_ns))

    def _restrict(self, m: Message) -> None:
        if m["level"] == "UNKNOWN" or not (m["tenant"] and m["one"] and m["other"]):
            return
        one, other = sorted((m["one"], m["other"]))
        known = self.restrictions.setdefault(m["tenant"], set())
        if m["is_restricted"]:
            known.add((m["level"], one, other))
        else:
            known.discard((m["level"], one, other))

    def crossing(self, tenant: str) -> Message | None:
        """Return the declaration in force; None when there is none or it was withdrawn."""
        found = self._in_force.get(("control.CrossingDeclared", tenant))
        return found if found is not None and found["is_allowed"] else None

    def is_median_wanted(self) -> bool:
        """Whether any tenant's declaration compares spreads with their median."""
        return any(
            m["is_allowed"] and m.get("spread_median_bps", 0)
            for (kind, _), m in self._in_force.items()
            if kind == "control.CrossingDeclared"
        )

    def instrument(self, instrument_id: str) -> Message | None:
        """Return the terms in force; None while there are none."""
        return self._in_force.get(("control.InstrumentDefined", instrument_id))

    def venue(self, venue_id: str) -> Message | None:
        return self._in_force.get(("control.VenueDefined", venue_id))

    def is_consenting(self, account_id: str, tenant: str) -> bool:
        """Whether account and client agree to crosses; nobody is asked who is not defined."""
        account = self._in_force.get(("control.AccountDefined", account_id))
        if account is None or account["tenant"] != tenant:
            return True
        client = self._in_force.get(("control.ClientDefined", account["client_id"]))
        is_asked = client is not None and client["tenant"] == tenant
        agrees = client is None or not is_asked or client.get("is_cross_allowed", True)
        return bool(account.get("is_cross_allowed", True) and agrees)

    def quote_age_max_ns(self) -> int:
        return int(self.settings.get("quote_age_max_ns", QUOTE_AGE_MAX_NS))

    def overfill_quantity(self, quantity: int) -> int:
        """Return by how much a slice may be over-filled; nothing where no account would bear it."""
        if not self.routing.get("error_account_id"):
            return 0
        share_bps = int(self.routing.get("overfill_bps", OVERFILL_BPS))
        return quantity * share_bps // BPS

    def own_netting(self) -> Message:
        """Return the guards of own netting where nothing is declared."""
        return {
            "declaration_id": "",
            "quote_age_max_ns": self.quote_age_max_ns(),
            "spread_max_bps": self.settings.get("own_spread_max_bps", OWN_SPREAD_MAX_BPS),
        }


def _content(content: str, before: Message) -> Message:
    try:
        settings = json.loads(content)
    except ValueError:
        return before
    return settings if isinstance(settings, dict) else before
