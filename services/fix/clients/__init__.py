"""fixin: clients' orders by FIX to the engine, and what became of them back as execution reports.

Topics: fix.received, orders.events, aggregations.events, fills.events, allocations.events and
control.commands in; orders.commands (key instrument), fix.sending and fix.decisions out.
"""
