"""Benchmarks: each prints its configuration and stands beside its limit in the same run."""
