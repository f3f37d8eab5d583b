"""A gateway to venues from its file."""

from schemas.messages.core import RejectReason
from services.fix.settings import GatewayFile
from services.fix.venues.application import VenuesGateway
from services.fix.venues.terms import VenueTerms, read_terms
from streams.core.errors import Error

__all__ = ["TermsError", "make_gateway"]


class TermsError(Error):
    """Sessions of a gateway whose terms do not fit each other."""

    reason = RejectReason.VALUE_OUT_OF_RANGE


def make_gateway(file: GatewayFile) -> VenuesGateway:
    """Return the gateway. Raises: TermsError; pydantic.ValidationError, OSError for a profile."""
    sessions: dict[str, VenueTerms] = {}
    venues: dict[str, str] = {}
    for each in file.session:
        terms = read_terms(each.terms)
        spoken = each.version
        if each.messages_per_s:
            # What is beyond a bound is not worked: an execution must always be.
            raise TermsError(f"session {each.session_id}: messages of a venue have no bound")
        if terms.version is not spoken:
            raise TermsError(f"session {each.session_id} speaks {spoken}, terms {terms.version}")
        if terms.role == "orders":
            other = venues.setdefault(terms.venue_id, each.session_id)
            if other != each.session_id:
                raise TermsError(f"{terms.venue_id} takes orders by {other}: no second session")
        sessions[each.session_id] = terms
    return VenuesGateway(file.number, sessions)
