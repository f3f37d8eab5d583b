"""Clients say how their filled orders are to be given to their accounts (FIX J in, P out)."""
