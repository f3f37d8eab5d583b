"""Copies of what clients are told of their orders, read only: FIX 8 and 9 with 797=Y.

Topics: the engine's orders, aggregations, fills and allocations and control.commands in;
fix.sending and fix.decisions out. Speaks with the words of services/fix/clients.
"""
