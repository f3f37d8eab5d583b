"""Feed an application from an ordered log, one transaction a batch. Knows no broker.

`ShardHost(log, codec, settings, make_application, inbox, clock).run(stop)` is the loop.
`replay(...)` decides a recorded journal again and compares.
"""
