"""The independent checker: reads the topics, proves the laws, shares no code with the engine."""

from services.audit.checker import check_records
from services.audit.findings import CheckReport, Code, Finding
from services.audit.kafka import check
from services.audit.records import RawRecord

__all__ = ["CheckReport", "Code", "Finding", "RawRecord", "check", "check_records"]
