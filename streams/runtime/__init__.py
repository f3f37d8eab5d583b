"""Feed an application from an ordered log, one transaction a batch. Knows no broker."""
