"""The definition of what a policy means: the reference interpreter of "What happens to a request", plain and slow.

The symbolic encoding, the fast engine and every target are tested and proved against it.
"""

from meshproof.compiler.semantics.decide import decide, is_observed, passes_transport
from meshproof.compiler.semantics.errors import MalformedRequest, MissingAnswer, NotModelled
from meshproof.compiler.semantics.facts import Facts, facts_of
from meshproof.compiler.semantics.handshake import as_sent
from meshproof.compiler.semantics.hops import forwarded, mirrored
from meshproof.compiler.semantics.route import route
from meshproof.compiler.semantics.truth import holds
from meshproof.compiler.semantics.wellformed import is_well_formed

__all__ = [
    "Facts",
    "MalformedRequest",
    "MissingAnswer",
    "NotModelled",
    "as_sent",
    "decide",
    "facts_of",
    "forwarded",
    "holds",
    "is_observed",
    "is_well_formed",
    "mirrored",
    "passes_transport",
    "route",
]
