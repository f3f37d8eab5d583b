"""The FIXatdl 1.1 file of our strategies, checked and served to order management systems."""

from services.fix.atdl.check import problems, problems_of_ours
from services.fix.atdl.serve import serve

__all__ = ["problems", "problems_of_ours", "serve"]
