"""A gateway's file must make sense before anything is sent."""

from typing import Any

import pytest

from services.fix.kinds import make_gateway
from services.fix.settings import GatewayFile
from services.fix.venues.application import VenuesGateway
from services.fix.venues.make import TermsError
from services.fix.venues.terms import PROFILES, read_terms


def session(name: str, begin: str = "FIX.4.4", **changes: Any) -> dict[str, Any]:
    quickfix = {"BeginString": begin, "SenderCompID": "PENSTOCK", "TargetCompID": name}
    own = {"session_id": name, "quickfix": quickfix, "terms": {"profile": "OST"}}
    return {**own, **changes}


def gateway_file(*sessions: dict[str, Any]) -> GatewayFile:
    given = {"name": "out", "number": 1, "kind": "venues", "session": list(sessions)}
    return GatewayFile.model_validate(given)


def test_a_file_with_every_profile_makes_a_gateway() -> None:
    sessions = []
    for path in sorted(PROFILES.glob("*.toml")):
        begin = read_terms({"profile": path.stem}).version.begin_string
        sessions.append(session(path.stem, begin, terms={"profile": path.stem}))
    copy = session("OST-COPY", terms={"profile": "OST", "role": "drop-copy"})
    assert isinstance(make_gateway(gateway_file(*sessions, copy)), VenuesGateway)


@pytest.mark.parametrize(
    ("sessions", "words"),
    [
        ([session("OST", "FIX.4.2")], "session OST speaks FIX42, terms FIX44"),
        ([session("OST"), session("B")], "OST takes orders by OST: no second session"),
        ([session("OST", messages_per_s=5)], "session OST: messages of a venue have no bound"),
    ],
)
def test_sessions_that_do_not_fit_are_refused(sessions: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(TermsError, match=words):
        make_gateway(gateway_file(*sessions))
