"""The kill switch from outside: say stop, by the log or by a file, and hear who has stopped."""

from services.kill.answers import Answers, Standing
from services.kill.line import Line, UnreachableError

__all__ = ["Answers", "Line", "Standing", "UnreachableError"]
