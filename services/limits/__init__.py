"""Limits of the desk: files, proposals and approvals, other limits tried, leases over shards."""
