"""Scripted certification of a counterparty: scripts are data, QuickFIX plays our side of them."""
