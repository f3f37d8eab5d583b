"""Reconciliation: venue executions = fills = children = allocations = cash = clearing reports.

It trusts no sum of the engine: what venues said is netted anew, cash is worked out from prices, and
every side is compared with the next one. README.md of services/clearing lists the breaks.
"""
