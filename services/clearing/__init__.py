"""Clearing: reports allocations and executions, follows their answers, and reconciles the day.

Reads the engine's events in the order of its journal, control.commands.v1 and clearing.statuses.v1;
writes clearing.reports.v1 (key instrument_id, the shard's partition) and clearing.journal.v1.
"""
