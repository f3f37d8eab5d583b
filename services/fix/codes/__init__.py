"""Our words in FIX's codes: versions, enums of the dictionaries, RejectReason to 103/102/380/..."""

from services.fix.codes.enums import is_known, known
from services.fix.codes.reasons import Codes, reason_codes, text_of
from services.fix.codes.versions import Version, version_of

__all__ = ["Codes", "Version", "is_known", "known", "reason_codes", "text_of", "version_of"]
