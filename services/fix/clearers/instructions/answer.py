"""P: what a client is told of its instruction. Pure."""

from services.fix.clearers.instructions.check import Refused
from services.fix.codes import Version, is_known, text_of
from services.fix.fields import Fields
from services.fix.values import utc_text

__all__ = ["ACCEPTED", "RECEIVED", "acknowledgement", "refusal_text"]

ACCEPTED, RECEIVED = 0, 3  # FIX 87
OTHER = 7  # FIX 88
MILLISECONDS = 3


def acknowledgement(
    version: Version, asked: Fields, status: int, at_ns: int, refused: Refused | None = None
) -> Fields:
    """Return the body of P: AllocationInstructionAck, in 4.2 AllocationACK. Source: FIX P."""
    fields = Fields().add(70, asked.get(70)).add(75, asked.get(75) or None)
    fields.add(60, utc_text(at_ns, MILLISECONDS))
    fields.add(87, status if refused is None else refused.level)
    if refused is None:
        return fields
    code = next((c for c in refused.codes if is_known(version, 88, str(c))), OTHER)
    fields.add(88, code).add(58, refusal_text(refused))
    if refused.account_id and version is not Version.FIX42:
        fields.add(78, 1).add(79, refused.account_id).add(776, code)
    return fields


def refusal_text(refused: Refused) -> str:
    """Return `<code>: <bound> <value> <field>` for FIX 58."""
    return text_of(refused.reason, refused.bound, refused.value, refused.field)
