"""The simulator's clients as FIX initiators: their orders out, and a book of what they hear."""
