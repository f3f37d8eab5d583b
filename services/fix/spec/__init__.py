"""The rules of engagement, written from the code: what counterparties read before they connect."""
