"""Idempotent folds of the log; any reader may host them, and all give the same rows."""
