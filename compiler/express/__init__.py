"""From a mesh back to the language: what a policy would say that means what foreign files mean.

What the language cannot say is never left out silently: it is listed with its place and the reason.
"""

from meshproof.compiler.express.policy import Expressed, Part, express
from meshproof.compiler.express.seen_callers import seen_alike
from meshproof.compiler.express.text import in_order, text_of
from meshproof.compiler.express.untaken import Untaken
from meshproof.compiler.express.unwritten import without_unasked
from meshproof.compiler.express.versions import folded
from meshproof.compiler.express.wording import Wording

__all__ = [
    "Expressed",
    "Part",
    "Untaken",
    "Wording",
    "express",
    "folded",
    "in_order",
    "seen_alike",
    "text_of",
    "without_unasked",
]
