"""Errors of the embedded broker.

* Error (streams.core.errors)
  - BrokerError
    - JavaMissingError       environment: no Java runtime of the needed version
    - DiskFullError          environment: not enough room for data or jars
    - PortTakenError         environment: somebody else listens where the broker must
    - DownloadError          retryable: a jar could not be fetched
    - ChecksumError          fatal: a jar is not the one that the lock names
    - AlreadyRunningError    caller: another broker lives on the same data folder
    - StartError             the broker ended, or committed nothing in time; carries its log's end
    - NotRunningError        caller: an operation that needs a running broker
"""

from pathlib import Path

from streams.core.errors import Error

__all__ = [
    "AlreadyRunningError",
    "BrokerError",
    "ChecksumError",
    "DiskFullError",
    "DownloadError",
    "JavaMissingError",
    "NotRunningError",
    "PortTakenError",
    "StartError",
]


class BrokerError(Error):
    """The embedded broker could not do what was asked."""


class JavaMissingError(BrokerError):
    """No Java runtime of the needed version."""

    def __init__(self, looked_at: str, java_min: int) -> None:
        super().__init__(f"no Java {java_min} or newer at {looked_at}")
        self.looked_at = looked_at
        self.java_min = java_min


class DiskFullError(BrokerError):
    """Too little room is left where the broker wants to write."""

    def __init__(self, path: Path, free_mb: int, free_mb_min: int) -> None:
        super().__init__(f"{path}: {free_mb} MB free, at least {free_mb_min} MB needed")
        self.path = path
        self.free_mb = free_mb
        self.free_mb_min = free_mb_min


class PortTakenError(BrokerError):
    """Somebody else listens on a port that the broker must have."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {host}:{port} is taken by another process")
        self.host = host
        self.port = port


class DownloadError(BrokerError):
    """A jar could not be fetched."""

    def __init__(self, jar: str, cause: str) -> None:
        super().__init__(f"{jar} could not be downloaded: {cause}")
        self.jar = jar
        self.cause = cause


class ChecksumError(BrokerError):
    """A jar's bytes are not those that the lock file names."""

    def __init__(self, path: Path, found: str, wanted: str) -> None:
        super().__init__(f"{path} has SHA-256 {found}, the lock says {wanted}")
        self.path = path
        self.found = found
        self.wanted = wanted


class AlreadyRunningError(BrokerError):
    """A broker lives on the data folder already."""

    def __init__(self, data: Path, pid: int) -> None:
        super().__init__(f"{data} is in use by the broker with pid {pid}")
        self.data = data
        self.pid = pid


class NotRunningError(BrokerError):
    """An operation needs a running broker."""

    def __init__(self, data: Path) -> None:
        super().__init__(f"no broker runs on {data}")
        self.data = data


class StartError(BrokerError):
    """The broker ended early, or did not commit a transaction in time."""

    def __init__(self, log: Path, cause: str, log_end: str) -> None:
        super().__init__(f"{cause}; end of {log}:\n{log_end}")
        self.log = log
        self.cause = cause
        self.log_end = log_end
