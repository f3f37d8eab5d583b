"""Carries FIX text between counterparties and the log; QuickFIX holds the sessions."""
