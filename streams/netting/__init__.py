"""netting."""
