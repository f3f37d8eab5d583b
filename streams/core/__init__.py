"""Vocabulary shared by every decider: standard library, msgspec and schemas.messages only."""
