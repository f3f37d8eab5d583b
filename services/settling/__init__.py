"""Children that nobody answers for: what the log knows of them, and people's word about them."""

from services.settling.say import NoAnswerError, Refused, say_and_wait
from services.settling.view import TOPICS, ChildrenView, Known, read

__all__ = ["TOPICS", "ChildrenView", "Known", "NoAnswerError", "Refused", "read", "say_and_wait"]
