"""The FIX versions that we speak."""

from enum import StrEnum

__all__ = ["Version", "version_of"]


class Version(StrEnum):
    """Version of the application's messages, by the name of its dictionary."""

    FIX42 = "FIX42"
    FIX44 = "FIX44"
    FIX50SP2 = "FIX50SP2"

    @property
    def has_trade_exec_type(self) -> bool:
        """Whether a fill is 150=F, not 20=0 with 150=1 or 2."""
        return self is not Version.FIX42

    @property
    def begin_string(self) -> str:
        """FIX 8 of its sessions."""
        return {"FIX42": "FIX.4.2", "FIX44": "FIX.4.4"}.get(self, "FIXT.1.1")


def version_of(begin_string: str) -> Version:
    """Return the version of a session; FIXT.1.1 carries 5.0 SP2. Raises: ValueError."""
    for version in Version:
        if version.begin_string == begin_string:
            return version
    raise ValueError(f"BeginString {begin_string} is none of FIX.4.2, FIX.4.4, FIXT.1.1")
