"""Routing logics: each turns what a slice still wants into orders for venues, and says why."""
