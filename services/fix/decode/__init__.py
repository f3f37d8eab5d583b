"""Raw FIX for people: found in any line, verified, every tag and value by its name."""

from services.fix.decode.message import Decoded, Line, decode
from services.fix.decode.raw import Raw, raw_messages

__all__ = ["Decoded", "Line", "Raw", "decode", "raw_messages"]
