"""Reference data in force: effective-dated definitions, folded from control.commands records."""

from streams.shard.reference.view import CONTROL_MESSAGES, ReferenceView

__all__ = ["CONTROL_MESSAGES", "ReferenceView"]
