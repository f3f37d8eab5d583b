"""Fuzzers without end, for `make fuzz`; the suite has short ones of fixed seeds."""
