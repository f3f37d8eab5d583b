"""The market simulator: a process that speaks only through Kafka and owns the market's time.

Reads engine.journal.v1 and children.events.v1; writes orders.commands.v1, market.data.v1 and
venues.reports.v1 (key instrument_id) and venues.journal.v1 (key 0). README.md says how it trades.
"""
