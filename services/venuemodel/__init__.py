"""venuemodel: fit what venues do, compare it with what is in force, propose it. See README.md."""
