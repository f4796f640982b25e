"""From a mesh back to the language: what a policy would say that means what foreign files mean.

What the language cannot say is never left out silently: it is listed with its place and the reason.
"""

from meshproof.compiler.express.policy import Expressed, Untaken, express
from meshproof.compiler.express.wording import Wording

__all__ = ["Expressed", "Untaken", "Wording", "express"]
