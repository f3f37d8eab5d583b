"""The frontier of impact, risk and completion for people: before the trade, and after it."""
