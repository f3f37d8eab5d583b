"""FIX to clearers, buy sides and affirmation services: J, AS, AE and AK out, their answers in.

Reads clearing.reports.v1 (every shard) and control.commands.v1; writes clearing.statuses.v1.
"""
